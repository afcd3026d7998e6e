//! `backup`, and the way back.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign::store::SCHEMA_VERSION;

use super::{SHOP, Shop, done, failed, order};
use crate::support::{assert_verdict, countersign};

fn stocked() -> (Shop, PathBuf) {
    let shop = Shop::new();
    shop.came_in(3, SHOP, order(1, "e-1"));
    shop.came_in(3, SHOP, order(77, "e-2"));
    shop.settle();
    let folder = shop.env.folder().join("backups");
    std::fs::create_dir(&folder).unwrap();
    (shop, folder.join("copy.db"))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn backup(shop: &Shop, copy: &Path) -> std::process::Output {
    shop.env.run(&["backup", copy.to_str().unwrap()])
}

#[test]
fn a_backup_beside_a_running_serve_is_one_private_file_whose_rows_are_told() {
    let (shop, copy) = stocked();
    let _serve = shop.env.serve();
    let said = done(&backup(&shop, &copy));
    assert!(said.ends_with("2 notifications, 2 verifications, 1 orders, 0 products, 0 refusals\n"), "{said}");
    assert!(said.starts_with(&format!("wrote {} (", copy.display())), "{said}");
    assert_eq!(names_in(copy.parent().unwrap()), ["copy.db"]);
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    let conn = rusqlite::Connection::open(&copy).unwrap();
    for (pragma, value) in
        [("user_version", i64::try_from(SCHEMA_VERSION).unwrap()), ("application_id", 1_668_641_646)]
    {
        let found: i64 = conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap();
        assert_eq!(found, value, "{pragma}");
    }
}

#[test]
fn a_restored_backup_serves_lists_and_still_knows_what_was_confirmed() {
    let (shop, copy) = stocked();
    let serve = shop.env.serve();
    done(&backup(&shop, &copy));
    serve.kill();
    let restored = Shop::new();
    std::fs::copy(&copy, restored.env.store_path()).unwrap();
    let serve = restored.env.serve();
    let listed = done(&restored.env.run(&["list", "--json"]));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(restored.daily(), shop.daily());
    assert_eq!(serve.post("shop", order(1, "e-1")).status, 200);
    serve.settled(3);
    assert_verdict(&restored.env.row(3), "ignored", "duplicate");
    assert!(serve.stop().success());
}

#[test]
fn an_existing_file_is_replaced_only_with_force() {
    let (shop, copy) = stocked();
    std::fs::write(&copy, "something else").unwrap();
    let said = failed(&backup(&shop, &copy), 1);
    assert!(said.contains("already exists") && said.contains("--force"), "{said}");
    assert_eq!(std::fs::read(&copy).unwrap(), b"something else");
    done(&shop.env.run(&["backup", "--force", copy.to_str().unwrap()]));
    assert!(std::fs::read(&copy).unwrap().starts_with(b"SQLite format 3"));
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(names_in(copy.parent().unwrap()), ["copy.db"]);
}

#[test]
fn the_store_itself_is_never_the_target() {
    let (shop, copy) = stocked();
    let store = shop.env.store_path();
    let link = copy.with_file_name("link.db");
    std::os::unix::fs::symlink(&store, &link).unwrap();
    let wal = PathBuf::from(format!("{}-wal", store.display()));
    for target in [&store, &link, &wal, &shop.env.folder().join("backups/../countersign.db")] {
        let said = failed(&shop.env.run(&["backup", "--force", target.to_str().unwrap()]), 1);
        assert!(said.contains("belongs to the store itself"), "{said}");
    }
    assert_eq!(shop.ids(), [1, 2]);
}

#[test]
fn what_stands_in_the_way_is_said_and_leaves_nothing_behind() {
    let (shop, copy) = stocked();
    let folder = copy.parent().unwrap();
    let said = failed(&backup(&shop, folder), 1);
    assert!(said.contains("is a folder"), "{said}");
    let said = failed(&backup(&shop, &folder.join("nowhere/copy.db")), 1);
    assert!(said.contains("cannot write"), "{said}");
    let shop = shop.store_keys("min_free = \"900000GiB\"");
    let said = failed(&backup(&shop, &copy), 1);
    assert!(said.contains("make room") && said.contains("min_free"), "{said}");
    assert_eq!(names_in(folder), [] as [&str; 0]);
    let empty = Shop::new();
    let said = failed(&backup(&empty, &copy), 1);
    assert!(said.contains("there is no store"), "{said}");
    assert!(!empty.env.store_path().exists() && !copy.exists());
}

#[test]
fn a_copy_that_is_not_sound_is_removed_again() {
    let (shop, copy) = stocked();
    // Two indexes change their places: the row of `orders` is missing from its own.
    shop.sql(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema
           WHERE name IN ('orders_to_empty', 'products_to_empty')) - rootpage
         WHERE name IN ('orders_to_empty', 'products_to_empty')",
    );
    let said = failed(&backup(&shop, &copy), 1);
    assert!(said.contains("not sound") && said.lines().count() == 1, "{said}");
    assert_eq!(names_in(copy.parent().unwrap()), [] as [&str; 0]);
}

#[test]
fn a_name_that_begins_like_a_uri_is_a_name() {
    let (shop, copy) = stocked();
    let folder = copy.parent().unwrap();
    let config = shop.env.write_config();
    let mut command = countersign();
    command.current_dir(folder).arg("--config").arg(config).args(["backup", "file:copy.db?mode=memory"]);
    done(&command.output().unwrap());
    assert_eq!(names_in(folder), ["file:copy.db?mode=memory"]);
}
