//! Copies the store while it is in use. `VACUUM INTO` reads in one transaction, so it ends however much is
//! written meanwhile (SQLite's stepwise backup starts over at every commit), and the copy has no free pages.
//! It is written under another name, opened and checked, and only then renamed.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use super::open::{self, FileState};
use super::paths::folder;
use super::schema::SCHEMA_VERSION;
use super::{connection, damage, disk, lock};

/// The tables whose rows are counted, with their names for users.
const COUNTED: [(&str, &str); 5] = [
    ("notifications", "intake"),
    ("verifications", "verifications"),
    ("orders", "orders"),
    ("products", "products"),
    ("refusals", "refusals"),
];

/// The interval at which the copy is synced while it is written.
const SYNC_EVERY: Duration = Duration::from_millis(20);

/// A backup that can begin: all preconditions hold.
#[derive(Debug)]
pub struct Backup {
    store: Connection,
    source: PathBuf,
    target: PathBuf,
    partial: Partial,
    overwrite: bool,
    expected: u64,
    stop: BackupStop,
}

/// A finished and checked backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The size of the file, in bytes.
    pub size: u64,
    /// The number of rows per kind.
    pub rows: Vec<(&'static str, u64)>,
}

/// A handle that ends a running backup; the backup then fails and leaves nothing behind.
#[derive(Clone, Debug, Default)]
pub struct BackupStop(Arc<Mutex<Stopping>>);

#[derive(Default)]
struct Stopping {
    is_asked: bool,
    handle: Option<InterruptHandle>,
}

impl std::fmt::Debug for Stopping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stopping").field("is_asked", &self.is_asked).finish_non_exhaustive()
    }
}

impl BackupStop {
    pub fn stop(&self) {
        if let Ok(mut stopping) = self.0.lock() {
            stopping.is_asked = true;
            if let Some(handle) = &stopping.handle {
                handle.interrupt();
            }
        }
    }

    /// Makes this connection the one to interrupt.
    fn watch(&self, conn: &Connection) -> anyhow::Result<()> {
        if let Ok(mut stopping) = self.0.lock() {
            stopping.handle = Some(conn.get_interrupt_handle());
            if stopping.is_asked {
                bail!("interrupted");
            }
        }
        Ok(())
    }
}

/// The file being written; removed unless it is renamed.
#[derive(Debug)]
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        for suffix in ["", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            // Usually removed already.
            drop(std::fs::remove_file(name));
        }
    }
}

impl Backup {
    /// Checks that the store at `store` can be copied to `target`, which must not exist unless `overwrite`.
    /// On the store's own disk, `min_free` bytes must stay free, because intake needs them.
    ///
    /// # Errors
    /// There is no store, `target` exists or is the store, its folder cannot be written or has no room.
    pub fn prepare(store: &Path, target: &Path, overwrite: bool, min_free: u64) -> anyhow::Result<Self> {
        // Any schema version: a copy is needed most before an upgrade.
        if open::examine(store, SCHEMA_VERSION)? == FileState::Fresh {
            bail!("the store {} is empty; there is nothing to copy", store.display());
        }
        refuse_target(store, target, overwrite)?;
        // Not a reader's connection: a connection that may write nothing cannot write the copy either.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn =
            Connection::open_with_flags(store, flags).map_err(|error| damage::describe(store, &error))?;
        conn.busy_timeout(Duration::from_secs(5))?;
        let expected = size(&conn)?;
        check_room(store, target, expected, min_free)?;
        let partial = partial_path(target)?;
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).with_context(|| {
            format!("cannot write {}; name a file in a folder where you may write", partial.display())
        })?;
        let (target, partial) = (target.to_path_buf(), Partial(partial));
        let (source, stop) = (store.to_path_buf(), BackupStop::default());
        Ok(Self { store: conn, source, target, partial, overwrite, expected, stop })
    }

    /// The approximate size of the copy, in bytes.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// The file that grows during the copy.
    #[must_use]
    pub fn partial(&self) -> &Path {
        &self.partial.0
    }

    /// A handle that ends it early.
    #[must_use]
    pub fn stopper(&self) -> BackupStop {
        self.stop.clone()
    }

    /// Copies, checks the copy, and renames it. Blocks until then.
    ///
    /// # Errors
    /// The copy could not be written, or is not sound; it is removed.
    pub fn run(self) -> anyhow::Result<BackedUp> {
        let shown = self.target.display();
        let path = &self.partial.0;
        let Some(name) = path.to_str() else { bail!("{shown} is not valid UTF-8; name another file") };
        self.stop.watch(&self.store)?;
        let (copied, synced) =
            synced_as_it_grows(path, || self.store.execute("VACUUM INTO ?1", [name]).map(drop));
        copied.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                damage::describe(&self.source, &error)
            }
            _ => anyhow::Error::new(error).context(format!("cannot copy to {shown}")),
        })?;
        synced.with_context(|| format!("cannot write {shown}"))?;
        let cannot = || format!("cannot write {shown}");
        forget_identity(path).with_context(cannot)?;
        let rows = check(path, &self.stop).with_context(|| {
            format!("the copy was not sound and is removed again; check the store and the disk of {shown}")
        })?;
        let file = File::open(path).with_context(cannot)?;
        file.sync_all().with_context(cannot)?;
        let size = file.metadata().with_context(cannot)?.len();
        if !self.overwrite && self.target.symlink_metadata().is_ok() {
            bail!("{shown} came into being meanwhile; name another file");
        }
        std::fs::rename(path, &self.target).with_context(cannot)?;
        File::open(folder(&self.target)).and_then(|folder| folder.sync_all()).with_context(cannot)?;
        Ok(BackedUp { size, rows })
    }
}

/// The copy is another file with an id of its own, because the original may use the same news numbers again.
fn forget_identity(copy: &Path) -> anyhow::Result<()> {
    let conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'identity')";
    // Older versions had no id.
    if conn.query_row(sql, [], |row| row.get(0))? {
        conn.execute("UPDATE identity SET file = NULL", [])?;
    }
    conn.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Syncs the copy while it is written. One sync at the end would delay the notifications that are synced meanwhile.
fn synced_as_it_grows<T>(copy: &Path, write: impl FnOnce() -> T) -> (T, std::io::Result<()>) {
    let is_written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let syncing = scope.spawn(|| {
            let file = File::open(copy)?;
            while !is_written.load(Ordering::Acquire) {
                std::thread::park_timeout(SYNC_EVERY);
                file.sync_data()?;
            }
            Ok(())
        });
        let written = write();
        is_written.store(true, Ordering::Release);
        syncing.thread().unpark();
        (
            written,
            syncing.join().unwrap_or_else(|_| Err(std::io::Error::other("the syncing thread panicked"))),
        )
    })
}

/// The path of the copy; absolute, because the engine would read a name that begins with `file:` as a URI.
fn partial_path(target: &Path) -> anyhow::Result<PathBuf> {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".partial-{}", std::process::id()));
    let folder = folder(target);
    let absolute = folder.canonicalize().with_context(|| {
        format!("cannot write into {}; name a file in a folder where you may write", folder.display())
    })?;
    Ok(absolute.join(name))
}

/// Refuses to overwrite a file without permission, and the store's own files in any case.
fn refuse_target(store: &Path, target: &Path, overwrite: bool) -> anyhow::Result<()> {
    let shown = target.display();
    let Some(name) = target.file_name() else { bail!("{shown} is not a file; name one") };
    let store = store.canonicalize().unwrap_or_else(|_| store.to_path_buf());
    let own = ["", "-wal", "-shm", lock::SERVE, lock::VERIFY].map(|suffix| {
        let mut own = store.clone().into_os_string();
        own.push(suffix);
        PathBuf::from(own)
    });
    let placed = folder(target).canonicalize().map(|folder| folder.join(name));
    let resolved = target.canonicalize();
    if [placed, resolved].iter().flatten().any(|path| own.contains(path)) {
        bail!("{shown} belongs to the store itself; name another file");
    }
    match target.symlink_metadata() {
        Ok(meta) if meta.is_dir() => bail!("{shown} is a folder; name a file in it"),
        Ok(_) if !overwrite => {
            bail!("{shown} already exists; name another file, or overwrite it with --force")
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot look at {shown}"))
        }
        _ => Ok(()),
    }
}

/// The size of the pages in use.
fn size(conn: &Connection) -> anyhow::Result<u64> {
    let pragma = |name: &str| {
        conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
            .map(|value| u64::try_from(value).unwrap_or(0))
    };
    Ok(pragma("page_count")?.saturating_sub(pragma("freelist_count")?).saturating_mul(pragma("page_size")?))
}

fn check_room(store: &Path, target: &Path, expected: u64, min_free: u64) -> anyhow::Result<()> {
    let device = |path: &Path| std::fs::metadata(path).map(|meta| meta.dev()).ok();
    let is_same_disk = device(folder(target)) == device(store);
    let reserved = if is_same_disk { min_free } else { 0 };
    match disk::free_disk(target) {
        Some(free) if free < expected.saturating_add(reserved) => {
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let also = if is_same_disk {
                format!(" and intake needs {} MiB ([store] min_free)", mebibytes(min_free))
            } else {
                String::new()
            };
            bail!(
                "the disk of {} has {} MiB free, but the copy needs {} MiB{also}; make room or choose another disk",
                target.display(),
                mebibytes(free),
                mebibytes(expected)
            )
        }
        _ => Ok(()),
    }
}

/// Opens the copy, lets SQLite check all of it, and counts its rows.
fn check(copy: &Path, stop: &BackupStop) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let conn = connection::any_reader(copy)?;
    stop.watch(&conn)?;
    let found: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        bail!("{found}");
    }
    let mut rows = Vec::with_capacity(COUNTED.len());
    for (what, table) in COUNTED {
        let count: i64 = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        rows.push((what, u64::try_from(count).unwrap_or(0)));
    }
    Ok(rows)
}
