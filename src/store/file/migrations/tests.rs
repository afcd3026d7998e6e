//! The machinery of upgrades on a real store of version 1, with steps that exist for this test alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: i64 = 1_750_000_000_000;
const FIRST: &str = include_str!("../../../../sql/migrations/0001_initial.sql");
const SECOND: &str = "ALTER TABLE orders ADD COLUMN note TEXT; UPDATE orders SET note = order_id;";
const THIRD: &str = "CREATE TABLE extra (n INTEGER) STRICT; INSERT INTO extra SELECT id FROM intake;";
const BROKEN: &str = "INSERT INTO extra VALUES ('no number');";

struct Old {
    folder: tempfile::TempDir,
}

impl Old {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/stores/v1.db");
        fs::write(folder.path().join("a.db"), fs::read(sample).unwrap()).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    fn upgrade(&self, list: &[&str], min_free: u64) -> anyhow::Result<Upgraded> {
        upgrade(&self.path(), 1, list, min_free, Timestamp::from_millis(NOW))
    }

    fn backups(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<PathBuf> =
            entries.filter(|path| path.to_string_lossy().ends_with(".bak")).collect();
        found.sort();
        found
    }
}

fn number(path: &Path, sql: &str) -> i64 {
    let conn = Connection::open_with_flags(path, connection::reader_flags()).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn text(path: &Path, sql: &str) -> String {
    let conn = Connection::open_with_flags(path, connection::reader_flags()).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

const CONTENT: &str =
    "SELECT group_concat(quote(id) || quote(body) || quote(state) || quote(reason) || quote(claim))
                       FROM (SELECT * FROM notifications ORDER BY id)";

#[test]
fn all_steps_are_taken_at_once_and_a_private_checked_copy_of_before_is_kept() {
    let old = Old::new();
    let before = text(&old.path(), CONTENT);
    let upgraded = old.upgrade(&[FIRST, SECOND, THIRD], 1).unwrap();
    let backup = old.folder.path().join("a.db.v1-20250615T150640Z.bak");
    assert_eq!(upgraded, Upgraded { from: 1, to: 3, backup: backup.clone() });
    assert_eq!(number(&old.path(), "PRAGMA user_version"), 3);
    assert_eq!(number(&old.path(), "SELECT count(*) = (SELECT count(*) FROM intake) FROM extra"), 1);
    assert_eq!(text(&old.path(), CONTENT), before);
    assert_eq!(old.backups(), [backup.as_path()]);
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(number(&backup, "PRAGMA user_version"), 1);
    assert_eq!(text(&backup, CONTENT), before);
    assert_eq!(number(&old.path(), "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

#[test]
fn a_step_that_fails_undoes_those_before_it_and_leaves_one_copy_however_often_it_is_tried() {
    let old = Old::new();
    let bytes = fs::read(old.path()).unwrap();
    for _ in 0..3 {
        let error = format!("{:#}", old.upgrade(&[FIRST, SECOND, THIRD, BROKEN], 1).unwrap_err());
        let backups = old.backups();
        assert_eq!(backups.len(), 1);
        let backup = backups[0].to_string_lossy().into_owned();
        for word in
            ["from schema version 1 to 4 failed", "undone as a whole", &backup, "of before again", "extra"]
        {
            assert!(error.contains(word), "{word:?} is not in {error}");
        }
        assert_eq!(number(&old.path(), "PRAGMA user_version"), 1);
        assert!(fs::read(old.path()).unwrap() == bytes, "the file is as it was");
    }
}

#[test]
fn what_was_written_since_a_failed_try_is_copied_again() {
    let old = Old::new();
    drop(old.upgrade(&[FIRST, BROKEN], 1));
    let first = old.backups();
    let older = fs::File::options().write(true).open(&first[0]).unwrap();
    older.set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::rename(&first[0], old.folder.path().join("a.db.v1-20200101T000000Z.bak")).unwrap();
    drop(old.upgrade(&[FIRST, BROKEN], 1));
    assert_eq!(old.backups().len(), 2);
}

#[test]
fn without_room_for_the_copy_nothing_is_done() {
    let old = Old::new();
    let bytes = fs::read(old.path()).unwrap();
    let error = format!("{:#}", old.upgrade(&[FIRST, SECOND], u64::MAX).unwrap_err());
    assert!(error.contains("is not upgraded") && error.contains("make room"), "{error}");
    assert_eq!(old.backups(), [] as [PathBuf; 0]);
    assert!(fs::read(old.path()).unwrap() == bytes);
}

/// The files as a process that dies now would leave them.
fn as_left(path: &Path, to: &Path) -> PathBuf {
    let copy = to.join("left.db");
    for suffix in ["", "-wal"] {
        fs::copy(open::beside(path, suffix), open::beside(&copy, suffix)).unwrap();
    }
    copy
}

#[test]
fn whoever_dies_in_the_middle_leaves_the_old_version_and_at_the_end_the_new_one() {
    let (old, middle, end) = (Old::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = text(&old.path(), CONTENT);
    let conn = connection::writable(&old.path()).unwrap();
    // So small that the pages written before the commit reach the log.
    conn.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE").unwrap();
    let filler = "CREATE TABLE filler AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
                  SELECT n, hex(randomblob(100)) AS text FROM n;";
    conn.execute_batch(&format!("{SECOND}{THIRD}{filler} PRAGMA user_version = 3;")).unwrap();
    let left = as_left(&old.path(), middle.path());
    assert!(fs::metadata(open::beside(&left, "-wal")).unwrap().len() > 100_000, "pages did reach the log");
    conn.execute_batch("COMMIT").unwrap();
    let done = as_left(&old.path(), end.path());
    for (path, version) in [(&left, 1), (&done, 3)] {
        assert_eq!(number(path, "PRAGMA user_version"), version);
        assert_eq!(text(path, CONTENT), before);
        assert_eq!(text(path, "PRAGMA integrity_check"), "ok");
    }
}
