//! A `verify` that is killed, or interrupted by Ctrl-C, which is the same to it.

use std::process::{Child, Stdio};

use countersign::simulator::{Fault, FaultId, Trouble};

use crate::support::{TestEnv, countersign, paid};

use super::PATIENCE;

/// Three stored notifications, and a shop that answers no call until the fault is cleared.
fn env() -> (TestEnv, FaultId) {
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 3);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 1..=3 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(serve.stop().success());
    let held = env.simulator.shops().add_fault(Fault::new(Trouble::Hold));
    (env, held)
}

/// A `verify` that has asked about something.
fn verifying(env: &TestEnv) -> Child {
    let mut command = countersign();
    command.arg("--config").arg(env.write_config()).arg("verify");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(env.simulator.shops().wait_for_calls(1, PATIENCE));
    child
}

fn kill(mut verify: Child) {
    verify.kill().unwrap();
    verify.wait().unwrap();
}

#[track_caller]
fn assert_all_confirmed(env: &TestEnv) {
    for row in env.rows() {
        assert_eq!((row.state.as_str(), row.outcomes.len()), ("confirmed", 1), "{row:#?}");
    }
}

#[test]
fn what_a_killed_verify_was_asking_about_is_asked_by_the_next_one() {
    let (env, held) = env();
    kill(verifying(&env));
    env.simulator.shops().clear_fault(held);
    assert!(env.run(&["verify"]).status.success());
    assert_all_confirmed(&env);
}

#[test]
fn what_a_killed_verify_was_asking_about_is_asked_by_the_next_serve() {
    let (env, held) = env();
    kill(verifying(&env));
    env.simulator.shops().clear_fault(held);
    let serve = env.serve();
    (1..=3).for_each(|id| serve.settled(id));
    assert_all_confirmed(&env);
}

#[test]
fn what_a_living_verify_asks_about_is_asked_by_no_other() {
    let (env, held) = env();
    let mut first = verifying(&env);
    assert!(env.run(&["verify"]).status.success());
    let serve = env.serve();
    serve.post("shop", "too broken to be asked about");
    serve.settled(4);
    env.simulator.shops().clear_fault(held);
    assert!(first.wait().unwrap().success());
    (1..=3).for_each(|id| assert_eq!(env.row(id).outcomes, ["match"]));
    assert_eq!(env.simulator.shops().calls().len(), 3);
}
