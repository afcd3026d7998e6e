//! Watches the free space of the store's disk, so that intake turns notifications away before it is full.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::store;

/// How often the free space of the disk is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Whether the disk that holds `path` has at least `min_free` bytes left; also where the system does not tell.
pub(super) fn has_room(path: &Path, min_free: u64) -> bool {
    store::free_disk(path).is_none_or(|free| free >= min_free)
}

/// Keeps `has_room_now` up to date for ever, under whatever `min_free` is in force.
pub(super) async fn watch(path: PathBuf, min_free: Arc<AtomicU64>, has_room_now: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let now = has_room(&path, min_free.load(Ordering::Relaxed));
        if has_room_now.swap(now, Ordering::Relaxed) != now {
            if now {
                log::info!("there is free disk again; notifications are taken");
            } else {
                log::error!(
                    "less free disk than store.min_free; notifications are answered 503 until there is more"
                );
            }
        }
    }
}
