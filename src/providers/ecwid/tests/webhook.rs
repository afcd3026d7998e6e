//! Webhooks from body to comparison, against a scripted store.

use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::domain::{
    Answer, CallResult, Cause, Claim, Deletion, FailureScope, FoundObject, Judge, Known, NotFoundEvidence,
    Outcome, Reading, Reason,
};
use crate::providers::{Acknowledgement, Admission, Provider};

use super::super::api::{IDS, Shop};
use super::super::webhook::Webhook;
use super::{ShopDouble, any_json, listing, notification, now};

const CREATED: &str = include_str!("../../../../data/ecwid/notifications/order_created.json");
pub(super) const UPDATED: &str = include_str!("../../../../data/ecwid/notifications/order_updated.json");
pub(super) const DELETED: &str = include_str!("../../../../data/ecwid/notifications/order_deleted.json");
pub(super) const PRODUCT: &str = include_str!("../../../../data/ecwid/notifications/product_updated.json");
const PRODUCT_DELETED: &str = include_str!("../../../../data/ecwid/notifications/product_deleted.json");
const ORDER: &str = include_str!("../../../../data/ecwid/answers/order.json");
const SHOWN_PRODUCT: &str = include_str!("../../../../data/ecwid/answers/product.json");
const DELETIONS: &str = include_str!("../../../../data/ecwid/answers/orders_deleted.json");

/// Eight days before [`now`], at the start of the day.
const SINCE: &str = "from_date=1763251200&limit=100";

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

async fn asked(body: &str, shop: &ShopDouble) -> (Answer, Option<Outcome>) {
    let (source, claim) = (source(), claim(body));
    let answer = source.ask(&shop.api, &claim).await;
    let outcome = match &answer.result {
        CallResult::Failed(_) => None,
        _ => Some(source.compare(&claim, &answer, &Known::default()).outcome),
    };
    (answer, outcome)
}

/// What comes of `body` at a store that shows `direct` by id (404 for none), `listed` in searches and `deleted` among its
/// deletions; with the calls that it took.
async fn outcome(
    body: &str,
    direct: Option<Value>,
    listed: Vec<Value>,
    deleted: &'static str,
) -> (Outcome, Vec<String>) {
    let shop = ShopDouble::serving(move |line| {
        if line.contains("/deleted?") {
            (200, deleted.to_owned())
        } else if line.contains("ids=") || line.contains("productId=") {
            (200, listing(&listed))
        } else {
            direct.as_ref().map_or((404, String::new()), |object| (200, object.to_string()))
        }
    });
    let (answer, outcome) = asked(body, &shop).await;
    let calls = shop.seen().iter().map(|line| line.trim_start_matches("/4400551/").to_owned()).collect();
    shop.close().await;
    (outcome.unwrap_or_else(|| panic!("{answer:?}")), calls)
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

#[actix_web::test]
async fn an_order_matches_only_with_its_ids_and_notified_statuses() {
    let without_order_id = with(UPDATED, "/data/orderId", &Value::Null);
    let bare = with(UPDATED, "/data", &Value::Null);
    for (body, change, expected) in [
        (UPDATED, json!({}), Outcome::Match),
        (UPDATED, json!({"internalId": "731200456"}), Outcome::Match),
        (UPDATED, json!({"internalId": null}), Outcome::Match),
        (UPDATED, json!({"internalId": 731_200_457}), Outcome::Mismatch),
        (UPDATED, json!({"id": "sale-h4k9p"}), Outcome::Mismatch),
        (UPDATED, json!({"paymentStatus": "AWAITING_PAYMENT"}), Outcome::Mismatch),
        (UPDATED, json!({"fulfillmentStatus": "SHIPPED"}), Outcome::Mismatch),
        (CREATED, json!({}), Outcome::Mismatch),
        (CREATED, json!({"paymentStatus": "AWAITING_PAYMENT"}), Outcome::Match),
        (&without_order_id, json!({"orderNumber": 1}), Outcome::Match),
        (&without_order_id, json!({"internalId": 1}), Outcome::Match),
        (&without_order_id, json!({"internalId": 1, "orderNumber": 1}), Outcome::NotFound),
        (&bare, json!({"paymentStatus": "REFUNDED"}), Outcome::Match),
    ] {
        let shown = order(&change);
        let (outcome, _) = outcome(body, Some(shown.clone()), vec![shown], "").await;
        assert_eq!(outcome, expected, "{change}");
    }
}

#[actix_web::test]
async fn an_order_is_asked_by_its_id_and_on_404_by_its_entity() {
    let (found, calls) = outcome(UPDATED, None, vec![order(&json!({}))], "").await;
    assert_eq!(found, Outcome::Match);
    let list = |id: &str| format!("orders?ids={id}&{IDS}&limit=100");
    let whole = "orders?ids=731200456&limit=1".to_owned();
    assert_eq!(calls, ["orders/SALE-H4K9P".to_owned(), list("731200456"), whole]);
    let near = order(&json!({"internalId": 7_312_004_567_u64}));
    assert_eq!(outcome(UPDATED, None, vec![near], "").await.0, Outcome::NotFound);
    let renamed = order(&json!({"id": "OTHER"}));
    assert_eq!(outcome(UPDATED, None, vec![renamed], "").await.0, Outcome::Mismatch);
    let slashed = with(UPDATED, "/data/orderId", &json!("SALE/9%"));
    let (_, calls) = outcome(&slashed, None, vec![], "").await;
    assert_eq!(calls, [list("SALE%2F9%25"), list("731200456")]);
}

#[actix_web::test]
async fn a_deletion_counts_when_the_order_is_gone_and_the_list_names_it() {
    let empty = r#"{"total":0,"items":[]}"#;
    let (deleted, calls) = outcome(DELETED, None, vec![], DELETIONS).await;
    assert_eq!(deleted, Outcome::Deleted);
    assert_eq!(calls, ["orders/SALE-H4K9P".to_owned(), format!("orders/deleted?{SINCE}")]);
    let shown = || order(&json!({}));
    assert_eq!(outcome(DELETED, Some(shown()), vec![], DELETIONS).await.0, Outcome::Mismatch);
    assert_eq!(outcome(DELETED, None, vec![], empty).await.0, Outcome::NotFound);
    assert_eq!(outcome(DELETED, None, vec![shown()], empty).await.0, Outcome::Mismatch);
    let other_id = r#"{"total":1,"items":[{"id":"7312004567"}]}"#;
    assert_eq!(outcome(DELETED, None, vec![], other_id).await.0, Outcome::NotFound);
    let other_order = r#"{"total":1,"items":[{"id":731200456,"orderId":"SALE-OTHER"}]}"#;
    assert_eq!(outcome(DELETED, None, vec![], other_order).await.0, Outcome::Mismatch);
    let same_order = r#"{"total":1,"items":[{"id":731200456,"orderId":"SALE-H4K9P"}]}"#;
    assert_eq!(outcome(DELETED, None, vec![], same_order).await.0, Outcome::Deleted);
    let bare = with(DELETED, "/data", &Value::Null);
    let (deleted, calls) = outcome(&bare, None, vec![], DELETIONS).await;
    assert_eq!(deleted, Outcome::Deleted);
    let list = format!("orders?ids=731200456&{IDS}&limit=100");
    assert_eq!(calls, [list, format!("orders/deleted?{SINCE}")]);
}

#[actix_web::test]
async fn a_list_of_deletions_is_read_to_its_end() {
    let shop = ShopDouble::serving(|line| {
        let items = |from: u64, to: u64| (from..to).map(|id| json!({"id": id})).collect::<Vec<_>>();
        let page = |items: Vec<Value>| (200, json!({"total": 250, "items": items}).to_string());
        match line {
            line if line.contains("offset=200") => page(vec![json!({"id": 731_200_456})]),
            line if line.contains("offset=100") => page(items(100, 200)),
            line if line.contains("deleted") => page(items(0, 100)),
            _ => (404, String::new()),
        }
    });
    assert_eq!(asked(DELETED, &shop).await.1, Some(Outcome::Deleted));
    shop.close().await;
}

#[actix_web::test]
async fn a_product_needs_its_id_alone() {
    let shown: Value = serde_json::from_str(SHOWN_PRODUCT).unwrap();
    assert_eq!(
        outcome(PRODUCT, Some(shown.clone()), vec![], "").await,
        (Outcome::Match, vec!["products/9001".to_owned()])
    );
    let mut other = shown.clone();
    other["id"] = json!(90_011);
    assert_eq!(outcome(PRODUCT, Some(other.clone()), vec![], "").await.0, Outcome::Mismatch);
    let (listed, calls) = outcome(PRODUCT, None, vec![other.clone(), shown.clone()], "").await;
    assert_eq!((listed, calls[1].as_str()), (Outcome::Match, "products?productId=9001&limit=100"));
    assert_eq!(outcome(PRODUCT, None, vec![other], "").await.0, Outcome::NotFound);
    let deletions = r#"{"total":1,"items":[{"id":9001,"date":"2025-11-25 08:12:00 +0000"}]}"#;
    assert_eq!(outcome(PRODUCT_DELETED, None, vec![], deletions).await.0, Outcome::Deleted);
    assert_eq!(outcome(PRODUCT_DELETED, Some(shown), vec![], deletions).await.0, Outcome::Mismatch);
    assert_eq!(
        outcome(PRODUCT_DELETED, None, vec![], r#"{"total":0,"items":[]}"#).await.0,
        Outcome::NotFound
    );
}

#[actix_web::test]
async fn a_404_with_the_products_own_word_needs_no_list() {
    for (body, calls) in [
        (r#"{"errorCode":"PRODUCT_NOT_FOUND"}"#, 1),
        (r#"{"errorMessage":"PRODUCT_NOT_FOUND"}"#, 1),
        (r#"{"errorMessage":"nothing here"}"#, 2),
    ] {
        let shop = ShopDouble::serving(move |line| {
            if line.contains('?') { (200, listing(&[])) } else { (404, body.to_owned()) }
        });
        assert_eq!(asked(PRODUCT, &shop).await.1, Some(Outcome::NotFound), "{body}");
        assert_eq!(shop.seen().len(), calls, "{body}");
        shop.close().await;
    }
}

#[actix_web::test]
async fn a_failure_in_any_call_is_a_failure() {
    for (failing, status, body, scope) in [
        ("/deleted", 403, r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#, FailureScope::CallKind),
        ("/deleted", 404, r#"{"errorCode":"STORE_NOT_FOUND"}"#, FailureScope::Source),
        ("/deleted", 500, "", FailureScope::Unclear),
        ("/deleted", 404, "", FailureScope::Unclear),
        ("ids=", 200, "{}", FailureScope::Unclear),
        ("SALE", 200, r#"{"paymentStatus":"PAID"}"#, FailureScope::Unclear),
    ] {
        let shop = ShopDouble::serving(move |line| match line {
            line if line.contains(failing) => (status, body.to_owned()),
            line if line.contains('?') => (200, listing(&[])),
            _ => (404, String::new()),
        });
        let (answer, _) = asked(DELETED, &shop).await;
        let CallResult::Failed(failure) = answer.result else {
            panic!("{failing} {body}: {:?}", answer.result)
        };
        assert_eq!(failure.scope, scope, "{failing} {body}");
        let denied = matches!(scope, FailureScope::CallKind | FailureScope::Source);
        assert_eq!(failure.cause == Cause::ApiDenied, denied, "{failing} {body}");
        shop.close().await;
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

fn answer(result: CallResult) -> Answer {
    Answer { asked_at: now(), date: None, http_status: Some(200), latency_ms: 1, result }
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

    #[test]
    fn no_answer_matches_without_the_ids_and_values(body in any_json()) {
        let text = |name: &str| match body.get(name) {
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        let is_product = text("id").as_deref() == Some("9001");
        let is_it = body.get("id") == Some(&json!("SALE-H4K9P"))
            && text("paymentStatus").as_deref() == Some("PAID")
            && text("fulfillmentStatus").as_deref() == Some("AWAITING_PROCESSING");
        let shown = FoundObject { body: body.clone(), truth: None, compared: serde_json::Map::new() };
        let there = answer(CallResult::Found(Box::new(shown)));
        let outcome = |sent, answer| source().compare(&claim(sent), answer, &Known::default()).outcome;
        prop_assert!(outcome(UPDATED, &there) != Outcome::Match || is_it);
        prop_assert_eq!(outcome(PRODUCT, &there) == Outcome::Match, is_product);
        prop_assert_eq!(outcome(DELETED, &there), Outcome::Mismatch);
        let is_deleted = text("id").as_deref() == Some("731200456");
        let absence = NotFoundEvidence { evidence: Value::Null, detail: String::new(), deletion: Deletion::Listed(body) };
        let absent = answer(CallResult::NotFound(absence));
        prop_assert!(outcome(DELETED, &absent) != Outcome::Deleted || is_deleted);
    }
}
