//! The control question: whose trouble a refusal is. One subject must not stop a source.

use chrono::TimeDelta;
use countersign::simulator::{Fault, Trouble};

use super::{PATIENCE, times};
use crate::support::{TestEnv, assert_verdict, paid};

/// Whoever waits for this waits in vain.
const FOR_EVER: &str = "denied_pause = \"1h\"";

/// An environment whose shop refuses every call, with one notification that waits for it.
fn denied_env(verify: &str) -> TestEnv {
    let env = TestEnv::new().verify(verify).ion_shop("shop", 1003, 2);
    env.simulator.shops().add_fault(Fault::status(403));
    env
}

#[test]
fn a_refusal_of_one_subject_is_its_own_api_error_and_after_five_it_is_undecided() {
    let statuses = [400, 401, 402, 403, 405, 410, 422];
    let env = TestEnv::new().ion_shop("shop", 1003, 8);
    let shops = env.simulator.shops();
    for (n, status) in (1..).zip(statuses) {
        shops.add_fault(Fault::status(status).path(format!("/orders/o.{n}")));
    }
    let serve = env.serve();
    for n in 1..=8 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    for (id, status) in (1..).zip(statuses) {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "undecided", "api_error");
        assert_eq!(row.outcomes, ["api_error"; 5], "{status}: {row:#?}");
        assert_eq!(row.attempts, 5, "{status}");
    }
    serve.settled(8);
    assert_verdict(&env.row(8), "confirmed", "match");
    assert!(!serve.log().contains("the API fails"), "the source is well");
    assert_eq!(times(shops, "/orders/o.1").len(), 5);
    let (refusals, controls) = (5 * statuses.len(), times(shops, "orders?limit=1").len());
    assert!((5..=refusals).contains(&controls), "{controls} control questions about {refusals} refusals");
}

#[test]
fn five_refusals_of_one_subject_are_not_enough_before_grace_is_over() {
    let env = TestEnv::new().verify("grace = \"2s\"").ion_shop("shop", 1003, 1);
    env.simulator.shops().add_fault(Fault::status(403).path("/orders/o.1"));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "api_error");
    let age = env.value(
        "SELECT max((julianday(v.at) - julianday(n.received_at)) * 86400)
         FROM notifications n JOIN verifications v ON v.notification_id = n.id",
    );
    assert!(age.unwrap().parse::<f64>().unwrap() > 1.99, "given up before grace was over: {row:#?}");
    assert!(row.outcomes.len() > 5, "{row:#?}");
}

#[test]
fn a_burst_against_a_revoked_token_asks_few_control_questions() {
    let env = TestEnv::new()
        .verify("denied_pause = \"1h\"\nconcurrency = 64\ntimeout = \"60s\"")
        .ion_shop("shop", 1003, 25);
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("/orders/o."));
    shops.add_fault(Fault::status(403));
    for n in 2..=25 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(shops.wait_for_calls(25, PATIENCE), "all are in flight together");
    shops.clear_fault(held);
    for id in 2..=25 {
        serve.pending(id, "api_denied");
    }
    let controls = times(shops, "orders?limit=1").len();
    assert!((1..=5).contains(&controls), "{controls} control questions for 24 refusals");
}

#[test]
fn one_subjects_server_error_stops_nobody_else_and_is_asked_again_until_it_is_over() {
    let env = TestEnv::new().ion_shop("shop", 1003, 2);
    let fault = env.simulator.shops().add_fault(Fault::status(500).path("/orders/o.1"));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_error");
    serve.post("shop", paid(1003, "o.2"));
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
    env.simulator.shops().clear_fault(fault);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn while_a_source_fails_one_subject_probes_and_the_others_carry_the_cause() {
    for (fault, cause) in [(Fault::status(403), "api_denied"), (Fault::status(500), "api_error")] {
        let env = TestEnv::new().verify("denied_pause = \"20ms\"").ion_shop("shop", 1003, 4);
        let shops = env.simulator.shops();
        shops.add_fault(fault);
        let serve = env.serve();
        serve.post("shop", paid(1003, "o.1"));
        serve.pending(1, cause);
        for order in ["o.2", "o.3", "o.4"] {
            serve.post("shop", paid(1003, order));
        }
        let before = shops.calls().len();
        assert!(shops.wait_for_calls(before + 8, PATIENCE));
        for id in 2..=4 {
            let row = env.row(id);
            assert_eq!((row.state.as_str(), row.reason.as_deref()), ("pending", Some(cause)), "{row:#?}");
            assert!(row.outcomes.is_empty(), "{row:#?}");
            assert!(row.attempts >= 1, "a probe of the source counts for it: {row:#?}");
        }
        assert!(env.row(1).outcomes.len() >= 3);
        assert!(times(shops, "/orders/o.2").is_empty());
        shops.clear_faults();
        for id in 1..=4 {
            serve.settled(id);
            assert_verdict(&env.row(id), "confirmed", "match");
        }
    }
}

#[test]
fn the_pause_of_a_denied_source_doubles() {
    let env = denied_env("denied_pause = \"100ms\"");
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    let shops = env.simulator.shops();
    assert!(shops.wait_for_calls(8, PATIENCE), "each probe is a question and a control question");
    let probes = times(shops, "/orders/o.1");
    for (probe, pause) in probes.windows(2).zip([100, 200, 400]) {
        let apart = probe[1] - probe[0];
        assert!(apart >= TimeDelta::milliseconds(pause), "{apart} instead of {pause} ms");
    }
    assert!(serve.log().contains("cause=api_denied"), "said loudly");
}

#[test]
fn a_restart_ends_the_pause_of_a_denied_source() {
    let env = denied_env(FOR_EVER);
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_denied");
    assert!(serve.stop().success());
    env.simulator.shops().clear_faults();
    let serve = env.serve();
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn retry_ends_the_pause_of_a_denied_source() {
    let env = denied_env(FOR_EVER);
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_denied");
    serve.post("shop", paid(1003, "o.2"));
    env.simulator.shops().clear_faults();
    assert!(env.run(&["retry", "1"]).status.success());
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_good_doctor_ends_the_pause_of_a_denied_source_and_a_bad_one_does_not() {
    let env = denied_env(FOR_EVER);
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_denied");
    assert_eq!(env.run(&["doctor"]).status.code(), Some(1));
    assert_eq!(times(shops, "/orders/o.1").len(), 1);
    shops.clear_faults();
    env.run(&["doctor"]);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}
