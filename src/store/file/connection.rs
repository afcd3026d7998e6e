//! Connections: which pragmas each carries, and which can write.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{damage, open};

/// How long one try to take the write lock waits; callers that want to wait longer try again.
const LOCK_WAIT: Duration = Duration::from_millis(200);

/// The interval between its tries.
const LOCK_TRY: Duration = Duration::from_micros(250);

/// Opens the one connection that writes.
pub(in crate::store) fn open_writer(path: &Path) -> anyhow::Result<Connection> {
    open::require_current(path)?;
    let conn = writable(path)?;
    conn.busy_handler(Some(tries_again))?;
    conn.set_prepared_statement_cache_capacity(128);
    // A list call concerns hundreds of rows, each in a dozen indexes: with 2 MiB, the upper index pages of a
    // large store would not stay cached.
    conn.execute_batch("PRAGMA cache_size = -8192;")?;
    Ok(conn)
}

/// Opens a connection that may write, whatever version the file has.
pub(super) fn writable(path: &Path) -> anyhow::Result<Connection> {
    open::require_writable(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| damage::describe(path, &error))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    pragmas(&conn)?;
    let mode: String = conn
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| damage::describe(path, &error))?;
    if mode != "wal" {
        bail!(
            "the store {} cannot use write-ahead logging ({mode}); keep it on a local disk",
            path.display()
        );
    }
    // A WAL that grew while a reader prevented the checkpoint is truncated when it restarts. Emptied or
    // removed data must not remain readable in the file's free space after a checkpoint.
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000; PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    Ok(conn)
}

/// Opens the connection that only checkpoints, beside a writer's.
pub(in crate::store) fn open_checkpointer(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|conn| {
            conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = 1;").map(|()| conn)
        })
        .map_err(|error| damage::describe(path, &error))
}

thread_local! {
    /// When this thread began to wait for a lock.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// How the writer waits for another process's lock: with short sleeps. SQLite's own handler soon sleeps for a
/// tenth of a second, in which that process may release the lock and take it again. The limit is by time, not
/// by tries, because a busy machine sleeps longer.
pub(in crate::store) fn tries_again(tries: i32) -> bool {
    let now = Instant::now();
    let began = BEGAN.get().filter(|_| tries > 0).unwrap_or(now);
    BEGAN.set(Some(began));
    std::thread::sleep(LOCK_TRY);
    now.duration_since(began) < LOCK_WAIT
}

/// Opens a connection that cannot write.
pub(in crate::store) fn open_reader(path: &Path) -> anyhow::Result<Connection> {
    open::require_current(path)?;
    any_reader(path)
}

/// Opens a connection that cannot write, whatever version the file has.
pub(super) fn any_reader(path: &Path) -> anyhow::Result<Connection> {
    Connection::open_with_flags(path, open::reader_flags())
        .and_then(|conn| reader_pragmas(&conn).map(|()| conn))
        .map_err(|error| damage::describe(path, &error))
}

pub(in crate::store) fn reader_pragmas(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    pragmas(conn)
}

pub(super) fn pragmas(conn: &Connection) -> rusqlite::Result<()> {
    // Stable plans (QPSG); otherwise SQLite re-prepares statements when bound values change.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
}
