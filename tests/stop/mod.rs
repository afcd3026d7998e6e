//! Stopping: calls in flight end, leases are released, and it takes no longer than `server.drain`.

mod load;

use std::time::{Duration, Instant};

use countersign::simulator::{Fault, Trouble};

use crate::support::{TestEnv, assert_verdict, paid};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_stop_while_a_shop_holds_its_answer_ends_within_drain_and_is_made_up_for() {
    let env =
        TestEnv::new().verify("timeout = \"60s\"").server_keys("drain = \"500ms\"").ion_shop("shop", 1003, 1);
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    let begun = Instant::now();
    assert_eq!(serve.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "not the shop's 60 s: it took {:?}", begun.elapsed());
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
    assert_eq!(env.row(1).state, "pending");
    shops.clear_fault(held);
    let begun = Instant::now();
    let serve = env.serve();
    serve.settled(1);
    assert!(
        begun.elapsed() < Duration::from_secs(25),
        "not the 60 s of a lease: it took {:?}",
        begun.elapsed()
    );
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn a_stop_lets_an_answer_that_comes_within_drain_count() {
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 1);
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains("stop"));
    shops.clear_fault(held);
    assert_eq!(serve.stop().code(), Some(0));
    assert_verdict(&env.row(1), "confirmed", "match");
}
