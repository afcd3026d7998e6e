//! The calls about webhooks' claims and what their answers mean, against a scripted store.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::webhook::{CREATED, DELETED, PRODUCT, PRODUCT_DELETED, UPDATED, claim, order, source, with};
use super::{ShopDouble, any_json, listing, now};
use crate::domain::{
    Answer, CallResult, Cause, Deletion, FailureScope, FoundObject, Judge, Known, NotFoundEvidence, Outcome,
};
use crate::providers::ecwid::api::IDS;

const SHOWN_PRODUCT: &str = include_str!("../../../../data/ecwid/answers/product.json");
const DELETIONS: &str = include_str!("../../../../data/ecwid/answers/orders_deleted.json");

/// Eight days before [`now`], at the start of the day.
const SINCE: &str = "from_date=1763251200&limit=100";

async fn asked(body: &str, shop: &ShopDouble) -> (Answer, Option<Outcome>) {
    super::asked(&source(), &claim(body), shop).await
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

fn answer(result: CallResult) -> Answer {
    Answer { asked_at: now(), date: None, http_status: Some(200), latency_ms: 1, result }
}

proptest! {
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
