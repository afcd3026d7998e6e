//! Giving up, and what a person does then.

use countersign::simulator::Fault;

use crate::support::{TestEnv, assert_verdict, paid};

/// An environment whose API stayed dead until countersign gave up on the notifications that came in meanwhile.
fn given_up() -> (TestEnv, crate::support::Serve) {
    let env =
        TestEnv::new().verify("give_up_after = \"400ms\"\nretry_cap = \"30ms\"").ion_shop("shop", 1003, 4);
    env.simulator.shops().add_fault(Fault::status(500));
    let serve = env.serve();
    for n in 1..=4 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    for id in 1..=4 {
        serve.settled(id);
    }
    (env, serve)
}

#[test]
fn an_api_dead_for_all_of_give_up_after_makes_all_undecided_and_retry_settles_them() {
    let (env, serve) = given_up();
    for row in env.rows() {
        assert_verdict(&row, "undecided", "api_error");
        assert!(row.attempts >= 8, "{row:#?}");
        assert!(row.outcomes.iter().all(|outcome| outcome == "api_error"), "{row:#?}");
    }
    let early = "SELECT count(*) FROM notifications
                 WHERE (julianday(decided_at) - julianday(received_at)) * 86400000 <= 399";
    assert_eq!(env.value(early).as_deref(), Some("0"), "none before give_up_after");
    env.simulator.shops().clear_faults();
    assert!(env.run(&["retry", "--state", "undecided"]).status.success());
    let settled_again = |id: i64| {
        let start = format!("notification={id} ");
        serve.wait_for_line("it is confirmed", |line| {
            line.contains(&start) && line.contains("verdict=confirmed")
        });
    };
    for id in 1..=4 {
        settled_again(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn an_undecided_one_that_a_person_dismisses_is_ignored_and_never_asked_about_again() {
    let (env, serve) = given_up();
    env.simulator.shops().clear_faults();
    env.simulator.shops().clear_calls();
    assert!(env.run(&["dismiss", "2", "--note", "refunded by hand"]).status.success());
    let row = env.row(2);
    assert_verdict(&row, "ignored", "dismissed");
    assert_eq!(row.detail.as_deref(), Some("refunded by hand"));
    assert_eq!(env.run(&["dismiss", "2"]).status.code(), Some(1), "it is not undecided any more");
    serve.post("shop", paid(1003, "o.3"));
    serve.settled(5);
    assert_verdict(&env.row(5), "confirmed", "match");
    let repeated = env.row(3);
    assert_verdict(&repeated, "ignored", "duplicate");
    assert_eq!(repeated.duplicate_of, Some(5));
    assert_eq!(super::orders_asked(env.simulator.shops()), ["o.3"]);
}

#[test]
fn patience_lasts_for_eight_questions_however_short_it_is() {
    let env = TestEnv::new().verify("give_up_after = \"1ms\"").ion_shop("shop", 1003, 1);
    env.simulator.shops().add_fault(Fault::status(500).path("/orders/o.1"));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "api_error");
    assert_eq!((row.attempts, row.outcomes.len()), (8, 8));
}
