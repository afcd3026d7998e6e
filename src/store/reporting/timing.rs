//! How long verdicts took, from receipt.

use rusqlite::{Connection, Row, params};

use super::super::error::Result;
use super::super::rows;
use super::one_in;
use crate::domain::Window;
use crate::domain::statistics::{Wait, Waits};

/// How many of the slowest are told.
const SLOWEST: usize = 5;

/// What an answer of the shop's API settled, one in so many; the index tells which rows need to be read. The remainder
/// is tested first: of ten million entries it leaves few to look at closer.
pub(super) const SETTLED: &str = "SELECT notification_id, subject_id, state, reason, received_at, decided_at FROM verdicts \
     WHERE source = ?1 AND received_at >= ?2 AND received_at < ?3 AND (notification_id * 2654435761 >> 8) % ?4 = 0 \
       AND state IN ('confirmed', 'ignored') AND reason NOT IN ('malformed', 'unsupported', 'duplicate', 'dismissed') \
       AND attempts > 0 AND event IS NOT 'reconcile'";

/// The times to verdict of the `received` notifications of a window, and the slowest of those looked at.
pub(super) fn waits(
    conn: &Connection,
    source: &str,
    window: Window,
    received: u64,
) -> Result<(Option<Waits>, Vec<Wait>)> {
    let one_in = one_in(received);
    let step = i64::try_from(one_in).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(SETTLED)?;
    let mut found = statement.query(params![source, window.from.to_string(), window.to.to_string(), step])?;
    let mut times = Vec::new();
    let mut slowest: Vec<Wait> = Vec::with_capacity(SLOWEST + 1);
    while let Some(row) = found.next()? {
        let Some(wait) = wait(row)? else { continue };
        times.push(wait.waited_ms);
        let place = slowest.partition_point(|slow| slow.waited_ms >= wait.waited_ms);
        if place < SLOWEST {
            slowest.insert(place, wait);
            slowest.truncate(SLOWEST);
        }
    }
    Ok((Waits::of(times, one_in), slowest))
}

fn wait(row: &Row<'_>) -> rusqlite::Result<Option<Wait>> {
    let (Some(received_at), Some(decided_at)) = (rows::instant(row, 4)?, rows::instant(row, 5)?) else {
        return Ok(None);
    };
    Ok(Some(Wait {
        notification_id: row.get(0)?,
        subject_id: row.get(1)?,
        state: rows::state(row, 2)?,
        reason: row.get(3)?,
        received_at,
        waited_ms: u64::try_from(decided_at.since(received_at).as_millis()).unwrap_or(u64::MAX),
    }))
}
