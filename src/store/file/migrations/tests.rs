//! The machinery of upgrades on a store of version 1 with rows of every kind, by steps that exist for this test alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

const NOW: i64 = 1_750_000_000_000;
const FIRST: &str = MIGRATIONS[0];
const ROWS: &str = include_str!("../../../../data/stores/v1.sql");
const SECOND: &str = "ALTER TABLE orders ADD COLUMN note TEXT; UPDATE orders SET note = order_id;";
const THIRD: &str = "CREATE TABLE extra (n INTEGER) STRICT; INSERT INTO extra SELECT id FROM intake;";
const BROKEN: &str = "INSERT INTO extra VALUES ('no number');";

struct Old {
    folder: tempfile::TempDir,
}

impl Old {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        open::create(&path).unwrap();
        let mut conn = connection::writable(&path).unwrap();
        apply(&mut conn, &[FIRST]).unwrap();
        conn.execute_batch(ROWS).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    fn upgrade(&self, steps: &[&str], min_free: u64) -> anyhow::Result<Upgraded> {
        let done = bring_to_end_of(steps, &self.path(), true, min_free, Timestamp::from_millis(NOW))?;
        Ok(done.expect("an upgrade"))
    }

    fn upgrade_in_a_process(&self) -> Child {
        let upgrade = "store::file::migrations::tests::upgrades_in_a_process_of_its_own";
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", upgrade, "--ignored"])
            .env(STORE, self.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
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
    let conn = Connection::open_with_flags(path, open::reader_flags()).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn text(path: &Path, sql: &str) -> String {
    let conn = Connection::open_with_flags(path, open::reader_flags()).unwrap();
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Every row of every table and view, but for ages, which grow, and for what the steps of these tests add.
fn content(path: &Path) -> Vec<String> {
    let conn = Connection::open_with_flags(path, open::reader_flags()).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT IN ('extra', 'filler', 'open')";
    let mut names = conn.prepare(names).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(names.len() > 20, "{names:?}");
    let mut lines = Vec::new();
    for name in names {
        let mut statement = conn.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = columns.iter().filter(|column| *column != "note");
            let values: Vec<_> =
                values.map(|column| format!("{:?}", row.get_ref(column.as_str()).unwrap())).collect();
            lines.push(format!("{name}: {}", values.join(" ")));
        }
    }
    lines
}

#[test]
fn all_steps_are_taken_at_once_and_a_private_checked_copy_of_before_is_kept() {
    let old = Old::new();
    let before = content(&old.path());
    let upgraded = old.upgrade(&[FIRST, SECOND, THIRD], 1).unwrap();
    let backup = old.folder.path().join("a.db.v1-20250615T150640Z.bak");
    assert_eq!(upgraded, Upgraded { from: 1, to: 3, backup: backup.clone() });
    let message = upgraded.message(&old.path());
    assert!(
        message.contains("a.db.v1-20250615T150640Z.bak")
            && message.contains("to go back, stop serve and its sockets"),
        "{message}"
    );
    assert_eq!(number(&old.path(), "PRAGMA user_version"), 3);
    assert_eq!(number(&old.path(), "SELECT count(*) = (SELECT count(*) FROM intake) FROM extra"), 1);
    assert_eq!(content(&old.path()), before);
    assert_eq!(old.backups(), [backup.as_path()]);
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(number(&backup, "PRAGMA user_version"), 1);
    assert_eq!(content(&backup), before);
    assert_eq!(number(&old.path(), "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(text(&old.path(), "PRAGMA integrity_check"), "ok");
    let again = bring_to_end_of(&[FIRST, SECOND, THIRD], &old.path(), true, 1, Timestamp::from_millis(NOW));
    assert_eq!(again.unwrap(), None, "there is nothing left to upgrade");
    assert_eq!(old.backups().len(), 1);
}

#[test]
fn the_schema_file_is_what_the_migrations_make() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let mut migrated = Connection::open_in_memory().unwrap();
    apply(&mut migrated, &MIGRATIONS).unwrap();
    assert_eq!(described(&conn), described(&migrated));
}

/// The parts of a schema as SQL without comments and line breaks, its version and its application id.
fn described(conn: &Connection) -> Vec<String> {
    let mut statement =
        conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name").unwrap();
    let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut described: Vec<String> = found
        .map(|sql| {
            let sql = sql.unwrap();
            let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or("")).collect();
            let words: Vec<&str> = code.iter().flat_map(|line| line.split_whitespace()).collect();
            words.join(" ").replace("( ", "(").replace(" )", ")").replace(" ,", ",")
        })
        .collect();
    for pragma in ["user_version", "application_id"] {
        let value: i64 = conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
        described.push(format!("{pragma} {value}"));
    }
    described
}

#[test]
fn only_serve_upgrades_and_whoever_else_opens_an_older_store_says_so() {
    let old = Old::new();
    let bytes = fs::read(old.path()).unwrap();
    let error = open::require(&old.path(), 2).unwrap_err().to_string();
    assert!(error.contains("schema version 1") && error.contains("restart `countersign serve`"), "{error}");
    assert!(fs::read(old.path()).unwrap() == bytes, "untouched");
}

/// The variable that tells [`upgrades_in_a_process_of_its_own`] which store.
const STORE: &str = "COUNTERSIGN_TEST_STORE";

#[test]
#[ignore = "the process that the next test kills"]
fn upgrades_in_a_process_of_its_own() {
    let Some(path) = std::env::var_os(STORE) else { return };
    bring_to_end_of(&[FIRST, SECOND, THIRD], Path::new(&path), true, 1, Timestamp::from_millis(NOW)).unwrap();
}

#[test]
fn a_kill_at_any_moment_of_an_upgrade_leaves_the_old_version_or_the_new_one() {
    let old = Old::new();
    assert!(old.upgrade_in_a_process().wait().unwrap().success());
    assert_eq!(number(&old.path(), "PRAGMA user_version"), 3, "one that is not killed upgrades");
    for micros in (0..20).map(|step| step * 2_500) {
        let old = Old::new();
        let before = content(&old.path());
        let mut child = old.upgrade_in_a_process();
        // The moment is the point here: nothing tells of the inside of a transaction.
        std::thread::park_timeout(Duration::from_micros(micros));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = number(&old.path(), "PRAGMA user_version");
        assert!(left == 1 || left == 3, "version {left} after {micros} µs");
        assert_eq!(content(&old.path()), before, "after {micros} µs");
        let steps = [FIRST, SECOND, THIRD];
        bring_to_end_of(&steps, &old.path(), true, 1, Timestamp::from_millis(NOW)).unwrap();
        assert_eq!(number(&old.path(), "PRAGMA user_version"), 3);
        assert_eq!(content(&old.path()), before);
    }
}

#[test]
fn a_failed_step_undoes_earlier_ones_and_leaves_one_copy_after_any_tries() {
    let old = Old::new();
    let bytes = fs::read(old.path()).unwrap();
    for _ in 0..3 {
        let error = format!("{:#}", old.upgrade(&[FIRST, SECOND, THIRD, BROKEN], 1).unwrap_err());
        let backups = old.backups();
        assert_eq!(backups.len(), 1);
        let backup = backups[0].to_string_lossy().into_owned();
        for word in
            ["from schema version 1 to 4 failed", "undone as a whole", &backup, "previous version", "extra"]
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
        fs::copy(paths::beside(path, suffix), paths::beside(&copy, suffix)).unwrap();
    }
    copy
}

#[test]
fn whoever_dies_in_the_middle_leaves_the_old_version_and_at_the_end_the_new_one() {
    let (old, middle, end) = (Old::new(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = content(&old.path());
    let conn = connection::writable(&old.path()).unwrap();
    // So small that the pages written before the commit reach the log.
    conn.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE").unwrap();
    let filler = "CREATE TABLE filler AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000)
                  SELECT n, hex(randomblob(100)) AS text FROM n;";
    conn.execute_batch(&format!("{SECOND}{THIRD}{filler} PRAGMA user_version = 3;")).unwrap();
    let left = as_left(&old.path(), middle.path());
    assert!(fs::metadata(paths::beside(&left, "-wal")).unwrap().len() > 100_000, "pages did reach the log");
    conn.execute_batch("COMMIT").unwrap();
    let done = as_left(&old.path(), end.path());
    for (path, version) in [(&left, 1), (&done, 3)] {
        assert_eq!(number(path, "PRAGMA user_version"), version);
        assert_eq!(content(path), before);
        assert_eq!(text(path, "PRAGMA integrity_check"), "ok");
    }
}
