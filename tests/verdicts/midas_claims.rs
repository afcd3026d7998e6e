//! `midas`: how a notification is read, from either nesting, and what is not understood.

use countersign::simulator::midas::Transaction;
use serde_json::{Value, json};

use super::midas::{calls, cancelled, game, paid, post, with};
use crate::support::assert_verdict;

/// The body with everything movable at top level, beside an empty `billing`.
fn flat(mut body: Value) -> Value {
    let Value::Object(billing) = body["billing"].take() else { panic!("billing is an object") };
    body["billing"] = json!({});
    for (name, value) in billing {
        body[name] = value;
    }
    body
}

#[test]
fn the_values_may_stand_under_billing_or_at_top_level_or_in_both() {
    let (env, merchant) = game();
    let serve = env.serve();
    let under = paid;
    let top = |id: &str| flat(paid(id));
    let without_billing = |id: &str| {
        let mut body = flat(paid(id));
        body.as_object_mut().unwrap().shift_remove("billing");
        body
    };
    let twice = |id: &str| {
        let (mut body, top) = (paid(id), flat(paid(id)));
        body["transaction"] = top["transaction"].clone();
        body["settings"] = json!({"merchant_id": "m-1001"});
        body["payment_details"] = json!({"payment": {"amount": 8.98, "discount": null}});
        body
    };
    let null_above = |id: &str| {
        let mut body = paid(id);
        body["transaction"] = json!(null);
        body["settings"] = json!({"merchant_id": "", "project_id": null});
        body
    };
    let forms: [&dyn Fn(&str) -> Value; 5] = [&under, &top, &without_billing, &twice, &null_above];
    let mut claims = Vec::new();
    for (id, form) in (1..).zip(forms) {
        let external_id = format!("N-{id}");
        merchant.put_transaction(Transaction::new(&external_id));
        post(&serve, &form(&external_id));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        claims.push(env.row(id).claim.unwrap().replace(&external_id, "N"));
    }
    let first: Value = serde_json::from_str(&claims[0]).unwrap();
    for claim in &claims {
        assert_eq!(serde_json::from_str::<Value>(claim).unwrap(), first, "one claim, however it is nested");
    }
}

#[test]
fn both_nestings_of_one_payment_are_one_claim() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("N-1").payment("10.00", "EUR"));
    let serve = env.serve();
    let amount = "/billing/payment_details/payment/amount";
    post(&serve, &with(paid("N-1"), amount, json!("10")));
    serve.settled(1);
    post(&serve, &flat(with(paid("N-1"), amount, json!("10.00"))));
    post(&serve, &with(paid("N-1"), amount, json!(10.0)));
    for id in [2, 3] {
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "duplicate");
        assert_eq!(env.row(id).duplicate_of, Some(1));
    }
    assert_eq!(calls(&env).len(), 1);
}

#[test]
fn places_or_words_that_contradict_each_other_are_malformed() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("X"));
    let serve = env.serve();
    let both = |name: &str, above: Value| {
        let mut body = paid("X");
        body[name] = above;
        body
    };
    let cases = [
        (both("transaction", json!({"external_id": "Y"})), "external_id"),
        (both("transaction", json!({"id": "TX-Y"})), "transaction.id"),
        (both("settings", json!({"merchant_id": "m-1002"})), "merchant_id"),
        (both("settings", json!({"project_id": "pr-78"})), "project_id"),
        (both("payment_details", json!({"payment": {"amount": "8.99"}})), "amount"),
        (both("payment_details", json!({"payment": {"currency": "USD"}})), "currency"),
        (both("transaction", json!("TX")), "transaction"),
        (with(paid("X"), "/order/status", json!("Cancelled")), "order.status"),
        (with(cancelled("X"), "/order/status", json!("Paid")), "order.status"),
    ];
    for (id, (body, field)) in (1..).zip(cases) {
        post(&serve, &body);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.as_deref().unwrap().contains(field), "{row:#?}");
    }
    assert!(calls(&env).is_empty());
}

#[test]
fn an_order_status_that_contradicts_nothing_is_no_matter() {
    let (env, merchant) = game();
    let serve = env.serve();
    for (id, status) in [(1, json!("Unknown")), (2, json!(null)), (3, json!("Settled"))] {
        let external_id = format!("S-{id}");
        merchant.put_transaction(Transaction::new(&external_id));
        post(&serve, &with(paid(&external_id), "/order/status", status));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn what_is_not_understood_is_malformed_with_the_field() {
    let (env, _merchant) = game();
    let serve = env.serve();
    let external_id = "/billing/transaction/external_id";
    let amount = "/billing/payment_details/payment/amount";
    let mut cases = vec![
        (String::new(), "body"),
        ("{".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        ("{}".to_owned(), "notification_type"),
        (with(paid("X"), "/notification_type", json!(null)).to_string(), "notification_type"),
        (with(paid("X"), "/notification_type", json!(7)).to_string(), "notification_type"),
        (with(paid("X"), "/billing", json!("none")).to_string(), "billing"),
        (with(paid("X"), "/billing/transaction", json!(null)).to_string(), "transaction.external_id"),
        (with(paid("X"), "/billing/transaction", json!([])).to_string(), "transaction"),
        (with(paid("X"), "/billing/transaction/id", json!({})).to_string(), "transaction.id"),
        (with(paid("X"), "/billing/settings/merchant_id", json!(true)).to_string(), "settings.merchant_id"),
        (with(paid("X"), "/user/external_id", json!(1.5)).to_string(), "user.external_id"),
    ];
    for id in [
        json!(null),
        json!(""),
        json!("."),
        json!(".."),
        json!("last"),
        json!("deleted"),
        json!(-1),
        json!("a\nb"),
    ] {
        cases.push((with(paid("X"), external_id, id).to_string(), "transaction.external_id"));
    }
    cases.push((with(paid("X"), external_id, json!("x".repeat(256))).to_string(), "transaction.external_id"));
    for text in ["1.", "1e3", "1,50", "EUR 1", "+1", "--1", "."] {
        cases.push((with(paid("X"), amount, json!(text)).to_string(), "payment_details.payment.amount"));
    }
    cases.push((
        with(paid("X"), amount, json!(0)).to_string().replace("\"amount\":0", "\"amount\":1e3"),
        "payment_details.payment.amount",
    ));
    for (id, (body, field)) in (1..).zip(cases) {
        let answer = serve.post("game", body.clone());
        assert_eq!((answer.status, answer.text().as_str()), (200, super::midas::STORED), "{body}");
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.as_deref().unwrap().contains(field), "{body}: {row:#?}");
        let stored = env.value(&format!("SELECT body FROM notifications WHERE id = {id}"));
        assert_eq!(stored.as_deref(), Some(body.as_str()), "kept as received");
    }
    assert!(calls(&env).is_empty());
}

#[test]
fn other_words_and_the_envelope_are_unsupported() {
    let (env, _merchant) = game();
    let serve = env.serve();
    let envelope = |resource: Value| {
        json!({"id": "ev-1", "create_time": "2026-01-02T03:04:05Z", "event_type": "PAYMENT.COMPLETED",
            "resource": resource})
    };
    let cases = [
        (with(paid("X"), "/notification_type", json!("Unknown")), "Unknown"),
        (with(paid("X"), "/notification_type", json!("OrderRefunded")), "OrderRefunded"),
        (with(paid("X"), "/notification_type", json!("orderpaid")), "orderpaid"),
        (json!({"notification_type": "Unknown"}), "Unknown"),
        (envelope(json!({"type_url": "type.example/Order", "value": "e30="})), "PAYMENT.COMPLETED"),
        (envelope(json!({"id": "X", "status": "COMPLETED"})), "PAYMENT.COMPLETED"),
    ];
    for (id, (body, event)) in (1..).zip(cases) {
        post(&serve, &body);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "unsupported");
        assert_eq!(row.event.as_deref(), Some(event));
    }
    assert!(calls(&env).is_empty());
}
