//! The restore drill, as docs/recovery.md tells it.

use std::time::Duration;

use countersign::simulator::{Fault, Trouble};

use super::beside;
use crate::support::assert_verdict;
use crate::support::formats::{self, OLD, ORDERS, SHOP};
use crate::upgrade::content;

#[test]
fn a_backup_put_in_the_place_of_a_lost_store_serves_on_and_loses_nothing_up_to_it() {
    let env = formats::env();
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
    serve.settled(1);
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("1208"));
    serve.send(&OLD.request(OLD.truth(ORDERS[1])));
    assert!(shops.wait_for_calls(2, Duration::from_secs(20)));
    let copy = env.folder().join("copy.db");
    let output = env.run(&["backup", copy.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let saved = content(&copy);
    serve.send(&SHOP.request(SHOP.truth(ORDERS[2])));
    serve.wait_for_line("it left word", |line| line.contains("recorded last_id=3"));
    // The disk dies, and with it the process.
    serve.kill();
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(beside(&env, suffix)));
    }
    shops.clear_fault(held);
    // Stop serve, put the copy in its place, see that no -wal and -shm are beside it, start serve.
    std::fs::copy(&copy, env.store_path()).unwrap();
    assert_eq!(content(&env.store_path()), saved);
    let serve = env.serve();
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_verdict(&env.row(1), "confirmed", "match");
    serve.wait_for_line("what is lost is said", |line| {
        line.contains("ends at notification 2") && line.contains("stored up to 3")
    });
    serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
    serve.settled(3);
    assert_verdict(&env.row(3), "ignored", "duplicate");
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    assert!(serve.stop().success());
}
