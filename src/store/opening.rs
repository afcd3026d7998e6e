//! Before a file is opened: who makes it, and which files are refused.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::Connection;

use super::connection::reader_flags;
use super::migrations::SCHEMA_VERSION;

/// `application_id` of our files: "cusn".
const APPLICATION_ID: i32 = 1_668_641_646;

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

pub(super) fn cannot_open(path: &Path) -> String {
    format!(
        "cannot open the store {}; check that the path is right and that this user may read it",
        path.display()
    )
}

/// Refuses a missing file, a newer schema and another program's database, and leaves each as it is.
pub(super) fn refuse_foreign(path: &Path) -> anyhow::Result<()> {
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
