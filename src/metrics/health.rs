//! The gauges of health, set before each scrape. An unknown value has no series.

use anyhow::Context as _;
use prometheus::{IntGaugeVec, Opts, Registry};

use crate::domain::Timestamp;
use crate::domain::health::{Health, Serving, SourceHealth, Warning};
use crate::domain::number::whole;

#[derive(Clone, Debug)]
pub(super) struct HealthGauges {
    store_bytes: IntGaugeVec,
    wal_bytes: IntGaugeVec,
    growth: IntGaugeVec,
    disk_free: IntGaugeVec,
    min_free: IntGaugeVec,
    last_turn: IntGaugeVec,
    undecided: IntGaugeVec,
    api_failing: IntGaugeVec,
    expected: IntGaugeVec,
    last_reconcile: IntGaugeVec,
    ledger_waiting: IntGaugeVec,
    ledger_behind: IntGaugeVec,
    warning: IntGaugeVec,
}

impl HealthGauges {
    pub(super) fn register(registry: &Registry) -> anyhow::Result<Self> {
        let gauge = |name: &str, help: &str, labels: &[&str]| -> anyhow::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauge.clone())).with_context(|| format!("register {name}"))?;
            Ok(gauge)
        };
        Ok(Self {
            store_bytes: gauge("countersign_store_bytes", "Size of the store's file", &[])?,
            wal_bytes: gauge("countersign_store_wal_bytes", "Size of the write-ahead log beside it", &[])?,
            growth: gauge(
                "countersign_store_growth_bytes_per_day",
                "Growth in bytes per day, from the last whole days (at most seven); absent while unknown",
                &[],
            )?,
            disk_free: gauge("countersign_disk_free_bytes", "Free space on the store's disk", &[])?,
            min_free: gauge(
                "countersign_disk_min_free_bytes",
                "store.min_free: with less free space intake answers 503",
                &[],
            )?,
            last_turn: gauge(
                "countersign_worker_last_turn_timestamp_seconds",
                "The worker's last heartbeat; absent with --no-worker",
                &[],
            )?,
            undecided: gauge(
                "countersign_undecided",
                "Notifications that a person must decide about",
                &["source"],
            )?,
            api_failing: gauge(
                "countersign_api_failing",
                "1 while a source's API, or a kind of its calls, fails for this cause",
                &["source", "cause"],
            )?,
            expected: gauge(
                "countersign_expected_interval_seconds",
                "The source's expect_every; absent without",
                &["source"],
            )?,
            last_reconcile: gauge(
                "countersign_last_reconcile_timestamp_seconds",
                "When the last complete reconcile ended; absent before the first",
                &["source"],
            )?,
            ledger_waiting: gauge(
                "countersign_ledger_waiting",
                "Upper bound of the rows not yet shipped to the ledger; absent without [ledger]",
                &[],
            )?,
            ledger_behind: gauge(
                "countersign_ledger_behind_seconds",
                "Age of the oldest change not yet shipped to the ledger; absent without [ledger]",
                &[],
            )?,
            warning: gauge(
                "countersign_warning",
                "1 for each warning, as countersign status shows; empty labels mean the whole \
                 service",
                &["kind", "source", "action"],
            )?,
        })
    }

    pub(super) fn set(&self, health: &Health, growth: Option<u64>, warnings: &[Warning]) {
        let passing = [&self.growth, &self.disk_free, &self.last_turn, &self.api_failing, &self.warning];
        for gauge in passing.into_iter().chain([&self.ledger_waiting, &self.ledger_behind]) {
            gauge.reset();
        }
        let alone = |gauge: &IntGaugeVec, value: i64| gauge.with_label_values::<&str>(&[]).set(value);
        let store = &health.store;
        alone(&self.store_bytes, whole(store.file_bytes));
        alone(&self.wal_bytes, whole(store.wal_bytes));
        alone(&self.min_free, whole(store.min_free));
        if let Some(growth) = growth {
            alone(&self.growth, whole(growth));
        }
        if let Some(free) = store.free_disk {
            alone(&self.disk_free, whole(free));
        }
        if let Serving::Here(Some(last_turn)) = health.serving {
            alone(&self.last_turn, last_turn.seconds());
        }
        if let Some(ledger) = &health.ledger {
            alone(&self.ledger_waiting, whole(ledger.waiting));
            alone(&self.ledger_behind, whole(ledger.behind(health.now).as_secs()));
        }
        let configured = |name: &str| health.sources.iter().any(|s| s.is_configured && s.source == name);
        let is_action = |name: &str| health.actions.iter().any(|a| a.is_configured && a.action == name);
        for source in health.sources.iter().filter(|source| source.is_configured) {
            self.set_source(source);
        }
        for warning in warnings {
            let source = warning.source.as_deref().filter(|source| configured(source)).unwrap_or("");
            let action = warning.action.as_deref().filter(|action| is_action(action)).unwrap_or("");
            self.warning.with_label_values(&[warning.kind.as_str(), source, action]).set(1);
        }
    }

    fn set_source(&self, source: &SourceHealth) {
        let name = [source.source.as_str()];
        self.undecided.with_label_values(&name).set(whole(source.undecided));
        for failing in &source.failing {
            self.api_failing.with_label_values(&[name[0], failing.cause.as_str()]).set(1);
        }
        if let Some(expected) = source.expect_every {
            self.expected.with_label_values(&name).set(whole(expected.as_secs()));
        }
        if let Some(at) = source.reconciled_at.map(Timestamp::seconds) {
            self.last_reconcile.with_label_values(&name).set(at);
        }
    }
}
