//! A disk that is slower than the shops: answers wait for it, and what waits is bounded.

use std::time::Duration;

use crate::support::disk::{Disk, Word};
use crate::support::{TestEnv, paid};

const SHOP: u64 = 4_400_552;
const ORDERS: u64 = 600;

/// `verify.concurrency` here.
const SLOTS: usize = 16;

/// The calls that may be under way or whose answers may wait to be recorded when a round of leasing begins, and the
/// slots and tickets that it may give out.
const MOST: usize = SLOTS * 4 + SLOTS + SLOTS / 2;

#[test]
fn answers_that_wait_for_a_slow_disk_hold_back_further_calls() {
    let env = TestEnv::new().verify(&format!("concurrency = {SLOTS}")).ion_shop_with(
        "shop",
        SHOP,
        ORDERS,
        "rate_limit = \"1000000/min\"",
    );
    let serve = env.serve_with(&["--no-worker"]);
    for n in 1..=ORDERS {
        assert_eq!(serve.post("shop", paid(SHOP, &format!("o.{n}"))).status, 200);
    }
    assert!(serve.stop().success());
    let disk = Disk::new();
    disk.set(Word::SyncDelay, 20_000);
    let serve = env.serve_on(&disk);
    let leased = || {
        let sql = "SELECT count(DISTINCT lease) || ' ' || count(*) FILTER (WHERE state = 'confirmed') FROM verdicts";
        let counts = env.value(sql).unwrap();
        let (leased, confirmed) = counts.split_once(' ').unwrap();
        (leased.parse::<usize>().unwrap(), confirmed.parse::<u64>().unwrap())
    };
    let mut most = 0;
    loop {
        let (leased, confirmed) = leased();
        most = most.max(leased);
        assert!(most <= MOST, "{leased} leased calls");
        if confirmed == ORDERS {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(most > 0, "nothing was seen at work");
    assert!(serve.stop().success());
}
