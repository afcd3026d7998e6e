//! `countersign list`: list notifications, newest first.

use std::path::Path;

use super::terminal::{Terminal, escape_controls, table};
use super::{CommandError, Exit, args, settings};
use crate::domain::{Reason, State, Timestamp};
use crate::store::{Filter, NotificationLine, Reader};

/// Number of rows read at once, so that a long list holds neither a long transaction nor all bodies in memory.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign list --state undecided --since 24h\n  \
                        countersign list --subject SALE-H4K9P --json | jq .detail")]
pub(super) struct Args {
    /// Only in this state
    #[arg(long, value_name = "STATE", value_parser = args::state(State::ALL))]
    state: Option<State>,
    /// Only with this reason
    #[arg(long, value_name = "REASON", value_parser = args::reason())]
    reason: Option<Reason>,
    /// Only from this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only about this order or product
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only received since: an age (24h), an RFC 3339 time or a date
    #[arg(long, value_name = "24h", value_parser = args::since)]
    since: Option<Timestamp>,
    /// Maximum number of notifications
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print one JSON object per line, with all columns
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let reader = Reader::open(&settings(config)?.store.path)?;
    let mut terminal = Terminal::new();
    let mut rows = Vec::new();
    let mut left = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut before_id = None;
    while left > 0 {
        let filter = Filter {
            state: args.state,
            reason: args.reason,
            source: args.source.clone(),
            subject: args.subject.clone(),
            since: args.since,
            before_id,
            limit: left.min(PAGE),
            ..Filter::default()
        };
        let page = reader.list(filter).await?;
        let Some(last) = page.last() else { break };
        before_id = Some(last.line.id);
        left = left.saturating_sub(page.len());
        for notification in &page {
            if args.json {
                terminal.json(notification)?;
            } else {
                rows.push(row(&notification.line, terminal.width().is_some()));
            }
        }
    }
    if !args.json {
        let width = terminal.width();
        terminal.lines(&table(HEADER, rows, &UNBROKEN, width))?;
    }
    terminal.flush()?;
    Ok(Exit::Fine)
}

const HEADER: [&str; 8] = ["id", "received", "source", "event", "subject", "state", "reason", "detail"];

/// The columns that must not wrap: id, received, state.
const UNBROKEN: [usize; 3] = [0, 1, 5];

/// One row of the table. A terminal gets the time in whole seconds, to save width.
fn row(notification: &NotificationLine, is_terminal: bool) -> [String; 8] {
    let shown = |text: &Option<String>| escape_controls(text.as_deref().unwrap_or("-")).into_owned();
    let received = &notification.received_at;
    let received = match received.get(..19).filter(|_| is_terminal) {
        Some(seconds) => format!("{}Z", seconds.replace('T', " ")),
        None => received.clone(),
    };
    [
        notification.id.to_string(),
        received,
        escape_controls(&notification.source).into_owned(),
        shown(&notification.event),
        shown(&notification.subject_id),
        notification.state.clone(),
        shown(&notification.reason),
        shown(&notification.detail),
    ]
}
