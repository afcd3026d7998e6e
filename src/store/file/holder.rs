//! Finds the process that holds the write lock of a store, from `/proc/locks` (which a sandbox may hide). It does not
//! open the locked file, because closing it would release this process's own locks.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::paths::beside;

/// The byte of the `-shm` file that the writer of a WAL locks
/// (<https://sqlite.org/walformat.html#wal_locks>).
const WRITER: u64 = 120;

/// The bytes of the database that a program without a WAL locks (<https://sqlite.org/lockingv3.html>):
/// pending, reserved, and 510 shared ones.
const WHOLE: (u64, u64) = (0x4000_0000, 0x4000_0000 + 511);

/// The system generates its list anew for each part that is read, so an entry may be missing while locks come
/// and go.
const LOOKS: u32 = 5;

/// The process that holds the write lock of the store at `path`, with its name: `process 4711 (sqlite3)`.
pub(in crate::store) fn of_write_lock(path: &Path) -> String {
    let found = (0..LOOKS).find_map(|_| find(path));
    found.unwrap_or_else(|| "another program".to_owned())
}

fn find(path: &Path) -> Option<String> {
    let inode = |file: &Path| std::fs::metadata(file).map(|meta| meta.ino()).ok();
    let path = path.canonicalize().ok()?;
    let locked = [(inode(&beside(&path, "-shm")), (WRITER, WRITER)), (inode(&path), WHOLE)];
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let us = std::process::id();
    let held = locks.lines().filter_map(Lock::parse).find(|lock| {
        let covers = |(first, last)| lock.first <= last && first <= lock.last;
        lock.pid != us && locked.iter().any(|(inode, bytes)| *inode == Some(lock.inode) && covers(*bytes))
    })?;
    let name = std::fs::read_to_string(format!("/proc/{}/comm", held.pid)).unwrap_or_default();
    let name = name.trim().replace(|c: char| !c.is_ascii_graphic(), "?");
    Some(if name.is_empty() {
        format!("process {}", held.pid)
    } else {
        format!("process {} ({name})", held.pid)
    })
}

/// A lock that excludes others.
#[derive(Debug, PartialEq, Eq)]
struct Lock {
    pid: u32,
    inode: u64,
    first: u64,
    last: u64,
}

impl Lock {
    /// Parses a line such as `3: POSIX  ADVISORY  WRITE 4711 fd:01:1311762 120 120`. `None` for shared locks,
    /// for waiting processes (`->`), and for processes of another namespace.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(1);
        if words.next()? == "->" || words.next()? != "ADVISORY" || words.next()? != "WRITE" {
            return None;
        }
        let pid = words.next()?.parse().ok().filter(|pid| *pid > 0)?;
        let inode = words.next()?.rsplit(':').next()?.parse().ok()?;
        let first = words.next()?.parse().ok()?;
        let last = words.next()?;
        Some(Self { pid, inode, first, last: if last == "EOF" { u64::MAX } else { last.parse().ok()? } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exclusive_locks_that_are_held_by_a_known_process_are_read() {
        let held = Lock::parse("3: POSIX  ADVISORY  WRITE 4711 fd:01:1311762 120 120");
        assert_eq!(held, Some(Lock { pid: 4711, inode: 1_311_762, first: 120, last: 120 }));
        let whole = Lock::parse("1: FLOCK  ADVISORY  WRITE 7 00:1a:5 0 EOF");
        assert_eq!(whole.map(|lock| lock.last), Some(u64::MAX));
        for other in [
            "",
            "3: -> POSIX  ADVISORY  WRITE 4711 fd:01:1311762 120 120",
            "3: POSIX  ADVISORY  READ 4711 fd:01:1311762 120 120",
            "3: POSIX  ADVISORY  WRITE 0 fd:01:1311762 120 120",
            "3: OFDLCK ADVISORY  WRITE -1 fd:01:1311762 120 120",
            "3: POSIX  ADVISORY  WRITE 4711 fd:01:1311762 120",
        ] {
            assert_eq!(Lock::parse(other), None, "{other}");
        }
    }
}
