//! The gate that every API call of a question passes: a place among the calls under way, and a permission out of the
//! source's budget, which all processes share.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::slots::{Slot, Slots};
use crate::domain::{Cause, Clock, Failure, Rate, Trouble};
use crate::providers::http::{Gate, Pass};
use crate::store::{Budget, CallPermit, Store};

/// The gate of one question. Its lease came with a place and a permission for the first call.
#[derive(Debug)]
pub(super) struct QuestionGate {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) slots: Slots,
    pub(super) source: String,
    pub(super) rate: Rate,
    pub(super) first: Mutex<Option<Slot>>,
}

impl Gate for QuestionGate {
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
        Box::pin(async {
            let first = self.first.lock().ok().and_then(|mut first| first.take());
            if let Some(slot) = first {
                return Ok(Pass::holding(slot));
            }
            let permit = self.permit().await?;
            let slot = self.slots.take(&self.source).await;
            let (store, clock) = (self.store.clone(), self.clock.clone());
            Ok(Pass::holding(Taken { permit, store, clock, _slot: slot }))
        })
    }
}

impl QuestionGate {
    /// Waits until the budget has a call left; a store that fails is asked again, since a call that is not counted
    /// could break the shop's limit.
    ///
    /// # Errors
    /// The API has asked us to wait since the question began.
    async fn permit(&self) -> Result<CallPermit, Failure> {
        loop {
            let now = self.clock.now();
            let wait = match self.store.take_permit(self.source.clone(), self.rate, now).await {
                Ok(Budget::Granted(permit)) => return Ok(permit),
                Ok(Budget::PausedUntil(then)) => {
                    let detail = format!("the API asked us to wait until {then}");
                    return Err(Failure::new(Cause::ApiRateLimited, detail).troubling(Trouble::Source));
                }
                Ok(Budget::SpentUntil(then)) => then.since(now).max(Duration::from_millis(1)),
                Err(error) => {
                    log::warn!("source={} no permission for a call: {error}", self.source);
                    Duration::from_secs(1)
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

/// A further call under way; when it is over its permission counts one window longer.
struct Taken {
    permit: CallPermit,
    store: Store,
    clock: Clock,
    _slot: Slot,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let (store, permit, now) = (self.store.clone(), self.permit, self.clock.now());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.finish_permit(permit, now).await {
                    log::warn!("call={} still counts for a while: {error}", permit.id);
                }
            });
        }
    }
}
