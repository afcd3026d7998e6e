//! Tracks another program's hold on the write lock: since when, whose it is, and that the writer's thread
//! still responds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::store::error::StoreError;
use crate::store::file::holder;

/// A lock that lasts longer than this is reported, because notifications wait no longer for it.
pub(in crate::store) const PATIENCE: Duration = Duration::from_secs(3);

/// How long a command waits for it.
pub(in crate::store) const PATIENCE_OF_COMMANDS: Duration = Duration::from_secs(5);

/// The interval at which the holder is looked up.
const LOOK: Duration = Duration::from_secs(1);

/// The writer thread's record of the write lock.
#[derive(Debug)]
pub(in crate::store) struct Contention {
    path: PathBuf,
    beats: AtomicU64,
    lock: Mutex<Lock>,
    has_given_up: Notify,
}

#[derive(Debug, Default)]
struct Lock {
    /// When the writer first waited for it; `None`: it got the lock since.
    since: Option<Instant>,
    /// When it last waited.
    last_met: Option<Instant>,
    holder: String,
    looked_at: Option<Instant>,
}

impl Contention {
    pub(in crate::store) fn new(path: &Path) -> Self {
        let (beats, lock, has_given_up) = Default::default();
        Self { path: path.to_path_buf(), beats, lock, has_given_up }
    }

    /// Records a turn of the writer's thread.
    pub(in crate::store) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::store) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Records that the writer did not get the lock; returns how long it has waited.
    pub(in crate::store) fn met(&self, now: Instant) -> Duration {
        // The system may take a while to answer, so the mutex of this state is not held meanwhile.
        let holder = self.is_look_due(now).then(|| holder::of_write_lock(&self.path));
        let mut lock = self.lock();
        lock.last_met = Some(now);
        if let Some(holder) = holder {
            (lock.looked_at, lock.holder) = (Some(now), holder);
        }
        now.duration_since(*lock.since.get_or_insert(now))
    }

    fn is_look_due(&self, now: Instant) -> bool {
        self.lock().looked_at.is_none_or(|at| now.duration_since(at) >= LOOK)
    }

    fn lock(&self) -> MutexGuard<'_, Lock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the writer got the lock.
    pub(in crate::store) fn got(&self) {
        let mut lock = self.lock();
        if lock.since.take().is_some() {
            lock.looked_at = None;
        }
    }

    /// Records that the writer gave up; returns the error for its callers.
    pub(in crate::store) fn gives_up(&self) -> StoreError {
        self.has_given_up.notify_one();
        self.error()
    }

    /// Waits until the writer gives up.
    pub(in crate::store) async fn given_up(&self) -> StoreError {
        self.has_given_up.notified().await;
        self.error()
    }

    /// Why nothing is written, if another program has held the lock for at least `least`.
    pub(in crate::store) fn held_for(&self, least: Duration) -> Option<StoreError> {
        let lock = self.lock();
        let is_held = lock.since.is_some_and(|since| since.elapsed() >= least);
        is_held.then(|| StoreError::locked(&self.path, &lock.holder))
    }

    /// How long ago the writer last waited for another program's lock.
    pub(in crate::store) fn last_met(&self) -> Option<Duration> {
        self.lock().last_met.map(|at| at.elapsed())
    }

    /// Why a notification was not written in time.
    pub(in crate::store) fn why_late(&self) -> StoreError {
        self.held_for(Duration::ZERO).unwrap_or(StoreError::Slow)
    }

    fn error(&self) -> StoreError {
        let lock = self.lock();
        StoreError::locked(&self.path, &lock.holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_lasts_from_the_first_failure_until_the_writer_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let contention = Contention::new(&folder.path().join("store.db"));
        let began = Instant::now();
        assert_eq!(contention.met(began), Duration::ZERO);
        assert_eq!(contention.met(began + PATIENCE), PATIENCE);
        let why = contention.held_for(Duration::ZERO).map(|error| error.to_string()).unwrap();
        assert!(why.contains("store.db") && why.contains("another program"), "{why}");
        contention.got();
        assert!(contention.held_for(Duration::ZERO).is_none() && contention.last_met().is_some());
        assert!(matches!(contention.why_late(), StoreError::Slow));
        assert_eq!(contention.met(began + 2 * PATIENCE), Duration::ZERO);
    }
}
