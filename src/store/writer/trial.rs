//! Tests whether the store can be written, for a process that only reads: takes the write lock for a moment,
//! and changes nothing.

use std::path::Path;
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::checkpoint::FRAME_HEAD;
use super::contention::PATIENCE_OF_COMMANDS;
use crate::store::error::{Result, StoreError};
use crate::store::file::connection::tries_again;
use crate::store::file::{holder, open};

/// The result of a trial.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Whether the write lock could be taken; `None`: this user may not write, which says nothing about
    /// `serve`.
    pub writable: Option<Result<()>>,
    /// Bytes of the WAL that are not checkpointed; `None` if this could not be determined.
    pub log_left: Option<u64>,
}

/// Tests it. Blocks at most as long as a command waits for another program's lock.
#[must_use]
pub fn try_to_write(path: &Path) -> Trial {
    if open::require_writable(path).is_err() {
        return Trial::default();
    }
    match connect(path) {
        Ok(conn) => Trial { writable: Some(take_lock(&conn, path)), log_left: log_left(&conn).ok() },
        Err(error) => Trial { writable: Some(Err(error.into())), log_left: None },
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_handler(Some(tries_again))?;
    // The last connection to close checkpoints and removes the WAL.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(conn)
}

fn take_lock(conn: &Connection, path: &Path) -> Result<()> {
    let began = Instant::now();
    loop {
        match conn.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from) {
            Err(StoreError::Locked(_)) if began.elapsed() < PATIENCE_OF_COMMANDS => {}
            Err(StoreError::Locked(_)) => {
                return Err(StoreError::locked(path, &holder::of_write_lock(path)));
            }
            began => {
                began?;
                return Ok(conn.execute_batch("ROLLBACK")?);
            }
        }
    }
}

fn log_left(conn: &Connection) -> rusqlite::Result<u64> {
    let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let left: i64 = conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
        Ok(row.get::<_, i64>(1)?.saturating_sub(row.get(2)?))
    })?;
    Ok(u64::try_from(left).unwrap_or(0) * (u64::try_from(page).unwrap_or(0) + FRAME_HEAD))
}
