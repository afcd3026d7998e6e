//! Appending notifications as they come, and counting requests that are turned away.

use rusqlite::{Connection, params};

use super::error::Result;
use super::writer::Writer;
use crate::domain::{Delivery, Origin, Timestamp};

/// Appends a delivery; returns its id once it is on disk.
pub(super) async fn append(writer: &Writer, delivery: Delivery) -> Result<i64> {
    writer.append(move |conn| insert(conn, &delivery)).await
}

fn insert(conn: &Connection, delivery: &Delivery) -> Result<i64> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO intake (source, provider, received_at, remote_addr, content_type, headers, body, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let head = params![
        delivery.source,
        delivery.provider,
        delivery.received_at.to_string(),
        delivery.remote_addr,
        delivery.content_type,
        delivery.headers.to_stored_json(),
        Body(&delivery.body),
        Origin::Delivery.as_str(),
    ];
    Ok(statement.insert(head)?)
}

/// The body as the column keeps it: TEXT when it is valid UTF-8 without NUL, else BLOB, the same bytes in both.
struct Body<'a>(&'a [u8]);

impl rusqlite::ToSql for Body<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.contains('\0') => text.to_sql(),
            _ => self.0.to_sql(),
        }
    }
}

/// Counts a request that was not stored.
pub(super) async fn count_refusal(
    writer: &Writer,
    source: String,
    cause: &'static str,
    remote_addr: String,
    at: Timestamp,
) -> Result<()> {
    let count = move |conn: &Connection| {
        conn.prepare_cached(
            "INSERT INTO refusals (source, day, cause, count, last_at, last_remote_addr) VALUES (?1, ?2, ?3, 1, ?4, ?5)
             ON CONFLICT DO UPDATE SET count = count + 1, last_at = excluded.last_at,
               last_remote_addr = excluded.last_remote_addr",
        )?
        .execute(params![source, at.day(), cause, at.to_string(), remote_addr])?;
        Ok(())
    };
    writer.append(count).await
}
