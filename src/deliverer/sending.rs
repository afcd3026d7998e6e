//! One try of one delivery: send it, and record the result.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actions::{Action, Message, Stop, Target};
use crate::domain::{Attempt, Clock, DeliveryState};
use crate::metrics::Metrics;
use crate::store::{LeasedDelivery, Recorded, Store, StoreError};

/// The pause before a result that the store did not take is recorded again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Sender {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) owner: String,
    pub(super) action: Arc<Action>,
    pub(super) target: Arc<dyn Target>,
    pub(super) stop: Stop,
}

impl Sender {
    /// Sends the message and records the result; a delivery cut off by a stop waits again.
    pub(super) async fn send(self, delivery: LeasedDelivery) {
        let LeasedDelivery { id, message_id, attempts, news, extra } = delivery;
        let seq = news.seq;
        let body = news.line(&extra);
        let name = self.action.name.clone();
        let attempt = attempts.saturating_add(1);
        let message = Message { id: message_id, action: name.clone(), attempt, news: Some(news), body };
        let (at, begun) = (self.clock.now(), Instant::now());
        let Some(result) = self.target.send(&message, at, self.action.timeout, self.stop.clone()).await
        else {
            if let Err(error) = self.store.release_deliveries(vec![id], self.owner.clone()).await {
                log::warn!(
                    "action={name} delivery={id} not released, it is retried when its lease expires: {error:#}"
                );
            }
            return;
        };
        let took = begun.elapsed();
        let tried = result.attempt(at, took);
        self.metrics.delivered(&name, tried.outcome, took);
        let Some(recorded) = self.record(id, &tried).await else { return };
        let what = format!("action={name} delivery={id} seq={seq} try={attempt}");
        match recorded.state {
            Some(DeliveryState::Delivered) => log::info!("{what} delivered in {} ms", took.as_millis()),
            Some(DeliveryState::Dead) => log::error!("{what} dead: {}", tried.detail),
            Some(_) => log::warn!("{what} {}: {}; retry follows", tried.outcome, tried.detail),
            None => log::info!("{what} {}, but it was settled meanwhile", tried.outcome),
        }
    }

    /// Records a try, and repeats that while the store fails.
    async fn record(&self, id: i64, attempt: &Attempt) -> Option<Recorded> {
        loop {
            let (policy, clock) = (self.action.policy.clone(), self.clock.clone());
            let recorded =
                self.store.record_delivery(id, self.owner.clone(), attempt.clone(), policy, jitter(), clock);
            match recorded.await {
                Ok(recorded) => return Some(recorded),
                Err(error @ (StoreError::Closed | StoreError::Damaged(_))) => {
                    log::error!("action={} delivery={id} cannot be recorded: {error:#}", self.action.name);
                    return None;
                }
                Err(error) => {
                    log::error!(
                        "action={} delivery={id} cannot be recorded yet: {error:#}",
                        self.action.name
                    );
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }
}

/// Random, from 0 to 1.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(0) >> 32).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}
