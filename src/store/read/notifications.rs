//! Reads whole notifications and their verifications, for people.

use base64::Engine as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde_json::Value;

use super::lines::{self, NotificationLine};
use super::matching_ids::{self, Filter};
use crate::domain::RawNotification;
use crate::store::error::Result;
use crate::store::rows;

/// A row of `notifications`, under the names of its columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name; the contract explains them")]
pub struct Notification {
    #[serde(flatten)]
    pub line: NotificationLine,
    pub headers: Option<Value>,
    /// The body if it is text.
    pub body: Option<String>,
    /// The body if it is not text, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// A row of `verifications`, under the names of its columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name; the contract explains them")]
pub struct VerificationRow {
    pub id: i64,
    pub notification_id: i64,
    pub call_id: i64,
    pub at: String,
    pub outcome: String,
    pub http_status: Option<i64>,
    pub latency_ms: i64,
    pub detail: Option<String>,
    pub answer: Option<Value>,
}

/// Matching notifications, newest first.
pub(in crate::store) fn list(conn: &Connection, filter: &Filter) -> Result<Vec<Notification>> {
    let mut notifications = Vec::new();
    for id in matching_ids::ids(conn, filter)? {
        notifications.extend(notification(conn, id)?);
    }
    Ok(notifications)
}

pub(in crate::store) fn notification(conn: &Connection, id: i64) -> Result<Option<Notification>> {
    let mut statement = conn.prepare_cached("SELECT * FROM notifications WHERE id = ?1")?;
    Ok(statement.query_row([id], read).optional()?)
}

pub(in crate::store) const VERIFICATIONS: &str =
    "SELECT id, notification_id, call_id, at, outcome, http_status, latency_ms, detail, answer
     FROM verifications WHERE notification_id = ?1 ORDER BY id";

/// The verifications of one notification, oldest first.
pub(in crate::store) fn verifications(conn: &Connection, id: i64) -> Result<Vec<VerificationRow>> {
    let mut statement = conn.prepare_cached(VERIFICATIONS)?;
    let found = statement.query_map([id], |row| {
        Ok(VerificationRow {
            id: row.get("id")?,
            notification_id: row.get("notification_id")?,
            call_id: row.get("call_id")?,
            at: row.get("at")?,
            outcome: row.get("outcome")?,
            http_status: row.get("http_status")?,
            latency_ms: row.get("latency_ms")?,
            detail: row.get("detail")?,
            answer: lines::json(row, "answer")?,
        })
    })?;
    rows::all(found)
}

/// One notification as received; `None` if there is none, or its body was emptied.
pub(in crate::store) fn raw_notification(conn: &Connection, id: i64) -> Result<Option<RawNotification>> {
    let sql = format!("SELECT {} FROM intake i WHERE i.id = ?1", rows::RAW_COLUMNS);
    let found = conn.prepare_cached(&sql)?.query_row([id], rows::raw_notification).optional()?;
    Ok(found.flatten().map(|(_, notification)| notification))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let (body, body_base64) = match row.get_ref("body")? {
        ValueRef::Text(text) => (Some(String::from_utf8_lossy(text).into_owned()), None),
        ValueRef::Blob(bytes) => (None, Some(base64::engine::general_purpose::STANDARD.encode(bytes))),
        _ => (None, None),
    };
    Ok(Notification { line: lines::read(row)?, headers: lines::json(row, "headers")?, body, body_base64 })
}
