//! The times from receipt to verdict.

use rusqlite::{Connection, Row, params};

use super::Detail;
use super::sample::Sample;
use crate::domain::Window;
use crate::domain::statistics::{Wait, Waits};
use crate::store::error::Result;
use crate::store::rows;

/// Number of the slowest that are listed.
const SLOWEST: usize = 5;

/// The notifications that an answer of the shop's API settled.
pub(super) const SETTLED: &str = "SELECT notification_id, subject_id, state, reason, received_at, decided_at
     FROM verdicts INDEXED BY verdicts_by_time
     WHERE source = ?5
       AND received_at >= ?6 AND received_at < ?7 AND state IN ('confirmed', 'ignored')
       AND reason IN ('match', 'unavailable', 'deleted', 'not_found', 'mismatch', 'superseded', 'wrong_store')
       AND attempts > 0 AND event IS NOT 'reconcile'";

/// The same in the runs of a [`Sample`].
pub(super) const SAMPLED: &str = "WITH RECURSIVE spans(begins) AS (
       SELECT ?1 UNION ALL SELECT begins + ?3 * ?4 FROM spans WHERE begins + ?3 * ?4 <= ?2),
     runs(id) AS (SELECT begins + (begins * 2654435761 >> 8) % ?4 * ?3 FROM spans)
     SELECT notification_id, subject_id, state, reason, received_at, decided_at
     FROM runs CROSS JOIN verdicts INDEXED BY verdicts_by_state
     WHERE notification_id >= runs.id AND notification_id < runs.id + ?3 AND source = ?5
       AND received_at >= ?6 AND received_at < ?7 AND state IN ('confirmed', 'ignored')
       AND reason IN ('match', 'unavailable', 'deleted', 'not_found', 'mismatch', 'superseded', 'wrong_store')
       AND attempts > 0 AND event IS NOT 'reconcile'";

/// The times to verdict of the `received` notifications of a window, and the slowest of those read.
pub(super) fn waits(
    conn: &Connection,
    source: &str,
    window: Window,
    detail: Detail,
    received: u64,
) -> Result<(Option<Waits>, Vec<Wait>)> {
    let one_in = detail.one_in(received);
    let Some(sample) = Sample::of_window(conn, source, window, detail, one_in)? else {
        return Ok((Waits::of(Vec::new(), one_in), Vec::new()));
    };
    let mut statement = conn.prepare_cached(if one_in == 1 { SETTLED } else { SAMPLED })?;
    let Sample { first, last, length, one_in: step } = sample;
    let (from, to) = (window.from.to_string(), window.to.to_string());
    let mut found = statement.query(params![first, last, length, step, source, from, to])?;
    let mut times = Vec::new();
    let mut slowest: Vec<Wait> = Vec::with_capacity(SLOWEST + 1);
    while let Some(row) = found.next()? {
        let wait = wait(row)?;
        times.push(wait.waited_ms);
        let place = slowest.partition_point(|slow| slow.waited_ms >= wait.waited_ms);
        if place < SLOWEST {
            slowest.insert(place, wait);
            slowest.truncate(SLOWEST);
        }
    }
    Ok((Waits::of(times, one_in), slowest))
}

fn wait(row: &Row<'_>) -> rusqlite::Result<Wait> {
    let received_at = rows::known_instant(row, "received_at")?;
    let decided_at = rows::known_instant(row, "decided_at")?;
    Ok(Wait {
        notification_id: row.get("notification_id")?,
        subject_id: row.get("subject_id")?,
        state: rows::state(row)?,
        reason: row.get("reason")?,
        received_at,
        waited_ms: u64::try_from(decided_at.since(received_at).as_millis()).unwrap_or(u64::MAX),
    })
}
