//! Every schema version that ever landed comes to the newest one, with nothing lost.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign::store::SCHEMA_VERSION;
use rusqlite::{Connection, OpenFlags};

use crate::store::columns::STABLE;
use crate::support::House;

fn sample(version: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/stores/v{version}.db"))
}

/// A house whose store is the sample of this version; none of the sample's sources is configured, so that nobody works
/// on its rows.
fn house(version: usize) -> House {
    let house = House::new().ion_shop("another", 1003, 0);
    // The sample may be one that its owner cannot write.
    std::fs::write(house.store_path(), std::fs::read(sample(version)).unwrap()).unwrap();
    std::fs::set_permissions(house.store_path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    house
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

fn backups(house: &House) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().ends_with(".bak")).collect()
}

#[test]
fn every_schema_version_has_a_sample_with_every_state_and_format() {
    for known in 1..=SCHEMA_VERSION {
        let house = house(known);
        assert_eq!(usize::try_from(version(&house.store_path())), Ok(known));
        for (what, least) in [
            ("DISTINCT provider", 5),
            ("DISTINCT state", 4),
            ("DISTINCT state || coalesce(reason, '')", 20),
            ("DISTINCT typeof(body)", 3),
        ] {
            let found = house.value(&format!("SELECT count({what}) FROM notifications")).unwrap();
            assert!(found.parse::<u32>().unwrap() >= least, "version {known}: {found} {what}");
        }
        for table in ["verifications", "orders", "products", "refusals", "fakes", "open", "daily"] {
            assert_ne!(house.value(&format!("SELECT count(*) FROM \"{table}\"")).unwrap(), "0", "{table}");
        }
    }
}

#[test]
fn each_sample_comes_to_the_newest_version_with_nothing_changed_and_a_copy_beside_it() {
    for known in 1..=SCHEMA_VERSION {
        let house = house(known);
        let before = content(&house.store_path());
        let serve = house.serve_with(&["--no-worker"]);
        let log = serve.log();
        assert_eq!(content(&house.store_path()), before, "version {known}");
        assert!(serve.stop().success());
        assert_eq!(content(&house.store_path()), before, "version {known}");
        assert_eq!(usize::try_from(version(&house.store_path())), Ok(SCHEMA_VERSION));
        assert_eq!(house.value("PRAGMA integrity_check").as_deref(), Some("ok"));
        assert_eq!(house.value("SELECT count(*) FROM pragma_foreign_key_check").as_deref(), Some("0"));
        let late = "SELECT count(*) FROM verdicts WHERE notification_id <
                      ifnull((SELECT first_id FROM hours WHERE hour = substr(received_at, 1, 13)), 1 << 62)";
        assert_eq!(
            house.value(late).as_deref(),
            Some("0"),
            "version {known}: every hour is known from its beginning"
        );
        let kept = backups(&house);
        if known == SCHEMA_VERSION {
            assert!(kept.is_empty() && !log.contains("upgraded"), "{log}");
            continue;
        }
        assert_eq!(kept.len(), 1, "{kept:?}");
        let name = kept[0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with(&format!("countersign.db.v{known}-")), "{name}");
        assert!(log.contains(&name) && log.contains("to go back"), "{log}");
        assert_eq!(std::fs::metadata(&kept[0]).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(usize::try_from(version(&kept[0])), Ok(known));
        assert_eq!(content(&kept[0]), before);
    }
}

#[test]
fn only_serve_upgrades_and_every_other_command_says_so() {
    for known in 1..SCHEMA_VERSION {
        let house = house(known);
        let bytes = std::fs::read(house.store_path()).unwrap();
        for command in [
            &["list"][..],
            &["status"],
            &["report"],
            &["verify"],
            &["retry", "1"],
            &["prune", "--older-than", "1d"],
        ] {
            let output = house.run(command);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{command:?}: {said}");
            assert!(said.contains(&format!("schema version {known}")), "{said}");
            assert!(said.contains("restart `countersign serve`"), "{said}");
        }
        let copy = house.folder().join("copy.db");
        assert!(
            house.run(&["backup", copy.to_str().unwrap()]).status.success(),
            "a copy before is wanted most"
        );
        assert_eq!(usize::try_from(version(&copy)), Ok(known));
        assert!(std::fs::read(house.store_path()).unwrap() == bytes, "untouched");
    }
}

#[test]
fn a_kill_at_any_moment_of_an_upgrade_leaves_the_old_version_or_the_new_one() {
    for known in 1..SCHEMA_VERSION {
        for micros in (0..20).map(|step| step * 2_500) {
            let house = house(known);
            let before = content(&house.store_path());
            let mut command = crate::support::countersign();
            command.arg("--config").arg(house.write_config()).args(["serve", "--no-worker"]);
            command.stderr(std::process::Stdio::null());
            let mut serve = command.spawn().unwrap();
            // The moment is the point here: nothing tells of the inside of a transaction.
            std::thread::park_timeout(Duration::from_micros(micros));
            serve.kill().unwrap();
            serve.wait().unwrap();
            let left = usize::try_from(version(&house.store_path())).unwrap();
            assert!(left == known || left == SCHEMA_VERSION, "version {left} after {micros} µs");
            assert_eq!(content(&house.store_path()), before, "after {micros} µs");
            assert!(house.serve_with(&["--no-worker"]).stop().success());
            assert_eq!(content(&house.store_path()), before);
        }
    }
}

#[test]
fn a_restored_copy_of_a_newer_version_is_refused_untouched() {
    let house = house(SCHEMA_VERSION);
    let conn = Connection::open(house.store_path()).unwrap();
    conn.execute_batch(&format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1)).unwrap();
    drop(conn);
    let bytes = std::fs::read(house.store_path()).unwrap();
    let output = house.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("install the newer countersign"), "{said}");
    assert!(std::fs::read(house.store_path()).unwrap() == bytes && backups(&house).is_empty());
}
