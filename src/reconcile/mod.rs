//! Asks the shops what happened and compares it with the notifications received: missed orders, drifted statuses,
//! vanished orders, open notifications, silent sources, fakes. A list that could not be read completely makes the
//! report incomplete, never clean.
//!
//! * `source` — one source: its list, the suspect orders, a call for each
//! * `calls` — the calls to its API: rate-limited, retried, numbered
//! * `findings` — the findings, a limited number per kind

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;

use crate::config::{Settings, Source};
use crate::domain::{Clock, Report, SourceStatistics, Timestamp, Window};
use crate::metrics::Metrics;
use crate::providers::http::Client;
use crate::store::Store;

mod calls;
mod findings;
mod source;

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Start of the window; by default the end of the last complete run without options.
    pub from: Option<Timestamp>,
    /// End of the window; by default now, minus the time that notifications may take.
    pub to: Option<Timestamp>,
    pub only: Option<String>,
    /// How far before the window a shop's list by creation date is read.
    pub recheck: Duration,
    /// Whether missed and drifted orders become confirmed notifications.
    pub recovers: bool,
}

impl Plan {
    /// Whether this is a run over everything since the last such run.
    fn covers_everything(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.only.is_none()
    }
}

/// Progress of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This many more orders are to be asked about.
    ToAsk(u64),
    /// One order was asked about.
    Asked,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub report: Report,
    /// Statistics of the same sources, in the same order.
    pub statistics: Vec<SourceStatistics>,
    /// Why it is incomplete, one line per cause.
    pub failures: Vec<String>,
}

/// The parts that all sources of a run share.
struct ReconcileParts<'a> {
    store: &'a Store,
    settings: &'a Settings,
    /// All configured sources, because any new notification may have to be parsed.
    sources: Arc<[Source]>,
    plan: &'a Plan,
    clock: &'a Clock,
    client: Client,
    watch: &'a (dyn Fn(Progress) + Sync),
}

/// Runs over the sources of the plan concurrently, so that no slow shop delays the others.
///
/// # Errors
/// The store cannot be read or written, or the HTTP client cannot be set up. A shop's failure is part of the outcome.
pub async fn run(
    store: &Store,
    settings: &Settings,
    plan: &Plan,
    clock: &Clock,
    watch: &(dyn Fn(Progress) + Sync),
) -> anyhow::Result<Outcome> {
    let client = Client::new(settings.verify.timeout, Metrics::new()?, clock.clone())?;
    let sources = settings.sources.clone().into();
    let parts = ReconcileParts { store, settings, sources, plan, clock, client, watch };
    let now = clock.now();
    let to = plan.to.unwrap_or_else(|| now.minus(settings.verify.policy.grace));
    let mut selected = Vec::new();
    for source in settings.sources.iter().filter(|source| is_selected(source, plan)) {
        let from = match plan.from {
            Some(from) => from,
            None => store.reader().reconcile_start(source.name.clone()).await?.unwrap_or(to),
        };
        selected.push((source, Window { from: from.min(to), to }));
    }
    let accounts =
        join_all(selected.iter().map(|(source, window)| source::run(&parts, source, *window))).await;
    let mut outcome = Outcome {
        report: Report {
            generated_at: now,
            from: selected.iter().map(|(_, window)| window.from).min().unwrap_or(to),
            to,
            sources: Vec::with_capacity(accounts.len()),
        },
        statistics: Vec::with_capacity(accounts.len()),
        failures: Vec::new(),
    };
    for account in accounts {
        let source::SourceResult { report, statistics, failures } = account.context("read the store")?;
        outcome.report.sources.push(report);
        outcome.statistics.push(statistics);
        outcome.failures.extend(failures);
    }
    let made = serde_json::to_string(&outcome.report).context("write the report as JSON")?;
    store.remember_reconcile(made, now).await.context("remember what was found")?;
    if plan.covers_everything() && outcome.report.sources.iter().all(|source| source.complete) {
        let windows = selected.iter().map(|(source, window)| (source.name.clone(), *window)).collect();
        store.complete_reconcile(windows, clock.now()).await.context("record the run")?;
    }
    Ok(outcome)
}

fn is_selected(source: &Source, plan: &Plan) -> bool {
    plan.only.as_ref().is_none_or(|only| *only == source.name)
}
