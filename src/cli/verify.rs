//! `countersign verify`: verify every notification that is due now, in the foreground.

use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{Notify, mpsc, watch};

use super::exit::unless_locked;
use super::terminal::Terminal;
use super::{CommandError, Exit, logging, settings, usage_error};
use crate::actions::http::Clients;
use crate::config::Settings;
use crate::deliverer::{self, Deliverer, InForce};
use crate::domain::health::Serving;
use crate::domain::{Clock, State};
use crate::metrics::Metrics;
use crate::service::{self, NamesTaken};
use crate::store::{self, StateChange, Store};
use crate::worker::{Worker, WorkerTurn};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: countersign verify\nWorks while serve runs: both share the queue and the shops' \
        rate limits."
)]
pub(super) struct Args {}

#[derive(Default)]
struct Count {
    confirmed: u64,
    ignored: u64,
    undecided: u64,
    waiting: u64,
}

pub(super) async fn run(_args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Warn);
    let settings = settings(config)?;
    let store = Store::open(&settings.store.path)?;
    store.subscribe(service::subscriptions(&settings));
    let clock = Clock::system();
    service::introduce(&store, &settings, &clock).await.map_err(usage_error::<NamesTaken>)?;
    let lock = service::join_verify(&store, &settings, &clock).await?;
    let (count, left) = unless_locked(&store, work(&settings, &store, &clock)).await?;
    deliver(&settings, &store, &clock).await?;
    drop(lock);
    store.close();
    let Count { confirmed, ignored, undecided, waiting } = count;
    let mut terminal = Terminal::new();
    terminal.line(&format!(
        "{confirmed} confirmed, {ignored} ignored, {undecided} undecided; {waiting} asked about and still \
            pending; {left} pending in all"
    ))?;
    terminal.flush()?;
    Ok(Exit::Fine)
}

/// Works until nothing is due, and waits for notifications that only a rate limit holds back.
async fn work(settings: &Settings, store: &Store, clock: &Clock) -> Result<(Count, u64), CommandError> {
    let (moves, mut moved) = mpsc::unbounded_channel();
    let wake = Arc::new(Notify::new());
    let parts = service::worker_parts(settings, store, clock, &Metrics::new()?, "verify", wake, Some(moves))?;
    let mut worker = Worker::new(parts);
    let bar = progress_bar(pending(store, settings).await?);
    let mut count = Count::default();
    loop {
        let turn = worker.turn().await?;
        while let Ok(StateChange { state, .. }) = moved.try_recv() {
            match state {
                State::Confirmed => count.confirmed += 1,
                State::Ignored => count.ignored += 1,
                State::Undecided => count.undecided += 1,
                State::Pending => count.waiting += 1,
            }
            bar.inc(1);
        }
        match turn {
            WorkerTurn::Worked => {}
            WorkerTurn::Idle { until, is_spent } => {
                if !worker.wait_for_one().await {
                    let Some(until) = until.filter(|_| is_spent) else { break };
                    tokio::time::sleep(until.since(clock.now()).max(Duration::from_millis(1))).await;
                }
            }
        }
    }
    bar.finish_and_clear();
    worker.finish(Duration::ZERO).await;
    Ok((count, pending(store, settings).await?))
}

/// Makes the due deliveries, unless a `serve` does.
async fn deliver(settings: &Settings, store: &Store, clock: &Clock) -> Result<(), CommandError> {
    let is_served = matches!(store::holder(&settings.store.path), Serving::Elsewhere(_));
    if settings.actions.is_empty() || is_served {
        return Ok(());
    }
    store.identify().await?;
    let in_force = InForce { actions: settings.actions.clone(), drain: Duration::ZERO };
    let (_in_force, receiver) = watch::channel(Arc::new(in_force));
    let parts = service::deliverer_parts(store, clock, &Metrics::new()?, "verify", Clients::new()?, receiver);
    let mut deliverer = Deliverer::new(parts);
    loop {
        let turn = deliverer.turn().await?;
        if turn != deliverer::DelivererTurn::Worked && !deliverer.wait_for_one().await {
            break;
        }
    }
    deliverer.finish().await;
    Ok(())
}

async fn pending(store: &Store, settings: &Settings) -> Result<u64, CommandError> {
    let queues = store.reader().queues().await?;
    let configured =
        queues.iter().filter(|queue| settings.sources.iter().any(|source| source.name == queue.source));
    Ok(configured.map(|queue| queue.pending).sum())
}

fn progress_bar(total: u64) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} asked  {per_sec}  {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
