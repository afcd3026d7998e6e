//! Reading notifications and their evidence for people.

use base64::Engine as _;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde_json::Value;

use super::pages::{self, Filter};
use crate::domain::RawNotification;
use crate::store::error::Result;
use crate::store::rows;

/// A row of `notifications`, under the names of its columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name; the contract explains them")]
pub struct Notification {
    pub id: i64,
    pub source: String,
    pub provider: String,
    pub received_at: String,
    pub remote_addr: Option<String>,
    pub content_type: Option<String>,
    pub headers: Option<Value>,
    /// The body if it is text.
    pub body: Option<String>,
    /// The body if it is not text, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    pub event: Option<String>,
    pub subject_kind: Option<String>,
    pub subject_id: Option<String>,
    pub resolved_id: Option<String>,
    pub claim: Option<Value>,
    pub event_time: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub duplicate_of: Option<i64>,
    pub news: i64,
    pub attempts: i64,
    pub next_attempt_at: Option<String>,
    pub decided_at: Option<String>,
    pub origin: String,
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

const COLUMNS: &str = "id, source, provider, received_at, remote_addr, content_type, headers, body, event, subject_kind, \
                       subject_id, resolved_id, claim, event_time, state, reason, detail, duplicate_of, news, attempts, \
                       next_attempt_at, decided_at, origin";

/// Matching notifications, newest first.
pub(in crate::store) fn list(conn: &Connection, filter: &Filter) -> Result<Vec<Notification>> {
    let mut notifications = Vec::new();
    for id in pages::ids(conn, filter)? {
        notifications.extend(notification(conn, id)?);
    }
    Ok(notifications)
}

pub(in crate::store) fn notification(conn: &Connection, id: i64) -> Result<Option<Notification>> {
    let sql = format!("SELECT {COLUMNS} FROM notifications WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([id], read).optional()?)
}

pub(in crate::store) const VERIFICATIONS: &str =
    "SELECT id, notification_id, call_id, at, outcome, http_status, latency_ms, detail, answer
     FROM verifications WHERE notification_id = ?1 ORDER BY id";

/// The verifications of one notification, oldest first.
pub(in crate::store) fn verifications(conn: &Connection, id: i64) -> Result<Vec<VerificationRow>> {
    let mut statement = conn.prepare_cached(VERIFICATIONS)?;
    let found = statement.query_map([id], |row| {
        Ok(VerificationRow {
            id: row.get(0)?,
            notification_id: row.get(1)?,
            call_id: row.get(2)?,
            at: row.get(3)?,
            outcome: row.get(4)?,
            http_status: row.get(5)?,
            latency_ms: row.get(6)?,
            detail: row.get(7)?,
            answer: json(row, 8)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// One notification as received; `None` if there is none, or its body was emptied.
pub(in crate::store) fn raw_notification(conn: &Connection, id: i64) -> Result<Option<RawNotification>> {
    let sql = format!("SELECT {} FROM intake i WHERE i.id = ?1", rows::RAW_COLUMNS);
    let found = conn.prepare_cached(&sql)?.query_row([id], rows::raw_notification).optional()?;
    Ok(found.flatten().map(|(_, notification)| notification))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Notification> {
    let (body, body_base64) = match row.get_ref(7)? {
        ValueRef::Text(text) => (Some(String::from_utf8_lossy(text).into_owned()), None),
        ValueRef::Blob(bytes) => (None, Some(base64::engine::general_purpose::STANDARD.encode(bytes))),
        _ => (None, None),
    };
    Ok(Notification {
        id: row.get(0)?,
        source: row.get(1)?,
        provider: row.get(2)?,
        received_at: row.get(3)?,
        remote_addr: row.get(4)?,
        content_type: row.get(5)?,
        headers: json(row, 6)?,
        body,
        body_base64,
        event: row.get(8)?,
        subject_kind: row.get(9)?,
        subject_id: row.get(10)?,
        resolved_id: row.get(11)?,
        claim: json(row, 12)?,
        event_time: row.get(13)?,
        state: row.get(14)?,
        reason: row.get(15)?,
        detail: row.get(16)?,
        duplicate_of: row.get(17)?,
        news: row.get(18)?,
        attempts: row.get(19)?,
        next_attempt_at: row.get(20)?,
        decided_at: row.get(21)?,
        origin: row.get(22)?,
    })
}

/// A column that holds JSON.
pub(super) fn json(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Value>> {
    let text: Option<String> = row.get(at)?;
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
