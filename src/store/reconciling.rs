//! What `reconcile` reads: what we were told about orders, and what stands in a window of time.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use super::error::Result;
use super::{ledger, rows};
use crate::domain::reconciliation::{Refuted, Unsettled};
use crate::domain::{Claim, Counts, OurOrder, Reason, State, SubjectKind, Timestamp, Told, Window};

/// How far the order of receipt may differ from that of the ids.
const DISORDER: std::time::Duration = std::time::Duration::from_secs(600);

/// Where a run over everything since the last complete one begins: there, at first where the source's first `serve` did;
/// `None` for a source that no `serve` ever knew.
pub(super) fn start(conn: &Connection, source: &str) -> Result<Option<Timestamp>> {
    Ok(conn
        .prepare_cached(
            "SELECT coalesce((SELECT to_at FROM reconciliations WHERE source = ?1), first_served_at)
             FROM sources WHERE name = ?1",
        )?
        .query_row([source], |row| rows::instant(row, 0))
        .optional()?
        .flatten())
}

/// When a source was last heard of; at first when somebody began to listen.
pub(super) fn heard_at(conn: &Connection, source: &str) -> Result<Option<Timestamp>> {
    Ok(conn
        .prepare_cached(
            "SELECT max(first_served_at, coalesce(last_filed_at, ''), coalesce((SELECT max(received_at) FROM intake
               WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) AND source = ?1), ''))
             FROM sources WHERE name = ?1",
        )?
        .query_row([source], |row| rows::instant(row, 0))
        .optional()?
        .flatten())
}

/// What is known of orders, each given by its id and then the other ids that notifications may use.
pub(super) fn our_orders(conn: &Connection, source: &str, orders: &[Vec<String>]) -> Result<Vec<OurOrder>> {
    orders.iter().map(|names| our_order(conn, source, names)).collect()
}

/// What is known of one order.
pub(super) fn our_order(conn: &Connection, source: &str, names: &[String]) -> Result<OurOrder> {
    let Some(order_id) = names.first() else { return Ok(OurOrder::default()) };
    let held = ledger::held(conn, source, SubjectKind::Order, order_id)?;
    let second = held.as_ref().and_then(|held| held.internal_id.as_ref());
    let mut waiting = Vec::new();
    for name in names.iter().chain(second.filter(|id| !names.contains(id))) {
        waiting.extend(waiting_about(conn, source, name)?);
    }
    Ok(OurOrder { told: told(conn, source, order_id)?, waiting, held })
}

fn told(conn: &Connection, source: &str, order_id: &str) -> Result<Option<Told>> {
    let found = conn
        .prepare_cached(
            "SELECT compared, notification_id FROM told WHERE source = ?1 AND subject_kind = 'order' AND subject_id = ?2",
        )?
        .query_row([source, order_id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(json, notification_id)| Told { compared: values(&json), notification_id }))
}

fn values(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

fn waiting_about(conn: &Connection, source: &str, name: &str) -> Result<Vec<Claim>> {
    let sql = format!(
        "SELECT {} FROM verdicts
         WHERE source = ?1 AND subject_kind = 'order' AND subject_id = ?2 AND state = 'pending'",
        rows::CLAIM_COLUMNS
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map([source, name], |row| rows::claim(row, 0))?;
    Ok(found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().map(|(claim, _)| claim).collect())
}

/// The orders about which a notification was confirmed in the window.
pub(super) fn confirmed_orders(conn: &Connection, source: &str, window: Window) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(resolved_id, subject_id) FROM verdicts
         WHERE source = ?1 AND state = 'confirmed' AND subject_kind = 'order' AND decided_at >= ?2 AND decided_at < ?3
         UNION
         SELECT subject_id FROM told WHERE source = ?1 AND subject_kind = 'order' AND told_at >= ?2 AND told_at < ?3",
    )?;
    let values = params![source, window.from.to_string(), window.to.to_string()];
    let found = statement.query_map(values, |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// At most `limit` orders that were told and are not known to be gone, with the values told, by id after `after`.
pub(super) fn told_orders(
    conn: &Connection,
    source: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Map<String, Value>)>> {
    let mut statement = conn.prepare_cached(
        "SELECT t.subject_id, t.compared FROM told t
         LEFT JOIN orders o ON o.source = t.source AND o.order_id = t.subject_id
         WHERE t.source = ?1 AND t.subject_kind = 'order' AND t.subject_id > ?2 AND o.gone_at IS NULL
         ORDER BY t.subject_id LIMIT ?3",
    )?;
    let values_of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, values(&row.get::<_, String>(1)?)));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![source, after, limit], values_of)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// At most `limit` notifications that have been pending since before `since` or are undecided, the oldest first, and how
/// many there are in all.
pub(super) fn unsettled(
    conn: &Connection,
    source: &str,
    since: Timestamp,
    limit: usize,
) -> Result<(Vec<Unsettled>, u64)> {
    let open = "
        SELECT notification_id AS id FROM verdicts
        WHERE source = ?1 AND state = 'pending' AND received_at < ?2 AND coalesce(retried_at, '') < ?2
        UNION ALL
        SELECT notification_id FROM verdicts WHERE state = 'undecided' AND source = ?1
        UNION ALL
        SELECT id FROM intake
        WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) AND source = ?1 AND received_at < ?2";
    let values = params![source, since.to_string()];
    let count: i64 = conn
        .prepare_cached(&format!("SELECT count(*) FROM ({open})"))?
        .query_row(values, |row| row.get(0))?;
    let sql = format!(
        "SELECT n.id, n.subject_id, n.state, n.reason, n.detail,
           max(n.received_at, coalesce((SELECT retried_at FROM verdicts WHERE notification_id = n.id), ''))
         FROM ({open} ORDER BY id LIMIT {limit}) o JOIN notifications n ON n.id = o.id ORDER BY n.id"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(values, |row| {
        let (state, reason): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(Unsettled {
            notification_id: row.get(0)?,
            subject_id: row.get(1)?,
            standing: reason.map_or(state.clone(), |reason| format!("{state} {reason}")),
            detail: row.get(4)?,
            since: rows::instant(row, 5)?.unwrap_or(since),
        })
    })?;
    Ok((found.collect::<rusqlite::Result<_>>()?, u64::try_from(count).unwrap_or(0)))
}

/// At most `limit` notifications received in the window that the API did not countersign, the newest first, and how many
/// there are in all.
pub(super) fn refuted(
    conn: &Connection,
    source: &str,
    window: Window,
    limit: usize,
) -> Result<(Vec<Refuted>, u64)> {
    let (first, last) = ids_around(conn, window)?;
    let fakes = "FROM verdicts WHERE state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store')
        AND notification_id >= ?1 AND notification_id < ?2 AND source = ?3 AND received_at >= ?4 AND received_at < ?5";
    let values = params![first, last, source, window.from.to_string(), window.to.to_string()];
    let count: i64 =
        conn.prepare_cached(&format!("SELECT count(*) {fakes}"))?.query_row(values, |row| row.get(0))?;
    let sql = format!(
        "SELECT notification_id, subject_id, reason, detail {fakes} ORDER BY notification_id DESC LIMIT {limit}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(values, |row| {
        Ok(Refuted {
            notification_id: row.get(0)?,
            subject_id: row.get(1)?,
            reason: row.get(2)?,
            detail: row.get(3)?,
        })
    })?;
    Ok((found.collect::<rusqlite::Result<_>>()?, u64::try_from(count).unwrap_or(0)))
}

/// What was received in the window and became of it so far.
pub(super) fn counts(conn: &Connection, source: &str, window: Window) -> Result<Counts> {
    let (first, last) = ids_around(conn, window)?;
    let values = params![first, last, source, window.from.to_string(), window.to.to_string()];
    let mut statement = conn.prepare_cached(
        "SELECT state, reason, count(*) FROM verdicts
         WHERE notification_id >= ?1 AND notification_id < ?2 AND source = ?3 AND received_at >= ?4 AND received_at < ?5
         GROUP BY state, reason
         UNION ALL
         SELECT 'pending', NULL, count(*) FROM intake
         WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)
           AND source = ?3 AND received_at >= ?4 AND received_at < ?5",
    )?;
    let mut found = statement.query(values)?;
    let mut counts = Counts::default();
    while let Some(row) = found.next()? {
        let n = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        counts.received += n;
        match rows::state(row, 0)? {
            State::Pending => counts.pending += n,
            State::Confirmed => counts.confirmed += n,
            State::Undecided => counts.undecided += n,
            State::Ignored => counts.ignored += n,
        }
        match rows::reason(row, 1)?.filter(|_| matches!(rows::state(row, 0), Ok(State::Ignored))) {
            Some(Reason::Duplicate) => counts.duplicates += n,
            Some(Reason::NotFound | Reason::Mismatch | Reason::WrongStore) => counts.fakes += n,
            _ => {}
        }
    }
    Ok(counts)
}

/// Ids between which everything received in the window lies: they rise with the time of receipt, all but a little.
fn ids_around(conn: &Connection, window: Window) -> Result<(i64, i64)> {
    Ok((first_id_at(conn, window.from.minus(DISORDER))?, first_id_at(conn, window.to.plus(DISORDER))?))
}

/// The first id that was received at `at` or later, found by halving; one more than the last id where there is none.
fn first_id_at(conn: &Connection, at: Timestamp) -> Result<i64> {
    let ends: (Option<i64>, Option<i64>) = conn
        .prepare_cached("SELECT (SELECT min(id) FROM intake), (SELECT max(id) FROM intake)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(mut low), Some(last)) = ends else { return Ok(0) };
    let mut high = last + 1;
    let at = at.to_string();
    while low < high {
        let middle = low + (high - low) / 2;
        let (id, received_at): (i64, String) = conn
            .prepare_cached("SELECT id, received_at FROM intake WHERE id >= ?1 ORDER BY id LIMIT 1")?
            .query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if received_at < at {
            low = id + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
