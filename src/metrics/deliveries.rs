//! The counters of deliveries.

use std::time::Duration;

use anyhow::Context as _;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

use super::SECONDS;
use crate::domain::AttemptOutcome;
use crate::domain::health::Health;
use crate::domain::number::whole;

#[derive(Clone, Debug)]
pub(super) struct DeliveryMetrics {
    tries: IntCounterVec,
    waiting: IntGaugeVec,
    oldest: IntGaugeVec,
    seconds: HistogramVec,
}

impl DeliveryMetrics {
    pub(super) fn register(registry: &Registry) -> anyhow::Result<Self> {
        let gauge = |name: &str, help: &str| -> anyhow::Result<IntGaugeVec> {
            let gauge = IntGaugeVec::new(Opts::new(name, help), &["action"])?;
            registry.register(Box::new(gauge.clone())).with_context(|| format!("register {name}"))?;
            Ok(gauge)
        };
        let name = "countersign_deliveries_total";
        let tries = IntCounterVec::new(
            Opts::new(name, "Tries to deliver news to an action, by outcome"),
            &["action", "outcome"],
        )?;
        registry.register(Box::new(tries.clone())).with_context(|| format!("register {name}"))?;
        let name = "countersign_delivery_seconds";
        let opts = HistogramOpts::new(name, "Duration of a try");
        let seconds = HistogramVec::new(opts.buckets(SECONDS.to_vec()), &["action"])?;
        registry.register(Box::new(seconds.clone())).with_context(|| format!("register {name}"))?;
        Ok(Self {
            tries,
            seconds,
            waiting: gauge("countersign_deliveries_waiting", "Waiting deliveries")?,
            oldest: gauge("countersign_oldest_delivery_seconds", "Age of the oldest waiting delivery")?,
        })
    }

    pub(super) fn introduce(&self, action: &str) {
        self.tries.with_label_values(&[action, AttemptOutcome::Delivered.as_str()]);
        self.waiting.with_label_values(&[action]);
        self.oldest.with_label_values(&[action]);
        self.seconds.with_label_values(&[action]);
    }

    pub(super) fn tried(&self, action: &str, outcome: AttemptOutcome, took: Duration) {
        self.tries.with_label_values(&[action, outcome.as_str()]).inc();
        self.seconds.with_label_values(&[action]).observe(took.as_secs_f64());
    }

    pub(super) fn set(&self, health: &Health) {
        self.waiting.reset();
        self.oldest.reset();
        for action in health.actions.iter().filter(|action| action.is_configured) {
            let name = [action.action.as_str()];
            self.waiting.with_label_values(&name).set(whole(action.waiting));
            let age = action.oldest_waiting.map_or(0, |oldest| health.now.since(oldest).as_secs());
            self.oldest.with_label_values(&name).set(whole(age));
        }
    }
}
