//! The versions of the schema, and the upgrade of a file to the newest: by `serve` alone, which holds its
//! lock, in one transaction over all steps, after a checked copy of the old file was made beside it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::backup::Backup;
use super::open::{self, FileState};
use super::schema::{MIGRATIONS, SCHEMA};
use super::{connection, damage, paths};
use crate::domain::Timestamp;
use crate::store::error::RESTORE;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Upgraded {
    from: usize,
    to: usize,
    /// The copy of the old file.
    backup: PathBuf,
}

impl Upgraded {
    /// The log line about it, with the way back.
    fn message(&self, path: &Path) -> String {
        let Self { from, to, backup } = self;
        format!(
            "upgraded the store from schema version {from} to {to}; the old file is kept as {}: to go back, \
                stop serve and its sockets, replace {} with that file, remove the -wal and -shm files beside \
                it, and start the previous version",
            backup.display(),
            path.display()
        )
    }
}

/// Examines the file, sets it up if it is empty, and upgrades it if it is older. `was_used`: an earlier
/// `serve` recorded that this store had notifications. A backup leaves `min_free` bytes of the disk free.
pub(in crate::store) fn bring_up_to_date(
    path: &Path,
    was_used: bool,
    min_free: u64,
    now: Timestamp,
) -> anyhow::Result<()> {
    if let Some(upgraded) = bring_to_end_of(&MIGRATIONS, path, was_used, min_free, now)? {
        log::warn!("{}", upgraded.message(path));
    }
    Ok(())
}

fn bring_to_end_of(
    steps: &[&str],
    path: &Path,
    was_used: bool,
    min_free: u64,
    now: Timestamp,
) -> anyhow::Result<Option<Upgraded>> {
    open::require_writable(path)?;
    let from = match open::examine(path, steps.len())? {
        FileState::Fresh if was_used => bail!(
            "the store {} is empty, but a serve has used it before; {}, or remove it and its .serve-lock if it never \
             held anything",
            path.display(),
            RESTORE
        ),
        FileState::Fresh => return set_up(path).map(|()| None),
        FileState::Version(version) => version,
    };
    damage::probe(&connection::any_reader(path)?, path)?;
    if from == steps.len() {
        return Ok(None);
    }
    upgrade(path, from, steps, min_free, now).map(Some)
}

/// Gives an empty file the newest schema.
pub(in crate::store) fn set_up(path: &Path) -> anyhow::Result<()> {
    let mut conn = connection::writable(path)?;
    let make = |conn: &mut Connection| {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(SCHEMA)?;
        transaction.commit()
    };
    make(&mut conn)
        .with_context(|| format!("cannot set up the store {}; nothing was changed", path.display()))
}

/// Takes the steps of `list` after version `from`.
fn upgrade(
    path: &Path,
    from: usize,
    list: &[&str],
    min_free: u64,
    now: Timestamp,
) -> anyhow::Result<Upgraded> {
    let to = list.len();
    let shown = path.display();
    let backup = match earlier_backup(path, from) {
        Some(backup) => backup,
        None => back_up(path, from, min_free, now).with_context(|| {
            format!("the store {shown} is not upgraded from schema version {from} to {to}, and unchanged")
        })?,
    };
    let mut conn = connection::writable(path)?;
    apply(&mut conn, list).with_context(|| {
        format!(
            "the upgrade of the store {shown} from schema version {from} to {to} failed and was undone as a whole; it is \
             as it was, and {} is a copy of it; start the previous version again, and report this error",
            backup.display()
        )
    })?;
    Ok(Upgraded { from, to, backup })
}

/// Takes all missing steps in one transaction.
fn apply(conn: &mut Connection, list: &[&str]) -> anyhow::Result<()> {
    conn.set_transaction_behavior(TransactionBehavior::Immediate);
    // A step that rebuilds a table drops the old one, and ON DELETE CASCADE would empty the tables that refer
    // to it.
    conn.execute_batch("PRAGMA foreign_keys = OFF")?;
    Migrations::from_iter(list.iter().map(|step| M::up(step))).to_latest(conn)?;
    conn.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok(())
}

fn back_up(path: &Path, from: usize, min_free: u64, now: Timestamp) -> anyhow::Result<PathBuf> {
    let time: String = now.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    let name = |more: String| paths::beside(path, &format!(".v{from}-{time}Z{more}.bak"));
    // A serve that was killed and restarted within a second may have left one with this name.
    let others = (2..100).map(|number| name(format!(".{number}")));
    let free = std::iter::once(name(String::new())).chain(others).find(|target| !target.exists());
    let target = free.unwrap_or_else(|| name(String::new()));
    Backup::prepare(path, &target, false, min_free)?.run()?;
    Ok(target)
}

/// The copy of a failed try, if nothing was written since: a `serve` that is restarted again and again must
/// not fill the disk with copies.
fn earlier_backup(path: &Path, from: usize) -> Option<PathBuf> {
    // A process that only read may have left an empty WAL.
    let written_at =
        |file: &Path| std::fs::metadata(file).ok().filter(|meta| meta.len() > 0)?.modified().ok();
    let log = paths::beside(path, "-wal");
    let last_written = written_at(path)?.max(written_at(&log).unwrap_or(std::time::UNIX_EPOCH));
    let start = format!("{}.v{from}-", path.file_name()?.to_str()?);
    let entries = std::fs::read_dir(paths::folder(path)).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or("");
            name.starts_with(&start) && name.ends_with(".bak")
        })
        .find(|file| written_at(file).is_some_and(|at| at > last_written))
}

#[cfg(test)]
mod tests;
