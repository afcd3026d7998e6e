//! Whose node it is: one writer, one file.

use super::{Shop, assert_same, settled};
use crate::support::Serve;
use crate::support::postgres::Postgres;

/// Copies the file of one shop, which is stopped, to another.
fn copy(from: &Shop, to: &Shop) {
    std::fs::copy(from.env.store_path(), to.env.store_path()).unwrap();
}

#[test]
fn of_two_writers_the_older_stops_and_says_so() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for(&settled("a"), "1");
    assert!(serve.stop().success());
    // A copy of the folder, as of a machine that was cloned: the same file in every way.
    let twin = Shop::new().ledger(&database.keys("a"));
    copy(&shop, &twin);
    let older = shop.serve();
    database.wait_for("SELECT writer FROM countersign.nodes", "2");
    let newer = twin.serve();
    database.wait_for("SELECT writer FROM countersign.nodes", "3");
    twin.sell(&newer, 2, 2);
    database.wait_for(&settled("a"), "2");
    shop.sell(&older, 3, 2);
    older.wait_for_line("the older one stops", |line| line.contains("another serve with this file's id"));
    let warning = shop.wait_for_warning(Some("ledger_refused"));
    assert!(warning.contains("started later"), "{warning}");
    // The newer one goes on.
    twin.sell(&newer, 4, 3);
    database.wait_for(&settled("a"), "3");
    assert_eq!(twin.wait_for_warning(None), "");
    assert_same(&twin, &database, "a");
    assert!(older.stop().success());
}

#[test]
fn a_restored_backup_is_another_file_until_it_takes_the_node_over() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    for id in 1..=5 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
    }
    let backup = shop.env.folder().join("backup.db");
    assert!(shop.env.run(&["backup", backup.to_str().unwrap()]).status.success());
    for id in 6..=9 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
    }
    database.wait_for(&settled("a"), "9");
    assert!(serve.stop().success());
    std::fs::copy(&backup, shop.env.store_path()).unwrap();
    let beside = |ending: &str| shop.env.folder().join(format!("countersign.db{ending}"));
    for ending in ["-wal", "-shm"] {
        drop(std::fs::remove_file(beside(ending)));
    }
    let serve = shop.serve();
    shop.sell(&serve, 20, 6);
    serve.wait_for_line("it is refused", |line| line.contains("another file is this node"));
    let warning = shop.wait_for_warning(Some("ledger_refused"));
    assert!(warning.contains("countersign ledger take-over"), "{warning}");
    let doctor = shop.env.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("another file is this node"), "{doctor:?}");
    assert_eq!(database.value("SELECT count(*) FROM countersign.notifications").as_deref(), Some("9"));
    // Without a terminal and without --yes nothing is done.
    let asked = shop.env.run(&["ledger", "take-over"]);
    assert_eq!(asked.status.code(), Some(1), "{asked:?}");
    assert!(String::from_utf8_lossy(&asked.stderr).contains("--yes"), "{asked:?}");
    assert_eq!(database.value("SELECT count(*) FROM countersign.notifications").as_deref(), Some("9"));
    let taken = shop.env.run(&["ledger", "take-over", "--yes"]);
    assert_eq!(taken.status.code(), Some(0), "{taken:?}");
    database.wait_for(&settled("a"), "6");
    assert_same(&shop, &database, "a");
    assert_eq!(shop.wait_for_warning(None), "");
    let again = shop.env.run(&["ledger", "take-over", "--yes"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stdout).contains("already belongs to this file"), "{again:?}");
    assert_eq!(database.value("SELECT count(*) FROM countersign.notifications").as_deref(), Some("6"));
    assert!(serve.stop().success());
}

#[test]
fn two_files_under_one_node_do_not_mix_and_under_two_they_do_not_meet() {
    let database = Postgres::shared().database();
    let first = Shop::new().ledger(&database.keys("a"));
    let second = Shop::new().ledger(&database.keys("a"));
    let serve = first.serve();
    first.sell(&serve, 1, 1);
    database.wait_for(&settled("a"), "1");
    let other = second.serve();
    second.sell(&other, 7, 1);
    other.wait_for_line("it is refused", |line| line.contains("another file is this node"));
    assert_same(&first, &database, "a");
    assert!(other.stop().success());
    let second = Shop { env: second.env.without_ledger().ledger(&database.keys("b")), ..second };
    let other: Serve = second.serve();
    database.wait_for(&settled("b"), "1");
    assert_same(&first, &database, "a");
    assert_same(&second, &database, "b");
    assert!(other.stop().success());
}
