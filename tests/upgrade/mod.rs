//! A store that is there already: of this schema version, made by hand, or of a newer one. The library tests upgrades.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign::store::SCHEMA_VERSION;
use rusqlite::{Connection, OpenFlags};

use crate::store::columns::STABLE;
use crate::support::{TestEnv, ion};

/// Makes a store by the schema file alone, as `sqlite3` would.
fn make(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    conn.execute_batch(include_str!("../../sql/schema.sql")).unwrap();
    conn
}

/// Makes a store with rows of every format, state and reason.
pub(crate) fn make_sample(path: &Path) {
    make(path).execute_batch(include_str!("../../data/stores/v1.sql")).unwrap();
}

/// An environment whose store is the sample; none of the sample's sources is configured, so nothing works on its rows.
fn env() -> TestEnv {
    let env = TestEnv::new().ion_shop("another", 1003, 0);
    make_sample(&env.store_path());
    env
}

/// Everything that users may rely on, value by value; without ages, which grow.
pub(crate) fn content(path: &Path) -> Vec<String> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut lines = Vec::new();
    for (table, columns) in STABLE {
        let columns: Vec<&str> = columns.split_whitespace().filter(|column| *column != "age").collect();
        let list = columns.join(", ");
        let mut statement = conn.prepare(&format!("SELECT {list} FROM \"{table}\" ORDER BY {list}")).unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> =
                (0..columns.len()).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            lines.push(format!("{table}: {}", values.join(" ")));
        }
    }
    lines
}

fn version(path: &Path) -> i64 {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn backups(env: &TestEnv) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(env.folder()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().ends_with(".bak")).collect()
}

#[test]
fn the_sample_has_every_state_and_format() {
    let env = env();
    assert_eq!(usize::try_from(version(&env.store_path())), Ok(SCHEMA_VERSION));
    for (what, least) in [
        ("DISTINCT provider", 5),
        ("DISTINCT state", 4),
        ("DISTINCT state || coalesce(reason, '')", 20),
        ("DISTINCT typeof(body)", 3),
    ] {
        let found = env.value(&format!("SELECT count({what}) FROM notifications")).unwrap();
        assert!(found.parse::<u32>().unwrap() >= least, "{found} {what}");
    }
    for table in ["verifications", "orders", "products", "refusals", "fakes", "open", "daily"] {
        assert_ne!(env.value(&format!("SELECT count(*) FROM \"{table}\"")).unwrap(), "0", "{table}");
    }
}

#[test]
fn serve_changes_nothing_in_a_store_of_its_version_and_copies_none() {
    let env = env();
    let before = content(&env.store_path());
    let serve = env.serve_with(&["--no-worker"]);
    let log = serve.log();
    assert_eq!(content(&env.store_path()), before);
    assert!(serve.stop().success());
    assert_eq!(content(&env.store_path()), before);
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    assert_eq!(env.value("SELECT count(*) FROM pragma_foreign_key_check").as_deref(), Some("0"));
    let late = "SELECT count(*) FROM verdicts WHERE notification_id <
                  ifnull((SELECT first_id FROM hour_index WHERE hour = substr(received_at, 1, 13)), 1 << 62)";
    assert_eq!(env.value(late).as_deref(), Some("0"), "every hour is known from its beginning");
    assert!(backups(&env).is_empty() && !log.contains("upgraded"), "{log}");
}

#[test]
fn the_schema_file_alone_makes_a_store_that_every_command_opens() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    drop(make(&env.store_path()));
    let list = env.run(&["list"]);
    assert_eq!(list.status.code(), Some(0), "{}", String::from_utf8_lossy(&list.stderr));
    let serve = env.serve();
    assert_eq!(serve.post("shop", ion(1003, "1", "ACCEPTED")).status, 200);
    serve.settled(1);
    assert_eq!(env.rows()[0].state, "confirmed");
    assert!(serve.stop().success());
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
}

#[test]
fn a_restored_copy_of_a_newer_version_is_refused_untouched() {
    let env = env();
    let conn = Connection::open(env.store_path()).unwrap();
    conn.execute_batch(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1)).unwrap();
    drop(conn);
    let bytes = std::fs::read(env.store_path()).unwrap();
    let output = env.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("install the newer countersign"), "{said}");
    assert!(std::fs::read(env.store_path()).unwrap() == bytes && backups(&env).is_empty());
}
