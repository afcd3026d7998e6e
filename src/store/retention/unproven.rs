//! Notifications of unproven senders: their number, the order of their removal, and whether more may come in.
//! `senders` has a count for each sender, so nothing here counts notifications.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::run::{Pace, Retention};
use crate::domain::number::whole;
use crate::rules::fairness::Weight;
use crate::store::error::Result;
use crate::store::rows;

/// Maximum number of notifications above `store.max_unproven` that are searched at once.
const MOST_AT_ONCE: u64 = 20_000;

/// The room left under `store.max_unproven`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnprovenRoom {
    /// The number of notifications that may come in before this must be asked again: as many as the bound
    /// still allows; if it allows none, as many as can be removed for them, up to a tenth of the bound.
    pub left: u64,
    /// Whether more are stored than the bound allows, so that some should be removed now.
    pub is_overfull: bool,
    /// The number of such senders; the cost of asking grows with it.
    pub senders: u64,
}

/// The room left under a bound of `max`.
pub(in crate::store) fn room(conn: &Connection, max: u64) -> Result<UnprovenRoom> {
    let unparsed: i64 = conn.prepare_cached(UNPARSED)?.query_row([], |row| row.get(0))?;
    let (kept, senders) = count(conn)?;
    let kept = kept.saturating_add(u64::try_from(unparsed).unwrap_or(0));
    let left = match max.saturating_sub(kept) {
        0 => removable(conn, (max / 10).max(1))?,
        left => left,
    };
    Ok(UnprovenRoom { left, is_overfull: kept > max, senders })
}

impl Retention<'_> {
    /// Removes the oldest ignored notifications of senders that are not proven, then their oldest undecided ones, until no
    /// more than `max` are left of such senders, or pending ones alone.
    pub(super) async fn bound_unproven(&self, max: u64) -> Result<u64> {
        let mut removed = 0;
        let mut pace = Pace::new();
        loop {
            let ids = self.pool.read(move |conn| beyond(conn, max)).await?;
            let mut left = ids.as_slice();
            let mut went = 0;
            while !left.is_empty() {
                let (now, later) = left.split_at(pace.rows.min(left.len()));
                let ids = now.to_vec();
                let (rows, took) = self.step(move |conn| remove(conn, &ids)).await?;
                went += u64::try_from(rows).unwrap_or(0);
                left = later;
                pace.rest(took).await;
            }
            removed += went;
            if went == 0 {
                return Ok(removed);
            }
        }
    }
}

/// The notifications to remove first, as many as there are above `max`; of a large excess, the first few
/// thousand.
fn beyond(conn: &Connection, max: u64) -> Result<Vec<i64>> {
    let (kept, _) = count(conn)?;
    match usize::try_from(kept.saturating_sub(max).min(MOST_AT_ONCE)) {
        Ok(0) | Err(_) => Ok(Vec::new()),
        Ok(beyond) => first_to_go(conn, beyond),
    }
}

/// Sums over the senders, not their notifications. `''` stands for proven senders whose notifications were
/// emptied, and for recovered orders.
const COUNT: &str =
    "SELECT coalesce(sum(kept), 0), count(*) FROM senders WHERE weight <= ?1 AND sender <> ''";

/// The senders of unparsed notifications are known in a moment, when these are parsed.
const UNPARSED: &str = "SELECT coalesce((SELECT max(id) FROM intake), 0)
                         - coalesce((SELECT max(notification_id) FROM verdicts), 0)";

/// Reads an index entry for each ignored notification of such senders: at most as many as `max_unproven`
/// allows, not as many as the store has.
const OLDEST_IGNORED: &str =
    "SELECT v.notification_id FROM senders s CROSS JOIN verdicts v ON v.sender = s.sender
                              WHERE s.weight <= ?1 AND s.sender <> '' AND v.state = 'ignored'
                              ORDER BY v.notification_id LIMIT ?2";

/// The same of undecided ones.
const OLDEST_UNDECIDED: &str =
    "SELECT v.notification_id FROM senders s CROSS JOIN verdicts v ON v.sender = s.sender
                                WHERE s.weight <= ?1 AND s.sender <> '' AND v.state = 'undecided'
                                ORDER BY v.notification_id LIMIT ?2";

/// The number of them that can be removed, counted up to a bound.
const REMOVABLE: [&str; 2] = [
    "SELECT count(*) FROM (SELECT 1 FROM senders s CROSS JOIN verdicts v ON v.sender = s.sender
                           WHERE s.weight <= ?1 AND s.sender <> '' AND v.state = 'ignored' LIMIT ?2)",
    "SELECT count(*) FROM (SELECT 1 FROM senders s CROSS JOIN verdicts v ON v.sender = s.sender
                           WHERE s.weight <= ?1 AND s.sender <> '' AND v.state = 'undecided' LIMIT ?2)",
];

/// The number of notifications, and of their senders.
fn count(conn: &Connection) -> Result<(u64, u64)> {
    let mut statement = conn.prepare_cached(COUNT)?;
    let (kept, senders): (i64, i64) =
        statement.query_row([Weight::UNKNOWN.stored()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((u64::try_from(kept).unwrap_or(0), u64::try_from(senders).unwrap_or(0)))
}

fn removable(conn: &Connection, most: u64) -> Result<u64> {
    let mut found = 0;
    for sql in REMOVABLE {
        let values = params![Weight::UNKNOWN.stored(), whole(most)];
        let count: i64 = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
        found = most.min(found + u64::try_from(count).unwrap_or(0));
        if found == most {
            break;
        }
    }
    Ok(found)
}

fn first_to_go(conn: &Connection, most: usize) -> Result<Vec<i64>> {
    let mut ids: Vec<i64> = Vec::new();
    for sql in [OLDEST_IGNORED, OLDEST_UNDECIDED] {
        let values = params![Weight::UNKNOWN.stored(), rows::limit(most - ids.len())];
        let mut statement = conn.prepare_cached(sql)?;
        let found = statement.query_map(values, |row| row.get(0))?;
        ids.extend(rows::all::<i64>(found)?);
        if ids.len() >= most {
            break;
        }
    }
    Ok(ids)
}

/// Removes those of `ids` that may still be removed; returns how many.
pub(in crate::store) fn remove(conn: &Connection, ids: &[i64]) -> Result<usize> {
    let mut removed = 0;
    for id in ids {
        let still: Option<bool> = conn
            .prepare_cached(
                "SELECT v.state IN ('ignored', 'undecided') AND s.weight <= ?2
                 FROM verdicts v JOIN senders s ON s.sender = v.sender WHERE v.notification_id = ?1",
            )?
            .query_row([*id, Weight::UNKNOWN.stored()], |row| row.get(0))
            .optional()?;
        if still == Some(true) {
            removed += conn.prepare_cached("DELETE FROM intake WHERE id = ?1")?.execute([id])?;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn senders_are_added_up_and_their_notifications_found_by_an_index() {
        let conn = fresh();
        assert_eq!(plan(&conn, COUNT), "SCAN senders");
        let ignored = "SEARCH v USING COVERING INDEX verdicts_ignored (sender=?)";
        let undecided = "SEARCH v USING COVERING INDEX verdicts_given_up (sender=?)";
        for (sql, wanted) in [
            (OLDEST_IGNORED, ignored),
            (OLDEST_UNDECIDED, undecided),
            (REMOVABLE[0], ignored),
            (REMOVABLE[1], undecided),
        ] {
            let plan = plan(&conn, sql);
            assert!(plan.lines().any(|step| step.contains(wanted)), "{sql}: {plan}");
            assert!(!plan.lines().any(|step| step == "SCAN v" || step == "SCAN verdicts"), "{sql}: {plan}");
        }
        let unparsed = plan(&conn, UNPARSED);
        assert!(unparsed.lines().filter(|step| step.contains("SEARCH")).count() == 2, "{unparsed}");
    }
}
