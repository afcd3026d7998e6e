//! Flipped bytes and lost ends of the file itself.

use super::{assert_all_fail, assert_doctor, assert_failed, change, root_page, stocked};
use crate::support::formats::{ORDERS, SHOP};

#[test]
fn a_broken_first_page_is_said() {
    let env = stocked();
    change(&env.store_path(), |bytes| bytes[3] ^= 0xff);
    assert_all_fail(&env, &["cannot be read as a SQLite database", "put a backup in its place"]);
}

#[test]
fn a_first_page_that_lost_its_version_is_no_fresh_store() {
    let env = stocked();
    // The schema version, and who made the file.
    change(&env.store_path(), |bytes| bytes[60..64].fill(0));
    assert_all_fail(&env, &["no schema version that ever was", "put a backup in its place"]);
    let env = stocked();
    change(&env.store_path(), |bytes| bytes[68..72].fill(0));
    assert_all_fail(&env, &["is a database of another program"]);
}

#[test]
fn a_broken_page_of_a_table_is_said() {
    let env = stocked();
    let at = root_page(&env, "verdicts");
    change(&env.store_path(), |bytes| bytes[at..at + 64].fill(0x5a));
    assert_all_fail(&env, &["is damaged", "put a backup in its place"]);
}

#[test]
fn a_broken_page_that_only_some_need_is_found_by_serve_and_doctor() {
    let env = stocked();
    let at = root_page(&env, "products");
    change(&env.store_path(), |bytes| bytes[at..at + 64].fill(0x5a));
    assert_failed(&env.run(&["serve"]), "serve", &["is damaged", "put a backup in its place"]);
    assert_doctor(&env, &["is damaged"]);
    assert!(env.run(&["list"]).status.success(), "what can be read is shown");
}

#[test]
fn an_index_that_does_not_fit_its_table_is_found_by_doctor() {
    let env = stocked();
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema
           WHERE name IN ('orders_to_empty', 'products_to_empty')) - rootpage
         WHERE name IN ('orders_to_empty', 'products_to_empty')",
    )
    .unwrap();
    drop(conn);
    assert_doctor(&env, &["is damaged", "orders_to_empty"]);
}

#[test]
fn a_truncated_file_is_said() {
    for left in [4096 * 20, 4096 * 2 + 100, 50] {
        let env = stocked();
        change(&env.store_path(), |bytes| bytes.truncate(left));
        assert_all_fail(&env, &["put a backup in its place"]);
    }
}

#[test]
fn an_empty_file_where_a_store_was_is_not_set_up_anew() {
    let env = stocked();
    change(&env.store_path(), Vec::clear);
    assert_all_fail(&env, &["is empty", "put a backup in its place"]);
    assert_eq!(std::fs::metadata(env.store_path()).unwrap().len(), 0);
}

#[test]
fn damage_met_while_serving_stops_all_writing_and_is_said_once() {
    let env = stocked();
    let at = root_page(&env, "verdicts_by_time");
    change(&env.store_path(), |bytes| bytes[at..at + 64].fill(0x5a));
    assert_doctor(&env, &["is damaged"]);
    let serve = env.serve();
    let first = serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
    assert!([200, 503].contains(&first.status), "stored, or refused: {}", first.status);
    serve.wait_for_line("it is said", |line| line.contains("ERROR") && line.contains("is damaged"));
    for _ in 0..3 {
        let answer = serve.send(&SHOP.request(SHOP.truth(ORDERS[1])));
        assert_eq!(answer.status, 503);
        assert!(answer.header("retry-after").is_some());
    }
    let ready = serve.admin_page("/readyz");
    let told: serde_json::Value = serde_json::from_str(&ready.text()).unwrap();
    assert_eq!(ready.status, 503);
    let failing = told["failing"].as_array().unwrap();
    assert!(failing.iter().any(|name| name == "store_sound"), "{told}");
    assert_eq!(serve.admin_page("/healthz").status, 200, "it goes on, and is not started again and again");
    let log = serve.log();
    let said: Vec<&str> =
        log.lines().filter(|line| line.contains("is damaged") && line.contains("ERROR")).collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].contains("stop serve and its sockets"), "{said:?}");
    assert!(said[0].contains("put a backup in its place"), "{said:?}");
    assert!(serve.stop().success());
}
