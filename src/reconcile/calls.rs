//! Calls to a source's API for `reconcile`. Each counts against the shared rate limit, is retried after a passing
//! failure, and has a number for its verification.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::ReconcileParts;
use crate::config::Source;
use crate::domain::{Cause, Failure, FailureScope};
use crate::providers::http::{Gate, Pass};
use crate::providers::{Api, CallRetries};
use crate::worker::RateLimitGate;

/// Maximum number of tries before the run is incomplete.
const TRIES: u32 = 5;

/// Maximum wait that a shop may ask for. A run from cron should end before the next one starts.
const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// The calls to one source's API.
pub(super) struct Calls {
    pub(super) api: Api,
    last: Arc<AtomicI64>,
}

impl Calls {
    pub(super) fn new(parts: &ReconcileParts<'_>, source: &Source) -> Self {
        let last = Arc::new(AtomicI64::new(0));
        let budget = RateLimitGate {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            source: source.name.clone(),
            owner: format!("reconcile-{}", std::process::id()),
            rate: source.rate_limit,
        };
        let gate = NumberingGate { budget, last: Arc::clone(&last) };
        let retries = CallRetries {
            tries: TRIES,
            first_pause: parts.settings.verify.policy.retry_base,
            longest_pause: LONGEST_PAUSE,
        };
        let api = Api::new(parts.client.clone(), &source.name, &source.api_base, Arc::new(gate));
        Self { api: api.with_retries(retries), last }
    }

    /// The number of the last call.
    pub(super) fn last_id(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }
}

/// A gate that remembers the number of its last call.
struct NumberingGate {
    budget: RateLimitGate,
    last: Arc<AtomicI64>,
}

impl Gate for NumberingGate {
    fn enter(&self) -> BoxFuture<'_, Result<Pass, Failure>> {
        Box::pin(async {
            let (id, pass) = self.budget.enter_numbered().await.map_err(|until| {
                let detail = format!("the API asked to wait until {until}");
                let failure = Failure::new(Cause::ApiRateLimited, detail).with_scope(FailureScope::Source);
                Failure { retry_after: Some(until.since(self.budget.clock.now())), ..failure }
            })?;
            self.last.store(id, Ordering::Relaxed);
            Ok(pass)
        })
    }
}
