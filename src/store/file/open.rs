//! Creates a store's file, and checks an existing one before it is opened. Nothing here writes to an existing file.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::Access;

use super::paths::{beside, folder};
use super::schema::SCHEMA_VERSION;
use super::{damage, plain_file};
use crate::store::error::RESTORE;

/// The `application_id` of our files: "cusn".
const APPLICATION_ID: i32 = 1_668_641_646;

/// The kind of a file, according to its first pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum FileState {
    /// An empty file, or one that a `serve` had only just created.
    Fresh,
    /// A store of this schema version, which is not newer than the program's.
    Version(usize),
}

/// Creates the file, readable by its owner alone, unless it exists.
pub(in crate::store) fn create(path: &Path) -> anyhow::Result<()> {
    match plain_file::create(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot create the store {}; create its folder, let this user write there, and see that the disk is \
                 not full",
                path.display()
            )
        }),
    }
}

/// Refuses any file but a store of exactly this program's schema version: only `serve` upgrades.
pub(super) fn require_current(path: &Path) -> anyhow::Result<()> {
    require(path, SCHEMA_VERSION)
}

pub(super) fn require(path: &Path, newest: usize) -> anyhow::Result<()> {
    match examine(path, newest)? {
        FileState::Version(version) if version == newest => Ok(()),
        FileState::Version(older) => bail!(
            "the store {} has schema version {older}, this program works on version {newest}; restart \
             `countersign serve` with this program: it upgrades the store and keeps a backup beside it",
            path.display()
        ),
        FileState::Fresh => bail!(
            "the store {} is empty; if it never held anything start `countersign serve`, which sets it up, else {}",
            path.display(),
            RESTORE
        ),
    }
}

/// Determines the kind of a file, for a program whose newest schema version is `newest`.
///
/// # Errors
/// It is missing or a folder, cannot be read, is damaged, another program's, or a newer version's.
pub(in crate::store) fn examine(path: &Path, newest: usize) -> anyhow::Result<FileState> {
    let log = beside(path, "-wal");
    let log_size = std::fs::metadata(&log).map_or(0, |meta| meta.len());
    if file_at(path)?.len() == 0 {
        if log_size > 0 {
            // SQLite would take the WAL of an empty file for a stale one, and remove it.
            bail!(
                "the store {} is empty, but {} beside it is not; {}",
                path.display(),
                log.display(),
                RESTORE
            );
        }
        return Ok(FileState::Fresh);
    }
    if !damage::is_sound_log(&log) {
        bail!(
            "the write-ahead log {} is damaged, and what came in last may be in it; {}, or move the log aside (never \
             the store) to go on without what it held",
            log.display(),
            RESTORE
        );
    }
    let conn =
        Connection::open_with_flags(path, reader_flags()).map_err(|error| damage::describe(path, &error))?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let number = |sql: &str| {
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| damage::describe(path, &error))
    };
    let (version, application) = (number("PRAGMA user_version")?, number("PRAGMA application_id")?);
    // Most programs set neither number: only a database without any table can be one that a serve had just
    // created.
    let is_fresh = version == 0 && application == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0;
    if is_fresh {
        return Ok(FileState::Fresh);
    }
    if application != i64::from(APPLICATION_ID) {
        bail!(
            "{} is a database of another program; [store] path must name countersign's own file",
            path.display()
        );
    }
    match usize::try_from(version) {
        Ok(known) if (1..=newest).contains(&known) => Ok(FileState::Version(known)),
        Ok(0) | Err(_) => bail!(
            "the store {} has no schema version that ever was ({version}), so its first page is damaged; {}",
            path.display(),
            RESTORE
        ),
        Ok(_) => bail!(
            "the store {} has schema version {version}, this program knows versions up to {newest}; install \
             the newer countersign that wrote it",
            path.display()
        ),
    }
}

/// Opens a connection that cannot write.
pub(in crate::store) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Explains why this user cannot write, before SQLite fails with a less clear error.
pub(in crate::store) fn require_writable(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).with_context(|| {
        format!(
            "this user may not write the store {shown}; run as its owner, let this user write it (chown, chmod 600), \
             and see that its disk is not mounted read-only"
        )
    })?;
    let folder = folder(path);
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).with_context(|| {
        format!(
            "this user may not write in the folder {} of the store {shown}, where its log has to be; let this user \
             write there (chown, chmod 700), and see that its disk is not mounted read-only",
            folder.display()
        )
    })
}

fn file_at(path: &Path) -> anyhow::Result<Metadata> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            bail!("the store {} is a folder; [store] path must name a file", path.display())
        }
        Ok(meta) => Ok(meta),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("there is no store at {}; start `countersign serve` once, it creates it", path.display())
        }
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot open the store {}; check that the path is right and that this user may read it",
                path.display()
            )
        }),
    }
}
