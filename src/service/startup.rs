//! The first writes of a service: it registers its sources and cleans up after a `serve` that died. While another
//! program holds the store's lock, these and all other writes wait; intake answers 503.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::Notify;

use super::sources;
use crate::config::Settings;
use crate::domain::Clock;
use crate::store::Store;

/// The interval of checks for the lock.
const LOOK: Duration = Duration::from_millis(100);

/// A future that ends when the first writes are done or have failed. Clones end together.
#[derive(Clone)]
pub(super) struct Startup(Shared<BoxFuture<'static, Result<(), Arc<str>>>>);

impl Startup {
    /// Starts the first writes. Only a lock delays them.
    pub(super) fn new(store: Store, settings: Settings, clock: Clock) -> Self {
        let begin = async move {
            sources::begin(&store, &settings, &clock).await.map_err(|error| format!("{error:#}").into())
        };
        Self(begin.boxed().shared())
    }

    /// Waits until the first writes end, or until a lock is known to delay them.
    ///
    /// # Errors
    /// The first writes failed.
    pub(super) async fn or_locked(&self, store: &Store) -> anyhow::Result<()> {
        loop {
            match tokio::time::timeout(LOOK, self.0.clone()).await {
                Ok(done) => return done.map_err(|why| anyhow!("{why}")),
                Err(_) => {
                    if let Some(why) = store.locked() {
                        log::info!("{why}; intake answers 503, and all other work waits");
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Does `work` after the first writes succeeded; does nothing if they fail or if `stop` is rung first.
    pub(super) async fn then(self, stop: Arc<Notify>, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            done = self.0 => match done {
                Ok(()) => work.await,
                Err(why) => log::error!("{why}"),
            },
            () = stop.notified() => {}
        }
    }
}
