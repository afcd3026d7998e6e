//! Reads for `reconcile`: the start of its window, and what is known of orders.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use crate::domain::{Claim, LastConfirmed, OurOrder, SubjectKind, Timestamp, Unconfirmed, Window};
use crate::store::error::Result;
use crate::store::rows;
use crate::store::verdicts::load;

/// The overlap of consecutive windows: shops' lists are searches, and searches lag behind.
const OVERLAP: Duration = Duration::from_secs(6 * 3600);

/// The start of a run over everything since the last complete one: [`OVERLAP`] before the end of that one's
/// window; for the first run, the source's first `serve`. `None` for a source that no `serve` ever knew.
pub(in crate::store) fn start(conn: &Connection, source: &str) -> Result<Option<Timestamp>> {
    let found = conn
        .prepare_cached(
            "SELECT first_served_at, (SELECT to_at FROM reconciliations WHERE source = ?1) AS ended_at
             FROM sources WHERE name = ?1",
        )?
        .query_row([source], |row| {
            Ok((rows::instant(row, "first_served_at")?, rows::instant(row, "ended_at")?))
        })
        .optional()?;
    Ok(found.and_then(|(first_served, ended)| ended.map(|ended| ended.minus(OVERLAP)).or(first_served)))
}

/// The store's knowledge about orders, each given by its id and then by the other ids that notifications may
/// use.
pub(in crate::store) fn our_orders(
    conn: &Connection,
    source: &str,
    orders: &[Vec<String>],
) -> Result<Vec<OurOrder>> {
    orders.iter().map(|names| our_order(conn, source, names)).collect()
}

/// The store's knowledge about one order.
pub(in crate::store) fn our_order(conn: &Connection, source: &str, names: &[String]) -> Result<OurOrder> {
    let Some(order_id) = names.first() else { return Ok(OurOrder::default()) };
    let stored = load::stored_by_own_id(conn, source, SubjectKind::Order, order_id)?;
    let second = stored.as_ref().and_then(|stored| stored.internal_id.as_ref());
    let mut waiting = Vec::new();
    for name in names.iter().chain(second.filter(|id| !names.contains(id))) {
        waiting.extend(waiting_about(conn, source, name)?);
    }
    let last_confirmed = last_confirmed(conn, source, order_id)?;
    let mut unconfirmed = None;
    for name in names.iter().filter(|_| last_confirmed.is_none()) {
        let newest = unconfirmed_about(conn, source, name)?;
        unconfirmed = unconfirmed.into_iter().chain(newest).max_by_key(|one| one.notification_id);
    }
    Ok(OurOrder { last_confirmed, unconfirmed, waiting, stored })
}

/// The newest notification about an order that is not confirmed.
fn unconfirmed_about(conn: &Connection, source: &str, name: &str) -> Result<Option<Unconfirmed>> {
    let read = |row: &rusqlite::Row<'_>| {
        let notification_id = row.get("notification_id")?;
        Ok(Unconfirmed { notification_id, state: rows::state(row)?, reason: rows::reason(row)? })
    };
    Ok(conn.prepare_cached(UNCONFIRMED)?.query_row([source, name], read).optional()?)
}

pub(in crate::store) const UNCONFIRMED: &str =
    "SELECT notification_id, state, reason FROM verdicts INDEXED BY verdicts_by_subject
     WHERE source = ?1 AND subject_kind = 'order' AND subject_id = ?2 AND state <> 'confirmed'
     ORDER BY notification_id DESC LIMIT 1";

fn last_confirmed(conn: &Connection, source: &str, order_id: &str) -> Result<Option<LastConfirmed>> {
    Ok(conn
        .prepare_cached(
            "SELECT compared, notification_id FROM last_confirmed WHERE source = ?1 AND subject_kind = 'order' AND subject_id = ?2",
        )?
        .query_row([source, order_id], |row| {
            Ok(LastConfirmed { compared: values(row)?, notification_id: row.get("notification_id")? })
        })
        .optional()?)
}

fn values(row: &rusqlite::Row<'_>) -> rusqlite::Result<Map<String, Value>> {
    rows::object(row, "compared")?.ok_or_else(|| rows::unreadable(row, "compared"))
}

/// Maximum number of pending notifications about an order that are read, the newest; more come from a flood,
/// and are ignored.
const MOST_WAITING: usize = 100;

fn waiting_about(conn: &Connection, source: &str, name: &str) -> Result<Vec<Claim>> {
    let sql = format!(
        "SELECT {} FROM verdicts
         INDEXED BY verdicts_pending_about
         WHERE source = ?1 AND subject_kind = 'order' AND subject_id = ?2 AND state = 'pending'
         ORDER BY notification_id DESC LIMIT ?3",
        rows::CLAIM_COLUMNS
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params![source, name, rows::limit(MOST_WAITING)], rows::claim)?;
    Ok(rows::all(found)?.into_iter().flatten().map(|(claim, _)| claim).collect())
}

/// The orders about which a notification was confirmed in the window.
pub(in crate::store) fn confirmed_orders(
    conn: &Connection,
    source: &str,
    window: Window,
) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(resolved_id, subject_id) FROM verdicts
         WHERE source = ?1 AND state = 'confirmed' AND subject_kind = 'order' AND decided_at >= ?2 AND decided_at < ?3
         UNION
         SELECT subject_id FROM last_confirmed WHERE source = ?1 AND subject_kind = 'order' AND confirmed_at >= ?2 AND confirmed_at < ?3",
    )?;
    let values = params![source, window.from.to_string(), window.to.to_string()];
    let found = statement.query_map(values, |row| row.get(0))?;
    rows::all(found)
}

/// At most `limit` confirmed orders that are not known to be gone, with their last confirmed values, by id
/// after `after`.
pub(in crate::store) fn orders_not_gone(
    conn: &Connection,
    source: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Map<String, Value>)>> {
    let mut statement = conn.prepare_cached(
        "SELECT t.subject_id, t.compared FROM last_confirmed t
         LEFT JOIN orders o ON o.source = t.source AND o.order_id = t.subject_id
         WHERE t.source = ?1 AND t.subject_kind = 'order' AND t.subject_id > ?2 AND o.gone_at IS NULL
         ORDER BY t.subject_id LIMIT ?3",
    )?;
    let values_of = |row: &rusqlite::Row<'_>| Ok((row.get("subject_id")?, values(row)?));
    let found = statement.query_map(params![source, after, rows::limit(limit)], values_of)?;
    rows::all(found)
}

/// When the last run was made, and its report as JSON.
pub(in crate::store) fn last_report(conn: &Connection) -> Result<Option<(String, Value)>> {
    let found = conn
        .prepare_cached("SELECT made_at, report FROM last_reconcile WHERE id = 1")?
        .query_row([], |row| Ok((row.get("made_at")?, rows::object(row, "report")?)))
        .optional()?;
    Ok(found.and_then(|(made_at, report)| Some((made_at, Value::Object(report?)))))
}
