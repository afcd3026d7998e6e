//! One `serve` a store: an advisory lock on a file beside it, which ends with its process however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::domain::Timestamp;

/// Held for as long as a `serve` runs.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes the lock of the store at `path` for this process.
    ///
    /// # Errors
    /// Another process holds it (the message says which and since when), or the lock file cannot be written.
    pub fn take(path: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let lock_path = lock_path(path);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .with_context(|| format!("cannot open the lock file {}", lock_path.display()))?;
        match file.try_lock() {
            Ok(()) => super::owner::give_to_owner_of_folder(&file, &lock_path)?,
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).unwrap_or_default();
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                bail!("the store {} is held by {}; stop that serve first", path.display(), holder.trim());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "countersign serve, process {}, since {now}", std::process::id())?;
        file.flush()?;
        Ok(Self { _file: file })
    }
}

/// The lock file stands beside the file itself, not beside a link to it: one store, one lock.
fn lock_path(store: &Path) -> PathBuf {
    let store = store.canonicalize().unwrap_or_else(|_| store.to_path_buf());
    let mut name = store.into_os_string();
    name.push(".serve-lock");
    PathBuf::from(name)
}
