//! The metrics. Labels come from the configuration, never from a request, so that a stranger cannot create series.

use std::time::Duration;

use anyhow::Context as _;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use crate::domain::health::{Health, Warning};
use crate::domain::number::whole;
use crate::domain::{AttemptOutcome, Reason, State, Timestamp};

mod deliveries;
mod health;

use deliveries::DeliveryMetrics;
use health::HealthGauges;

/// Histogram bounds in seconds, from a commit on a fast disk to a request that timed out.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of one running service.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    notifications: IntCounterVec,
    verdicts: IntCounterVec,
    refusals: IntCounterVec,
    api_requests: IntCounterVec,
    api_seconds: HistogramVec,
    intake_seconds: HistogramVec,
    pending: IntGaugeVec,
    oldest_pending: IntGaugeVec,
    last_notification: IntGaugeVec,
    health: HealthGauges,
    commits: IntCounter,
    deliveries: DeliveryMetrics,
}

/// The counters of one source's intake.
#[derive(Clone, Debug)]
pub struct IntakeCounters {
    notifications: IntCounter,
    seconds: Histogram,
    last_notification: IntGauge,
}

impl IntakeCounters {
    /// Counts a stored notification.
    pub fn stored(&self, took: Duration, at: Timestamp) {
        self.notifications.inc();
        self.seconds.observe(took.as_secs_f64());
        self.last_notification.set(at.seconds());
    }
}

impl Metrics {
    /// All counters start at zero.
    ///
    /// # Errors
    /// Two series have the same name, which is a bug.
    pub fn new() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<IntCounterVec> {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone())).with_context(|| format!("register {name}"))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> anyhow::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["source"])?;
            registry.register(Box::new(gauge.clone())).with_context(|| format!("register {name}"))?;
            Ok(gauge)
        };
        let histogram = |name: &str, help: &str| -> anyhow::Result<HistogramVec> {
            let opts = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
            let histogram = HistogramVec::new(opts, &["source"])?;
            registry.register(Box::new(histogram.clone())).with_context(|| format!("register {name}"))?;
            Ok(histogram)
        };
        let commits = IntCounter::new(
            "countersign_commits_total",
            "Transactions committed to disk; under load many notifications share one",
        )?;
        registry.register(Box::new(commits.clone())).context("register countersign_commits_total")?;
        Ok(Self {
            commits,
            deliveries: DeliveryMetrics::register(&registry)?,
            notifications: counter(
                "countersign_notifications_total",
                "Notifications stored and acknowledged",
                &["source"],
            )?,
            verdicts: counter(
                "countersign_verdicts_total",
                "Notifications settled, by state and reason",
                &["source", "state", "reason"],
            )?,
            refusals: counter(
                "countersign_refusals_total",
                "Requests to a configured source that were not stored",
                &["source", "cause"],
            )?,
            api_requests: counter(
                "countersign_api_requests_total",
                "Calls of the shops' APIs by HTTP status; code 0: no answer",
                &["source", "code"],
            )?,
            api_seconds: histogram(
                "countersign_api_request_seconds",
                "Time from request to the end of the answer",
            )?,
            intake_seconds: histogram(
                "countersign_intake_seconds",
                "Time from the request's head to the acknowledgement, the fsync included",
            )?,
            pending: gauge("countersign_pending", "Notifications not settled yet")?,
            oldest_pending: gauge(
                "countersign_oldest_pending_seconds",
                "Age of the oldest pending notification",
            )?,
            last_notification: gauge(
                "countersign_last_notification_timestamp_seconds",
                "When the last notification was received, in seconds since 1970",
            )?,
            health: HealthGauges::register(&registry)?,
            registry,
        })
    }

    /// Creates the series of a configured source with the value zero.
    pub fn introduce(&self, source: &str) {
        self.notifications.with_label_values(&[source]);
        self.pending.with_label_values(&[source]);
        self.oldest_pending.with_label_values(&[source]);
        self.api_seconds.with_label_values(&[source]);
        self.intake_seconds.with_label_values(&[source]);
    }

    /// The counters of a source's intake, looked up once.
    #[must_use]
    pub fn intake(&self, source: &str) -> IntakeCounters {
        IntakeCounters {
            notifications: self.notifications.with_label_values(&[source]),
            seconds: self.intake_seconds.with_label_values(&[source]),
            last_notification: self.last_notification.with_label_values(&[source]),
        }
    }

    /// Counts a settled notification.
    pub fn settled(&self, source: &str, state: State, reason: Reason) {
        self.verdicts.with_label_values(&[source, state.as_str(), reason.as_str()]).inc();
    }

    /// Counts a refused request to a configured source.
    pub fn refused(&self, source: &str, cause: &str) {
        self.refusals.with_label_values(&[source, cause]).inc();
    }

    /// Counts an API call; `status` is `None` if there was no answer.
    pub fn called(&self, source: &str, status: Option<u16>, took: Duration) {
        let code = status.unwrap_or(0).to_string();
        self.api_requests.with_label_values(&[source, code.as_str()]).inc();
        self.api_seconds.with_label_values(&[source]).observe(took.as_secs_f64());
    }

    /// Lets the series of a configured action appear before anything happened.
    pub fn introduce_action(&self, action: &str) {
        self.deliveries.introduce(action);
    }

    /// A try of a delivery ended.
    pub fn delivered(&self, action: &str, outcome: AttemptOutcome, took: Duration) {
        self.deliveries.tried(action, outcome, took);
    }

    /// Sets the gauges before each scrape: queues of the configured sources, sizes, `growth` in bytes per day if
    /// known, and the warnings.
    pub fn set_health(&self, health: &Health, growth: Option<u64>, warnings: &[Warning]) {
        for source in health.sources.iter().filter(|source| source.is_configured) {
            let name = [source.source.as_str()];
            let age = source.oldest_pending.map_or(0, |oldest| health.now.since(oldest).as_secs());
            self.pending.with_label_values(&name).set(whole(source.pending));
            self.oldest_pending.with_label_values(&name).set(whole(age));
            let last_seen = self.last_notification.with_label_values(&name);
            last_seen.set(last_seen.get().max(source.last_received.map_or(0, Timestamp::seconds)));
        }
        self.health.set(health, growth, warnings);
        self.deliveries.set(health);
    }

    /// Removes the queue series of a source that is no longer configured, because their last values would stay.
    pub fn forget_queue(&self, source: &str) {
        for gauge in [&self.pending, &self.oldest_pending] {
            // A source that was never scraped has no series to end.
            drop(gauge.remove_label_values(&[source]));
        }
    }

    /// Sets the number of committed transactions before each scrape.
    pub fn committed(&self, transactions: u64) {
        self.commits.inc_by(transactions.saturating_sub(self.commits.get()));
    }

    /// Renders all metrics in Prometheus' text format.
    ///
    /// # Errors
    /// A series cannot be rendered.
    pub fn render(&self) -> anyhow::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).context("write metrics as text")
    }
}
