//! Store operations that remove or empty old rows: `prune` and the retention rules.

use super::Store;
use super::error::Result;
use super::retention::run::{Removed, Retention, RetentionPolicy};
use super::retention::steps::SettledCount;
use super::retention::unshipped::is_short;
use crate::domain::Timestamp;

impl Store {
    fn retention(&self) -> Retention<'_> {
        Retention { writer: &self.writer, pool: self.reader.pool(), path: &self.path }
    }

    /// Applies all retention rules once.
    ///
    /// # Errors
    /// A step failed. The steps before it stay done.
    pub async fn retain(&self, rules: &RetentionPolicy, now: Timestamp) -> Result<Removed> {
        self.retention().retain(rules, now).await
    }

    /// Applies `max_unproven` if a flood exceeds it by a tenth.
    ///
    /// # Errors
    /// Like [`Store::retain`].
    pub async fn enforce_unproven(&self, rules: &RetentionPolicy) -> Result<Removed> {
        self.retention().enforce_unproven(rules).await
    }

    /// Whether the disk is so full that nothing is kept for the ledger.
    #[must_use]
    pub fn is_short_of_disk(&self, min_free: u64) -> bool {
        is_short(&self.path, min_free)
    }

    /// Removes every settled notification received before `before`, with its duplicates; calls `progress` with the
    /// number removed in each step. Rows that the ledger does not have yet stay for 30 days, unless the disk has little
    /// more than `min_free` bytes left.
    ///
    /// # Errors
    /// A step failed. The removals before it stay done.
    pub async fn prune(
        &self,
        before: Timestamp,
        min_free: u64,
        now: Timestamp,
        progress: impl FnMut(u64),
    ) -> Result<SettledCount> {
        self.retention().prune(before, min_free, now, progress).await
    }
}
