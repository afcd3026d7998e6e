//! Looking at everything that health is judged by.

use std::sync::atomic::Ordering;

use super::Admin;
use crate::domain::Timestamp;
use crate::domain::health::{Health, Serving, StoreHealth};
use crate::store;

/// Looks at the store, its disk and the worker. `tries_to_write`: a row is written as well, to find out whether it can
/// be.
pub(super) async fn look(admin: &Admin, tries_to_write: bool) -> Health {
    let now = admin.clock.now();
    let (writable, read, sizes) = tokio::join!(
        write(admin, tries_to_write, now),
        admin.store.reader().health(admin.sources.clone(), now),
        sizes(admin)
    );
    let (unreadable, contents, sources) = match read {
        Ok((contents, sources)) => (None, contents, sources),
        Err(error) => (Some(error.to_string()), Default::default(), Vec::new()),
    };
    let (free_disk, file_bytes, wal_bytes) = sizes;
    let last_turn = admin.heartbeat.as_ref().map(|beat| Timestamp::from_millis(beat.load(Ordering::Relaxed)));
    let store = StoreHealth {
        damage: admin.store.reader().damage_met().map(str::to_owned),
        writable,
        unreadable,
        free_disk,
        min_free: admin.min_free,
        file_bytes,
        wal_bytes,
        forgets: admin.forgets,
        contents,
    };
    Health { now: admin.clock.now(), serving: Serving::Here(last_turn), store, sources }
}

async fn write(admin: &Admin, tries: bool, now: Timestamp) -> Option<Result<(), String>> {
    if !tries {
        return None;
    }
    Some(admin.store.check_writable(now).await.map_err(|error| error.to_string()))
}

/// Free disk and the sizes of the file and its log. Asked on a thread that may block: a network disk may hang.
async fn sizes(admin: &Admin) -> (Option<u64>, u64, u64) {
    let path = admin.store.path().to_path_buf();
    let sizes = move || (store::free_disk(&path), store::file_size(&path), store::wal_size(&path));
    tokio::task::spawn_blocking(sizes).await.unwrap_or((None, 0, 0))
}
