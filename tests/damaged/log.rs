//! What a crash leaves beside the store, and what may happen to it then.

use std::sync::LazyLock;

use super::{Remains, assert_all_fail, beside, change};
use crate::support::TestEnv;
use crate::support::formats::{self, ORDERS, SHOP};

/// An environment whose serve died, and whose last notification is only in the write-ahead log.
fn crashed() -> TestEnv {
    static REMAINS: LazyLock<Remains> = LazyLock::new(|| {
        let env = formats::env();
        let serve = env.serve();
        serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
        serve.settled(1);
        serve.wait_for_line("it left word", |line| line.contains("recorded last_id=1"));
        serve.kill();
        assert!(std::fs::metadata(beside(&env, "-wal")).unwrap().len() > 0);
        Remains::of(&env)
    });
    REMAINS.env()
}

#[test]
fn what_a_lost_log_held_is_missed_by_the_next_serve() {
    let env = crashed();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(beside(&env, suffix)).unwrap();
    }
    let serve = env.serve();
    let said =
        serve.wait_for_line("it misses some", |line| line.contains("WARN") && line.contains("ends at"));
    for word in ["ends at notification 0", "stored up to 1", "-wal file", "reconcile --recover"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[0]))).status, 200, "it goes on all the same");
    serve.settled(1);
    assert!(serve.stop().success());
    let serve = env.serve();
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[1]))).status, 200);
    serve.settled(2);
    assert!(!serve.log().contains("ends at notification"), "it is said once");
}

#[test]
fn a_broken_log_is_neither_ignored_nor_written_over() {
    let env = crashed();
    let log = beside(&env, "-wal");
    let sound = std::fs::read(&log).unwrap();
    change(&log, |bytes| bytes[0..32].fill(0xa5));
    assert_all_fail(&env, &["write-ahead log", "is damaged", "put a backup in its place"]);
    std::fs::write(&log, &sound).unwrap();
    change(&log, |bytes| bytes[25] ^= 1);
    assert_all_fail(&env, &["write-ahead log", "is damaged"]);
    std::fs::write(&log, &sound).unwrap();
    assert!(env.serve().stop().success());
    assert_eq!(env.rows().len(), 1);
}

#[test]
fn a_log_without_its_store_is_not_removed() {
    let env = crashed();
    change(&env.store_path(), Vec::clear);
    assert_all_fail(&env, &["is empty, but", "-wal beside it is not"]);
}

#[test]
fn a_broken_shm_file_is_made_anew() {
    let env = crashed();
    change(&beside(&env, "-shm"), |bytes| bytes.fill(0xa5));
    let serve = env.serve();
    assert_eq!(env.rows().len(), 1);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[1]))).status, 200);
    serve.settled(2);
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
}
