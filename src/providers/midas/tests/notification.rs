//! What notifications say.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::{Reading, Reason, Timestamp};

use super::{claim, read, recorded, unasked, with};

const PAID: &str = "notifications/paid.json";

#[test]
fn a_payment_is_read_with_its_ids_and_values_and_nothing_else() {
    let claim = claim(&recorded(PAID));
    assert_eq!(claim.event, "OrderPaid");
    assert_eq!(claim.subject.id, "shop-order-9");
    assert_eq!(claim.question, "transaction shop-order-9");
    assert_eq!(
        Value::Object(claim.asserted),
        json!({
            "notification_type": "OrderPaid",
            "settings": {"merchant_id": "m-1001", "project_id": "pr-77"},
            "transaction": {"external_id": "shop-order-9", "id": "TX-555"},
            "user": {"external_id": "player-42"},
            "payment_details": {"payment": {"amount": "8.98", "currency": "EUR"}},
        })
    );
    assert!(claim.before.is_empty());
    assert_eq!(claim.event_time.sent.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!(claim.event_time.instant, Timestamp::parse_rfc3339("2026-01-02T03:04:05Z"));
}

#[test]
fn both_nestings_make_the_same_claim() {
    assert_eq!(claim(&recorded(PAID)).key(), claim(&recorded("notifications/paid-flat.json")).key());
}

#[test]
fn ids_may_be_numbers_and_values_missing() {
    let body =
        br#"{"notification_type":"OrderCancelled","transaction":{"external_id":42,"id":""},"user":null}"#;
    let claim = claim(body);
    assert_eq!(claim.subject.id, "42");
    assert_eq!(
        Value::Object(claim.asserted),
        json!({"notification_type": "OrderCancelled", "transaction": {"external_id": "42"}})
    );
}

#[test]
fn what_cannot_be_understood_is_malformed_and_says_which_field() {
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "the body is empty"),
        (b"\xff\xfe".to_vec(), "the body cannot be read as JSON"),
        (b"{\"a\":\"\xff\"}".to_vec(), "notification_type is missing"),
        (vec![b'['; 100_000], "the body cannot be read as JSON"),
        (b"[]".to_vec(), "the body is not a JSON object"),
        (b"{}".to_vec(), "notification_type is missing"),
        (br#"{"event_type":"x"}"#.to_vec(), "notification_type is missing"),
        (with(PAID, "/notification_type", json!(7)), "notification_type is not text"),
        (with(PAID, "/notification_type", json!("")), "notification_type is missing"),
        (with(PAID, "/billing", json!([])), "billing is not an object"),
        (with(PAID, "/billing/transaction", json!(null)), "transaction.external_id is missing"),
        (with(PAID, "/billing/transaction", json!("x")), "transaction is not an object"),
        (with(PAID, "/billing/transaction/external_id", json!("")), "transaction.external_id is missing"),
        (with(PAID, "/billing/transaction/external_id", json!(1.5)), "transaction.external_id is a number"),
        (with(PAID, "/billing/transaction/external_id", json!({})), "transaction.external_id is neither"),
        (
            with(PAID, "/billing/transaction/external_id", json!("..")),
            "transaction.external_id is a relative",
        ),
        (with(PAID, "/billing/transaction/external_id", json!("a\u{0}")), "transaction.external_id holds"),
        (
            with(PAID, "/billing/transaction/external_id", json!("x".repeat(256))),
            "transaction.external_id is",
        ),
        (with(PAID, "/billing/transaction/id", json!(true)), "transaction.id is neither"),
        (with(PAID, "/user", json!("player-42")), "user is not an object"),
        (
            with(PAID, "/billing/payment_details/payment/amount", json!("1e3")),
            "payment_details.payment.amount",
        ),
        (
            with(PAID, "/billing/payment_details/payment/amount", json!("")),
            "payment_details.payment.amount is empty",
        ),
        (with(PAID, "/billing/payment_details/payment/currency", json!(978)), "payment_details.payment.curr"),
        (with(PAID, "/order/status", json!("Cancelled")), "order.status is Cancelled, which contradicts"),
        (with("notifications/cancelled.json", "/order/status", json!("Paid")), "order.status is Paid"),
    ];
    for (body, detail) in cases {
        let unasked = unasked(&body);
        assert_eq!(unasked.reason, Reason::Malformed, "{}", unasked.detail);
        assert!(unasked.detail.starts_with(detail), "{} / {detail}", unasked.detail);
    }
}

#[test]
fn two_places_that_differ_are_malformed() {
    let mut body: Value = serde_json::from_slice(&recorded(PAID)).unwrap();
    body["transaction"] = json!({"external_id": "shop-order-9", "extra": 1});
    assert_eq!(claim(body.to_string().as_bytes()).subject.id, "shop-order-9");
    body["transaction"]["external_id"] = json!("shop-order-8");
    let unasked = unasked(body.to_string().as_bytes());
    assert_eq!(unasked.reason, Reason::Malformed);
    assert_eq!(unasked.detail, "transaction.external_id is given in two places that differ");
    assert_eq!(unasked.event.as_deref(), Some("OrderPaid"));
}

#[test]
fn an_unknown_word_and_the_envelope_are_unsupported() {
    for word in ["Unknown", "OrderRefunded", "orderpaid"] {
        let unasked = unasked(&with(PAID, "/notification_type", json!(word)));
        assert_eq!((unasked.reason, unasked.event.as_deref()), (Reason::Unsupported, Some(word)));
        assert_eq!(unasked.subject.unwrap().id, "shop-order-9");
    }
    let envelope = unasked(&recorded("notifications/envelope.json"));
    assert_eq!(envelope.reason, Reason::Unsupported);
    assert_eq!(envelope.event.as_deref(), Some("PAYMENT.COMPLETED"));
}

#[test]
fn another_merchant_or_project_is_the_wrong_store() {
    for (pointer, detail) in [
        ("/billing/settings/merchant_id", "settings.merchant_id is x-1, not m-1001"),
        ("/billing/settings/project_id", "settings.project_id is x-1, not pr-77"),
    ] {
        let unasked = unasked(&with(PAID, pointer, json!("x-1")));
        assert_eq!(unasked.reason, Reason::WrongStore);
        assert_eq!(unasked.detail, detail);
        assert!(unasked.claim.is_some());
    }
}

#[test]
fn dates_in_any_form_are_kept_and_only_those_with_a_zone_are_instants() {
    let cases = [
        ("2026-01-02T03:04:05+02:00", Some("2026-01-02T01:04:05.000Z"), Some("2026-01-02T01:04:05.000Z")),
        ("2026-01-02T03:04:05.123Z", Some("2026-01-02T03:04:05.123Z"), Some("2026-01-02T03:04:05.123Z")),
        ("2026-01-02T03:04:05", None, Some("2026-01-02T03:04:05.000Z")),
        ("2026-01-02 03:04:05", None, Some("2026-01-02T03:04:05.000Z")),
        ("yesterday", None, None),
        ("2026-02-30T00:00:00Z", None, None),
    ];
    for (sent, instant, order) in cases {
        let time = claim(&with(PAID, "/billing/transaction/payment_date", json!(sent))).event_time;
        assert_eq!(time.sent.as_deref(), Some(sent));
        assert_eq!(time.instant.map(|t| t.to_string()).as_deref(), instant, "{sent}");
        assert_eq!(time.order.map(|t| t.to_string()).as_deref(), order, "{sent}");
    }
}

#[test]
fn odd_ids_are_asked_about_as_they_are() {
    for id in ["a/b?c#d%2F", "ü ☃", "a&b=c", "007", " x "] {
        assert_eq!(claim(&with(PAID, "/billing/transaction/external_id", json!(id))).subject.id, id);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&body);
    }

    #[test]
    fn a_claim_never_has_an_id_that_must_not_be_asked(id in "\\PC{0,300}|\\.{0,3}|last|deleted") {
        let body = with(PAID, "/billing/transaction/external_id", json!(id));
        if let Reading::Claim(claim) = read(&body) {
            prop_assert_eq!(crate::providers::ids::unaskable_id(&claim.subject.id), None);
            prop_assert_eq!(claim.subject.id, id);
        }
    }
}
