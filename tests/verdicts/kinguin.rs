//! `kinguin`: what a webhook about an order says, held against the order.

use chrono::{TimeDelta, Utc};
use countersign::simulator::kinguin::{KinguinAccount, Order};
use countersign::simulator::{Fault, FaultId, Trouble};
use serde_json::{Value, json};

use crate::support::{Request, Serve, TestEnv, assert_verdict};

pub(super) const KEY: &str = "kinguin-api-key";
pub(super) const AT: &str = "2025-03-04T10:15:09.120+00:00";

/// An environment with a `kinguin` source `keys`, and the account behind it.
pub(super) fn keys() -> (TestEnv, KinguinAccount) {
    keys_with("")
}

/// The same, with further lines in the source's table.
pub(super) fn keys_with(lines: &str) -> (TestEnv, KinguinAccount) {
    env_of("kinguin", "keys", lines)
}

pub(super) fn env_of(provider: &str, source: &str, lines: &str) -> (TestEnv, KinguinAccount) {
    let env = TestEnv::new();
    let base = env.simulator.kinguin_base();
    let account = env.simulator.shops().open_kinguin(source, KEY);
    let lines = format!(
        "provider = \"{provider}\"\napi_key = \"{KEY}\"\napi_base = \"{base}\"\nrate_limit = \"1000/s\"\n{lines}"
    );
    (env.source(source, &lines), account)
}

/// A webhook of this event to the source `keys`.
pub(super) fn webhook(event: &str, body: &Value) -> Request {
    raw_webhook(event, &body.to_string())
}

pub(super) fn raw_webhook(event: &str, body: &str) -> Request {
    Request::post("/hooks/keys")
        .header("Content-Type", "aplication/json")
        .header("X-Event-Name", event)
        .body(body)
}

/// The body of an `order.status` without an external id.
pub(super) fn status(order_id: &str, status: &str, updated_at: &str) -> Value {
    json!({"orderId": order_id, "status": status, "updatedAt": updated_at})
}

/// The calls so far: path and query below the `api_base`.
pub(super) fn calls(env: &TestEnv) -> Vec<String> {
    let calls = env.simulator.shops().calls();
    calls.iter().map(|call| call.target.replacen("/kinguin/esa/api", "", 1)).collect()
}

/// Another answer to every call whose path contains this.
pub(super) fn answering(env: &TestEnv, path: &str, status: u16, body: &str) -> FaultId {
    let trouble = Trouble::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    env.simulator.shops().add_fault(Fault::new(trouble).path(path))
}

/// Waits until a notification is in `reason`, also one that was settled otherwise before.
pub(super) fn settled_as(serve: &Serve, id: i64, reason: &str) {
    let (start, end) = (format!("notification={id} "), format!("reason={reason}"));
    serve.wait_for_line(&format!("notification {id} is {reason}"), |line| {
        line.contains(&start) && line.contains(" verdict=") && line.ends_with(&end)
    });
}

#[test]
fn an_order_status_that_the_api_shows_with_the_same_ids_is_confirmed() {
    let (env, account) = keys();
    account.put_order(Order::new("QZ7T2RMN4WB").external_id("shop-000451").completed());
    let serve = env.serve();
    let body = json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "status": "completed",
        "updatedAt": AT, "later": {"fields": ["are no error"]}});
    let answer = serve.send(&webhook("order.status", &body));
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!((row.source.as_str(), row.provider.as_str()), ("keys", "kinguin"));
    assert_eq!(row.event.as_deref(), Some("order.status"));
    assert_eq!(
        (row.subject_kind.as_deref(), row.subject_id.as_deref()),
        (Some("order"), Some("QZ7T2RMN4WB"))
    );
    assert_eq!((row.resolved_id.as_deref(), row.attempts, row.news), (Some("QZ7T2RMN4WB"), 1, 1));
    assert_eq!(row.event_time.as_deref(), Some("2025-03-04T10:15:09.120Z"));
    let claim: Value = serde_json::from_str(&row.claim.unwrap()).unwrap();
    let compared = json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "status": "completed"});
    assert_eq!(claim, compared);
    assert_eq!(row.outcomes, ["match"]);
    let answer = env.value("SELECT answer FROM verifications WHERE http_status = 200").unwrap();
    let rests_on = json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "status": "completed"});
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), rests_on);
    assert_eq!(calls(&env), ["/v1/order/QZ7T2RMN4WB"]);
}

#[test]
fn the_orders_table_holds_what_the_api_said() {
    let (env, account) = keys();
    account.put_order(Order::new("QZ7T2RMN4WB").external_id("shop-000451").status("refunded"));
    let serve = env.serve();
    let mut body = status("QZ7T2RMN4WB", "completed", AT);
    body["orderExternalId"] = "shop-000451".into();
    body["totalPrice"] = 1.into();
    serve.send(&webhook("order.status", &body));
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    let columns =
        "source || '|' || order_id || '|' || status || '|' || total || '|' || currency || '|' || email";
    assert_eq!(
        env.value(&format!("SELECT {columns} FROM orders")).as_deref(),
        Some("keys|QZ7T2RMN4WB|refunded|12.40|EUR|buyer@example.test")
    );
    let nulls =
        "fulfillment_status IS NULL AND updated_at IS NULL AND gone_at IS NULL AND fetched_at IS NOT NULL";
    assert_eq!(env.value(&format!("SELECT {nulls} FROM orders")).as_deref(), Some("1"));
    let raw: Value = serde_json::from_str(&env.value("SELECT raw FROM orders").unwrap()).unwrap();
    assert_eq!(raw, Value::Object(account.orders()[0].fields().clone()));
}

#[test]
fn ids_then_the_status_are_compared_as_text() {
    let (env, account) = keys();
    let serve = env.serve();
    let order = Order::new;
    // The order in the account, the event, what its notification says beside `orderId`, the verdict.
    let rows = [
        (order("S1").status("processing"), "order.status", json!({"status": "processing"}), "match"),
        (order("S2").status("refunded"), "order.status", json!({"status": "refunded"}), "match"),
        (order("S3").status("canceled"), "order.status", json!({"status": "canceled"}), "match"),
        (order("S4").status("out_of_stock"), "order.status", json!({"status": "out_of_stock"}), "match"),
        (order("S5").status("refunded"), "order.status", json!({"status": "completed"}), "mismatch"),
        (order("S6").completed(), "order.status", json!({"status": "processing"}), "mismatch"),
        (order("S7").completed(), "order.status", json!({"status": "pending"}), "mismatch"),
        (order("S8").completed(), "order.status", json!({"status": "Completed"}), "mismatch"),
        (order("S9").status("pending"), "order.status", json!({"status": "pending"}), "match"),
        (order("C1").completed(), "order.complete", json!({}), "match"),
        (order("C2").completed(), "order.complete", json!({"status": "refunded"}), "match"),
        (order("C3").status("refunded"), "order.complete", json!({}), "mismatch"),
        (order("C4").status("canceled"), "order.complete", json!({}), "mismatch"),
    ];
    for (id, (order, event, said, reason)) in (1..).zip(rows) {
        let mut body = json!({"orderId": order.text("orderId"), "updatedAt": AT});
        body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        account.put_order(order);
        serve.send(&webhook(event, &body));
        serve.settled(id);
        let state = if reason == "match" { "confirmed" } else { "ignored" };
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn an_order_in_the_making_is_behind_every_other_status_until_it_is_done() {
    let (env, account) = keys();
    let serve = env.serve();
    for (id, (status_now, event)) in (1..).zip([
        ("pending", "order.status"),
        ("processing", "order.status"),
        ("pending", "order.complete"),
    ]) {
        let order_id = format!("MAKING-{id}");
        account.put_order(Order::new(&order_id).status(status_now));
        serve.send(&webhook(event, &status(&order_id, "completed", AT)));
        serve.pending(id, "not_yet");
        account.edit_order(&order_id, Order::completed);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn an_absent_null_or_empty_external_id_is_the_same_and_any_other_must_agree() {
    let (env, account) = keys();
    let serve = env.serve();
    let empty = [None, Some(json!(null)), Some(json!(""))];
    let mut id = 0;
    let mut check = |shown: &Option<Value>, said: &Option<Value>, reason: &str| {
        id += 1;
        let order_id = format!("E{id}");
        let mut order = Order::new(&order_id).completed();
        let mut body = status(&order_id, "completed", AT);
        if let Some(shown) = shown {
            order = order.field("orderExternalId", shown.clone());
        }
        if let Some(said) = said {
            body["orderExternalId"] = said.clone();
        }
        account.put_order(order);
        serve.send(&webhook("order.status", &body));
        serve.settled(id);
        assert_verdict(&env.row(id), if reason == "match" { "confirmed" } else { "ignored" }, reason);
    };
    for shown in &empty {
        for said in &empty {
            check(shown, said, "match");
        }
    }
    check(&Some(json!("451")), &Some(json!(451)), "match");
    check(&Some(json!("shop-1")), &Some(json!("shop-2")), "mismatch");
    check(&Some(json!("shop-1")), &None, "mismatch");
    check(&None, &Some(json!("shop-1")), "mismatch");
}

#[test]
fn an_order_that_the_api_shows_under_another_id_is_a_mismatch() {
    let (env, _account) = keys();
    answering(&env, "/v1/order/MINE", 200, r#"{"orderId":"OTHER","status":"completed"}"#);
    let serve = env.serve();
    serve.send(&webhook("order.status", &status("MINE", "completed", AT)));
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert!(env.row(1).detail.unwrap().contains("orderId"));
}

#[test]
fn processing_under_any_other_claim_is_not_yet_until_the_api_has_caught_up() {
    let (env, account) = keys();
    let serve = env.serve();
    let claims = [
        ("order.status", "completed", "completed"),
        ("order.status", "refunded", "refunded"),
        ("order.status", "out_of_stock", "out_of_stock"),
        ("order.complete", "", "completed"),
    ];
    for (id, (event, said, later)) in (1..).zip(claims) {
        let order_id = format!("B{id}");
        account.put_order(Order::new(&order_id));
        serve.send(&webhook(event, &status(&order_id, said, AT)));
        serve.pending(id, "not_yet");
        account.edit_order(&order_id, |order| order.status(later));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        let (last, before) = row.outcomes.split_last().unwrap();
        assert_eq!(last, "match");
        assert!(!before.is_empty() && before.iter().all(|outcome| outcome == "not_yet"), "{row:#?}");
    }
}

#[test]
fn what_never_catches_up_is_undecided_with_the_last_cause() {
    let (env, account) = keys();
    let env = env.verify("give_up_after = \"100ms\"");
    account.put_order(Order::new("SLOW"));
    let serve = env.serve();
    serve.send(&webhook("order.status", &status("SLOW", "completed", AT)));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "not_yet");
    assert!(row.attempts >= 8, "{row:#?}");
}

#[test]
fn a_claimed_time_to_come_is_waited_for_and_other_values_differ_at_once() {
    let (env, account) = keys();
    account.put_order(Order::new("BEHIND"));
    account.put_order(Order::new("EQUAL").completed());
    account.put_order(Order::new("OTHER").status("refunded"));
    let serve = env.serve();
    let orders = ["BEHIND", "EQUAL", "OTHER", "NONE"];
    for order_id in orders {
        serve.send(&webhook("order.status", &status(order_id, "completed", "2099-01-01T00:00:00Z")));
    }
    serve.settled(3);
    assert_verdict(&env.row(3), "ignored", "mismatch");
    serve.settled(4);
    assert_verdict(&env.row(4), "ignored", "not_found");
    serve.pending(2, "not_yet");
    let detail = env.row(2).detail.unwrap();
    assert!(detail.starts_with("the claimed time 2099-01-01T00:00:00.000Z has not come yet"), "{detail}");
    serve.pending(1, "not_yet");
}

#[test]
fn an_answer_that_carries_the_claimed_time_or_a_later_clock_confirms_a_time_to_come() {
    let (env, account) = keys();
    let ahead = Utc::now() + TimeDelta::hours(1);
    account.put_order(Order::new("SAID").completed().field("updatedAt", ahead.to_rfc3339()));
    account.put_order(Order::new("CLOCK").completed());
    env.simulator.shops().add_fault(Fault::new(Trouble::DateSkew(7200)).path("/order/CLOCK"));
    env.simulator.shops().add_fault(Fault::new(Trouble::DateSkew(-1200)).path("/order/OLD"));
    account.put_order(Order::new("OLD").completed());
    let serve = env.serve();
    for (id, order_id, at) in [(1, "SAID", ahead), (2, "CLOCK", ahead), (3, "OLD", Utc::now())] {
        serve.send(&webhook("order.status", &status(order_id, "completed", &at.to_rfc3339())));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn within_grace_not_found_and_mismatch_are_not_yet() {
    let (env, account) = keys();
    let env = env.verify("grace = \"60s\"");
    account.put_order(Order::new("KNOWN").status("refunded"));
    let serve = env.serve();
    serve.send(&webhook("order.status", &status("KNOWN", "completed", AT)));
    serve.send(&webhook("order.status", &status("LATE", "completed", AT)));
    serve.pending(1, "not_yet");
    serve.pending(2, "not_yet");
    account.edit_order("KNOWN", Order::completed);
    account.put_order(Order::new("LATE").completed());
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(2), "confirmed", "match");
}
