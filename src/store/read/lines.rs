//! Reads notifications for a page or an export: every column except headers and body, also filtered by
//! columns without an index. Such a filter reads a bounded number of rows and says how far it came.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde_json::Value;

use super::matching_ids::{self, Filter};
use crate::domain::Timestamp;
use crate::store::error::Result;
use crate::store::rows;

/// Number of ids read first from the indexes if a filter reads each row; it then doubles.
const CHUNK: usize = 500;

/// A row of `notifications` without `headers` and `body`, under the names of its columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the column of that name; the contract explains them")]
pub struct NotificationLine {
    pub id: i64,
    pub source: String,
    pub provider: String,
    pub received_at: String,
    pub remote_addr: Option<String>,
    pub content_type: Option<String>,
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

/// A page of a list, and where the next one begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// The rows of the page, newest first.
    pub lines: Vec<NotificationLine>,
    /// The start of the next page, as [`Filter::before_id`]; `None` at the end.
    pub continue_before: Option<i64>,
    /// The time of the last row that was read, if reading ended before the page was full.
    pub looked_back_to: Option<String>,
}

/// The part of a filter that no index serves.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Only this sender's address.
    pub sender: Option<String>,
    /// Only notifications received before this time. Rows out of order, from a time when the clock was set
    /// back, are skipped.
    pub until: Option<Timestamp>,
}

impl RowFilter {
    /// Whether the indexes serve the whole filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sender.is_none() && self.until.is_none()
    }
}

pub(in crate::store) const LINE: &str = "SELECT id, source, provider, received_at, remote_addr, content_type, event, subject_kind, subject_id,
       resolved_id, claim, event_time, state, reason, detail, duplicate_of, news, attempts, next_attempt_at, decided_at, origin
     FROM notifications WHERE id = ?1";

pub(in crate::store) const SENDER: &str = "SELECT remote_addr, received_at FROM intake WHERE id = ?1";

/// The first id after the hour ?1: notifications received before have lower ids.
pub(in crate::store) const FIRST_AFTER: &str = "SELECT min(first_id) FROM hour_index WHERE hour > ?1";

/// At most `filter.limit` lines; reads no more than `looks` rows.
pub(in crate::store) fn lines(
    conn: &Connection,
    filter: &Filter,
    row_filter: &RowFilter,
    looks: usize,
) -> Result<Lines> {
    let Ids { ids, continue_before, looked_back_to } = ids(conn, filter, row_filter, looks)?;
    let lines = ids.iter().filter_map(|id| line(conn, *id).transpose()).collect::<Result<_>>()?;
    Ok(Lines { lines, continue_before, looked_back_to })
}

/// The result of [`lines`], by id.
#[derive(Debug, Default)]
pub(in crate::store) struct Ids {
    /// The ids of the page, newest first.
    pub(in crate::store) ids: Vec<i64>,
    continue_before: Option<i64>,
    looked_back_to: Option<String>,
}

/// At most `filter.limit` ids; reads no more than `looks` rows.
pub(in crate::store) fn ids(
    conn: &Connection,
    filter: &Filter,
    row_filter: &RowFilter,
    looks: usize,
) -> Result<Ids> {
    if row_filter.is_empty() {
        let mut ids =
            matching_ids::ids(conn, &Filter { limit: filter.limit.saturating_add(1), ..filter.clone() })?;
        let is_more = ids.len() > filter.limit;
        ids.truncate(filter.limit);
        let continue_before = ids.last().copied().filter(|_| is_more);
        return Ok(Ids { ids, continue_before, looked_back_to: None });
    }
    let mut found = Ids::default();
    let sender = row_filter.sender.as_deref().map(rows::sender);
    let mut before = start(conn, filter, row_filter)?;
    let mut looked = 0;
    let mut chunk = CHUNK;
    // At most `looks` rows, whatever the filter is.
    while looked < looks {
        let limit = chunk.min(looks - looked);
        // Each chunk is gathered from all index scans of the filter, so a long search should take few chunks.
        chunk *= 2;
        let next = Filter { before_id: before, limit, ..filter.clone() };
        let of_sender = match &sender {
            Some(sender) => matching_ids::ids_of_sender(conn, &next, sender)?,
            None => None,
        };
        let ids = of_sender.map_or_else(|| matching_ids::ids(conn, &next), Ok)?;
        for id in &ids {
            before = Some(*id);
            looked += 1;
            let Some((passes, received_at)) = passes(conn, *id, row_filter)? else { continue };
            found.looked_back_to = Some(received_at);
            if passes {
                found.ids.push(*id);
            }
            if found.ids.len() == filter.limit {
                return Ok(Ids { continue_before: before, looked_back_to: None, ..found });
            }
        }
        if ids.len() < limit {
            return Ok(Ids { continue_before: None, looked_back_to: None, ..found });
        }
    }
    Ok(Ids { continue_before: before, ..found })
}

/// The id below which to begin.
fn start(conn: &Connection, filter: &Filter, row_filter: &RowFilter) -> Result<Option<i64>> {
    let Some(until) = row_filter.until else { return Ok(filter.before_id) };
    let first: Option<i64> = conn.prepare_cached(FIRST_AFTER)?.query_row([until.hour()], |row| row.get(0))?;
    Ok(match (first, filter.before_id) {
        (Some(first), Some(before)) => Some(first.min(before)),
        (first, before) => first.or(before),
    })
}

/// Whether a row matches, and when it was received; `None` if it was removed.
fn passes(conn: &Connection, id: i64, row_filter: &RowFilter) -> Result<Option<(bool, String)>> {
    let found = conn
        .prepare_cached(SENDER)?
        .query_row([id], |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(found.map(|(sender, received_at)| {
        let is_sender = row_filter.sender.is_none() || row_filter.sender == sender;
        let is_before = row_filter.until.is_none_or(|until| received_at < until.to_string());
        (is_sender && is_before, received_at)
    }))
}

/// One notification without headers and body.
pub(in crate::store) fn line(conn: &Connection, id: i64) -> Result<Option<NotificationLine>> {
    Ok(conn.prepare_cached(LINE)?.query_row([id], read).optional()?)
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<NotificationLine> {
    Ok(NotificationLine {
        id: row.get("id")?,
        source: row.get("source")?,
        provider: row.get("provider")?,
        received_at: row.get("received_at")?,
        remote_addr: row.get("remote_addr")?,
        content_type: row.get("content_type")?,
        event: row.get("event")?,
        subject_kind: row.get("subject_kind")?,
        subject_id: row.get("subject_id")?,
        resolved_id: row.get("resolved_id")?,
        claim: json(row, "claim")?,
        event_time: row.get("event_time")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        detail: row.get("detail")?,
        duplicate_of: row.get("duplicate_of")?,
        news: row.get("news")?,
        attempts: row.get("attempts")?,
        next_attempt_at: row.get("next_attempt_at")?,
        decided_at: row.get("decided_at")?,
        origin: row.get("origin")?,
    })
}

/// A column that holds JSON.
pub(super) fn json(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Value>> {
    let text: Option<String> = row.get(name)?;
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

pub(in crate::store) const IDS_AFTER: &str = "SELECT id FROM intake WHERE id > ?1 ORDER BY id LIMIT ?2";

/// The ids of the notifications received after `id`, oldest first, at most `limit`.
pub(in crate::store) fn ids_after(conn: &Connection, id: i64, limit: usize) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(IDS_AFTER)?;
    let found = statement.query_map(params![id, rows::limit(limit)], |row| row.get(0))?;
    rows::all(found)
}
