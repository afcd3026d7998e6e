//! Disk usage of a store, and free space.

use std::path::Path;

use super::paths;

/// The size of the WAL beside the store, in bytes; 0 if there is none.
#[must_use]
pub fn wal_size(store: &Path) -> u64 {
    file_size(&paths::beside(store, "-wal"))
}

/// The size of the store's file, in bytes; 0 if there is none.
#[must_use]
pub fn file_size(store: &Path) -> u64 {
    std::fs::metadata(store).map_or(0, |meta| meta.len())
}

/// Free space for this user on the disk that holds `store`, in bytes; `None` if the system does not tell.
#[must_use]
pub fn free_disk(store: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(paths::folder(store)).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
