//! `countersign status`: show whether anything needs attention, from the configuration and the store alone.

use std::path::Path;

use serde_json::{Value, json};

use super::report::select_sources;
use super::terminal::{Paint, Terminal, escape_controls, table};
use super::{CommandError, Exit, settings};
use crate::config::Settings;
use crate::domain::format::{size, span};
use crate::domain::health::{ActionHealth, Health, Serving, SourceHealth, StoreHealth, Unwritable, Warning};
use crate::domain::shipping::LedgerState;
use crate::domain::{Clock, Timestamp};
use crate::rules::health;
use crate::store::{self, Reader, Trial};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Works whether or not serve runs, and calls no shop (doctor does). Exit codes: 0 all is well, 3 \
                        something needs attention, 1 the store cannot be read.\n\nExamples:\n  countersign status\n  \
                        countersign status --json | jq -r '.warnings[].what'"
)]
pub(super) struct Args {
    /// Print one JSON object, for scripts
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let health = read_health(&settings).await?;
    let warnings = health::warnings(&health);
    let mut terminal = Terminal::new();
    if args.json {
        terminal.json(&as_json(&settings, &health, &warnings))?;
    } else {
        print(&mut terminal, &health, &warnings)?;
    }
    terminal.flush()?;
    Ok(if warnings.is_empty() { Exit::Fine } else { Exit::Differences })
}

async fn read_health(settings: &Settings) -> Result<Health, CommandError> {
    let path = &settings.store.path;
    let now = Clock::system().now();
    let reader = Reader::open(path)?;
    let (contents, sources) = reader.health(select_sources(settings, Vec::new(), None)?, now).await?;
    let names = settings.actions.iter().map(|action| action.name.clone()).collect();
    let actions = reader.action_health(names).await?;
    let ledger = reader.ledger().await?;
    let mut alerts = reader.failing_channels().await?;
    alerts.retain(|failing| settings.alerts.rules.channels.contains(&failing.channel));
    let tried = path.clone();
    let Trial { writable, log_left } =
        tokio::task::spawn_blocking(move || store::try_to_write(&tried)).await.unwrap_or_default();
    let store = StoreHealth {
        writable: writable.map(|tried| tried.map_err(Unwritable::from)),
        wal_left: log_left,
        free_disk: store::free_disk(path),
        min_free: settings.store.min_free,
        file_bytes: store::file_size(path),
        wal_bytes: store::wal_size(path),
        forgets: settings.store.keep.is_some(),
        contents,
        ..StoreHealth::default()
    };
    Ok(Health { now, serving: store::holder(path), store, sources, actions, ledger, alerts })
}

fn print(terminal: &mut Terminal, health: &Health, warnings: &[Warning]) -> Result<(), CommandError> {
    match warnings.len() {
        0 => terminal.painted(&[(Paint::Green, "All is well.")])?,
        1 => terminal.painted(&[(Paint::Red, "1 thing needs attention:")])?,
        more => terminal.painted(&[(Paint::Red, &format!("{more} things need attention:"))])?,
    }
    for (number, warning) in (1..).zip(warnings) {
        let source = warning.source.as_ref().map(|source| format!("source {source}: "));
        let action = warning.action.as_ref().map(|action| format!("action {action}: "));
        let about = source.or(action).unwrap_or_default();
        terminal.line(&format!("{number}. {about}{}", warning.in_words()))?;
        terminal.line(&format!("   → {}", warning.remedy))?;
    }
    terminal.line("")?;
    terminal.line(&match &health.serving {
        Serving::Elsewhere(holder) => format!("serve   runs ({holder})"),
        Serving::Here(_) => "serve   runs".to_owned(),
        Serving::NotRunning => "serve   is not running".to_owned(),
        Serving::Unknown => {
            "serve   unknown: this user cannot see whether it runs; run status as the store's \
                owner"
                .to_owned()
        }
    })?;
    terminal.line(&format!("store   {}", store_in_words(&health.store)))?;
    if let Some(ledger) = &health.ledger {
        terminal.line(&format!("ledger  {}", escape_controls(&ledger_in_words(ledger, health.now))))?;
    }
    terminal.line("")?;
    let width = terminal.width();
    terminal.lines(&sources(health, width))?;
    if !health.actions.is_empty() {
        terminal.line("")?;
        terminal.lines(&actions(health, width))?;
    }
    Ok(())
}

fn store_in_words(store: &StoreHealth) -> String {
    let mut words = format!("{} and {} of log", size(store.file_bytes), size(store.wal_bytes));
    if let Some(free) = store.free_disk {
        words += &format!("; {} free on its disk", size(free));
    }
    if let Some(growth) = health::growth_per_day(&store.contents) {
        words += &format!("; grows by about {} a day", size(growth));
    }
    if let Some(days) = health::days_until_full(store) {
        words += &match days {
            0..=3_650 => format!(", full in about {days} days if nothing else fills it"),
            _ => ", not full within ten years".to_owned(),
        };
    }
    words
}

fn ledger_in_words(ledger: &LedgerState, now: Timestamp) -> String {
    let waits = match ledger.waiting {
        0 => "up to date".to_owned(),
        more => format!("at most {more} rows to ship"),
    };
    let filled = ledger.filled.map(|share| format!("filled to {}.{} %; ", share / 10, share % 10));
    let confirmed = ledger.confirmed_at.map(|at| format!("; last shipped {} ago", span(now.since(at))));
    let failure = ledger.failure.as_ref().map(|failure| format!("; {}", failure.error));
    [filled, Some(waits), confirmed, failure].into_iter().flatten().collect()
}

const HEADER: [&str; 8] =
    ["source", "last notification", "today", "confirmed", "fakes", "pending", "oldest", "API"];

fn sources(health: &Health, width: Option<u16>) -> String {
    let shown = health.sources.iter().filter(|source| source.is_configured || source.pending > 0);
    let rows = shown.map(|source| {
        let ago = |then: Option<Timestamp>| then.map(|then| span(health.now.since(then)));
        [
            escape_controls(&source.source).into_owned(),
            ago(source.last_received).map_or_else(|| "none yet".to_owned(), |ago| format!("{ago} ago")),
            source.today.received.to_string(),
            source.today.confirmed.to_string(),
            source.today.fakes.to_string(),
            source.pending.to_string(),
            ago(source.oldest_pending).unwrap_or_else(|| "-".to_owned()),
            escape_controls(&health::api(source)).into_owned(),
        ]
    });
    table(HEADER, rows, &[], width)
}

/// A row per action: its waiting and dead deliveries, and the state of its target.
fn actions(health: &Health, width: Option<u16>) -> String {
    let rows = health.actions.iter().map(|action| {
        let oldest = action.oldest_waiting.map(|then| span(health.now.since(then)));
        [
            escape_controls(&action.action).into_owned(),
            action.waiting.to_string(),
            oldest.unwrap_or_else(|| "-".to_owned()),
            action.dead.to_string(),
            target(action, health.now),
        ]
    });
    table(["action", "waiting", "oldest", "dead", "target"], rows, &[], width)
}

/// The state of an action's target, in a few words.
fn target(action: &ActionHealth, now: Timestamp) -> String {
    let state = &action.state;
    let is_held = state.held_until.is_some_and(|until| until > now);
    match (action.is_configured, state.failing_since) {
        (false, _) => "not configured".to_owned(),
        (true, _) if state.gone_at.is_some() => "gone (HTTP 410), resting".to_owned(),
        (true, Some(since)) => format!("failing for {}", span(now.since(since))),
        (true, None) if is_held => "asked for a pause".to_owned(),
        (true, None) => "works".to_owned(),
    }
}

fn as_json(settings: &Settings, health: &Health, warnings: &[Warning]) -> Value {
    let (running, holder) = match &health.serving {
        Serving::Elsewhere(holder) => (Some(true), Some(holder)),
        Serving::Here(_) => (Some(true), None),
        Serving::NotRunning => (Some(false), None),
        Serving::Unknown => (None, None),
    };
    let store = &health.store;
    let sources: Vec<Value> = health.sources.iter().map(source_as_json).collect();
    let actions: Vec<Value> =
        health.actions.iter().map(|action| action_as_json(action, health.now)).collect();
    json!({
        "well": warnings.is_empty(),
        "warnings": warnings,
        "serve": { "running": running, "holder": holder },
        "store": {
            "path": settings.store.path,
            "file_bytes": store.file_bytes,
            "wal_bytes": store.wal_bytes,
            "free_disk_bytes": store.free_disk,
            "min_free_bytes": store.min_free,
            "growth_bytes_per_day": health::growth_per_day(&store.contents),
            "days_until_full": health::days_until_full(store),
        },
        "sources": sources,
        "actions": actions,
        "ledger": health.ledger.as_ref().map(|ledger| ledger_as_json(ledger, health.now)),
    })
}

fn ledger_as_json(ledger: &LedgerState, now: Timestamp) -> Value {
    let failure = ledger.failure.as_ref();
    json!({
        "waiting": ledger.waiting,
        "behind_seconds": ledger.behind(now).as_secs(),
        "filled": ledger.filled.map_or(1.0, |share| f64::from(share) / 1000.0),
        "shipped_until": ledger.shipped_until,
        "confirmed_at": ledger.confirmed_at,
        "failing_since": failure.map(|failure| failure.since),
        "refused": failure.is_some_and(|failure| !failure.passes),
        "error": failure.map(|failure| &failure.error),
        "gap": ledger.gap,
    })
}

fn source_as_json(source: &SourceHealth) -> Value {
    json!({
        "source": source.source,
        "provider": source.provider,
        "configured": source.is_configured,
        "last_received_at": source.last_received,
        "today": source.today,
        "pending": source.pending,
        "oldest_pending_at": source.oldest_pending,
        "undecided": source.undecided,
        "api": health::api(source),
        "reconciled_at": source.reconciled_at,
    })
}

fn action_as_json(action: &ActionHealth, now: Timestamp) -> Value {
    json!({
        "action": action.action,
        "configured": action.is_configured,
        "waiting": action.waiting,
        "oldest_waiting_at": action.oldest_waiting,
        "dead": action.dead,
        "failures": action.state.failures,
        "failing_since": action.state.failing_since,
        "held_until": action.state.held_until,
        "gone_at": action.state.gone_at,
        "last_error": action.state.last_error,
        "target": target(action, now),
    })
}
