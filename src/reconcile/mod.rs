//! Asks the shops what happened and compares it with what they told us: who was never told of, whose status went astray,
//! who is gone, what waits, who is silent, who tried to fool us. A list that could not be read to its end makes the report
//! incomplete, never clean.
//!
//! * `source` — one source: its list, the suspects, a call of its own for each
//! * `calls` — the way to its API: counted, patient, numbered
//! * `collected` — at most so many findings of a kind, the rest counted

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
mod collected;
mod source;

/// What to look at.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the window begins; `None`: where the last complete run without choices ended.
    pub from: Option<Timestamp>,
    /// Where it ends; `None`: now, less the time that notifications may take.
    pub to: Option<Timestamp>,
    /// Only this source.
    pub only: Option<String>,
    /// How much further back orders are seen again where a shop's list goes by creation date.
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

/// What a run tells while it is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many more orders are to be asked about.
    ToAsk(u64),
    /// One of them was.
    Asked,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// What else the store knows about the same sources, in the same order.
    pub statistics: Vec<SourceStatistics>,
    /// Why it is incomplete, a line each.
    pub failures: Vec<String>,
}

/// What all sources of a run share.
struct Parts<'a> {
    store: &'a Store,
    settings: &'a Settings,
    /// The configured sources, also those that are not chosen: any delivery may have to be read.
    sources: Arc<[Source]>,
    plan: &'a Plan,
    clock: &'a Clock,
    client: Client,
    watch: &'a (dyn Fn(Progress) + Sync),
}

/// Runs over the sources of the plan, all at once: no slow shop delays the others.
///
/// # Errors
/// The store failed, or the HTTP client cannot be set up. A shop that fails is no error but in the outcome.
pub async fn run(
    store: &Store,
    settings: &Settings,
    plan: &Plan,
    clock: &Clock,
    watch: &(dyn Fn(Progress) + Sync),
) -> anyhow::Result<Outcome> {
    let client = Client::new(settings.verify.timeout, Metrics::new()?, clock.clone())?;
    let sources = settings.sources.clone().into();
    let parts = Parts { store, settings, sources, plan, clock, client, watch };
    let now = clock.now();
    let to = plan.to.unwrap_or_else(|| now.minus(settings.verify.policy.grace));
    let mut chosen = Vec::new();
    for source in settings.sources.iter().filter(|source| is_chosen(source, plan)) {
        let from = match plan.from {
            Some(from) => from,
            None => store.reader().reconcile_start(source.name.clone()).await?.unwrap_or(to),
        };
        chosen.push((source, Window { from: from.min(to), to }));
    }
    let accounts =
        join_all(chosen.iter().map(|(source, window)| source::inspect(&parts, source, *window))).await;
    let mut outcome = Outcome {
        report: Report {
            generated_at: now,
            from: chosen.iter().map(|(_, window)| window.from).min().unwrap_or(to),
            to,
            sources: Vec::with_capacity(accounts.len()),
        },
        statistics: Vec::with_capacity(accounts.len()),
        failures: Vec::new(),
    };
    for account in accounts {
        let source::Account { report, statistics, failures } = account.context("read the store")?;
        outcome.report.sources.push(report);
        outcome.statistics.push(statistics);
        outcome.failures.extend(failures);
    }
    let made = serde_json::to_string(&outcome.report).context("write the report as JSON")?;
    store.remember_reconcile(made, now).await.context("remember what was found")?;
    if plan.covers_everything() && outcome.report.sources.iter().all(|source| source.complete) {
        let windows = chosen.iter().map(|(source, window)| (source.name.clone(), *window)).collect();
        store.complete_reconcile(windows, clock.now()).await.context("remember the run")?;
    }
    Ok(outcome)
}

fn is_chosen(source: &Source, plan: &Plan) -> bool {
    plan.only.as_ref().is_none_or(|only| *only == source.name)
}
