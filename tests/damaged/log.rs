//! What a crash leaves beside the store, and what may happen to it then.

use super::{assert_all_fail, beside, change};
use crate::support::House;
use crate::support::five::{self, ORDERS, SHOP};

/// A house whose serve died, and whose last notification is only in the write-ahead log.
fn crashed() -> House {
    let house = five::house();
    let serve = house.serve();
    serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
    serve.settled(1);
    serve.wait_for_line("it left word", |line| line.contains("recorded last_id=1"));
    serve.kill();
    assert!(std::fs::metadata(beside(&house, "-wal")).unwrap().len() > 0);
    house
}

#[test]
fn what_a_lost_log_held_is_missed_by_the_next_serve() {
    let house = crashed();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(beside(&house, suffix)).unwrap();
    }
    let serve = house.serve();
    let said =
        serve.wait_for_line("it misses some", |line| line.contains("WARN") && line.contains("ends at"));
    for word in ["ends at notification 0", "stored up to 1", "-wal file", "reconcile --recover"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[0]))).status, 200, "it goes on all the same");
    serve.settled(1);
    assert!(serve.stop().success());
    let serve = house.serve();
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[1]))).status, 200);
    serve.settled(2);
    assert!(!serve.log().contains("ends at notification"), "it is said once");
}

#[test]
fn a_broken_log_is_neither_ignored_nor_written_over() {
    let house = crashed();
    let log = beside(&house, "-wal");
    let sound = std::fs::read(&log).unwrap();
    change(&log, |bytes| bytes[0..32].fill(0xa5));
    assert_all_fail(&house, &["write-ahead log", "is damaged", "put a backup in its place"]);
    std::fs::write(&log, &sound).unwrap();
    change(&log, |bytes| bytes[25] ^= 1);
    assert_all_fail(&house, &["write-ahead log", "is damaged"]);
    std::fs::write(&log, &sound).unwrap();
    assert!(house.serve().stop().success());
    assert_eq!(house.rows().len(), 1);
}

#[test]
fn a_log_without_its_store_is_not_removed() {
    let house = crashed();
    change(&house.store_path(), Vec::clear);
    assert_all_fail(&house, &["is empty, but", "-wal beside it is not"]);
}

#[test]
fn a_broken_shm_file_is_made_anew() {
    let house = crashed();
    change(&beside(&house, "-shm"), |bytes| bytes.fill(0xa5));
    let serve = house.serve();
    assert_eq!(house.rows().len(), 1);
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[1]))).status, 200);
    serve.settled(2);
    assert_eq!(house.value("PRAGMA integrity_check").as_deref(), Some("ok"));
}
