//! The small steps that remove settled notifications or empty their personal data. Each step is bounded by
//! `most` rows, so that intake does not wait for it; [`crate::store::retention::run`] repeats them.
//!
//! A removal takes nothing else along: the counts behind `daily`, the last confirmed values, and the truth in
//! `orders` and `products` stay. Ids are never reused, and a notification is removed from `intake` and
//! `verdicts` together, so that "not parsed yet" always means: an id above the highest in `verdicts`.

use rusqlite::{Connection, params};

use super::unshipped::is_unshipped;
use crate::domain::{State, Timestamp};
use crate::rules::fairness::Weight;
use crate::store::error::Result;
use crate::store::rows;

/// Settled notifications, counted by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettledCount {
    pub confirmed: u64,
    /// Ignored ones, except duplicates.
    pub ignored: u64,
    pub duplicates: u64,
}

impl SettledCount {
    #[must_use]
    pub fn total(&self) -> u64 {
        self.confirmed + self.ignored + self.duplicates
    }

    pub(in crate::store) fn add(&mut self, other: Self) {
        self.confirmed += other.confirmed;
        self.ignored += other.ignored;
        self.duplicates += other.duplicates;
    }

    fn count(&mut self, state: State, n: u64) {
        match state {
            State::Confirmed => self.confirmed += n,
            _ => self.ignored += n,
        }
    }
}

/// The rows that are old enough for [`prune`]: settled ones. Duplicates are removed with their original.
const EXPIRED: &str = "FROM verdicts WHERE emptied IN (0, 1) AND received_at < ?1 AND duplicate_of IS NULL
                       AND state IN ('confirmed', 'ignored')";

/// The same after a position, so that earlier rows are not read again.
const EXPIRED_FROM: &str = "FROM verdicts WHERE emptied = ?3 AND (received_at, notification_id) > (?4, ?5)
                            AND received_at < ?1 AND duplicate_of IS NULL AND state IN ('confirmed', 'ignored')
                            ORDER BY received_at, notification_id LIMIT ?2";

/// Whether a notification stays because its news is still being delivered or waits for a person.
const IS_ON_ITS_WAY: &str = "EXISTS (SELECT 1 FROM news n JOIN deliveries d ON d.seq = n.seq
                         WHERE n.notification_id = verdicts.notification_id AND d.state IN ('waiting', 'dead'))";

/// Whether a notification stays: because of its deliveries, or because it changed after the parameter `since`
/// and is not in the ledger.
fn is_held(since: &str) -> String {
    format!("({IS_ON_ITS_WAY} OR {})", is_unshipped(since))
}

/// The progress of [`prune`].
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct PruneCursor {
    emptied: bool,
    received_at: String,
    id: i64,
}

/// The first duplicates of an original, each with whether it stays.
fn duplicates() -> String {
    let is_unshipped = is_unshipped("?3");
    format!("SELECT notification_id, {is_unshipped} FROM verdicts WHERE duplicate_of = ?1 LIMIT ?2")
}

/// The number of notifications that [`prune`] would remove.
pub(in crate::store) fn count_expired(
    conn: &Connection,
    before: Timestamp,
    held_since: &str,
) -> Result<SettledCount> {
    let is_held = is_held("?2");
    let mut count = SettledCount::default();
    let mut statement =
        conn.prepare_cached(&format!("SELECT state, count(*) {EXPIRED} AND NOT {is_held} GROUP BY state"))?;
    let mut found = statement.query(params![before.to_string(), held_since])?;
    while let Some(row) = found.next()? {
        count.count(rows::state(row)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
    }
    let duplicates: i64 = conn
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT notification_id {EXPIRED} AND NOT {is_held}) original
             JOIN verdicts d ON d.duplicate_of = original.notification_id"
        ))?
        .query_row(params![before.to_string(), held_since], |row| row.get(0))?;
    count.duplicates = u64::try_from(duplicates).unwrap_or(0);
    Ok(count)
}

/// Removes at most `most` settled notifications received before `before`, from a position on; returns how
/// many, and the position after them, `None` at the end. The duplicates of one, however young, are removed
/// first, and it itself with the last of them. Rows that stay are skipped: with `held_since`, also those that
/// changed after it and are not in the ledger.
pub(in crate::store) fn prune(
    conn: &Connection,
    before: Timestamp,
    most: usize,
    mut cursor: PruneCursor,
    held_since: &str,
) -> Result<(SettledCount, Option<PruneCursor>)> {
    let sql =
        format!("SELECT notification_id, received_at, state, {} AS is_held {EXPIRED_FROM}", is_held("?6"));
    let mut statement = conn.prepare_cached(&sql)?;
    let values = params![
        before.to_string(),
        rows::limit(most),
        cursor.emptied,
        cursor.received_at,
        cursor.id,
        held_since
    ];
    let found = statement.query_map(values, |row| {
        Ok((
            row.get::<_, i64>("notification_id")?,
            row.get::<_, String>("received_at")?,
            rows::state(row)?,
            row.get::<_, bool>("is_held")?,
        ))
    })?;
    let found = rows::all(found)?;
    let mut gone = SettledCount::default();
    if found.is_empty() {
        let next = (!cursor.emptied).then(|| PruneCursor { emptied: true, ..PruneCursor::default() });
        return Ok((gone, next));
    }
    let mut room = most;
    for (id, received_at, state, is_held) in found {
        if !is_held {
            let (duplicates, held) = remove_duplicates(conn, id, room, held_since)?;
            gone.duplicates += u64::try_from(duplicates).unwrap_or(0);
            room = room.saturating_sub(duplicates + held);
            if room == 0 && held == 0 {
                break;
            }
            if held == 0 {
                conn.prepare_cached("DELETE FROM intake WHERE id = ?1")?.execute([id])?;
                gone.count(state, 1);
                room -= 1;
            }
        }
        (cursor.received_at, cursor.id) = (received_at, id);
        if room == 0 {
            break;
        }
    }
    Ok((gone, Some(cursor)))
}

/// Removes some of the first `most` duplicates of an original; returns how many, and how many of them stay.
fn remove_duplicates(
    conn: &Connection,
    original: i64,
    most: usize,
    held_since: &str,
) -> Result<(usize, usize)> {
    let mut statement = conn.prepare_cached(&duplicates())?;
    let found = statement.query_map(params![original, rows::limit(most), held_since], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
    })?;
    let (mut removed, mut held) = (0, 0);
    for (id, is_held) in rows::all(found)? {
        if is_held {
            held += 1;
        } else {
            removed += conn.prepare_cached("DELETE FROM intake WHERE id = ?1")?.execute([id])?;
        }
    }
    Ok((removed, held))
}

/// The sender of emptied notifications whose sender was not proven; they still count as unproven.
const UNPROVEN: &str = "unproven";

/// The rows that are old enough for [`empty_notifications`].
const TO_EMPTY: &str = "SELECT notification_id FROM verdicts
                        WHERE emptied = 0 AND received_at < ?1 AND state IN ('confirmed', 'ignored') LIMIT ?2";

/// Empties personal data in at most `most` settled notifications received before `before`; returns how many.
pub(in crate::store) fn empty_notifications(
    conn: &Connection,
    before: Timestamp,
    most: usize,
) -> Result<usize> {
    let mut statement = conn.prepare_cached(TO_EMPTY)?;
    let found = statement.query_map(params![before.to_string(), rows::limit(most)], |row| row.get(0))?;
    let ids: Vec<i64> = rows::all(found)?;
    for id in &ids {
        conn.prepare_cached(
            "UPDATE intake SET remote_addr = NULL, content_type = NULL, headers = NULL, body = NULL WHERE id = ?1",
        )?
        .execute([id])?;
        conn.prepare_cached(
            "UPDATE verifications SET answer = NULL WHERE notification_id = ?1 AND answer IS NOT NULL",
        )?
        .execute([id])?;
        conn.prepare_cached(
            "UPDATE delivery_attempts SET answer = NULL WHERE answer IS NOT NULL AND delivery_id IN (
               SELECT d.id FROM news n JOIN deliveries d ON d.seq = n.seq WHERE n.notification_id = ?1)",
        )?
        .execute([id])?;
        conn.prepare_cached(
            "UPDATE verdicts SET emptied = 1,
               sender = iif((SELECT weight FROM senders s WHERE s.sender = verdicts.sender) > ?3, '', ?2)
             WHERE notification_id = ?1",
        )?
        .execute(params![id, UNPROVEN, Weight::UNKNOWN.stored()])?;
    }
    Ok(ids.len())
}

/// The other tables with personal data, each with the statement that empties some of its rows.
pub(in crate::store) const EMPTY_ELSEWHERE: [&str; 3] = [
    "UPDATE orders SET email = NULL, raw = NULL, emptied = 1 WHERE rowid IN (
       SELECT rowid FROM orders WHERE emptied = 0 AND notified_at < ?1 LIMIT ?2)",
    "UPDATE products SET raw = NULL, emptied = 1 WHERE rowid IN (
       SELECT rowid FROM products WHERE emptied = 0 AND notified_at < ?1 LIMIT ?2)",
    "UPDATE refusals SET last_remote_addr = NULL WHERE (source, day, cause) IN (
       SELECT source, day, cause FROM refusals WHERE last_remote_addr IS NOT NULL AND last_at < ?1 LIMIT ?2)",
];

/// Runs one of [`EMPTY_ELSEWHERE`]; returns how many rows it emptied.
pub(in crate::store) fn empty_elsewhere(
    conn: &Connection,
    sql: &str,
    before: Timestamp,
    most: usize,
) -> Result<usize> {
    Ok(conn.prepare_cached(sql)?.execute(params![before.to_string(), rows::limit(most)])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn every_step_finds_its_rows_by_an_index_however_large_the_store_is() {
        let conn = fresh();
        let expired = format!("SELECT notification_id, received_at, state, {} {EXPIRED_FROM}", is_held("?6"));
        let [orders, products, refusals] = EMPTY_ELSEWHERE;
        let duplicates = duplicates();
        for (sql, wanted) in [
            (
                expired.as_str(),
                "verdicts USING INDEX verdicts_settled (emptied=? AND received_at>? AND received_at<?)",
            ),
            (expired.as_str(), "n USING COVERING INDEX sqlite_autoindex_news_1 (notification_id=?)"),
            (expired.as_str(), "d USING INDEX sqlite_autoindex_deliveries_1 (seq=?)"),
            (TO_EMPTY, "verdicts USING INDEX verdicts_settled (emptied=? AND received_at<?)"),
            (expired.as_str(), "c USING COVERING INDEX changes_by_row (kind=? AND id=?)"),
            (duplicates.as_str(), "verdicts USING INDEX verdicts_duplicates (duplicate_of=?)"),
            ("DELETE FROM intake WHERE id = ?1", "intake USING INTEGER PRIMARY KEY (rowid=?)"),
            // The rows that are removed with a notification.
            ("DELETE FROM verdicts WHERE notification_id = ?1", "USING INTEGER PRIMARY KEY"),
            ("DELETE FROM verifications WHERE notification_id = ?1", "INDEX verifications_by_notification"),
            (orders, "orders USING COVERING INDEX orders_to_empty (notified_at<?)"),
            (products, "products USING COVERING INDEX products_to_empty (notified_at<?)"),
            (refusals, "INDEX refusals_to_empty (last_at<?)"),
        ] {
            let plan = plan(&conn, sql);
            let steps: Vec<&str> = plan.lines().collect();
            assert!(steps.iter().any(|step| step.contains(wanted)), "{sql}: {steps:#?}");
            for step in &steps {
                let is_bounded = !step.contains("SCAN") || *step == "SCAN l";
                assert!(is_bounded && !step.contains("TEMP B-TREE"), "{sql}: {steps:#?}");
            }
        }
    }
}
