//! Crashes at the worst moment: nothing is lost, nothing is stuck, everything settles once.

mod cycles;
mod power;
mod steps;
mod verify;

use std::time::Duration;

use countersign::simulator::{Fault, Trouble};

use crate::support::{TestEnv, assert_verdict, paid};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_kill_between_lease_and_record_loses_nothing_and_everything_settles_once() {
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 6);
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve();
    for n in 1..=6 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.kill();
    assert!(env.rows().iter().all(|row| row.state == "pending"));
    shops.clear_fault(held);
    let serve = env.serve();
    for id in 1..=6 {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.outcomes.len(), row.attempts, row.news), (1, 1, 1), "{row:#?}");
    }
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
}
