//! `kinguin`: what says that an order is not there, and what only says that it could not be asked.

use countersign::simulator::Fault;
use countersign::simulator::kinguin::{KinguinAccount, Order};

use super::kinguin::{AT, KEY, answering, calls, keys, status, webhook};
use crate::support::{Serve, TestEnv, assert_verdict};

fn say(serve: &Serve, order_id: &str) {
    serve.send(&webhook("order.status", &status(order_id, "completed", AT)));
}

fn with_order() -> (TestEnv, KinguinAccount) {
    let (env, account) = keys();
    account.put_order(Order::new("A").completed());
    (env, account)
}

#[test]
fn order_not_found_is_not_there_whatever_the_4xx() {
    let (env, account) = keys();
    let serve = env.serve();
    for (id, http_status) in [(1, 400), (2, 403), (3, 404), (4, 410), (5, 422)] {
        account.configure(|settings| settings.order_not_found_status = http_status);
        say(&serve, &format!("N{id}"));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "not_found");
        assert_eq!((row.outcomes.as_slice(), row.resolved_id), (["not_found".to_owned()].as_slice(), None));
        let stored = format!("SELECT http_status FROM verifications WHERE notification_id = {id}");
        assert_eq!(env.value(&stored), Some(http_status.to_string()));
    }
    assert_eq!(calls(&env).len(), 5, "one call each, and no control question");
    assert_eq!(env.value("SELECT count(*) FROM orders").as_deref(), Some("0"));
}

#[test]
fn an_order_that_vanished_is_marked_gone() {
    let (env, account) = with_order();
    let serve = env.serve();
    say(&serve, "A");
    serve.settled(1);
    account.vanish_order("A");
    serve.send(&webhook("order.status", &status("A", "refunded", AT)));
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "not_found");
    let kept = env.value("SELECT status || ' ' || (gone_at IS NOT NULL) FROM orders");
    assert_eq!(kept.as_deref(), Some("completed 1"));
}

#[test]
fn order_not_supported_is_api_error_and_undecided_after_five_answers() {
    let (env, account) = with_order();
    account.unsupport_order("OLD");
    let serve = env.serve();
    say(&serve, "OLD");
    serve.pending(1, "api_error");
    say(&serve, "A");
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "api_error");
    assert_eq!(row.outcomes, ["api_error"; 5]);
    assert!(row.detail.unwrap().contains("OrderNotSupported"));
}

#[test]
fn an_orders_404_of_any_other_kind_is_api_error() {
    let (env, _account) = with_order();
    let serve = env.serve();
    let bodies = [
        r#"{"kind":"Http","status":404,"title":"Not Found"}"#,
        r#"{"kind":"ProductUnavailable","status":404}"#,
        r#"{"kind":"ordernotfound","status":404}"#,
        r#"{"kind":["OrderNotFound"],"status":404}"#,
        r#"{"status":404,"title":"OrderNotFound"}"#,
        "",
        "OrderNotFound",
    ];
    for (id, body) in (1..).zip(bodies) {
        let fault = answering(&env, "/v1/order/A", 404, body);
        serve.send(&webhook("order.status", &status("A", "completed", &format!("2025-03-04T10:15:0{id}Z"))));
        serve.pending(id, "api_error");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(env.row(id).outcomes[0], "api_error", "{body}");
    }
}

#[test]
fn an_order_that_kinguin_cannot_look_up_is_asked_about_until_it_can() {
    let (env, account) = keys();
    let serve = env.serve();
    for (id, kind) in [(1, "HttpClient"), (3, "Http")] {
        let (lost, other) = (format!("A-{id}"), format!("B-{id}"));
        account.put_order(Order::new(&lost).completed());
        account.put_order(Order::new(&other).completed());
        let body = format!(r#"{{"kind":"{kind}","status":404,"type":"Not Found"}}"#);
        let fault = answering(&env, &format!("/v1/order/{lost}"), 404, &body);
        say(&serve, &lost);
        let about = format!("notification={id} ");
        serve.wait_for_lines("it was asked about eight times", 8, |line| {
            line.contains(&about) && line.contains("pending=api_error")
        });
        say(&serve, &other);
        serve.settled(id + 1);
        assert_verdict(&env.row(id + 1), "confirmed", "match");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        let (last, before) = row.outcomes.split_last().unwrap();
        assert_eq!(last, "match");
        assert!(before.len() >= 8 && before.iter().all(|outcome| outcome == "api_error"), "{row:#?}");
    }
}

#[test]
fn an_answer_that_is_no_documented_order_is_api_error() {
    let (env, _account) = with_order();
    let serve = env.serve();
    let answers = [
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (200, "<html>"),
        (200, r#"{"orderId":"A"}"#),
        (200, r#"{"status":"completed"}"#),
        (500, r#"{"kind":"OrderNotFound","status":500}"#),
        (302, r#"{"kind":"OrderNotFound"}"#),
    ];
    for (id, (http_status, body)) in (1..).zip(answers) {
        let fault = answering(&env, "/v1/order", http_status, body);
        serve.send(&webhook("order.status", &status("A", "completed", &format!("2025-03-04T10:15:0{id}Z"))));
        serve.pending(id, "api_error");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(env.row(id).outcomes[0], "api_error", "{http_status} {body}");
    }
}

#[test]
fn a_wrong_key_pauses_the_whole_source_and_nothing_is_judged() {
    let (env, account) = with_order();
    account.put_order(Order::new("B").completed());
    account.configure(|settings| settings.api_key = "changed-in-the-dashboard".to_owned());
    let serve = env.serve();
    say(&serve, "A");
    serve.pending(1, "api_denied");
    say(&serve, "B");
    say(&serve, "NEVER");
    let asked = calls(&env);
    assert_eq!(asked[..2], ["/v1/order/A", "/v1/order?limit=1"], "then the question without a foreign value");
    account.configure(|settings| settings.api_key = KEY.to_owned());
    for (id, reason) in [(1, "match"), (2, "match"), (3, "not_found")] {
        serve.settled(id);
        assert_eq!(env.row(id).reason.as_deref(), Some(reason));
    }
    assert_eq!(env.row(1).outcomes[0], "api_denied");
    assert_eq!(env.row(2).outcomes, ["match"], "who only waits gets no verification rows");
    assert!(!serve.log().contains(KEY));
}

#[test]
fn a_refused_address_is_api_denied() {
    let (env, account) = with_order();
    account.configure(|settings| settings.address_refused = true);
    let serve = env.serve();
    say(&serve, "A");
    serve.pending(1, "api_denied");
    account.configure(|settings| settings.address_refused = false);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn a_refusal_of_one_subject_is_its_api_error_while_the_source_goes_on() {
    let (env, _account) = with_order();
    let statuses = [400, 401, 402, 403, 409, 422];
    let serve = env.serve();
    for (id, http_status) in (1..).zip(statuses) {
        let order = format!("HOSTILE-{http_status}");
        env.simulator.shops().add_fault(Fault::status(http_status).path(format!("/v1/order/{order}")));
        say(&serve, &order);
        serve.pending(id, "api_error");
    }
    say(&serve, "A");
    serve.settled(7);
    assert_verdict(&env.row(7), "confirmed", "match");
    for (id, http_status) in (1..).zip(statuses) {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "undecided", "api_error");
        assert_eq!(row.outcomes, ["api_error"; 5], "{http_status}");
    }
}

#[test]
fn a_rate_limit_makes_the_source_wait_and_judges_nothing() {
    let (env, _account) = with_order();
    env.simulator.shops().add_fault(Fault::too_many(Some("1")).path("/v1/order/A").times(1));
    let serve = env.serve();
    say(&serve, "A");
    serve.pending(1, "api_rate_limited");
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.outcomes, ["api_rate_limited", "match"]);
}

#[test]
fn the_purchased_keys_are_never_asked_for() {
    let (env, account) = with_order();
    let serve = env.serve();
    for (id, order_id) in
        [(1, "A"), (2, "A/keys"), (3, "A/keys,B"), (4, "keys"), (5, "..%2Fv2%2Forder%2FA%2Fkeys")]
    {
        account.put_order(Order::new(order_id).completed());
        say(&serve, order_id);
        serve.settled(id);
    }
    let calls = env.simulator.shops().calls();
    assert!(calls.iter().all(|call| call.method == "GET" && call.target.contains("/v1/order")), "{calls:#?}");
    assert!(calls.iter().all(|call| !call.target.contains("/v2/") && !call.target.ends_with("/keys/")));
}
