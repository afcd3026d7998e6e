//! Damage: how it is detected and reported, and that nothing is written to a damaged store.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::paths::folder;
use super::{holder, plain_file};
use crate::store::error::{RESTORE, Result, StoreError};

/// SQLite's error as a message, with what to do.
pub(super) fn describe(path: &Path, error: &rusqlite::Error) -> anyhow::Error {
    let shown = path.display();
    let words = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!(
            "the store {shown} cannot be read as a SQLite database ({error}): it is damaged, or another kind of file; \
             {RESTORE}"
        ),
        Some(ErrorCode::DatabaseCorrupt) => format!("the store {shown} is damaged ({error}); {RESTORE}"),
        Some(ErrorCode::DiskFull) => format!("the disk of the store {shown} is full; make room on it"),
        Some(ErrorCode::SystemIoFailure) => format!(
            "the disk of the store {shown} is full or fails ({error}); make room on it, and look into the system's log \
             (dmesg) for errors of the disk"
        ),
        Some(ErrorCode::ReadOnly) => format!(
            "this user may not write the store {shown} or its folder {} ({error}); run as the store's owner, and see \
             that its disk is not mounted read-only",
            folder(path).display()
        ),
        Some(ErrorCode::CannotOpen) => format!(
            "cannot open the store {shown}, or the -wal and -shm files beside it ({error}); run as the store's owner, \
             who has to be able to write in {}, and see that the disk is not full",
            folder(path).display()
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!(
                "the store {shown} is locked by {}; close that program, and try again",
                holder::of_write_lock(path)
            )
        }
        _ => format!("the store {shown} failed: {error}"),
    };
    anyhow::Error::msg(words)
}

/// Whether a WAL has a valid header: SQLite takes one with a broken header for empty, and overwrites it. An
/// empty file, or a header of zeros, is what a crash leaves of a WAL that never held anything.
pub(super) fn is_sound_log(log: &Path) -> bool {
    // A serve may be writing the header at this moment.
    (0..3).any(|_| match head(log) {
        Some(head) => head == [0; HEAD] || is_sound_head(&head),
        None => true,
    })
}

const HEAD: usize = 32;

fn head(log: &Path) -> Option<[u8; HEAD]> {
    let mut head = [0; HEAD];
    plain_file::open_to_read(log).ok()?.read_exact(&mut head).ok()?;
    Some(head)
}

/// The magic number and the checksum, <https://sqlite.org/fileformat2.html#the_write_ahead_log>.
fn is_sound_head(head: &[u8; HEAD]) -> bool {
    let bytes = |at: usize| [head[at], head[at + 1], head[at + 2], head[at + 3]];
    let word = |at: usize| u32::from_be_bytes(bytes(at));
    let sums_big_endian = match word(0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return false,
    };
    let summed = |at: usize| if sums_big_endian { word(at) } else { u32::from_le_bytes(bytes(at)) };
    let sums = (0..24).step_by(8).fold((0_u32, 0_u32), |(first, second), at| {
        let first = first.wrapping_add(summed(at)).wrapping_add(second);
        (first, second.wrapping_add(summed(at + 4)).wrapping_add(first))
    });
    sums == (word(24), word(28))
}

/// Reads the schema and the first and last row of every table: as much as a `serve` can afford at its start,
/// however large the store is. SQLite itself compares the file's length with the page count in its header.
/// `doctor` reads everything.
pub(super) fn probe(conn: &Connection, path: &Path) -> anyhow::Result<()> {
    let look = || -> rusqlite::Result<()> {
        let mut tables =
            conn.prepare("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")?;
        let tables: Vec<(String, bool)> =
            tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (name, is_without_rowid) in tables {
            let name = name.replace('"', "\"\"");
            let orders: &[&str] =
                if is_without_rowid { &[""] } else { &["ORDER BY rowid", "ORDER BY rowid DESC"] };
            for order in orders {
                let row = format!("SELECT * FROM \"{name}\" {order} LIMIT 1");
                conn.prepare(&row)?.query_row([], |_| Ok(())).optional()?;
            }
        }
        Ok(())
    };
    look().map_err(|error| describe(path, &error))
}

/// The damage found while the store is open, shared by its writer and its readers. After damage, nothing is written
/// until the process ends, because every write may make it worse.
#[derive(Clone, Debug)]
pub(in crate::store) struct Damage {
    path: Arc<PathBuf>,
    met: Arc<OnceLock<String>>,
}

impl Damage {
    pub(in crate::store) fn none(path: &Path) -> Self {
        Self { path: Arc::new(path.to_path_buf()), met: Arc::default() }
    }

    pub(in crate::store) fn met(&self) -> Option<&str> {
        self.met.get().map(String::as_str)
    }

    /// Fails once damage was found.
    pub(in crate::store) fn refuse(&self) -> Result<()> {
        self.met().map_or(Ok(()), |met| Err(StoreError::Damaged(met.to_owned())))
    }

    /// Remembers damage and logs it, once.
    pub(in crate::store) fn note<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(StoreError::Damaged(met)) = &done
            && self.met.set(met.clone()).is_ok()
        {
            log::error!(
                "the store {} is damaged ({met}): nothing is written to it any more and every notification is answered \
                 503; {RESTORE}",
                self.path.display()
            );
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_real_log_is_sound_and_each_flipped_bit_of_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE a (b)").unwrap();
        let log = folder.path().join("a.db-wal");
        assert!(is_sound_log(&log));
        let head = head(&log).unwrap();
        for bit in 0..HEAD * 8 {
            let mut flipped = head;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_sound_head(&flipped), "bit {bit}");
        }
    }

    #[test]
    fn what_a_crash_leaves_of_an_unused_log_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.db-wal");
        assert!(is_sound_log(&log), "none");
        for left in [&[][..], &[1, 2, 3], &[0; 4096]] {
            std::fs::write(&log, left).unwrap();
            assert!(is_sound_log(&log), "{} bytes", left.len());
        }
        std::fs::write(&log, [7; 4096]).unwrap();
        assert!(!is_sound_log(&log));
    }
}
