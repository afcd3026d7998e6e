//! `midas`: a payment notification held against the transaction that the query shows.

use std::path::Path;

use countersign::simulator::midas::{MidasMerchant, Transaction};
use serde_json::{Value, json};

use crate::support::{Serve, TestEnv, assert_verdict};

pub(super) const STORED: &str = r#"{"processed":true,"message":"stored"}"#;
pub(super) const PAID_AT: &str = "2026-01-02T03:04:05Z";

/// An environment with a `midas` source `game` that checks no signatures, and the merchant behind it.
pub(super) fn game() -> (TestEnv, MidasMerchant) {
    game_with("", |_, _| {})
}

/// The same with further lines in the source's table, and with what `prepare` puts into the folder.
pub(super) fn game_with(
    lines: &str,
    prepare: impl FnOnce(&MidasMerchant, &Path),
) -> (TestEnv, MidasMerchant) {
    let env = TestEnv::new();
    let base = env.simulator.midas_base();
    let merchant = env.simulator.shops().open_midas("m-1001", "pr-77").unwrap();
    std::fs::write(env.folder().join("merchant.pem"), merchant.private_key_pem().unwrap()).unwrap();
    prepare(&merchant, env.folder());
    let has = |key: &str| lines.lines().any(|line| line.starts_with(key));
    let mut table = format!(
        "provider = \"midas\"\nmerchant_id = \"m-1001\"\nproject_id = \"pr-77\"\nprivate_key_file = \"merchant.pem\"\n\
         api_base = \"{base}\"\nrate_limit = \"1000/s\"\n"
    );
    if !has("serial_no") {
        table.push_str("serial_no = \"0A1B\"\n");
    }
    (env.source("game", &format!("{table}{lines}")), merchant)
}

/// The notification of a payment as [`Transaction::new`] has it, everything movable under `billing`.
pub(super) fn paid(external_id: &str) -> Value {
    json!({
        "notification_type": "OrderPaid",
        "items": [{"sku": "gem_pack_60", "quantity": 2, "amount": "4.99"}],
        "order": {"id": "MO-7001", "currency": "EUR", "amount": "9.98", "status": "Paid", "invoice_id": "INV-88"},
        "user": {"external_id": "player-42", "email": "p42@example.test"},
        "billing": {
            "settings": {"merchant_id": "m-1001", "project_id": "pr-77"},
            "purchase": {"total": {"currency": "EUR", "amount": "9.98"}},
            "transaction": {"id": format!("TX-{external_id}"), "external_id": external_id, "payment_date": PAID_AT},
            "payment_details": {"payment": {"amount": "8.98", "currency": "EUR", "net_amount": "7.48"}},
        },
        "custom_parameters": {"region": "eu-1"},
    })
}

/// The notification that the same payment was cancelled.
pub(super) fn cancelled(external_id: &str) -> Value {
    let mut body = paid(external_id);
    body["notification_type"] = "OrderCancelled".into();
    body["order"]["status"] = "Cancelled".into();
    body
}

pub(super) fn post(serve: &Serve, body: &Value) {
    let answer = serve.post("game", body.to_string());
    assert_eq!((answer.status, answer.text().as_str()), (200, STORED));
}

/// The calls so far: path and query below the `api_base`.
pub(super) fn calls(env: &TestEnv) -> Vec<String> {
    let calls = env.simulator.shops().calls();
    calls.iter().map(|call| call.target.replacen("/midas", "", 1)).collect()
}

/// The body with another value at this JSON pointer.
pub(super) fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[test]
fn a_payment_that_the_query_shows_as_completed_is_confirmed() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("shop-order-9"));
    let serve = env.serve();
    let answer = serve.post("game", paid("shop-order-9").to_string());
    assert_eq!((answer.status, answer.text().as_str()), (200, STORED), "byte for byte");
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!((row.provider.as_str(), row.event.as_deref()), ("midas", Some("OrderPaid")));
    assert_eq!(
        (row.subject_kind.as_deref(), row.subject_id.as_deref()),
        (Some("order"), Some("shop-order-9"))
    );
    assert_eq!((row.resolved_id.as_deref(), row.news), (Some("shop-order-9"), 1));
    assert_eq!(row.event_time.as_deref(), Some("2026-01-02T03:04:05.000Z"));
    assert_eq!(calls(&env), ["/v1/mor/transaction/query?external_id=shop-order-9"]);
    let columns =
        "source || '|' || order_id || '|' || status || '|' || total || '|' || currency || '|' || email";
    assert_eq!(
        env.value(&format!("SELECT {columns} FROM orders")).as_deref(),
        Some("game|shop-order-9|Completed|8.98|EUR|p42@example.test")
    );
    let raw: Value = serde_json::from_str(&env.value("SELECT raw FROM orders").unwrap()).unwrap();
    assert_eq!(raw, Value::Object(merchant.transactions()[0].fields().clone()));
}

#[test]
fn the_claim_holds_what_is_compared_and_nothing_else() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("shop-order-9"));
    let serve = env.serve();
    post(&serve, &paid("shop-order-9"));
    serve.settled(1);
    let claim: Value = serde_json::from_str(&env.row(1).claim.unwrap()).unwrap();
    let wanted = json!({
        "notification_type": "OrderPaid",
        "settings": {"merchant_id": "m-1001", "project_id": "pr-77"},
        "transaction": {"external_id": "shop-order-9", "id": "TX-shop-order-9"},
        "user": {"external_id": "player-42"},
        "payment_details": {"payment": {"amount": "8.98", "currency": "EUR"}},
    });
    assert_eq!(claim, wanted);
}

#[test]
fn a_cancellation_is_confirmed_by_the_status_cancelled() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("C-1").status("Cancelled"));
    let serve = env.serve();
    post(&serve, &cancelled("C-1"));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(env.row(1).event.as_deref(), Some("OrderCancelled"));
}

/// What a transaction shows instead.
type Shown<'a> = &'a dyn Fn(Transaction) -> Transaction;

#[test]
fn status_ids_amount_and_currency_must_agree_where_both_sides_have_them() {
    let (env, merchant) = game();
    let serve = env.serve();
    let (tx, user) = ("/billing/transaction/id", "/user/external_id");
    let (amount, currency) =
        ("/billing/payment_details/payment/amount", "/billing/payment_details/payment/currency");
    let same = |shown: Transaction| shown;
    let edit: [(Shown<'_>, &str, Value, &str); 27] = [
        (&same, tx, json!(null), "match"),
        (&same, tx, json!(""), "match"),
        (&same, tx, json!("TX-other"), "mismatch"),
        (&|t| t.id(""), tx, json!("TX-other"), "match"),
        (&same, user, json!(null), "match"),
        (&same, user, json!("player-43"), "mismatch"),
        (&|t| t.user("42"), user, json!(42), "match"),
        (&|t| t.without("user"), user, json!("player-43"), "match"),
        (&same, amount, json!(null), "match"),
        (&same, amount, json!("8.980"), "match"),
        (&same, amount, json!("08.98"), "match"),
        (&same, amount, json!("8.97"), "mismatch"),
        (&same, amount, json!("-8.98"), "mismatch"),
        (&|t| t.payment("10", "EUR"), amount, json!("10.00"), "match"),
        (&|t| t.payment("10.00", "EUR"), amount, json!(10), "match"),
        (&|t| t.payment("0.50", "EUR"), amount, json!(".5"), "match"),
        (&|t| t.payment("-3.10", "EUR"), amount, json!("-3.1"), "match"),
        (&|t| t.payment("1000", "EUR"), amount, json!("1000.000000000000000001"), "mismatch"),
        (&|t| t.without("payment_details"), amount, json!("8.98"), "mismatch"),
        (&same, currency, json!(null), "match"),
        (&same, currency, json!("USD"), "mismatch"),
        (&same, currency, json!("eur"), "mismatch"),
        (&|t| t.status("Cancelled"), tx, json!(null), "mismatch"),
        (&|t| t.status("Refunded"), tx, json!(null), "mismatch"),
        (&|t| t.status("completed"), tx, json!(null), "mismatch"),
        (&same, "/order/amount", json!("1.00"), "match"),
        (&same, "/billing/purchase/total/amount", json!("1.00"), "match"),
    ];
    for (id, (shown, pointer, value, reason)) in (1..).zip(edit) {
        let external_id = format!("V-{id}");
        merchant.put_transaction(shown(Transaction::new(&external_id)));
        post(&serve, &with(paid(&external_id), pointer, value));
        serve.settled(id);
        assert_verdict(&env.row(id), if reason == "match" { "confirmed" } else { "ignored" }, reason);
    }
    merchant.put_transaction(Transaction::new("V-0"));
    post(&serve, &cancelled("V-0"));
    serve.settled(28);
    assert_verdict(&env.row(28), "ignored", "mismatch");
}

#[test]
fn another_merchant_or_project_is_wrong_store_without_a_question() {
    let (env, _merchant) = game();
    let env = env.verify("grace = \"60s\"");
    let serve = env.serve();
    for (id, field) in [(1, "merchant_id"), (2, "project_id")] {
        let pointer = format!("/billing/settings/{field}");
        post(&serve, &with(paid("shop-order-9"), &pointer, json!("other")));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "wrong_store");
        assert!(row.detail.unwrap().contains(field));
        assert_eq!(row.subject_id.as_deref(), Some("shop-order-9"));
    }
    assert!(calls(&env).is_empty());
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("2"));
}

#[test]
fn a_transaction_of_another_project_is_wrong_store_and_never_our_truth() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1").project("pr-78"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "ignored", "wrong_store");
    assert_eq!(row.outcomes, ["wrong_store"]);
    assert!(row.detail.unwrap().contains("transaction.project.id"));
    assert_eq!(env.value("SELECT count(*) FROM orders").as_deref(), Some("0"));
    let mut without = paid("T-1");
    without["billing"]["settings"] = json!(null);
    post(&serve, &without);
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "wrong_store");
}

#[test]
fn settings_that_are_not_sent_are_no_contradiction() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1"));
    let serve = env.serve();
    let minimal = json!({"notification_type": "OrderPaid", "transaction": {"external_id": "T-1"}});
    post(&serve, &minimal);
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.event_time, None);
}

#[test]
fn everything_is_percent_encoded_into_the_one_query() {
    let (env, merchant) = game();
    let serve = env.serve();
    for (id, (external_id, encoded)) in (1..).zip([
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("a&external_id=b", "a%26external_id%3Db"),
        ("a b+c%2F#?", "a%20b%2Bc%252F%23%3F"),
        ("a,b", "a%2Cb"),
        ("ключ", "%D0%BA%D0%BB%D1%8E%D1%87"),
    ]) {
        env.simulator.shops().clear_calls();
        merchant.put_transaction(Transaction::new(external_id));
        post(&serve, &paid(external_id));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(calls(&env), [format!("/v1/mor/transaction/query?external_id={encoded}")]);
    }
}
