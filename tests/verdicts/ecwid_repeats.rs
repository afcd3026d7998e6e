//! Both Ecwid formats: repeats, what waits together, and forged early copies.

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Trouble};

use super::ecwid_shop::{CREATED, Hook, Ion, asked, fault, keys, post_and_settle, shop, wait_for_call};
use crate::support::{TestEnv, assert_verdict};

fn paid() -> Hook {
    Hook::sale("PAID", "AWAITING_PROCESSING")
}

/// Stores these bodies without a worker, then settles all that is due.
fn verified_together(env: &TestEnv, source: &str, bodies: &[String]) {
    let serve = env.serve_with(&["--no-worker"]);
    for body in bodies {
        assert_eq!(serve.post(source, body.as_str()).status, 200);
    }
    assert!(serve.stop().success());
    let output = env.run(&["verify"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn one_call_settles_equal_waiting_claims_and_confirms_the_lowest_id() {
    for (source, body, call) in
        [("hook", paid().body(), "orders/SALE-H4K9P"), ("old", Ion::paid("1207").form(), "orders/1207")]
    {
        let (env, _store) = shop();
        verified_together(&env, source, &[body.clone(), body.clone(), body]);
        assert_verdict(&env.row(1), "confirmed", "match");
        for id in [2, 3] {
            let row = env.row(id);
            assert_verdict(&row, "ignored", "duplicate");
            assert_eq!((row.duplicate_of, row.news), (Some(1), 0));
        }
        assert_eq!(asked(&env), [call]);
        assert_eq!(env.value("SELECT count(DISTINCT call_id) FROM verifications").as_deref(), Some("1"));
    }
}

#[test]
fn different_claims_about_one_subject_share_a_call_and_keep_their_own_verdicts() {
    let (env, _store) = shop();
    let bodies = [
        paid().body(),
        Hook::sale("REFUNDED", "AWAITING_PROCESSING").later(1).body(),
        paid().later(2).body(),
        paid().set("eventType", "order.created").later(3).body(),
    ];
    verified_together(&env, "hook", &bodies);
    for (id, state, reason, news) in [
        (1, "confirmed", "match", 1),
        (2, "ignored", "mismatch", 0),
        (3, "confirmed", "match", 0),
        (4, "confirmed", "match", 0),
    ] {
        assert_verdict(&env.row(id), state, reason);
        assert_eq!(env.row(id).news, news);
    }
    assert_eq!(asked(&env), ["orders/SALE-H4K9P"]);
    let calls = env.value("SELECT count(DISTINCT call_id) || ' of ' || count(*) FROM verifications");
    assert_eq!(calls.as_deref(), Some("1 of 4"));
}

#[test]
fn a_repeat_has_the_same_event_subject_values_time_and_event_id() {
    let (env, store) = shop();
    store.put_order(Order::new("SALE-TWO", 731_200_457).paid());
    let serve = env.serve();
    post_and_settle(&serve, "hook", paid().changed_from("AWAITING_PAYMENT", "AWAITING_PROCESSING").body(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    let two =
        Hook::new("order.updated", 731_200_457).order("SALE-TWO").statuses("PAID", "AWAITING_PROCESSING");
    let cases = [
        // A field that the API cannot verify makes no other claim.
        (paid(), true),
        (paid().changed_from("REFUNDED", "SHIPPED"), true),
        (paid().set("note", "x"), true),
        (paid().set("eventType", "order.created"), false),
        (paid().set("eventId", "another"), false),
        (paid().set("eventCreated", CREATED + 1), false),
        (paid().data("newFulfillmentStatus", ""), false),
        (two, false),
    ];
    for (id, (hook, is_repeat)) in (2..).zip(cases) {
        post_and_settle(&serve, "hook", hook.body(), id);
        let row = env.row(id);
        let (state, reason) = if is_repeat { ("ignored", "duplicate") } else { ("confirmed", "match") };
        assert_verdict(&row, state, reason);
        assert_eq!(row.duplicate_of, is_repeat.then_some(1));
    }
}

#[test]
fn the_same_event_id_with_another_body_is_asked_about_afresh() {
    let (env, _store) = shop();
    let serve = env.serve();
    post_and_settle(&serve, "hook", paid().body(), 1);
    post_and_settle(&serve, "hook", paid().data("newPaymentStatus", "REFUNDED").body(), 2);
    assert_verdict(&env.row(2), "ignored", "mismatch");
    assert_eq!(asked(&env), ["orders/SALE-H4K9P", "orders/SALE-H4K9P"]);
}

#[test]
fn the_same_claim_at_another_source_is_no_duplicate() {
    let (env, _store) = shop();
    let second = keys(&env, "ecwid");
    let env = env.source("second", &second);
    let serve = env.serve();
    for (id, source) in [(1, "hook"), (2, "second")] {
        post_and_settle(&serve, source, paid().body(), id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_copy_that_comes_while_the_question_is_under_way_becomes_its_duplicate() {
    let (env, _store) = shop();
    fault(&env, "orders/SALE-H4K9P", Fault::new(Trouble::Hold));
    let serve = env.serve();
    serve.post("hook", paid().body());
    wait_for_call(&env, "orders/SALE-H4K9P");
    serve.post("hook", paid().body());
    env.simulator.shops().clear_faults();
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(2), "ignored", "duplicate");
    assert_eq!(env.row(2).duplicate_of, Some(1));
}

#[test]
fn undecided_copies_become_duplicates_of_the_one_that_is_confirmed() {
    for (source, body, call) in
        [("hook", paid().body(), "orders/SALE-H4K9P"), ("old", Ion::paid("1207").form(), "orders/1207")]
    {
        let (env, _store) = shop();
        fault(&env, call, Fault::status(400));
        let serve = env.serve();
        post_and_settle(&serve, source, body.clone(), 1);
        assert_verdict(&env.row(1), "undecided", "api_error");
        env.simulator.shops().clear_faults();
        post_and_settle(&serve, source, body, 2);
        assert_verdict(&env.row(2), "confirmed", "match");
        let row = env.row(1);
        assert_verdict(&row, "ignored", "duplicate");
        assert_eq!(row.duplicate_of, Some(2));
    }
}

#[test]
fn a_forged_early_copy_that_was_ignored_does_not_silence_the_true_one() {
    let (env, store) = shop();
    let serve = env.serve();
    let shipped = Hook::sale("PAID", "SHIPPED").body();
    post_and_settle(&serve, "hook", shipped.clone(), 1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    let new_order = Hook::new("order.created", 731_999).order("SALE-NEW").statuses("PAID", "NEW").body();
    post_and_settle(&serve, "hook", new_order.clone(), 2);
    assert_verdict(&env.row(2), "ignored", "not_found");
    assert!(store.edit_order("SALE-H4K9P", |order| order.fulfillment("SHIPPED")));
    store.put_order(Order::new("SALE-NEW", 731_999).paid().fulfillment("NEW"));
    post_and_settle(&serve, "hook", shipped, 3);
    post_and_settle(&serve, "hook", new_order, 4);
    for (forged, copy) in [(1, 3), (2, 4)] {
        assert_verdict(&env.row(copy), "confirmed", "match");
        assert_eq!(env.row(copy).news, 1);
        // What is ignored already keeps its verdict.
        assert_eq!(env.row(forged).duplicate_of, None);
    }
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_verdict(&env.row(2), "ignored", "not_found");
}

#[test]
fn a_forged_early_copy_that_still_waits_costs_the_true_one_nothing() {
    let (env, store) = shop();
    let env = env.verify("grace = \"1h\"\nretry_base = \"1h\"\nretry_cap = \"1h\"");
    let serve = env.serve();
    let shipped = Hook::sale("PAID", "SHIPPED").body();
    serve.post("hook", shipped.clone());
    serve.pending(1, "not_yet");
    assert!(store.edit_order("SALE-H4K9P", |order| order.fulfillment("SHIPPED")));
    serve.post("hook", shipped);
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(2), "ignored", "duplicate");
    assert_eq!(env.row(2).duplicate_of, Some(1));
}
