//! Advisory locks on files beside the store, which end with their process however that ends. One `serve`
//! holds its lock alone; the lock file also records the last notification id, so that the next `serve`
//! notices if the store has lost something. Any number of `verify` share theirs.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::plain_file;
use crate::domain::Timestamp;
use crate::domain::health::Serving;

/// The suffixes of the lock files.
pub(super) const SERVE: &str = ".serve-lock";
pub(super) const VERIFY: &str = ".verify-lock";

/// The start of the line with the last id.
const MARK: &str = "last notification ";

/// The widths of the two lines: the holder of the lock, and the digits of the last id.
const HOLDER: usize = 80;
const DIGITS: usize = 20;

/// [`holder`] takes the lock for a moment while it looks.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(10);

/// Held for as long as a `serve` runs.
#[derive(Debug)]
pub struct ServeLock {
    file: File,
    holder: String,
    mark: Option<i64>,
}

impl ServeLock {
    /// Takes the lock of the store at `path` for this process.
    ///
    /// # Errors
    /// Another process holds it (the message says which and since when), or the lock file cannot be written.
    pub fn take(path: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let lock_path = lock_path(path, SERVE);
        let cannot = || {
            format!(
                "cannot write the lock file {}; let this user write there, and see that the disk is not full",
                lock_path.display()
            )
        };
        let mut file = plain_file::open_or_create(&lock_path).with_context(cannot)?;
        let mut looks = 0;
        let is_held = loop {
            match file.try_lock() {
                Ok(()) => break false,
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => break true,
                Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
            }
        };
        let mut before = String::new();
        file.read_to_string(&mut before).unwrap_or_default();
        if is_held {
            bail!("the store {} is held by {}; stop that serve first", path.display(), holder_in(&before));
        }
        let holder = format!("countersign serve, process {}, since {now}", std::process::id());
        let mut lock = Self { file, holder, mark: mark_in(&before) };
        lock.write().with_context(cannot)?;
        Ok(lock)
    }

    /// The id of the last notification that an earlier `serve` recorded; `None` if none did.
    #[must_use]
    pub fn mark(&self) -> Option<i64> {
        self.mark
    }

    /// Records that the store has notifications up to this id.
    ///
    /// # Errors
    /// The lock file cannot be written.
    pub fn remember(&mut self, last: i64) -> std::io::Result<()> {
        if self.mark == Some(last) {
            return Ok(());
        }
        self.mark = Some(last);
        self.write()
    }

    /// Overwrites in place, with lines of constant length, and truncates afterwards: if the disk is full, the
    /// old content stays.
    fn write(&mut self) -> std::io::Result<()> {
        let mark = self.mark.map(|mark| format!("{MARK}{mark:<DIGITS$}\n")).unwrap_or_default();
        let content = format!("{:<HOLDER$}\n{mark}", self.holder);
        self.file.write_all_at(content.as_bytes(), 0)?;
        self.file.set_len(u64::try_from(content.len()).unwrap_or(u64::MAX))
    }
}

/// Shared by every running `verify`, so that the leases of one that died can be told from those of one that
/// runs.
#[derive(Debug)]
pub struct VerifyLock {
    file: File,
}

impl VerifyLock {
    /// The lock of the store at `path`, not taken yet.
    ///
    /// # Errors
    /// The lock file cannot be written, or its path is not a plain file.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: plain_file::open_or_create(&lock_path(path, VERIFY))? })
    }

    /// Whether no `verify` runs; if so, none leases anything until this lock is shared or dropped.
    ///
    /// # Errors
    /// The file system supports no locks.
    pub fn is_alone(&self) -> std::io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Shares the lock; waits while a process that holds it alone cleans up.
    ///
    /// # Errors
    /// The file system supports no locks.
    pub fn share(&self) -> std::io::Result<()> {
        self.file.lock_shared()
    }
}

/// Whether a `serve` runs on the store at `path`.
#[must_use]
pub fn holder(path: &Path) -> Serving {
    let mut file = match plain_file::open_to_read(&lock_path(path, SERVE)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Serving::NotRunning,
        Err(_) => return Serving::Unknown,
    };
    match file.try_lock_shared() {
        Ok(()) => Serving::NotRunning,
        Err(TryLockError::WouldBlock) => {
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap_or_default();
            Serving::Elsewhere(holder_in(&content))
        }
        Err(TryLockError::Error(_)) => Serving::Unknown,
    }
}

fn holder_in(content: &str) -> String {
    content
        .lines()
        .next()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .unwrap_or("another process")
        .to_owned()
}

fn mark_in(content: &str) -> Option<i64> {
    content.lines().find_map(|line| line.strip_prefix(MARK)?.trim().parse().ok())
}

/// The lock file is beside the file itself, not beside a link to it: one store, one lock.
fn lock_path(store: &Path, suffix: &str) -> PathBuf {
    let store = store.canonicalize().unwrap_or_else(|_| store.to_path_buf());
    super::paths::beside(&store, suffix)
}
