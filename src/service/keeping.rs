//! Keeps the `[store]` rules while the service runs: at its start, and every hour.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::domain::Clock;
use crate::store::{Keep, Kept, Store};

/// From one beginning to the next.
const EVERY: Duration = Duration::from_secs(3600);

/// Keeps the rules until `stop` is rung, and then ends at once: every step of it stands alone.
pub(super) async fn run(store: Store, rules: Keep, clock: Clock, stop: Arc<Notify>) {
    let work = async {
        let mut hours = tokio::time::interval(EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            match store.keep(&rules, clock.now()).await {
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
