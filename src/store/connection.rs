//! Opening the file: who may read it, which pragmas every connection carries, and which files are refused.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

/// The migrations in order; the schema version is their number.
const MIGRATIONS: [&str; 1] = [include_str!("../../sql/migrations/0001_initial.sql")];

/// The schema version of this program.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// `application_id` of our files: "cusn".
const APPLICATION_ID: i32 = 1_668_641_646;

/// How long one try to take the write lock waits; whoever wants to wait longer tries again.
pub(super) const LOCK_WAIT: Duration = Duration::from_millis(200);

/// From one of its tries to the next.
const LOCK_TRY: Duration = Duration::from_micros(250);

/// Creates the file, readable by its owner alone, unless it exists.
pub(super) fn create(path: &Path) -> anyhow::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot create the store {}; create its folder and let this user write there",
                path.display()
            )
        }),
    }
}

/// Opens the one connection that writes and brings the schema up to date.
pub(super) fn open_writer(path: &Path) -> anyhow::Result<Connection> {
    refuse_foreign(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags).with_context(|| cannot_open(path))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    pragmas(&conn)?;
    let mode: String =
        conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).with_context(|| {
            format!("cannot write the store {}; check its permissions and the disk", path.display())
        })?;
    if mode != "wal" {
        bail!(
            "the store {} cannot use write-ahead logging ({mode}); keep it on a local disk",
            path.display()
        );
    }
    // What is emptied or removed is not to be read in the file's free space either, once a checkpoint has been there.
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000; PRAGMA secure_delete = ON;",
    )?;
    Migrations::from_iter(MIGRATIONS.map(M::up))
        .to_latest(&mut conn)
        .with_context(|| format!("cannot bring the store {} up to date", path.display()))?;
    conn.busy_handler(Some(tries_again))?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

/// Opens the connection that does nothing but checkpoints, beside a writer's.
pub(super) fn open_checkpointer(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).with_context(|| cannot_open(path))?;
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = 1;")
        .with_context(|| cannot_open(path))?;
    Ok(conn)
}

/// How the writer waits for the lock of another process: often, where the engine's own handler soon sleeps for a tenth of
/// a second, in which that process may let go and take it again.
fn tries_again(tries: i32) -> bool {
    std::thread::sleep(LOCK_TRY);
    LOCK_TRY * tries.unsigned_abs() < LOCK_WAIT
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(path: &Path) -> anyhow::Result<Connection> {
    refuse_foreign(path)?;
    Connection::open_with_flags(path, reader_flags())
        .and_then(|conn| reader_pragmas(&conn).map(|()| conn))
        .with_context(|| cannot_open(path))
}

pub(super) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

pub(super) fn reader_pragmas(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(Duration::from_secs(5))?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    pragmas(conn)
}

fn pragmas(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
}

fn cannot_open(path: &Path) -> String {
    format!(
        "cannot open the store {}; check that the path is right and that this user may read it",
        path.display()
    )
}

/// Refuses a missing file, a newer schema and another program's database, and leaves each as it is.
fn refuse_foreign(path: &Path) -> anyhow::Result<()> {
    let size = match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            bail!("the store {} is a folder; [store] path must name a file", path.display())
        }
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no store at {}; start `countersign serve` once, it creates it", path.display())
        }
        Err(error) => return Err(error).with_context(|| cannot_open(path)),
    };
    if size == 0 {
        return Ok(());
    }
    let conn = Connection::open_with_flags(path, reader_flags()).with_context(|| cannot_open(path))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let number = |sql: &str| {
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).with_context(|| {
            format!("the store {} cannot be read as a SQLite database; restore a backup", path.display())
        })
    };
    let (version, application) = (number("PRAGMA user_version")?, number("PRAGMA application_id")?);
    // Most programs set neither number: only a database without any table is one that a serve had just begun.
    let is_fresh = version == 0 && application == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
    if application != i64::from(APPLICATION_ID) && !is_fresh {
        bail!(
            "{} is a database of another program; [store] path must name countersign's own file",
            path.display()
        );
    }
    let known = i64::try_from(SCHEMA_VERSION).unwrap_or(i64::MAX);
    if version > known {
        bail!(
            "the store {} has schema version {version}, this program knows versions up to {known}; install the newer \
             countersign that wrote it",
            path.display()
        );
    }
    Ok(())
}
