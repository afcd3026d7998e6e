//! Runs one worker at a time. On a reload the old worker ends before the next begins, so that no two hold the same
//! lease, and no call uses replaced credentials.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::sync::{Notify, mpsc, oneshot};

use super::sources;
use super::wiring::{Common, worker_parts};
use crate::config::Settings;
use crate::domain::LastTurn;
use crate::store::StateChange;
use crate::worker::{Worker, WorkerParts};

/// The interval of turns while a worker ends: shorter than any watchdog's.
const TURN_EVERY: Duration = Duration::from_millis(100);

/// The extra time for an ending worker to write its results.
const RECORDING_TIME: Duration = Duration::from_secs(1);

/// The handle that replaces the running worker.
pub(super) struct WorkerSupervisor {
    successors: mpsc::Sender<NextWorker>,
    moves: Option<mpsc::UnboundedSender<StateChange>>,
}

/// The settings for the next worker, and the channel that reports its start.
struct NextWorker {
    settings: Settings,
    parts: WorkerParts,
    begun: oneshot::Sender<()>,
}

impl WorkerSupervisor {
    /// Builds the first worker and the future that runs it and its successors. The future ends when `stop` is rung,
    /// or when a worker ends unexpectedly. `last_turn` is that of any of them.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(super) fn open(
        settings: &Settings,
        common: &Common,
        moves: Option<mpsc::UnboundedSender<StateChange>>,
        last_turn: LastTurn,
        stop: Arc<Notify>,
    ) -> anyhow::Result<(Self, impl Future<Output = ()> + Send + use<>)> {
        let (successors, next) = mpsc::channel(1);
        let worker = Self { successors, moves };
        let (parts, patience) = (worker.parts(settings, common)?, super::drain_in_flight(settings));
        Ok((worker, work(parts, patience, common.clone(), last_turn, next, stop)))
    }

    /// The parts of a worker with these settings.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(super) fn parts(&self, settings: &Settings, common: &Common) -> anyhow::Result<WorkerParts> {
        let Common { store, clock, metrics, wake, .. } = common;
        worker_parts(settings, store, clock, metrics, "serve", Arc::clone(wake), self.moves.clone())
    }

    /// Lets the worker end within its `server.drain`, ends the pauses of the sources, and starts the next worker with
    /// these settings. Returns when it has started.
    ///
    /// # Errors
    /// The worker ended unexpectedly.
    pub(super) async fn hand_over(&self, settings: Settings, parts: WorkerParts) -> anyhow::Result<()> {
        let (begun, has_begun) = oneshot::channel();
        let ended = "the worker has ended";
        self.successors.send(NextWorker { settings, parts, begun }).await.context(ended)?;
        has_begun.await.context(ended)
    }
}

async fn work(
    mut parts: WorkerParts,
    mut patience: Duration,
    common: Common,
    last_turn: LastTurn,
    mut next: mpsc::Receiver<NextWorker>,
    stop: Arc<Notify>,
) {
    let mut calls_from_ms = i64::MIN;
    loop {
        let stop_worker = Arc::new(Notify::new());
        let worker = Worker::new(parts).with_last_turn(last_turn.clone()).calling_from(calls_from_ms);
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
        calls_from_ms = end(working.as_mut(), patience, &last_turn).await;
        if stop.notified().now_or_never().is_some() {
            // A stop has begun, so the next worker would only release its leases.
            return;
        }
        let settings = successor.settings;
        if let Err(error) = sources::end_pauses(&common.store, &settings, &common.clock).await {
            log::warn!("could not end the pauses of the sources: {error:#}");
        }
        (parts, patience) = (successor.parts, super::drain_in_flight(&settings));
        // The caller may have stopped waiting.
        let _ = successor.begun.send(());
    }
}

/// Waits for a worker that was asked to stop, and returns the result of [`Worker::run`]. Until its deadline
/// this records turns, because the worker takes none.
async fn end(
    mut working: Pin<&mut impl Future<Output = i64>>,
    patience: Duration,
    last_turn: &LastTurn,
) -> i64 {
    let beats = async {
        let mut ticks = tokio::time::interval(TURN_EVERY);
        loop {
            ticks.tick().await;
            last_turn.begin();
        }
    };
    tokio::select! {
        calls_from_ms = &mut working => return calls_from_ms,
        _ = tokio::time::timeout(patience + RECORDING_TIME, beats) => {}
    }
    working.await
}
