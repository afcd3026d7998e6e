//! Reads deliveries for people.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use serde::Serialize;

use crate::domain::{DeliveryState, NewsFilter, Timestamp};
use crate::rules::delivery::passes;
use crate::store::error::Result;
use crate::store::news::feed::{self, NewsQuery};
use crate::store::rows;

/// The filter of deliveries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub action: Option<String>,
    pub state: Option<DeliveryState>,
    /// Only about this order or product.
    pub subject: Option<String>,
    /// Only of news at or after this.
    pub since: Option<Timestamp>,
    /// Only ids below this.
    pub before_id: Option<i64>,
    /// Maximum number of deliveries.
    pub limit: usize,
}

/// A row of `deliveries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of the contract")]
pub struct DeliveryRow {
    pub id: i64,
    pub action: String,
    pub seq: i64,
    pub source: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub state: String,
    pub attempts: i64,
    pub next_attempt_at: Option<String>,
    pub decided_at: Option<String>,
    pub detail: Option<String>,
}

/// A row of `delivery_attempts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of the contract")]
pub struct AttemptRow {
    pub id: i64,
    pub delivery_id: i64,
    pub at: String,
    pub latency_ms: i64,
    pub outcome: String,
    pub http_status: Option<i64>,
    pub exit_code: Option<i64>,
    pub answer: Option<String>,
}

const COLUMNS: &str = "d.id, d.action, d.seq, d.source, d.subject_kind, d.subject_id, d.state, d.attempts, \
                       d.next_attempt_at, d.decided_at, d.detail";

/// The matching deliveries, newest first.
pub(in crate::store) fn list(conn: &Connection, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>> {
    let (rest, values) = condition(filter);
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} {rest}"))?;
    let found = statement.query_map(params_from_iter(values), row)?;
    rows::all(found)
}

pub(in crate::store) fn ids(conn: &Connection, filter: &DeliveryFilter) -> Result<Vec<i64>> {
    let (rest, values) = condition(filter);
    let mut statement = conn.prepare_cached(&format!("SELECT d.id {rest}"))?;
    let found = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    rows::all(found)
}

/// The clauses after the columns, with their values; an index serves each filter from its end.
fn condition(filter: &DeliveryFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["d.id < ?".to_owned()];
    let mut values: Vec<Value> = vec![filter.before_id.unwrap_or(i64::MAX).into()];
    let mut also = |condition: &str, value: Option<String>| {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(value.into());
        }
    };
    also("d.action = ?", filter.action.clone());
    also("d.state = ?", filter.state.map(|state| state.as_str().to_owned()));
    also("d.subject_id = ?", filter.subject.clone());
    also("(SELECT n.at FROM news n WHERE n.seq = d.seq) >= ?", filter.since.map(|since| since.to_string()));
    values.push(rows::limit(filter.limit).into());
    (format!("FROM deliveries d WHERE {} ORDER BY d.id DESC LIMIT ?", conditions.join(" AND ")), values)
}

pub(super) fn row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.get("id")?,
        action: row.get("action")?,
        seq: row.get("seq")?,
        source: row.get("source")?,
        subject_kind: row.get("subject_kind")?,
        subject_id: row.get("subject_id")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        next_attempt_at: row.get("next_attempt_at")?,
        decided_at: row.get("decided_at")?,
        detail: row.get("detail")?,
    })
}

pub(super) const OF_NOTIFICATION: &str =
    "SELECT d.id, d.action, d.seq, d.source, d.subject_kind, d.subject_id, d.state, d.attempts, d.next_attempt_at,
       d.decided_at, d.detail
     FROM news n CROSS JOIN deliveries d ON d.seq = n.seq WHERE n.notification_id = ?1 ORDER BY d.id";

/// The deliveries of a notification's news, oldest first.
pub(in crate::store) fn of_notification(conn: &Connection, id: i64) -> Result<Vec<DeliveryRow>> {
    let mut statement = conn.prepare_cached(OF_NOTIFICATION)?;
    let found = statement.query_map([id], row)?;
    rows::all(found)
}

pub(super) const ATTEMPTS: &str =
    "SELECT id, delivery_id, at, latency_ms, outcome, http_status, exit_code, answer FROM delivery_attempts
     WHERE delivery_id = ?1 ORDER BY id";

/// The stored tries of a delivery, oldest first.
pub(in crate::store) fn attempts(conn: &Connection, delivery: i64) -> Result<Vec<AttemptRow>> {
    let mut statement = conn.prepare_cached(ATTEMPTS)?;
    let found = statement.query_map([delivery], |row| {
        Ok(AttemptRow {
            id: row.get("id")?,
            delivery_id: row.get("delivery_id")?,
            at: row.get("at")?,
            latency_ms: row.get("latency_ms")?,
            outcome: row.get("outcome")?,
            http_status: row.get("http_status")?,
            exit_code: row.get("exit_code")?,
            answer: row.get("answer")?,
        })
    })?;
    rows::all(found)
}

/// Of the next `query.limit` news rows, those that match and that an action never had, and the last one read;
/// `None` after the last.
pub(in crate::store) fn missing(
    conn: &Connection,
    action: &str,
    filter: &NewsFilter,
    since: Option<Timestamp>,
    query: &NewsQuery,
) -> Result<(Vec<i64>, Option<i64>)> {
    let news = feed::news(conn, query)?;
    let last = news.last().map(|news| news.seq);
    let mut seqs = Vec::new();
    for news in news {
        if since.is_some_and(|since| news.at < since) || !passes(filter, &news) {
            continue;
        }
        let has_one: bool = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM deliveries WHERE seq = ?1 AND action = ?2)")?
            .query_row(params![news.seq, action], |row| row.get(0))?;
        if !has_one {
            seqs.push(news.seq);
        }
    }
    Ok((seqs, last))
}
