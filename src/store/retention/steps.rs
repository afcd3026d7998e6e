//! The small steps in which settled notifications are removed, or lose personal data. Each step is
//! bounded by `most` rows, so that intake never waits for it; [`crate::store::retention::run`] repeats them.
//!
//! What goes takes nothing else along: the tallies behind `daily`, what was told about a subject, and the truth in
//! `orders` and `products` stay. Ids are never used twice, and a notification goes from `intake` and `verdicts` at once,
//! so that "not filed yet" can go on meaning: an id above the highest in `verdicts`.

use rusqlite::{Connection, params};

use crate::domain::{State, Timestamp};
use crate::rules::turns::Share;
use crate::store::error::Result;
use crate::store::rows;

/// Settled notifications, counted by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SettledCount {
    pub confirmed: u64,
    /// Ignored ones, but for duplicates.
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

/// What [`prune`] finds old enough: settled, and no duplicate, for those go with their original.
const EXPIRED: &str = "FROM verdicts WHERE emptied IN (0, 1) AND received_at < ?1 AND duplicate_of IS NULL
                       AND state IN ('confirmed', 'ignored')";

/// The same from a place on: what is behind it is not looked at again.
const EXPIRED_FROM: &str = "FROM verdicts WHERE emptied = ?3 AND (received_at, notification_id) > (?4, ?5)
                            AND received_at < ?1 AND duplicate_of IS NULL AND state IN ('confirmed', 'ignored')
                            ORDER BY received_at, notification_id LIMIT ?2";

/// Whether a notification's news is still on its way, or waits for a person: then it stays.
const IS_HELD: &str = "EXISTS (SELECT 1 FROM news n JOIN deliveries d ON d.seq = n.seq
                         WHERE n.notification_id = verdicts.notification_id AND d.state IN ('waiting', 'dead'))";

/// How far [`prune`] has come.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Place {
    emptied: bool,
    received_at: String,
    id: i64,
}

const DUPLICATES: &str = "SELECT notification_id FROM verdicts WHERE duplicate_of = ?1 LIMIT ?2";

/// How many notifications [`prune`] would remove in all.
pub(in crate::store) fn count_expired(conn: &Connection, before: Timestamp) -> Result<SettledCount> {
    let mut count = SettledCount::default();
    let mut statement =
        conn.prepare_cached(&format!("SELECT state, count(*) {EXPIRED} AND NOT {IS_HELD} GROUP BY state"))?;
    let mut found = statement.query([before.to_string()])?;
    while let Some(row) = found.next()? {
        count.count(rows::state(row)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
    }
    let duplicates: i64 = conn
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT notification_id {EXPIRED} AND NOT {IS_HELD}) original
             JOIN verdicts d ON d.duplicate_of = original.notification_id"
        ))?
        .query_row([before.to_string()], |row| row.get(0))?;
    count.duplicates = u64::try_from(duplicates).unwrap_or(0);
    Ok(count)
}

/// Removes at most `most` settled notifications received before `before`, from a place on; returns how many, and the
/// place behind them, `None` at the end. The duplicates of one, however young, go first, and it itself with the last of
/// them. What is held is passed by.
pub(in crate::store) fn prune(
    conn: &Connection,
    before: Timestamp,
    most: usize,
    mut place: Place,
) -> Result<(SettledCount, Option<Place>)> {
    let sql = format!("SELECT notification_id, received_at, state, {IS_HELD} AS is_held {EXPIRED_FROM}");
    let mut statement = conn.prepare_cached(&sql)?;
    let values = params![before.to_string(), rows::limit(most), place.emptied, place.received_at, place.id];
    let found = statement.query_map(values, |row| {
        Ok((
            row.get::<_, i64>("notification_id")?,
            row.get::<_, String>("received_at")?,
            rows::state(row)?,
            row.get::<_, bool>("is_held")?,
        ))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut gone = SettledCount::default();
    if found.is_empty() {
        let next = (!place.emptied).then(|| Place { emptied: true, ..Place::default() });
        return Ok((gone, next));
    }
    let mut room = most;
    for (id, received_at, state, is_held) in found {
        if !is_held {
            let duplicates = conn
                .prepare_cached(&format!("DELETE FROM intake WHERE id IN ({DUPLICATES})"))?
                .execute(params![id, rows::limit(room)])?;
            gone.duplicates += u64::try_from(duplicates).unwrap_or(0);
            room = room.saturating_sub(duplicates);
            if room == 0 {
                break;
            }
            conn.prepare_cached("DELETE FROM intake WHERE id = ?1")?.execute([id])?;
            gone.count(state, 1);
            room -= 1;
        }
        (place.received_at, place.id) = (received_at, id);
        if room == 0 {
            break;
        }
    }
    Ok((gone, Some(place)))
}

/// The sender of emptied notifications whose sender was not proven: they still count as such.
const UNPROVEN: &str = "unproven";

/// What [`empty_notifications`] finds old enough.
const TO_EMPTY: &str = "SELECT notification_id FROM verdicts
                        WHERE emptied = 0 AND received_at < ?1 AND state IN ('confirmed', 'ignored') LIMIT ?2";

/// Empties personal data in at most `most` settled notifications received before `before`; returns in
/// how many.
pub(in crate::store) fn empty_notifications(
    conn: &Connection,
    before: Timestamp,
    most: usize,
) -> Result<usize> {
    let mut statement = conn.prepare_cached(TO_EMPTY)?;
    let found = statement.query_map(params![before.to_string(), rows::limit(most)], |row| row.get(0))?;
    let ids: Vec<i64> = found.collect::<rusqlite::Result<_>>()?;
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
        .execute(params![id, UNPROVEN, Share::UNKNOWN.stored()])?;
    }
    Ok(ids.len())
}

/// The places beside notifications that holds personal data, each with what empties some rows of it.
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
        let expired = format!("SELECT notification_id, received_at, state, {IS_HELD} {EXPIRED_FROM}");
        let [orders, products, refusals] = EMPTY_ELSEWHERE;
        let removed = format!("DELETE FROM intake WHERE id IN ({DUPLICATES})");
        for (sql, wanted) in [
            (
                expired.as_str(),
                "verdicts USING INDEX verdicts_settled (emptied=? AND received_at>? AND received_at<?)",
            ),
            (expired.as_str(), "n USING COVERING INDEX sqlite_autoindex_news_1 (notification_id=?)"),
            (expired.as_str(), "d USING INDEX sqlite_autoindex_deliveries_1 (seq=?)"),
            (TO_EMPTY, "verdicts USING INDEX verdicts_settled (emptied=? AND received_at<?)"),
            (removed.as_str(), "verdicts USING COVERING INDEX verdicts_duplicates (duplicate_of=?)"),
            (removed.as_str(), "intake USING INTEGER PRIMARY KEY (rowid=?)"),
            // What a removed notification takes along.
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
                assert!(!step.contains("SCAN") && !step.contains("TEMP B-TREE"), "{sql}: {steps:#?}");
            }
        }
    }
}
