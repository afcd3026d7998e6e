//! `countersign send-test`: send a test event to an action or the alerts, and print the answer.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use tokio::sync::watch;

use super::terminal::Terminal;
use super::{CommandError, Exit, settings};
use crate::actions::alert::Ways;
use crate::actions::http::Clients;
use crate::actions::{Action, Message, Stopping};
use crate::domain::alerts::AlertText;
use crate::domain::news::test_line;
use crate::domain::{AttemptOutcome, Clock};
use crate::store::Store;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sends an event of type test, which its receiver should only acknowledge. If the action is resting \
                        because it answered 410, a success wakes it.\n\nExamples:\n  countersign send-test erp\n  \
                        countersign send-test alerts"
)]
pub(super) struct Args {
    /// Name of the action, as in [actions.NAME], or `alerts`
    #[arg(value_name = "NAME")]
    name: String,
}

/// The name that stands for the alerts; no action has it.
const ALERTS: &str = "alerts";

/// Sends a test to each channel.
async fn try_alerts(ways: &Ways) -> Result<Exit, CommandError> {
    let channels = ways.channels();
    if channels.is_empty() {
        return Err(anyhow!("no alerts are configured; write mail or url in [alerts]").into());
    }
    let (clients, mut terminal, mut exit) = (Clients::new()?, Terminal::new(), Exit::Fine);
    for channel in channels {
        let (now, begun) = (Clock::system().now(), Instant::now());
        let id = format!("test_{:016x}", RandomState::new().hash_one(now.millis()));
        let sent = ways.send(&clients, channel, id, &AlertText::default(), now).await;
        terminal.line(&match sent {
            Ok(()) => format!("{channel} sent in {} ms", begun.elapsed().as_millis()),
            Err(why) => {
                exit = Exit::Failed;
                format!("{channel} failed: {why}")
            }
        })?;
    }
    terminal.flush()?;
    Ok(exit)
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    if args.name == ALERTS {
        return try_alerts(&settings.alerts.ways).await;
    }
    let Some(action) = settings.actions.iter().find(|action| action.name == args.name) else {
        let names: Vec<&str> = settings.actions.iter().map(|action| action.name.as_str()).collect();
        let known =
            if names.is_empty() { "none is".to_owned() } else { format!("configured: {}", names.join(", ")) };
        return Err(anyhow!("no action {} is configured; {known}", args.name).into());
    };
    let attempt = send(action).await?;
    let mut terminal = Terminal::new();
    let status = attempt.http_status.map(|status| format!(" HTTP {status}")).unwrap_or_default();
    let code = attempt.exit_code.map(|code| format!(" exit code {code}")).unwrap_or_default();
    terminal.line(&format!("{}{status}{code} in {} ms", attempt.outcome, attempt.latency_ms))?;
    if !attempt.detail.is_empty() {
        terminal.line(&attempt.detail)?;
    }
    if let Some(answer) = &attempt.answer {
        terminal.line(answer)?;
    }
    let is_delivered = attempt.outcome == AttemptOutcome::Delivered;
    if is_delivered && settings.store.path.exists() {
        let store = Store::open(&settings.store.path)?;
        let woken = store.wake_actions(vec![action.name.clone()]).await?;
        store.close();
        if !woken.is_empty() {
            terminal.line("the action was resting since it answered 410; its deliveries resume")?;
        }
    }
    terminal.flush()?;
    Ok(if is_delivered { Exit::Fine } else { Exit::Failed })
}

async fn send(action: &Action) -> Result<crate::domain::Attempt, CommandError> {
    let now = Clock::system().now();
    let random = RandomState::new().hash_one(now.millis());
    let message = Message {
        id: format!("test_{random:016x}"),
        action: action.name.clone(),
        attempt: 1,
        news: None,
        body: test_line(&action.name, now),
    };
    let (_running, stop) = watch::channel(Stopping::No);
    let target = action.kind.target(&Clients::new()?);
    let begun = Instant::now();
    let result = target.send(&message, now, action.timeout, stop).await;
    let result = result.ok_or_else(|| anyhow!("the test was interrupted"))?;
    Ok(result.attempt(now, begun.elapsed()))
}
