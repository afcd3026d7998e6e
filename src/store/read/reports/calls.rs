//! Questions to the shops' APIs, and requests that were refused.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::sample::Sample;
use super::{Detail, count};
use crate::domain::statistics::{ApiCalls, Refusals};
use crate::domain::{Timestamp, Window};
use crate::store::error::Result;
use crate::store::rows;

/// The ids of the rows that the calls of a window wrote: they grow with time, except for concurrent calls.
pub(super) const FIRST: &str =
    "SELECT min(id) FROM (SELECT id FROM verifications WHERE at >= ?1 AND at < ?2 ORDER BY at LIMIT 1000)";
pub(super) const LAST: &str = "SELECT max(id) FROM (SELECT id FROM verifications WHERE at >= ?1 AND at < ?2 ORDER BY at DESC LIMIT 1000)";

/// The calls of all sources; the rows of a call share its time, and belong to one source.
pub(super) const CALLS: &str = "SELECT v.source, c.cause, count(*) FROM (
       SELECT min(notification_id) AS notification_id, max(iif(outcome GLOB 'api_*', outcome, '')) AS cause
       FROM verifications WHERE at >= ?1 AND at < ?2 GROUP BY at, call_id) c
     CROSS JOIN verdicts v ON v.notification_id = c.notification_id GROUP BY v.source, c.cause";

/// The calls of some runs: a call belongs to the run of its first row.
pub(super) const SAMPLED_CALLS: &str =
    "WITH RECURSIVE spans(begins) AS (
       SELECT ?1 UNION ALL SELECT begins + ?3 * ?4 FROM spans WHERE begins + ?3 * ?4 <= ?2),
     runs(id) AS (SELECT begins + (begins * 2654435761 >> 8) % ?4 * ?3 FROM spans)
     SELECT v.source, c.cause, count(*) FROM (
       SELECT f.notification_id, (SELECT max(iif(o.outcome GLOB 'api_*', o.outcome, '')) FROM verifications o
         WHERE o.at = f.at AND o.call_id = f.call_id) AS cause
       FROM runs CROSS JOIN verifications f
       WHERE f.id >= runs.id AND f.id < runs.id + ?3 AND f.at >= ?5 AND f.at < ?6
         AND NOT EXISTS (SELECT 1 FROM verifications e WHERE e.at = f.at AND e.call_id = f.call_id AND e.id < f.id)) c
     CROSS JOIN verdicts v ON v.notification_id = c.notification_id GROUP BY v.source, c.cause";

/// Counts each source's questions to the API that were sent in a window.
pub(super) fn calls(conn: &Connection, window: Window, detail: Detail) -> Result<BTreeMap<String, ApiCalls>> {
    let (from, to) = (window.from.to_string(), window.to.to_string());
    let mut of_source: BTreeMap<String, ApiCalls> = BTreeMap::new();
    let Some(rows) = Sample::new(conn, [FIRST, LAST], [&from, &to], detail.runs(), 1)? else {
        return Ok(of_source);
    };
    let step = rows.last.saturating_sub(rows.first).max(0) / detail.calls() + 1;
    let one_in = u64::try_from(step).unwrap_or(1);
    let mut statement = conn.prepare_cached(if step == 1 { CALLS } else { SAMPLED_CALLS })?;
    let Sample { first, last, length, .. } = Sample::of(rows.first, rows.last, detail.runs(), step);
    let mut found = match step {
        1 => statement.query([from, to])?,
        _ => statement.query(params![first, last, length, step, from, to])?,
    };
    while let Some(row) = found.next()? {
        let (cause, n): (String, u64) = (row.get(1)?, count(row, 2)?.saturating_mul(one_in));
        let calls = of_source.entry(row.get(0)?).or_default();
        calls.one_in = one_in;
        calls.calls += n;
        if !cause.is_empty() {
            calls.failures.insert(cause, n);
        }
    }
    Ok(of_source)
}

/// The last sender is that of the latest request: SQLite takes bare columns from the row of the maximum.
pub(super) const REFUSALS: &str = "SELECT cause, sum(count), max(last_at) AS last_at, last_remote_addr FROM refusals \
     WHERE source = ?1 AND day >= ?2 AND day <= ?3 GROUP BY cause ORDER BY 2 DESC, 1";

/// The refusals of the days that a window touches.
pub(super) fn refusals(conn: &Connection, source: &str, window: Window) -> Result<Vec<Refusals>> {
    let last_day = Timestamp::from_millis(window.to.millis().saturating_sub(1)).day();
    let mut statement = conn.prepare_cached(REFUSALS)?;
    let found = statement.query_map(params![source, window.from.day(), last_day], |row| {
        Ok(Refusals {
            cause: row.get(0)?,
            count: count(row, 1)?,
            last_at: rows::known_instant(row, "last_at")?,
            last_remote_addr: row.get(3)?,
        })
    })?;
    rows::all(found)
}
