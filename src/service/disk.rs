//! Watches the free space on the store's disk, so that intake refuses notifications before it is full.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::store;

/// The interval of the checks.
const EVERY: Duration = Duration::from_secs(1);

/// Whether at least `min_free` bytes are free on the disk of `path`; true if the system does not tell.
pub(super) fn has_room(path: &Path, min_free: u64) -> bool {
    store::free_disk(path).is_none_or(|free| free >= min_free)
}

/// Keeps `has_room_now` up to date, by the current `min_free`. Never returns.
pub(super) async fn watch(path: PathBuf, min_free: Arc<AtomicU64>, has_room_now: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let now = has_room(&path, min_free.load(Ordering::Relaxed));
        if has_room_now.swap(now, Ordering::Relaxed) != now {
            if now {
                log::info!("enough disk space is free again; intake accepts notifications");
            } else {
                log::error!(
                    "less disk space than store.min_free is free; intake answers 503 until there is more"
                );
            }
        }
    }
}
