//! An even sample of a range of ids, read with a fixed number of searches however long the range is: the ids
//! are divided into runs, and one in so many consecutive runs is read, scattered by Knuth's multiplicative
//! hash.

use rusqlite::{Connection, OptionalExtension as _, Params};

use super::Detail;
use crate::domain::Window;
use crate::domain::number::whole;
use crate::store::error::Result;

/// Ids grow with time, except for concurrent notifications. A clock that was set makes the sample less even.
pub(super) const FIRST: &str = "SELECT min(notification_id) FROM (SELECT notification_id FROM verdicts \
     WHERE source = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY received_at LIMIT 1000)";
pub(super) const LAST: &str = "SELECT max(notification_id) FROM (SELECT notification_id FROM verdicts \
     WHERE source = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY received_at DESC LIMIT 1000)";

/// The runs of ids that are read: one in `one_in` runs of `length` ids, from `first` to `last`. A sampling
/// statement begins with the tables `spans` and `runs`: the first ids of the runs from ?1 to ?2, each of ?3
/// ids, one run in ?4.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) length: i64,
    pub(super) one_in: i64,
}

impl Sample {
    /// A sample of the ids from the lowest that `first` finds to the highest that `last` finds; `None` if there are none.
    pub(super) fn new<P: Params + Copy>(
        conn: &Connection,
        [first, last]: [&str; 2],
        values: P,
        runs: i64,
        one_in: u64,
    ) -> Result<Option<Self>> {
        let id = |sql: &str| -> Result<Option<i64>> {
            Ok(conn.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?.flatten())
        };
        let one_in = whole(one_in);
        Ok(id(first)?.zip(id(last)?).map(|(first, last)| Self::of(first, last, runs, one_in)))
    }

    /// A sample of a source's notifications received in the window.
    pub(super) fn of_window(
        conn: &Connection,
        source: &str,
        window: Window,
        detail: Detail,
        one_in: u64,
    ) -> Result<Option<Self>> {
        let (from, to) = (window.from.to_string(), window.to.to_string());
        Self::new(conn, [FIRST, LAST], [source, &from, &to], detail.runs(), one_in)
    }

    /// About this many runs.
    pub(super) fn of(first: i64, last: i64, runs: i64, one_in: i64) -> Self {
        let length = last.saturating_sub(first).max(0) / runs / one_in.max(1) + 1;
        Self { first, last, length, one_in }
    }
}
