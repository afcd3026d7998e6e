//! Converts rows to types of the domain and back.

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Row, params};
use serde_json::{Map, Value};

use crate::domain::number::whole;
use crate::domain::{
    Cause, Claim, ClaimKey, EventTime, Headers, RawNotification, Reason, State, Subject, SubjectKind,
    Timestamp,
};
use crate::store::error::Result;

/// Maximum size of the bodies and claims that are in memory together while they are read, leased or judged.
/// The row that exceeds it is still included: a single one may be larger.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// A value that its column cannot hold: the store is damaged, and the value is not guessed.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} of a row cannot be read: it holds {value}")]
struct Unreadable {
    column: String,
    value: String,
}

/// A value's beginning, enough to recognise it.
const SHOWN: usize = 40;

/// The error about the column `name` of this row.
pub(super) fn unreadable(row: &Row<'_>, name: &str) -> rusqlite::Error {
    let value = match row.get_ref(name) {
        Ok(ValueRef::Text(bytes)) => {
            format!("{:?}", String::from_utf8_lossy(bytes).chars().take(SHOWN).collect::<String>())
        }
        Ok(ValueRef::Null) => "NULL".to_owned(),
        Ok(value) => format!("a value of type {}", value.data_type()),
        Err(error) => return error,
    };
    let why = Unreadable { column: name.to_owned(), value };
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(why))
}

/// Reads a column of words; `None` if it is NULL.
fn word<T>(row: &Row<'_>, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<Option<T>> {
    match row.get_ref(name)? {
        ValueRef::Null => Ok(None),
        value => value.as_str().ok().and_then(parse).map(Some).ok_or_else(|| unreadable(row, name)),
    }
}

/// Reads a column that is never NULL.
fn required<T>(row: &Row<'_>, name: &str, value: Option<T>) -> rusqlite::Result<T> {
    value.ok_or_else(|| unreadable(row, name))
}

/// A nullable time column.
pub(super) fn instant(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Timestamp>> {
    word(row, name, Timestamp::parse_rfc3339)
}

pub(super) fn known_instant(row: &Row<'_>, name: &str) -> rusqlite::Result<Timestamp> {
    required(row, name, instant(row, name)?)
}

pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<State> {
    required(row, "state", word(row, "state", State::parse)?)
}

/// The column `reason`; `None` if it is NULL or, in counts, empty.
pub(super) fn reason(row: &Row<'_>) -> rusqlite::Result<Option<Reason>> {
    let reason = |text: &str| if text.is_empty() { Some(None) } else { Reason::parse(text).map(Some) };
    Ok(word(row, "reason", reason)?.flatten())
}

pub(super) fn cause(row: &Row<'_>) -> rusqlite::Result<Cause> {
    let parse = |text: &str| Cause::ALL.iter().find(|cause| cause.as_str() == text).copied();
    required(row, "cause", word(row, "cause", parse)?)
}

/// A column of JSON that is an object; `None` if it is NULL.
pub(super) fn object(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Map<String, Value>>> {
    word(row, name, |text| serde_json::from_str(text).ok())
}

/// The columns of `verdicts` that [`claim`] reads.
pub(super) const CLAIM_COLUMNS: &str = "event, subject_kind, subject_id, claim, event_time, event_sent, event_order, \
                                        event_id, question, call_kind, claim_key";

/// Reads [`CLAIM_COLUMNS`]; `None` if a column that every claim has is empty.
pub(super) fn claim(row: &Row<'_>) -> rusqlite::Result<Option<(Claim, ClaimKey)>> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let kind = word(row, "subject_kind", SubjectKind::parse)?;
    let values = word(row, "claim", Claim::split_stored_json)?;
    let event_time = EventTime {
        instant: instant(row, "event_time")?,
        sent: text("event_sent")?,
        order: row.get::<_, Option<i64>>("event_order")?.map(Timestamp::from_millis),
    };
    let (event, id, event_id) = (text("event")?, text("subject_id")?, text("event_id")?);
    let (question, call_kind) =
        (text("question")?.unwrap_or_default(), text("call_kind")?.unwrap_or_default());
    let key = ClaimKey::from_stored(text("claim_key")?.unwrap_or_default());
    let (Some(event), Some(kind), Some(id), Some((asserted, before))) = (event, kind, id, values) else {
        return Ok(None);
    };
    let subject = Subject { kind, id };
    Ok(Some((Claim { event, subject, question, call_kind, asserted, before, event_time, event_id }, key)))
}

/// The columns of `intake` that [`raw_notification`] reads.
pub(super) const RAW_COLUMNS: &str =
    "i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body";

/// Reads [`RAW_COLUMNS`]; `None` if body or headers are NULL (emptied or recovered).
pub(super) fn raw_notification(row: &Row<'_>) -> rusqlite::Result<Option<(i64, RawNotification)>> {
    let headers = word(row, "headers", Headers::from_stored_json)?;
    let body = match row.get_ref("body")? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        _ => None,
    };
    let (Some(headers), Some(body)) = (headers, body) else {
        return Ok(None);
    };
    let notification = RawNotification {
        source: row.get("source")?,
        provider: row.get("provider")?,
        received_at: known_instant(row, "received_at")?,
        remote_addr: row.get::<_, Option<String>>("remote_addr")?.unwrap_or_default(),
        content_type: row.get("content_type")?,
        headers,
        body,
    };
    Ok(Some((row.get("id")?, notification)))
}

/// The size of the columns in [`RAW_COLUMNS`] without a fixed length.
pub(super) fn raw_bytes(row: &Row<'_>) -> rusqlite::Result<usize> {
    let bytes = |name| -> rusqlite::Result<usize> {
        Ok(match row.get_ref(name)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
            _ => 0,
        })
    };
    Ok(bytes("headers")? + bytes("body")?)
}

/// The sender for fair queueing: the address, for IPv6 its /64 (one subscriber).
pub(super) fn sender(remote_addr: &str) -> String {
    match remote_addr.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => {
            let network = u128::from(v6) & !u128::from(u64::MAX);
            format!("{}/64", std::net::Ipv6Addr::from(network))
        }
        Err(_) => remote_addr.to_owned(),
    }
}

/// Reads all rows of a query.
pub(super) fn all<T>(found: impl Iterator<Item = rusqlite::Result<T>>) -> Result<Vec<T>> {
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A number of rows as a LIMIT.
pub(super) fn limit(rows: usize) -> i64 {
    whole(rows)
}

/// The highest parsed id. Notifications are parsed in the order of their ids, so everything up to it is parsed.
pub(super) fn parsed_to(conn: &rusqlite::Connection) -> rusqlite::Result<i64> {
    let mut statement = conn.prepare_cached("SELECT coalesce(max(notification_id), 0) FROM verdicts")?;
    statement.query_row([], |row| row.get(0))
}

/// Registers a source; its provider never changes.
pub(super) fn introduce_source(
    conn: &rusqlite::Connection,
    name: &str,
    provider: &str,
    now: Timestamp,
) -> Result<Option<String>> {
    conn.prepare_cached(
        "INSERT INTO sources (name, provider, first_served_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![name, provider, now.to_string()])?;
    let known: String = conn
        .prepare_cached("SELECT provider FROM sources WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    Ok((known != provider).then_some(known))
}
