//! Pings the watchdog while the writer's thread responds and the worker takes turns. External causes that keep
//! them from working are no reason for a restart: a full disk or queue, or another program's lock.

use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use crate::domain::LastTurn;
use crate::store::Store;

/// Checks four times within `limit`, and calls `ping` if there was progress since the last ping. `last_turn` is
/// the worker's; `None` with `--no-worker`.
pub(super) async fn run(limit: Duration, store: Store, last_turn: Option<LastTurn>, ping: impl Fn() + Send) {
    let mut ticks = tokio::time::interval((limit / 4).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut turn_before, mut beats_before) = (None, None);
    let (mut pinged_at, mut has_complained) = (Instant::now(), false);
    loop {
        ticks.tick().await;
        let turn = last_turn.as_ref().map(LastTurn::began_ms);
        // A worker that waits for the lock takes no turn.
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
    use crate::domain::{Clock, Timestamp};

    #[tokio::test]
    async fn a_worker_that_takes_no_turn_gives_no_sign_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::fresh(&folder.path().join("store.db"));
        let clock = Clock::standing_at(Timestamp::from_seconds(1));
        let last_turn = LastTurn::new(&clock);
        let (tell, mut told) = mpsc::unbounded_channel();
        let limit = Duration::from_millis(80);
        let watched = run(limit, store, Some(last_turn.clone()), move || {
            tell.send(()).unwrap();
        });
        let watched = tokio::spawn(watched);
        told.recv().await.unwrap();
        let silence = tokio::time::timeout(3 * limit, told.recv()).await;
        assert!(silence.is_err(), "a sign of life without a turn");
        clock.set(Timestamp::from_seconds(2));
        last_turn.begin();
        told.recv().await.unwrap();
        watched.abort();
    }
}
