//! Leases deliveries: of each action, the first delivery of each subject, the longest due first.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};

use super::record::{load_state, save_state};
use crate::domain::{News, Timestamp};
use crate::rules::delivery::{Allowance, allowance};
use crate::store::error::Result;
use crate::store::news::feed;
use crate::store::queue::release::LEASE_LENGTH;
use crate::store::rows;

/// The parameters of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRequest {
    pub action: String,
    /// Maximum number of deliveries.
    pub most: usize,
    /// No try is planned further ahead than this, see [`crate::rules::delivery::longest_pause`].
    pub longest_pause: Duration,
    /// Whether to add the e-mail of orders as last fetched.
    pub with_email: bool,
    /// Whether to add the API's JSON of orders as last fetched.
    pub with_raw: bool,
}

/// A delivery to send now.
#[derive(Clone, Debug, PartialEq)]
pub struct LeasedDelivery {
    pub id: i64,
    /// The id by which the action recognises a repeated delivery: the same on every try.
    pub message_id: String,
    pub attempts: u32,
    /// The news to deliver.
    pub news: News,
    /// The additional fields that the action includes.
    pub extra: Map<String, Value>,
}

/// The deliveries that an action may be sent now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeasedDeliveries {
    pub deliveries: Vec<LeasedDelivery>,
    /// When the next one is due; `None`: none is waiting, or all wait for deliveries in flight.
    pub come_back_at: Option<Timestamp>,
}

const DUE: &str = "SELECT id, next_attempt_at FROM deliveries INDEXED BY deliveries_due
                   WHERE action = ?1 AND is_first = 1 AND lease IS NULL ORDER BY next_attempt_at LIMIT ?2";

const DUE_BESIDE: &str = "SELECT id, next_attempt_at FROM deliveries INDEXED BY deliveries_due
                          WHERE action = ?1 AND is_first = 1 AND lease IS NULL AND id <> ?2
                          ORDER BY next_attempt_at LIMIT 1";

const HAS_EXPIRED: &str = "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_leased
                    WHERE action = ?1 AND lease IS NOT NULL AND (lease_until < ?2 OR lease_until > ?3))";

const EXPIRED: &str = "UPDATE deliveries SET lease = NULL, lease_until = NULL
                       WHERE action = ?1 AND lease IS NOT NULL AND (lease_until < ?2 OR lease_until > ?3)";

/// Deliveries that wait for a time further ahead than any that is planned: they were planned before the clock was set
/// back, or under a longer `retry`.
const TOO_FAR: &str = "SELECT id FROM deliveries INDEXED BY deliveries_due
                       WHERE action = ?1 AND is_first = 1 AND lease IS NULL AND next_attempt_at > ?2 LIMIT ?3";

/// Deliveries that one transaction brings back from [`TOO_FAR`].
const MOST_BROUGHT_BACK: usize = 200;

/// Leases the deliveries that an action may be sent now.
pub(in crate::store) fn lease(
    conn: &Connection,
    request: &DeliveryRequest,
    owner: &str,
    now: Timestamp,
) -> Result<LeasedDeliveries> {
    let action = request.action.as_str();
    conn.prepare_cached(EXPIRED)?.execute([
        action,
        &now.to_string(),
        &now.plus(LEASE_LENGTH * 2).to_string(),
    ])?;
    for id in too_far(conn, action, now.plus(request.longest_pause), MOST_BROUGHT_BACK)? {
        conn.prepare_cached("UPDATE deliveries SET next_attempt_at = ?2 WHERE id = ?1")?
            .execute(params![id, now.to_string()])?;
    }
    let mut state = load_state(conn, action)?;
    let candidates = match allowance(&state, now) {
        Allowance::Nothing(until) => {
            return Ok(LeasedDeliveries { come_back_at: until, ..Default::default() });
        }
        // One more than may be sent, to know when to come back.
        Allowance::Any => waiting(conn, DUE, params![action, rows::limit(request.most.saturating_add(1))])?,
        Allowance::Probe { .. } if is_under_way(conn, action)? => return Ok(LeasedDeliveries::default()),
        Allowance::Probe { id, is_over } => {
            let probe = probe(conn, action, id, is_over, now)?;
            if let Some((chosen, _)) = probe
                && id != Some(chosen)
            {
                state.probe = Some((chosen, now));
                save_state(conn, action, &state)?;
            }
            probe.into_iter().collect()
        }
    };
    let mut leased = LeasedDeliveries::default();
    for (id, due) in candidates {
        if due > now || leased.deliveries.len() >= request.most {
            leased.come_back_at = Some(due);
            break;
        }
        conn.prepare_cached("UPDATE deliveries SET lease = ?2, lease_until = ?3 WHERE id = ?1")?
            .execute(params![id, owner, now.plus(LEASE_LENGTH).to_string()])?;
        leased.deliveries.push(load(conn, id, request)?);
    }
    Ok(leased)
}

/// When an action may next be sent a delivery, as far as this is known without changing anything; `None`:
/// none is waiting, or all wait for deliveries in flight or for a person.
pub(in crate::store) fn due_at(
    conn: &Connection,
    action: &str,
    longest_pause: Duration,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let due = match allowance(&load_state(conn, action)?, now) {
        Allowance::Nothing(until) => return Ok(until),
        Allowance::Any => waiting(conn, DUE, params![action, 1])?.first().map(|(_, due)| *due),
        Allowance::Probe { .. } if is_under_way(conn, action)? => None,
        Allowance::Probe { id, is_over } => probe(conn, action, id, is_over, now)?.map(|(_, due)| due),
    };
    // The leases of a process that died.
    let has_expired = conn
        .prepare_cached(HAS_EXPIRED)?
        .query_row([action, &now.to_string(), &now.plus(LEASE_LENGTH * 2).to_string()], |row| row.get(0))?;
    let is_due = has_expired || !too_far(conn, action, now.plus(longest_pause), 1)?.is_empty();
    Ok(due.into_iter().chain(is_due.then_some(now)).min())
}

fn too_far(conn: &Connection, action: &str, after: Timestamp, most: usize) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(TOO_FAR)?;
    let ids = statement.query_map(params![action, after.to_string(), rows::limit(most)], |row| row.get(0))?;
    rows::all(ids)
}

/// The delivery that probes, and when it is due: the current probe, unless its turn is over and another is
/// due.
fn probe(
    conn: &Connection,
    action: &str,
    id: Option<i64>,
    is_over: bool,
    now: Timestamp,
) -> Result<Option<(i64, Timestamp)>> {
    let other = waiting(conn, DUE_BESIDE, params![action, id.unwrap_or(0)])?.first().copied();
    let Some(id) = id else { return Ok(other) };
    let own = conn
        .prepare_cached(
            "SELECT next_attempt_at FROM deliveries WHERE id = ?1 AND is_first = 1 AND lease IS NULL",
        )?
        .query_row([id], |row| rows::instant(row, "next_attempt_at"))
        .optional()?
        .flatten();
    Ok(match (own, other) {
        (Some(_), Some((other, due))) if is_over && due <= now => Some((other, due)),
        (Some(due), _) => Some((id, due)),
        (None, other) => other,
    })
}

fn waiting(conn: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<(i64, Timestamp)>> {
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement
        .query_map(values, |row| Ok((row.get("id")?, rows::known_instant(row, "next_attempt_at")?)))?;
    rows::all(found)
}

fn is_under_way(conn: &Connection, action: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_leased WHERE action = ?1 AND lease IS NOT NULL)",
        )?
        .query_row([action], |row| row.get(0))?)
}

fn load(conn: &Connection, id: i64, request: &DeliveryRequest) -> Result<LeasedDelivery> {
    let sql = format!(
        "SELECT {}, d.attempts, (SELECT file FROM identity) AS file, iif(?2, o.email, NULL) AS email,
           iif(?3, o.raw, NULL) AS raw
         FROM deliveries d JOIN news n ON n.seq = d.seq
         LEFT JOIN orders o ON (?2 OR ?3) AND n.subject_kind = 'order' AND o.source = n.source AND o.order_id = n.subject_id
         WHERE d.id = ?1",
        feed::COLUMNS
    );
    let read = |row: &rusqlite::Row<'_>| {
        let news = feed::read(row)?;
        let mut extra = Map::new();
        if let Some(email) = row.get::<_, Option<String>>("email")? {
            extra.insert("email".to_owned(), Value::String(email));
        }
        if let Some(raw) = rows::object(row, "raw")? {
            extra.insert("raw".to_owned(), Value::Object(raw));
        }
        let file = row.get::<_, Option<String>>("file")?.unwrap_or_default();
        let message_id = format!("news_{file}_{}", news.seq);
        Ok(LeasedDelivery { id, message_id, attempts: row.get("attempts")?, news, extra })
    };
    Ok(conn.prepare_cached(&sql)?.query_row(params![id, request.with_email, request.with_raw], read)?)
}

/// Releases leases that were not used: their deliveries wait as before.
pub(in crate::store) fn release(conn: &Connection, ids: &[i64], owner: &str) -> Result<()> {
    for id in ids {
        conn.prepare_cached(
            "UPDATE deliveries SET lease = NULL, lease_until = NULL WHERE id = ?1 AND lease = ?2",
        )?
        .execute(params![id, owner])?;
    }
    Ok(())
}

/// Renews these leases for another [`LEASE_LENGTH`].
pub(in crate::store) fn renew(conn: &Connection, ids: &[i64], owner: &str, now: Timestamp) -> Result<()> {
    for id in ids {
        conn.prepare_cached("UPDATE deliveries SET lease_until = ?3 WHERE id = ?1 AND lease = ?2")?
            .execute(params![id, owner, now.plus(LEASE_LENGTH).to_string()])?;
    }
    Ok(())
}

/// Releases every lease whose owner's name begins with `prefix`.
pub(in crate::store) fn free_of(conn: &Connection, prefix: &str) -> Result<usize> {
    Ok(conn
        .prepare_cached(
            "UPDATE deliveries SET lease = NULL, lease_until = NULL
             WHERE lease IS NOT NULL AND substr(lease, 1, length(?1)) = ?1",
        )?
        .execute([prefix])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn the_next_delivery_is_the_first_entry_of_an_index_however_many_wait() {
        let conn = fresh();
        for (sql, wanted) in [
            (DUE, "SEARCH deliveries USING INDEX deliveries_due (action=?)"),
            (DUE_BESIDE, "SEARCH deliveries USING INDEX deliveries_due (action=?)"),
            (TOO_FAR, "SEARCH deliveries USING INDEX deliveries_due (action=? AND next_attempt_at>?)"),
            // As many as the action is sent at once.
            (EXPIRED, "SEARCH deliveries USING INDEX deliveries_leased (action=?)"),
        ] {
            assert_eq!(plan(&conn, sql), wanted, "{sql}");
        }
    }
}
