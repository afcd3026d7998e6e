//! Reads deliveries for a page or an export. A filter without an index reads a bounded number of rows.

use rusqlite::{Connection, params_from_iter, types::Value};

use super::list::{DeliveryRow, row};
use crate::domain::{DeliveryState, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// Rows read at once.
const CHUNK: usize = 500;

/// The filter of a page; empty fields let everything pass.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Only to this action.
    pub action: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only about this order or product.
    pub subject: Option<String>,
    /// Only of news at or after this.
    pub since: Option<Timestamp>,
    /// Only of news before this.
    pub until: Option<Timestamp>,
    /// Only ids below this.
    pub before_id: Option<i64>,
    /// Only ids above this.
    pub after_id: Option<i64>,
    /// The oldest matching ones, oldest first, instead of the newest.
    pub oldest_first: bool,
    /// Maximum number of deliveries.
    pub limit: usize,
}

/// The result of a [`DeliveryQuery`], and where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// In the query's order.
    pub rows: Vec<DeliveryRow>,
    /// Where the next page begins, as [`DeliveryQuery::before_id`] or [`DeliveryQuery::after_id`]; `None`:
    /// there is nothing more.
    pub continue_from: Option<i64>,
    /// The time of the last row's news that was read, if reading ended before the page was full.
    pub looked_back_to: Option<String>,
}

/// All; ids above ?1 and below ?2, at most ?3.
const ALL: &str =
    "SELECT d.id, d.action, d.seq, d.source, d.subject_kind, d.subject_id, d.state, d.attempts, d.next_attempt_at,
       d.decided_at, d.detail, n.at
     FROM deliveries d CROSS JOIN news n ON n.seq = d.seq
     WHERE d.id > ?1 AND d.id < ?2
     ORDER BY d.id DESC LIMIT ?3";

/// The same about the subject ?4.
const OF_SUBJECT: &str =
    "SELECT d.id, d.action, d.seq, d.source, d.subject_kind, d.subject_id, d.state, d.attempts, d.next_attempt_at,
       d.decided_at, d.detail, n.at
     FROM deliveries d CROSS JOIN news n ON n.seq = d.seq
     WHERE d.subject_id = ?4 AND d.id > ?1 AND d.id < ?2
     ORDER BY d.id DESC LIMIT ?3";

/// The same to the action ?4 in the state ?5.
const OF_STATE: &str =
    "SELECT d.id, d.action, d.seq, d.source, d.subject_kind, d.subject_id, d.state, d.attempts, d.next_attempt_at,
       d.decided_at, d.detail, n.at
     FROM deliveries d CROSS JOIN news n ON n.seq = d.seq
     WHERE d.action = ?4 AND d.state = ?5 AND d.id > ?1 AND d.id < ?2
     ORDER BY d.id DESC LIMIT ?3";

/// The same scan from the oldest.
fn forwards(scan: &str) -> String {
    scan.replace(" DESC LIMIT ?3", " LIMIT ?3")
}

/// At most `query.limit` deliveries; reads no more than `looks` rows.
pub(in crate::store) fn page(conn: &Connection, query: &DeliveryQuery, looks: usize) -> Result<Deliveries> {
    let mut query = query.clone();
    let mut found = Deliveries::default();
    let mut looked = 0;
    // If the indexes serve the whole query, only the page is read.
    let is_served = query.subject.is_none() && query.since.is_none() && query.until.is_none();
    let most = if is_served { query.limit.saturating_add(1) } else { CHUNK };
    // At most `looks` rows, whatever the query is.
    while looked < looks {
        let limit = most.min(looks - looked);
        let chunk = chunk(conn, &query, limit)?;
        let is_last = chunk.len() < limit;
        for (delivery, at) in chunk {
            looked += 1;
            found.continue_from = Some(delivery.id);
            if passes(&query, &delivery, &at) {
                if found.rows.len() == query.limit {
                    found.continue_from = found.rows.last().map(|row| row.id);
                    return Ok(Deliveries { looked_back_to: None, ..found });
                }
                found.rows.push(delivery);
            }
            found.looked_back_to = Some(at);
        }
        if is_last {
            return Ok(Deliveries { continue_from: None, looked_back_to: None, ..found });
        }
        if query.oldest_first {
            query.after_id = found.continue_from;
        } else {
            query.before_id = found.continue_from;
        }
    }
    Ok(found)
}

type Found = (DeliveryRow, String);

/// The next `limit` rows of the index that serves the query best; not all of them need match.
fn chunk(conn: &Connection, query: &DeliveryQuery, limit: usize) -> Result<Vec<Found>> {
    if let Some(subject) = &query.subject {
        return scan(conn, query, OF_SUBJECT, vec![subject.clone().into()], limit);
    }
    if query.action.is_none() && query.state.is_none() {
        return scan(conn, query, ALL, Vec::new(), limit);
    }
    // The deliveries of one action in one state are adjacent, so the first of all is the first in one of
    // these.
    let mut found = Vec::new();
    for (action, state) in counted(conn)? {
        let is_asked_for = query.action.as_ref().is_none_or(|asked| *asked == action)
            && query.state.is_none_or(|asked| asked.as_str() == state);
        if is_asked_for {
            found.extend(scan(conn, query, OF_STATE, vec![action.into(), state.into()], limit)?);
        }
    }
    found.sort_by_key(|(row, _)| if query.oldest_first { row.id } else { -row.id });
    found.truncate(limit);
    Ok(found)
}

/// The actions and states of the stored deliveries.
fn counted(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = conn.prepare_cached(COUNTED)?;
    let found = statement.query_map([], |row| Ok((row.get("action")?, row.get("state")?)))?;
    rows::all(found)
}

const COUNTED: &str = "SELECT action, state FROM delivery_counts WHERE n > 0";

fn scan(
    conn: &Connection,
    query: &DeliveryQuery,
    sql: &str,
    values: Vec<Value>,
    limit: usize,
) -> Result<Vec<Found>> {
    let sql = if query.oldest_first { forwards(sql) } else { sql.to_owned() };
    let mut statement = conn.prepare_cached(&sql)?;
    let (after, before) = (query.after_id.unwrap_or(0), query.before_id.unwrap_or(i64::MAX));
    let all = [after.into(), before.into(), rows::limit(limit).into()].into_iter().chain(values);
    let found = statement.query_map(params_from_iter(all), |found| Ok((row(found)?, found.get("at")?)))?;
    rows::all(found)
}

fn passes(query: &DeliveryQuery, delivery: &DeliveryRow, at: &str) -> bool {
    query.action.as_ref().is_none_or(|action| *action == delivery.action)
        && query.state.is_none_or(|state| state.as_str() == delivery.state)
        && query.since.is_none_or(|since| at >= since.to_string().as_str())
        && query.until.is_none_or(|until| at < until.to_string().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::deliveries::list;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn the_deliveries_of_a_notification_and_their_tries_are_searched_for() {
        let conn = fresh();
        for (sql, step) in [
            (list::OF_NOTIFICATION, "SEARCH d USING INDEX sqlite_autoindex_deliveries_1 (seq=?)"),
            (list::ATTEMPTS, "delivery_attempts_by_delivery (delivery_id=?)"),
        ] {
            let plan = plan(&conn, sql);
            assert!(plan.contains(step) && !plan.contains("SCAN"), "{sql}\n{plan}");
        }
    }

    #[test]
    fn each_page_of_deliveries_is_read_from_an_end_of_an_index() {
        let conn = fresh();
        for (sql, step) in [
            (ALL, "SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
            (OF_SUBJECT, "deliveries_by_subject (subject_id=? AND id>? AND id<?)"),
            (OF_STATE, "deliveries_by_state (action=? AND state=? AND id>? AND id<?)"),
        ] {
            for sql in [sql.to_owned(), forwards(sql)] {
                let plan = plan(&conn, &sql);
                assert!(plan.contains(step), "{sql}\n{plan}");
                assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
            }
        }
    }
}
