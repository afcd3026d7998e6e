//! Appends notifications, and counts refused requests.

use rusqlite::{Connection, params};

use super::contention::PATIENCE;
use super::handle::Writer;
use super::rows::{Row, UntilStored};
use crate::domain::{RawNotification, Timestamp};
use crate::store::error::Result;

/// Appends a notification; returns its id once it is on disk. `guard` goes with it until then.
pub(in crate::store) async fn append(
    writer: &Writer,
    notification: RawNotification,
    guard: UntilStored,
) -> Result<i64> {
    // Built here, not on the writer thread, which every intake request waits for.
    writer.insert(Row::new(notification, guard)).await
}

/// Counts a request that was not stored.
pub(in crate::store) async fn count_refusal(
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
    writer.run_urgent(PATIENCE, count).await
}
