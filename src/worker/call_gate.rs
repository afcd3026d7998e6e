//! The gates that API calls pass: a permit from the source's rate limit, which all processes share through the store,
//! and for the worker's calls a slot among the concurrent calls.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::slots::{Slot, Slots};
use crate::domain::{Cause, Clock, Failure, FailureScope, Rate, Timestamp};
use crate::providers::http::{Gate, Pass};
use crate::store::{CallPermit, Grant, Store, StoreError};

/// How long a question waits while the store is damaged.
const DAMAGE_PAUSE: Duration = Duration::from_secs(3600);

/// Maximum wait for a spent rate limit. Calls in flight count as if they would last, but may end at any time.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The wait after an error of the store.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The rate limit of one source's API calls.
#[derive(Clone, Debug)]
pub struct RateLimitGate {
    pub store: Store,
    pub clock: Clock,
    pub source: String,
    /// The calling process, of the form `role-…`.
    pub owner: String,
    pub rate: Rate,
}

impl RateLimitGate {
    /// Waits for a permit. An error of the store is retried, because an uncounted call could exceed the shop's limit.
    ///
    /// # Errors
    /// The API has asked the whole source to wait until then.
    async fn permit(&self) -> Result<Counted, Timestamp> {
        loop {
            let now = self.clock.now();
            let (source, owner) = (self.source.clone(), self.owner.clone());
            let wait = match self.store.take_permit(source, owner, self.rate, now).await {
                Ok(Grant::Granted(permit)) => return Ok(Counted { gate: self.clone(), permit }),
                Ok(Grant::PausedUntil(then)) => return Err(then),
                Ok(Grant::SpentUntil(then)) => then.since(now).clamp(Duration::from_millis(1), LONGEST_WAIT),
                // A damaged store counts no calls and records no answers.
                Err(StoreError::Damaged(_)) => return Err(now.plus(DAMAGE_PAUSE)),
                // Only a command's store gives up; the command then ends and reports it.
                Err(StoreError::Locked(_)) => STORE_PAUSE,
                Err(error) => {
                    log::warn!("source={} cannot get a permit for a call: {error:#}", self.source);
                    STORE_PAUSE
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Like [`Gate::enter`]. Also returns the call's number, the `call_id` of its verifications.
    ///
    /// # Errors
    /// The API has asked the whole source to wait until then.
    pub async fn enter_numbered(&self) -> Result<(i64, Pass), Timestamp> {
        let counted = self.permit().await?;
        Ok((counted.permit.id, Pass::holding(counted)))
    }
}

impl Gate for RateLimitGate {
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
        Box::pin(async { self.enter_numbered().await.map(|(_, pass)| pass).map_err(rate_limited) })
    }
}

/// The failure of a call that was not sent.
fn rate_limited(until: Timestamp) -> Failure {
    let detail = format!("the API asked to wait until {until}");
    Failure::new(Cause::ApiRateLimited, detail).with_scope(FailureScope::Source)
}

/// The gate of one question. Its lease came with a permit and a slot for the first call.
#[derive(Debug)]
pub(super) struct VerificationGate {
    pub(super) budget: RateLimitGate,
    pub(super) slots: Slots,
    pub(super) first: Mutex<Option<Slot>>,
    /// The permit for the first call until the end of that call is known. Recording a single call also ends its
    /// permit.
    pub(super) first_permit: Mutex<Option<CallPermit>>,
}

impl Gate for VerificationGate {
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
        Box::pin(async {
            let first = self.first.lock().ok().and_then(|mut first| first.take());
            if let Some(slot) = first {
                return Ok(self.pass(slot));
            }
            self.end_first_call().await;
            let counted = self.budget.permit().await.map_err(rate_limited)?;
            let slot = self.slots.take(&self.budget.source).await.used();
            Ok(self.pass((counted, slot)))
        })
    }
}

impl VerificationGate {
    /// If the call fails, the next call must know it before the slot is free.
    fn pass(&self, until_over: impl Send + 'static) -> Pass {
        let (slots, source) = (self.slots.clone(), self.budget.source.clone());
        Pass::holding(until_over).on_failure(move || slots.mark(&source, false))
    }

    /// A question that needs a second call must not wait until its own first call stops counting.
    async fn end_first_call(&self) {
        let first = self.first_permit.lock().ok().and_then(|mut first| first.take());
        if let Some(permit) = first
            && let Err(error) = self.budget.store.finish_permit(permit, self.budget.clock.now()).await
        {
            log::warn!("call={} permit not released, it expires by itself: {error:#}", permit.id);
        }
    }
}

/// A call in flight. After its end, its permit counts for one more window.
struct Counted {
    gate: RateLimitGate,
    permit: CallPermit,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let (store, permit, now) = (self.gate.store.clone(), self.permit, self.gate.clock.now());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.finish_permit(permit, now).await {
                    log::warn!("call={} permit not released, it expires by itself: {error:#}", permit.id);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_a_call_under_way_does_not_wait_as_if_it_lasted_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let gate = RateLimitGate {
            store: Store::fresh(&folder.path().join("gate.db")),
            clock: Clock::system(),
            source: "shop".to_owned(),
            owner: "serve-1".to_owned(),
            rate: Rate { limit: 1, window: Duration::from_millis(10) },
        };
        let (_, first) = gate.enter_numbered().await.unwrap();
        let second = async {
            // The second call is waiting by now, because the first is in flight.
            let entered = gate.enter_numbered();
            let ends = async { drop(first) };
            tokio::join!(entered, ends).0
        };
        assert!(tokio::time::timeout(Duration::from_secs(30), second).await.unwrap().is_ok());
    }
}
