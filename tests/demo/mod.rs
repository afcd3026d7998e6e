//! `countersign demo`, as a newcomer runs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};

use crate::support::countersign;

/// The SQL of each query that the output offers, and the file that it names.
fn queries(output: &str) -> Vec<(PathBuf, String)> {
    let commands = output.lines().filter_map(|line| line.trim().strip_prefix("sqlite3 -header -column "));
    let parts = commands.filter_map(|command| command.strip_suffix('"')?.split_once(" \""));
    parts.map(|(path, sql)| (PathBuf::from(path), sql.to_owned())).collect()
}

fn rows(conn: &Connection, sql: &str) -> usize {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |_| Ok(())).unwrap();
    rows.map(Result::unwrap).count()
}

fn value(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn demo_settles_every_format_as_the_contract_says_and_leaves_a_store_to_look_into() {
    let temporary = tempfile::tempdir().unwrap();
    let ended = countersign().arg("demo").env("TMPDIR", temporary.path()).output().unwrap();
    let output = String::from_utf8(ended.stdout).unwrap();
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), errors.as_str()), (Some(0), ""), "{output}");
    for word in ["ecwid-ion", "ecwid", "kinguin-postback", "kinguin", "midas"] {
        assert!(output.contains(&format!("  {word}  ")), "{word}\n{output}");
    }
    assert!(output.ends_with("Every verdict is what the contract says.\n"), "{output}");
    assert!(!output.contains('\u{1b}'), "colours are for terminals\n{output}");

    assert!(output.contains("The owner's actions received every confirmed change once, and no fake:\n"));
    for told in [
        "  erp   url      8 times\n",
        "  ship  command  8 times\n",
        "  tell  mail     8 times; one of them: 1207: PAID, 24.5 (oldshop)\n",
    ] {
        assert!(output.contains(told), "{told}\n{output}");
    }

    let queries = queries(&output);
    assert_eq!(queries.len(), 3, "{output}");
    let store = &queries[0].0;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(store), mode(store.parent().unwrap())), (0o600, 0o700));
    let conn = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    for (path, sql) in &queries {
        assert_eq!(path, store);
        assert!(rows(&conn, sql) > 0, "{sql}");
    }
    let settled = "SELECT count(DISTINCT provider) FROM notifications WHERE state = 'confirmed'";
    assert_eq!(value(&conn, settled), 5);
    assert_eq!(value(&conn, "SELECT count(*) FROM open"), 0);
    assert_eq!(
        value(&conn, "SELECT count(*) FROM deliveries WHERE state = 'delivered' AND attempts = 1"),
        24
    );
    let lines = std::fs::read_to_string(store.with_file_name("told.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 8, "{lines}");
    let refused = "SELECT sum(count) FROM refusals WHERE cause IN ('wrong_path_token', 'wrong_signature', 'wrong_secret')";
    assert_eq!(value(&conn, refused), 5);

    let config = store.with_file_name("countersign.toml");
    let shown = countersign().arg("--config").arg(config).args(["show", "1"]).output().unwrap();
    assert!(shown.status.success() && String::from_utf8_lossy(&shown.stdout).contains("confirmed: match"));
}

#[test]
fn demo_without_a_place_for_its_files_fails_in_one_line_that_says_what_to_do() {
    let ended = countersign().arg("demo").env("TMPDIR", "/nonexistent").output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("TMPDIR"), "{errors}");
}
