//! Keeps the `[store]` rules while the service runs: at its start, every hour, and whenever they change.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::domain::Clock;
use crate::store::{Keep, Kept, Store};

/// From one beginning to the next.
const EVERY: Duration = Duration::from_secs(3600);

/// Keeps the rules until `stop` is rung, and then ends at once: every step of it stands alone.
pub(super) async fn run(store: Store, mut rules: watch::Receiver<Keep>, clock: Clock, stop: Arc<Notify>) {
    let work = async {
        let mut hours = tokio::time::interval(EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = hours.tick() => {}
                Ok(()) = rules.changed() => {}
            }
            let in_force = rules.borrow_and_update().clone();
            match store.keep(&in_force, clock.now()).await {
                Ok(kept) if kept == Kept::default() => {}
                Ok(Kept { expired, emptied, unproven }) => log::info!(
                    "kept within bounds: {expired} notifications removed by store.keep, {emptied} rows emptied by \
                     store.keep_personal, {unproven} notifications removed by store.max_unproven"
                ),
                Err(error) => log::warn!("store.keep and its like are kept an hour later: {error}"),
            }
        }
    };
    tokio::select! {
        () = stop.notified() => {}
        () = work => {}
    }
}
