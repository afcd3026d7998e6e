//! One worker at a time: with new settings the old one ends before its successor begins, so that no two ever hold the
//! same lease, and nothing is asked any more with credentials that were replaced.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::sync::{Notify, mpsc, oneshot};

use super::assembly::{Common, worker_parts};
use super::sources;
use crate::config::Settings;
use crate::store::Moved;
use crate::worker::{Parts, Worker};

/// How often the heart beats while a worker ends: faster than any watchdog.
const BEAT: Duration = Duration::from_millis(100);

/// What a worker that ends may need beyond that, to write what it knows.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Where the worker gets its settings.
pub(super) struct Desk {
    successors: mpsc::Sender<Successor>,
    moves: Option<mpsc::UnboundedSender<Moved>>,
}

/// The settings for the next worker, and who waits for it to begin.
struct Successor {
    settings: Settings,
    parts: Parts,
    begun: oneshot::Sender<()>,
}

impl Desk {
    /// The first worker, and the ones after it: the future ends when `stop` is rung, or when a worker ends by itself.
    /// `heart` takes the time of the last turn, whichever worker took it.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(super) fn open(
        settings: &Settings,
        common: &Common,
        moves: Option<mpsc::UnboundedSender<Moved>>,
        heart: Arc<AtomicI64>,
        stop: Arc<Notify>,
    ) -> anyhow::Result<(Self, impl Future<Output = ()> + Send + use<>)> {
        let (successors, next) = mpsc::channel(1);
        let desk = Self { successors, moves };
        let (parts, patience) = (desk.parts(settings, common)?, super::under_way(settings));
        Ok((desk, work(parts, patience, common.clone(), heart, next, stop)))
    }

    /// What a worker is made of under these settings.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(super) fn parts(&self, settings: &Settings, common: &Common) -> anyhow::Result<Parts> {
        let Common { store, clock, metrics, wake, .. } = common;
        worker_parts(settings, store, clock, metrics, "serve", Arc::clone(wake), self.moves.clone())
    }

    /// Lets the worker end within its `server.drain`, ends the pauses of the sources, and begins anew with these
    /// settings. Returns when that has begun.
    ///
    /// # Errors
    /// The worker ended by itself.
    pub(super) async fn hand_over(&self, settings: Settings, parts: Parts) -> anyhow::Result<()> {
        let (begun, has_begun) = oneshot::channel();
        let ended = "the worker has ended";
        self.successors.send(Successor { settings, parts, begun }).await.context(ended)?;
        has_begun.await.context(ended)
    }
}

async fn work(
    mut parts: Parts,
    mut patience: Duration,
    common: Common,
    heart: Arc<AtomicI64>,
    mut next: mpsc::Receiver<Successor>,
    stop: Arc<Notify>,
) {
    let mut asks_from_ms = i64::MIN;
    loop {
        let stop_worker = Arc::new(Notify::new());
        let worker = Worker::new(parts).beating(Arc::clone(&heart)).asking_from(asks_from_ms);
        let mut working = Box::pin(worker.run(Arc::clone(&stop_worker), patience));
        let successor = tokio::select! {
            _ = &mut working => return,
            () = stop.notified() => {
                stop_worker.notify_one();
                working.await;
                return;
            }
            Some(successor) = next.recv() => successor,
        };
        stop_worker.notify_one();
        asks_from_ms = end(working.as_mut(), patience, &common, &heart).await;
        if stop.notified().now_or_never().is_some() {
            // Its successor would only have to give back what it takes.
            return;
        }
        let settings = successor.settings;
        if let Err(error) = sources::end_pauses(&common.store, &settings, &common.clock).await {
            log::warn!("the pauses of the sources go on: {error:#}");
        }
        (parts, patience) = (successor.parts, super::under_way(&settings));
        // Whoever reloaded may have been told to stop meanwhile.
        let _ = successor.begun.send(());
    }
}

/// Waits for a worker that was told to stop, and returns what [`Worker::run`] does. It takes no turns meanwhile; until it
/// should have ended its heart is kept beating.
async fn end(
    mut working: Pin<&mut impl Future<Output = i64>>,
    patience: Duration,
    common: &Common,
    heart: &AtomicI64,
) -> i64 {
    let beats = async {
        let mut ticks = tokio::time::interval(BEAT);
        loop {
            ticks.tick().await;
            heart.store(common.clock.now().millis(), Ordering::Relaxed);
        }
    };
    tokio::select! {
        asks_from_ms = &mut working => return asks_from_ms,
        _ = tokio::time::timeout(patience + LAST_WORDS, beats) => {}
    }
    working.await
}
