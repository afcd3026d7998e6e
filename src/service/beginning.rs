//! What a service does first: it remembers its sources, and ends what a `serve` that died may have left. While another
//! program holds the store's lock that has to wait, and everything that writes with it; intake answers meanwhile.

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

/// How often it is looked whether the store is locked.
const LOOK: Duration = Duration::from_millis(100);

/// Ends when the first things are done, or have failed. Clones end together.
#[derive(Clone)]
pub(super) struct Beginning(Shared<BoxFuture<'static, Result<(), Arc<str>>>>);

impl Beginning {
    /// Begins; a lock alone keeps it from ending.
    pub(super) fn new(store: Store, settings: Settings, clock: Clock) -> Self {
        let begin = async move {
            sources::begin(&store, &settings, &clock).await.map_err(|error| format!("{error:#}").into())
        };
        Self(begin.boxed().shared())
    }

    /// Waits until it has ended, or until it is known to wait for a lock.
    ///
    /// # Errors
    /// It failed.
    pub(super) async fn or_locked(&self, store: &Store) -> anyhow::Result<()> {
        loop {
            match tokio::time::timeout(LOOK, self.0.clone()).await {
                Ok(done) => return done.map_err(|why| anyhow!("{why}")),
                Err(_) => {
                    if let Some(why) = store.locked() {
                        log::info!("{why}; notifications are answered 503, and all else waits");
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Does `work` once it has ended well; nothing if it fails, or if `stop` is rung before.
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
