//! Webhooks: bodies to claims, and which claims explain which.

use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::domain::{Claim, Judge, Reading, Reason};
use crate::providers::{Acknowledgement, Admission, Provider};

use super::super::api::Shop;
use super::super::webhook::Webhook;
use super::{any_json, notification};

pub(super) const CREATED: &str = include_str!("../../../../data/ecwid/notifications/order_created.json");
pub(super) const UPDATED: &str = include_str!("../../../../data/ecwid/notifications/order_updated.json");
pub(super) const DELETED: &str = include_str!("../../../../data/ecwid/notifications/order_deleted.json");
pub(super) const PRODUCT: &str = include_str!("../../../../data/ecwid/notifications/product_updated.json");
pub(super) const PRODUCT_DELETED: &str =
    include_str!("../../../../data/ecwid/notifications/product_deleted.json");
const ORDER: &str = include_str!("../../../../data/ecwid/answers/order.json");

pub(super) fn source() -> Webhook {
    Webhook::new(Shop::new("4400551", SecretString::from("secret_test")), None)
}

pub(super) fn claim(body: &str) -> Claim {
    match source().read(&notification(body.as_bytes())) {
        Reading::Claim(claim) => *claim,
        Reading::Unasked(unasked) => panic!("{unasked:?}"),
    }
}

fn unasked(body: &str) -> (Reason, String) {
    match source().read(&notification(body.as_bytes())) {
        Reading::Claim(claim) => panic!("{claim:?}"),
        Reading::Unasked(unasked) => (unasked.reason, unasked.detail),
    }
}

/// `body` with the value at a JSON pointer's place changed; without it where the value is null.
pub(super) fn with(body: &str, place: &str, value: &Value) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let object = body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    object.remove(name);
    if !value.is_null() {
        object.insert(name.to_owned(), value.clone());
    }
    body.to_string()
}

pub(super) fn order(change: &Value) -> Value {
    let mut order: Value = serde_json::from_str(ORDER).unwrap();
    for (name, value) in change.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

#[test]
fn an_order_becomes_a_claim_with_its_old_values_before() {
    let claim = claim(UPDATED);
    assert_eq!(
        Value::Object(claim.asserted.clone()).to_string(),
        r#"{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"}}"#
    );
    assert_eq!(
        Value::Object(claim.before.clone()),
        json!({"data": {"oldPaymentStatus": "AWAITING_PAYMENT", "oldFulfillmentStatus": "AWAITING_PROCESSING"}})
    );
    assert_eq!(claim.subject.id, "SALE-H4K9P");
    assert_eq!(claim.event_id.as_deref(), Some("11111111-2222-4333-8444-555555555555"));
    assert_eq!(claim.event_time.instant.unwrap().to_string(), "2025-11-24T16:00:00.000Z");
    assert_eq!(claim.call_kind, "orders");
}

#[test]
fn numbers_and_texts_make_the_same_claim() {
    let mut quoted = UPDATED.to_owned();
    for digits in ["4400551", "731200456", "1764000000"] {
        quoted = quoted.replace(digits, &format!("\"{digits}\""));
    }
    assert_ne!(quoted, UPDATED);
    assert_eq!(claim(&quoted).key(), claim(UPDATED).key());
    assert_eq!(claim(&quoted).question, claim(UPDATED).question);
    for nothing in [json!(""), Value::Null] {
        let absent = with(UPDATED, "/data/newPaymentStatus", &Value::Null);
        let mut sent: Value = serde_json::from_str(UPDATED).unwrap();
        sent["data"]["newPaymentStatus"] = nothing;
        assert_eq!(claim(&sent.to_string()).key(), claim(&absent).key());
    }
}

#[test]
fn what_is_not_understood_says_which_field_and_why() {
    for (body, words) in [
        (String::new(), "the body is empty"),
        ("[]".to_owned(), "the body is not a JSON object"),
        ("[".repeat(100_000), "cannot be read as JSON"),
        ("a=b".to_owned(), "cannot be read as JSON"),
        ("{}".to_owned(), "eventType is missing"),
        (with(UPDATED, "/eventType", &json!(7)), "eventType is not a word"),
        (with(UPDATED, "/eventId", &Value::Null), "eventId is missing"),
        (with(UPDATED, "/eventCreated", &Value::Null), "eventCreated is missing"),
        (with(UPDATED, "/eventCreated", &json!("yesterday")), "eventCreated is not a number of seconds"),
        (with(UPDATED, "/eventCreated", &json!(-1)), "eventCreated is neither text nor a whole number"),
        (with(UPDATED, "/storeId", &Value::Null), "storeId is missing"),
        (with(UPDATED, "/storeId", &json!({})), "storeId is neither text nor a whole number"),
        (with(UPDATED, "/entityId", &Value::Null), "entityId is missing"),
        (with(UPDATED, "/entityId", &json!(1.5)), "entityId is neither text nor a whole number"),
        (with(UPDATED, "/entityId", &json!("last")), "entityId is a word of the API's own paths"),
        (with(UPDATED, "/data/orderId", &json!("..")), "data.orderId is a relative path"),
        (with(UPDATED, "/data/orderId", &json!("")), "data.orderId is empty"),
        (with(UPDATED, "/data/orderId", &json!([])), "data.orderId is neither text nor a whole number"),
        (with(UPDATED, "/data/newPaymentStatus", &json!(1)), "data.newPaymentStatus is not a word"),
        (with(UPDATED, "/data", &json!([1])), "data is not an object"),
        (with(PRODUCT, "/entityId", &json!("A-1")), "entityId is not a product's number"),
    ] {
        let (reason, detail) = unasked(&body);
        assert_eq!(reason, Reason::Malformed, "{detail}");
        assert!(detail.contains(words), "{detail:?} says {words:?}");
    }
    let binary = source().read(&notification(b"\xff\xfe\x00"));
    assert!(matches!(binary, Reading::Unasked(unasked) if unasked.reason == Reason::Malformed));
}

#[test]
fn every_other_event_is_unsupported_and_another_store_is_wrong() {
    for event in ["profile.updated", "unfinished_order.created", "order.exploded", "Order.updated", "x"] {
        assert_eq!(unasked(&with(UPDATED, "/eventType", &json!(event))).0, Reason::Unsupported, "{event}");
    }
    assert_eq!(unasked(r#"{"eventType":"application.installed","entityId":-1}"#).0, Reason::Unsupported);
    for body in [UPDATED, DELETED, PRODUCT, PRODUCT_DELETED] {
        assert_eq!(unasked(&with(body, "/storeId", &json!(4_400_552))).0, Reason::WrongStore);
    }
}

fn explains(later: &Claim, earlier: &Claim) -> bool {
    let [later, earlier] = [later, earlier].map(|claim| source().course(claim));
    earlier.asserted.is_some_and(|statuses| later.explains.contains(&statuses))
}

#[test]
fn a_later_update_explains_an_earlier_notification_by_its_old_values() {
    assert!(explains(&claim(UPDATED), &claim(CREATED)));
    assert!(!explains(&claim(CREATED), &claim(UPDATED)), "a new order has no old values");
    let from_refund = with(UPDATED, "/data/oldPaymentStatus", &json!("REFUNDED"));
    assert!(!explains(&claim(&from_refund), &claim(CREATED)));
    assert!(!explains(&claim(UPDATED), &claim(&with(CREATED, "/data", &Value::Null))));
}

#[test]
fn copies_of_a_deletion_ask_the_same_and_other_ids_never_do() {
    let (mut early, mut late) = (notification(DELETED.as_bytes()), notification(DELETED.as_bytes()));
    early.received_at = crate::domain::Timestamp::from_seconds(1_763_251_200);
    late.received_at = crate::domain::Timestamp::from_seconds(1_763_251_200 + 86_399);
    let question = |notification| match source().read(notification) {
        Reading::Claim(claim) => claim.question,
        Reading::Unasked(unasked) => panic!("{unasked:?}"),
    };
    assert_eq!(question(&early), question(&late));
    let odd = |order_id: &str, entity: &str| {
        claim(&with(&with(UPDATED, "/data/orderId", &json!(order_id)), "/entityId", &json!(entity))).question
    };
    assert_ne!(odd("A B", "C"), odd("A", "B C"));
    assert_ne!(odd("A\",\"B", "C"), odd("A", "B\",\"C"));
}

#[test]
fn without_a_client_secret_every_body_is_admitted_and_gets_an_empty_200() {
    assert_eq!(source().admit(&notification(b"")), Admission::Admitted);
    let empty = Acknowledgement { status: 200, body: "", content_type: None };
    assert_eq!(source().acknowledgement(), empty);
}

proptest! {
    #[test]
    fn no_body_panics(body in any_json(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = source().read(&notification(body.to_string().as_bytes()));
        let _ = source().read(&notification(&bytes));
        for place in ["/eventId", "/eventCreated", "/storeId", "/entityId", "/data", "/data/orderId", "/data/newPaymentStatus"] {
            let _ = source().read(&notification(with(UPDATED, place, &body).as_bytes()));
        }
    }
}
