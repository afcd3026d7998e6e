//! Pings the watchdog while the writer's thread responds and the worker has a heartbeat. External causes that keep
//! them from working are no reason for a restart: a full disk or queue, or another program's lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::store::Store;

/// Checks four times within `limit`, and calls `ping` if there was progress since the last ping. `last_heartbeat` is
/// the worker's; `None` with `--no-worker`.
pub(super) async fn run(
    limit: Duration,
    store: Store,
    last_heartbeat: Option<Arc<AtomicI64>>,
    ping: impl Fn() + Send,
) {
    let mut ticks = tokio::time::interval((limit / 4).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut turn_before, mut beats_before) = (None, None);
    let (mut pinged_at, mut has_complained) = (Instant::now(), false);
    loop {
        ticks.tick().await;
        let turn = last_heartbeat.as_ref().map(|time| time.load(Ordering::Relaxed));
        // A worker that waits for the lock has no heartbeat.
        let has_turned = turn.is_none() || turn != turn_before || store.locked().is_some();
        let beats = Some(store.beats());
        let has_written = beats != beats_before;
        if has_turned && has_written {
            ping();
            (turn_before, beats_before, pinged_at, has_complained) = (turn, beats, Instant::now(), false);
        } else if pinged_at.elapsed() > limit && !has_complained {
            has_complained = true;
            let why = if has_written { "the worker hangs" } else { "the store's writer hangs" };
            log::error!("no watchdog ping, so the service manager will restart the service: {why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_takes_no_turn_gives_no_sign_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::fresh(&folder.path().join("store.db"));
        let last_heartbeat = Arc::new(AtomicI64::new(1));
        let (tell, mut told) = mpsc::unbounded_channel();
        let limit = Duration::from_millis(80);
        let watched = run(limit, store, Some(Arc::clone(&last_heartbeat)), move || {
            tell.send(()).unwrap();
        });
        let watched = tokio::spawn(watched);
        told.recv().await.unwrap();
        let silence = tokio::time::timeout(3 * limit, told.recv()).await;
        assert!(silence.is_err(), "a sign of life without a turn");
        last_heartbeat.store(2, Ordering::Relaxed);
        told.recv().await.unwrap();
        watched.abort();
    }
}
