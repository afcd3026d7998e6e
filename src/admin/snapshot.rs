//! Collects everything that health is judged by.

use super::Admin;
use crate::domain::Timestamp;
use crate::domain::health::{Health, Serving, StoreHealth, Unwritable};
use crate::store;

/// How to check that the store can be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum WriteCheck {
    /// Write a row, and wait until it is on disk.
    Write,
    /// Take the write lock for a moment; nothing reaches the disk.
    Lock,
    /// Use the result of the writer's last transaction.
    None,
}

/// Collects the state of the store, its disk and the worker.
pub(super) async fn take(admin: &Admin, check: WriteCheck) -> Health {
    let now = admin.clock.now();
    let (writable, read, actions, ledger, alerts, sizes) = tokio::join!(
        writable(admin, check, now),
        admin.store.reader().health(admin.sources.clone(), now),
        admin.store.reader().action_health(admin.actions.clone()),
        admin.store.reader().ledger(),
        admin.store.reader().failing_channels(),
        sizes(admin)
    );
    let (unreadable, contents, sources) = match read {
        Ok((contents, sources)) => (None, contents, sources),
        Err(error) => (Some(format!("{error:#}")), Default::default(), Vec::new()),
    };
    let (free_disk, file_bytes, wal_bytes) = sizes;
    let now = admin.clock.now();
    let store = StoreHealth {
        damage: admin.store.reader().damage_met().map(str::to_owned),
        writable,
        last_locked: admin.store.last_locked().map(|ago| now.minus(ago)),
        unreadable,
        free_disk,
        min_free: admin.min_free,
        file_bytes,
        wal_bytes,
        wal_left: Some(admin.store.log_left()),
        forgets: admin.forgets,
        contents,
    };
    Health {
        now,
        serving: Serving::Here(admin.last_turn.as_ref().map(|last_turn| now.minus(last_turn.ago()))),
        store,
        sources,
        actions: actions.unwrap_or_default(),
        ledger: ledger.unwrap_or_default(),
        alerts: alerts.unwrap_or_default(),
    }
}

async fn writable(admin: &Admin, check: WriteCheck, now: Timestamp) -> Option<Result<(), Unwritable>> {
    let found = match check {
        WriteCheck::Write => Some(admin.store.check_writable(now).await),
        WriteCheck::Lock => admin.store.check_lock().await.err().map(Err),
        WriteCheck::None => admin.store.locked_for_long().map(Err),
    };
    found.map(|found| found.map_err(Unwritable::from))
}

/// Free disk space and the sizes of the file and its WAL. Runs on a blocking thread, because a network disk may hang.
async fn sizes(admin: &Admin) -> (Option<u64>, u64, u64) {
    let path = admin.store.path().to_path_buf();
    let sizes = move || (store::free_disk(&path), store::file_size(&path), store::wal_size(&path));
    tokio::task::spawn_blocking(sizes).await.unwrap_or((None, 0, 0))
}
