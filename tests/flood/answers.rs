//! A disk that is slower than the shops: answers wait for it, and what waits is bounded.

use crate::support::disk::{Disk, Word};
use crate::support::{TestEnv, paid};

const SHOP: u64 = 4_400_552;
const ORDERS: usize = 600;

/// `verify.concurrency` here.
const SLOTS: usize = 16;

/// The calls that may be in flight or whose answers may wait to be recorded when a round of leasing begins, and the
/// slots and tickets that it may give out.
const MOST: usize = SLOTS * 4 + SLOTS + SLOTS / 2;

#[test]
fn answers_that_wait_for_a_slow_disk_hold_back_further_calls() {
    let env = TestEnv::new().verify(&format!("concurrency = {SLOTS}")).ion_shop_with(
        "shop",
        SHOP,
        ORDERS as u64,
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
    let mut most = 0;
    for verdicts in 1..=ORDERS {
        serve.wait_for_lines("a verdict", verdicts, |line| line.contains(" verdict=confirmed "));
        let leased = env.value("SELECT count(DISTINCT lease) FROM verdicts").unwrap().parse().unwrap();
        most = most.max(leased);
        assert!(leased <= MOST, "{leased} leased calls");
    }
    assert!(most > 0, "nothing was seen at work");
    assert!(serve.stop().success());
}
