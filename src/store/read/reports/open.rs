//! Open notifications: a finding if undecided, or pending for longer than an hour.

use std::time::Duration;

use rusqlite::{Connection, Row, params};

use super::{claim_summary, count};
use crate::domain::report::MOST_FINDINGS;
use crate::domain::statistics::Wait;
use crate::domain::{Finding, FindingKind, SourceReport, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// Pending for this long is a finding.
const LONG: Duration = Duration::from_secs(3600);

/// Number of the longest open notifications that are listed.
const LONGEST: usize = 5;

/// Pending ones of a source, oldest first.
pub(super) const PENDING: &str = "SELECT notification_id, received_at FROM verdicts \
                                  WHERE source = ?1 AND state = 'pending' AND received_at < ?2 \
                                  ORDER BY received_at LIMIT ?3";

/// Undecided ones of a source, oldest first.
pub(super) const UNDECIDED: &str = "SELECT notification_id, received_at FROM verdicts INDEXED BY verdicts_undecided \
                                    WHERE state = 'undecided' AND source = ?1 AND received_at < ?2 \
                                    ORDER BY received_at LIMIT ?3";

/// Notifications that are not parsed yet.
pub(super) const UNPARSED: &str = "SELECT id, received_at FROM intake \
                                  WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) \
                                    AND source = ?1 AND received_at < ?2 ORDER BY id LIMIT ?3";

/// The number of pending ones: whole days from the daily counts, from the day of the oldest one on, and the
/// last day from the index.
pub(super) const COUNT_PENDING: &str =
    "SELECT coalesce((SELECT sum(n) FROM daily_counts WHERE day >= (SELECT substr(min(received_at), 1, 10)
         FROM verdicts INDEXED BY verdicts_pending WHERE source = ?1 AND state = 'pending')
       AND day < substr(?2, 1, 10) AND source = ?1 AND state = 'pending'), 0)
     + (SELECT count(*) FROM verdicts INDEXED BY verdicts_pending WHERE source = ?1 AND state = 'pending'
       AND received_at >= substr(?2, 1, 10) AND received_at < ?2)";

/// The number of undecided ones, likewise.
pub(super) const COUNT_UNDECIDED: &str =
    "SELECT coalesce((SELECT sum(n) FROM daily_counts WHERE day >= (SELECT substr(min(received_at), 1, 10)
         FROM verdicts INDEXED BY verdicts_undecided WHERE source = ?1 AND state = 'undecided')
       AND day < substr(?2, 1, 10) AND source = ?1 AND state = 'undecided'), 0)
     + (SELECT count(*) FROM verdicts INDEXED BY verdicts_undecided WHERE source = ?1 AND state = 'undecided'
       AND received_at >= substr(?2, 1, 10) AND received_at < ?2)";

pub(super) const COUNT_UNPARSED: &str = "SELECT count(*) FROM intake WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) \
       AND source = ?1 AND received_at < ?2";

/// Adds the notifications that have been open too long at `now`.
pub(super) fn find(conn: &Connection, source: &str, now: Timestamp, report: &mut SourceReport) -> Result<()> {
    let before = now.minus(LONG);
    let total = [(COUNT_PENDING, before), (COUNT_UNPARSED, before), (COUNT_UNDECIDED, now)]
        .into_iter()
        .try_fold(0_u64, |sum, (sql, before)| {
            let n =
                conn.prepare_cached(sql)?.query_row([source, &before.to_string()], |row| count(row, 0))?;
            Ok::<_, rusqlite::Error>(sum.saturating_add(n))
        })?;
    let oldest =
        oldest(conn, source, [(PENDING, before), (UNPARSED, before), (UNDECIDED, now)], MOST_FINDINGS)?;
    let listed = u64::try_from(oldest.len()).unwrap_or(u64::MAX);
    report.omitted.insert(FindingKind::Open.as_str(), total.saturating_sub(listed));
    for id in oldest {
        report.findings.push(conn.prepare_cached(FINDING)?.query_row([id], finding)?);
    }
    Ok(())
}

/// The notifications that have been open longest at `now`, however short that is.
pub(super) fn longest(conn: &Connection, source: &str, now: Timestamp) -> Result<Vec<Wait>> {
    let ids = oldest(conn, source, [PENDING, UNPARSED, UNDECIDED].map(|sql| (sql, now)), LONGEST)?;
    let read = |id| conn.prepare_cached(FINDING)?.query_row([id], |row| wait(row, now));
    rows::all(ids.into_iter().map(read))
}

/// The `most` oldest results of three queries, each before its time.
fn oldest(conn: &Connection, source: &str, queries: [(&str, Timestamp); 3], most: usize) -> Result<Vec<i64>> {
    let mut all: Vec<(String, i64)> = Vec::new();
    for (sql, before) in queries {
        let mut statement = conn.prepare_cached(sql)?;
        let found = statement.query_map(params![source, before.to_string(), rows::limit(most)], |row| {
            Ok((row.get(1)?, row.get(0)?))
        })?;
        all.extend(rows::all(found)?);
    }
    all.sort_unstable();
    Ok(all.into_iter().take(most).map(|(_, id)| id).collect())
}

/// Through the view, because while its source fails as a whole, a pending one has that cause.
pub(super) const FINDING: &str =
    "SELECT id, subject_id, claim, state, reason, detail, received_at FROM notifications WHERE id = ?1";

fn finding(row: &Row<'_>) -> rusqlite::Result<Finding> {
    let state: String = row.get(3)?;
    let received_at: String = row.get(6)?;
    let mut text = format!("{state} since {received_at}");
    match (row.get::<_, Option<String>>(4)?, row.get::<_, Option<String>>(5)?) {
        (Some(reason), Some(detail)) => text += &format!(": {reason}, {detail}"),
        (Some(reason), None) => text += &format!(": {reason}"),
        (None, _) => text += ": not asked about yet",
    }
    Ok(Finding {
        kind: FindingKind::Open,
        subject_id: row.get(1)?,
        ours: claim_summary::column(row, 2)?,
        shop: None,
        notification_id: Some(row.get(0)?),
        detail: Some(text),
    })
}

fn wait(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Wait> {
    let received_at = rows::known_instant(row, "received_at")?;
    Ok(Wait {
        notification_id: row.get("id")?,
        subject_id: row.get("subject_id")?,
        state: rows::state(row)?,
        reason: row.get("reason")?,
        received_at,
        waited_ms: u64::try_from(now.since(received_at).as_millis()).unwrap_or(u64::MAX),
    })
}
