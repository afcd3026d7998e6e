//! Keeps the `[store]` rules while the service runs: at its start, and every hour. A flood does not wait for the hour: what
//! `store.max_unproven` bounds is looked at every few seconds, and kept as soon as it is a tenth above.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::domain::Clock;
use crate::store::{Keep, Kept, Store};

/// From one beginning to the next.
const EVERY: Duration = Duration::from_secs(3600);

/// How often the store is looked at for a flood.
const FLOOD_CHECK: Duration = Duration::from_secs(10);

/// Keeps the rules until `stop` is rung, and then ends at once: every step of it stands alone.
pub(super) async fn run(store: Store, rules: Keep, clock: Clock, stop: Arc<Notify>) {
    let work = async {
        let mut hours = tokio::time::interval(EVERY);
        let mut checks = tokio::time::interval(FLOOD_CHECK);
        for ticks in [&mut hours, &mut checks] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let kept = tokio::select! {
                biased;
                _ = hours.tick() => store.keep(&rules, clock.now()).await,
                _ = checks.tick() => store.keep_flood(&rules).await,
            };
            match kept {
                Ok(kept) if kept == Kept::default() => {}
                Ok(Kept { expired, emptied, unproven }) => log::info!(
                    "kept within bounds: {expired} notifications removed by store.keep, {emptied} rows emptied by \
                     store.keep_personal, {unproven} notifications removed by store.max_unproven"
                ),
                Err(error) => log::warn!("store.keep and its like are kept later: {error}"),
            }
        }
    };
    tokio::select! {
        () = stop.notified() => {}
        () = work => {}
    }
}
