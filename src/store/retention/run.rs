//! Applies the `[store]` rules: the steps of [`crate::store::retention::steps`], each in a small transaction,
//! with pauses between, so that intake is as fast during a run as without one.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::steps::{self, SettledCount};
use super::unshipped::held_since;
use crate::domain::Timestamp;
use crate::store::error::Result;
use crate::store::file::pool::Pool;
use crate::store::verdicts::decisions::ROWS_AT_ONCE;
use crate::store::writer::handle::Writer;

/// The retention settings of the `[store]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Settled notifications older than this are removed, if set.
    pub keep: Option<Duration>,
    /// Settled notifications older than this lose their personal data, if set.
    pub keep_personal: Option<Duration>,
    /// Maximum number of notifications from unproven senders.
    pub max_unproven: u64,
    /// Free bytes of the disk that must not be used up.
    pub min_free: u64,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Notifications that `keep` removed.
    pub expired: u64,
    /// Rows that `keep_personal` emptied.
    pub emptied: u64,
    /// Notifications that `max_unproven` removed.
    pub unproven: u64,
}

/// The time limit for the rows of one step, because intake waits for it. The sync of the disk adds to it, and
/// intake must wait at most 20 ms.
const STEP: Duration = Duration::from_millis(2);

/// The number of rows of the next step, adapted to the duration of the last one.
pub(super) struct Pace {
    pub(super) rows: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { rows: 8 }
    }

    /// Adapts, and then pauses for twice as long as the step took.
    pub(super) async fn rest(&mut self, step: Step) {
        if step.rows_took > STEP {
            self.rows = (self.rows / 2).max(1);
        } else if step.rows_took < STEP / 2 {
            self.rows = (self.rows * 2).min(ROWS_AT_ONCE);
        }
        tokio::time::sleep((step.all_took * 2).clamp(Duration::from_millis(1), Duration::from_millis(50)))
            .await;
    }
}

/// How long a step took.
#[derive(Clone, Copy)]
pub(super) struct Step {
    rows_took: Duration,
    /// The transaction, with the wait for it.
    all_took: Duration,
}

/// Applies the rules, through the writer and the readers of one store.
pub(in crate::store) struct Retention<'a> {
    pub(in crate::store) writer: &'a Writer,
    pub(in crate::store) pool: &'a Pool,
    pub(in crate::store) path: &'a Path,
}

impl Retention<'_> {
    /// Applies all rules once.
    pub(in crate::store) async fn retain(&self, rules: &RetentionPolicy, now: Timestamp) -> Result<Removed> {
        let mut kept = Removed::default();
        if let Some(age) = rules.keep {
            kept.expired = self.prune(now.minus(age), rules.min_free, now, |_| {}).await?.total();
        }
        if let Some(age) = rules.keep_personal {
            kept.emptied = self.empty_personal(now.minus(age)).await?;
        }
        kept.unproven = self.bound_unproven(rules.max_unproven).await?;
        Ok(kept)
    }

    /// Applies the rule that a flood breaks between two full runs.
    pub(in crate::store) async fn enforce_unproven(&self, rules: &RetentionPolicy) -> Result<Removed> {
        Ok(Removed { unproven: self.bound_unproven(rules.max_unproven).await?, ..Removed::default() })
    }

    /// Removes every settled notification received before `before`, with its duplicates; calls `progress` with the
    /// number removed in each step.
    pub(in crate::store) async fn prune(
        &self,
        before: Timestamp,
        min_free: u64,
        now: Timestamp,
        mut progress: impl FnMut(u64),
    ) -> Result<SettledCount> {
        let mut gone = SettledCount::default();
        let mut pace = Pace::new();
        let mut cursor = Some(steps::PruneCursor::default());
        while let Some(from) = cursor {
            let most = pace.rows;
            let held = held_since(self.path, min_free, now);
            let ((step, next), took) =
                self.step(move |conn| steps::prune(conn, before, most, from, &held)).await?;
            cursor = next;
            if step.total() > 0 {
                gone.add(step);
                progress(step.total());
            }
            pace.rest(took).await;
        }
        Ok(gone)
    }

    /// Empties personal data in settled notifications received before `before`, and in the orders, products
    /// and refusals that no younger notification concerns.
    async fn empty_personal(&self, before: Timestamp) -> Result<u64> {
        let mut emptied = 0;
        let mut pace = Pace::new();
        loop {
            let most = pace.rows;
            let step = self.step(move |conn| steps::empty_notifications(conn, before, most)).await?;
            let (rows, took) = step;
            if rows == 0 {
                break;
            }
            emptied += u64::try_from(rows).unwrap_or(0);
            pace.rest(took).await;
        }
        for sql in steps::EMPTY_ELSEWHERE {
            loop {
                let most = pace.rows;
                let step = self.step(move |conn| steps::empty_elsewhere(conn, sql, before, most)).await?;
                let (rows, took) = step;
                if rows == 0 {
                    break;
                }
                emptied += u64::try_from(rows).unwrap_or(0);
                pace.rest(took).await;
            }
        }
        Ok(emptied)
    }

    /// Runs one step on the writer, and measures it.
    pub(super) async fn step<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<(T, Step)> {
        let sent = Instant::now();
        let timed = move |conn: &Connection| {
            let begun = Instant::now();
            work(conn).map(|done| (done, begun.elapsed()))
        };
        let (done, rows_took) = self.writer.run(timed).await?;
        Ok((done, Step { rows_took, all_took: sent.elapsed() }))
    }
}
