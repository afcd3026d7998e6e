//! Instant Order Notifications from body to comparison, against a scripted store.

use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::domain::{
    Answer, CallResult, Cause, Claim, FailureScope, FoundObject, Judge, Known, Outcome, Reading, Reason,
};
use crate::providers::{Admission, Provider};

use super::super::api::{IDS, Shop};
use super::super::ion::Ion;
use super::{ShopDouble, any_json, listing, notification, now};

const NEW_ORDER: &str = include_str!("../../../../data/ecwid/notifications/ion_new_order.form");
const CHANGE: &str = include_str!("../../../../data/ecwid/notifications/ion_order_status_change.form");
const OLD_ORDER: &str = include_str!("../../../../data/ecwid/answers/old_order.json");

fn source() -> Ion {
    Ion::new(Shop::new("4400551", SecretString::from("secret_test")))
}

fn claim(body: &str) -> Claim {
    match source().read(&notification(body.as_bytes())) {
        Reading::Claim(claim) => *claim,
        Reading::Unasked(unasked) => panic!("{unasked:?}"),
    }
}

fn unasked(body: &[u8]) -> (Reason, String) {
    match source().read(&notification(body)) {
        Reading::Claim(claim) => panic!("{claim:?}"),
        Reading::Unasked(unasked) => (unasked.reason, unasked.detail),
    }
}

fn with(field: &str, value: &str) -> String {
    let replace = |piece: &str| match piece.split_once('=') {
        Some((name, _)) if name == field => format!("{name}={value}"),
        _ => piece.to_owned(),
    };
    CHANGE.split('&').map(replace).collect::<Vec<_>>().join("&")
}

fn old_order() -> Value {
    serde_json::from_str(OLD_ORDER).unwrap()
}

async fn outcome(body: &str, shop: &ShopDouble) -> (Answer, Option<Outcome>) {
    super::asked(&source(), &claim(body), shop).await
}

#[test]
fn a_form_becomes_a_claim_with_its_old_values_before() {
    let claim = claim(CHANGE);
    assert_eq!(
        Value::Object(claim.asserted).to_string(),
        r#"{"owner_id":"4400551","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW"}"#
    );
    assert_eq!(claim.before.get("old_payment_status"), Some(&json!("QUEUED")));
    assert_eq!((claim.event.as_str(), claim.subject.id.as_str()), ("order_status_change", "1207"));
    assert_eq!(claim.event_time.sent.as_deref(), Some("2014-11-02 09:41:00"));
    assert_eq!(claim.event_time.instant, None);
    assert_eq!(claim.event_time.order.unwrap().to_string(), "2014-11-02T09:41:00.000Z");
}

#[test]
fn a_json_object_makes_the_same_claim_as_the_form() {
    let body = r#" {"owner_id":4400551,"event_type":"new_order","date":"2014-11-02 09:37:12","order_id":1207,
        "payment_status":"QUEUED","fulfillment_status":"NEW"}"#;
    assert_eq!(claim(body).key(), claim(NEW_ORDER).key());
}

#[test]
fn a_date_of_any_kind_is_never_refused() {
    for date in ["", "yesterday", "2014-13-45+99%3A00%3A00", "1414921260", "0000-00-00+00%3A00%3A00"] {
        assert_eq!(claim(&with("date", date)).event_time.instant, None, "{date}");
    }
    let zoned = claim(&with("date", "2014-11-02+09%3A41%3A00+%2B0100"));
    assert_eq!(zoned.event_time.instant.unwrap().to_string(), "2014-11-02T08:41:00.000Z");
}

#[test]
fn what_is_not_understood_says_which_field_and_why() {
    for (body, words) in [
        (String::new(), "event_type is missing"),
        ("{}".to_owned(), "event_type is missing"),
        ("{\"owner_id\":".to_owned(), "the body cannot be read as JSON"),
        ("[".repeat(100_000), "event_type is missing"),
        (format!("{{\"a\":{}", "[".repeat(100_000)), "the body cannot be read as JSON"),
        (with("order_id", ""), "order_id is empty"),
        (with("order_id", "last"), "order_id is a word of the API's own paths"),
        (with("order_id", "deleted"), "order_id is a word"),
        (with("order_id", ".."), "order_id is a relative path"),
        (with("order_id", "1%0A2"), "order_id holds a control character"),
        (with("order_id", &"9".repeat(256)), "order_id is longer than 255 bytes"),
        (with("payment_status", ""), "payment_status is empty"),
        (CHANGE.replace("fulfillment_status=NEW&", ""), "fulfillment_status is missing"),
        (format!("{CHANGE}&order_id=1208"), "order_id is sent more than once"),
        (with("order_id", "%FF"), "order_id holds bytes that are not text"),
        (with("event_type", "%FF"), "event_type holds bytes that are not text"),
        (
            r#"{"owner_id":1,"event_type":"new_order","order_id":1.5}"#.to_owned(),
            "order_id is neither text nor a whole number",
        ),
    ] {
        let (reason, detail) = unasked(body.as_bytes());
        assert_eq!(reason, Reason::Malformed, "{detail}");
        assert!(detail.contains(words), "{detail:?} says {words:?}");
    }
}

#[test]
fn an_unknown_event_is_unsupported_and_another_store_is_wrong() {
    let (reason, detail) = unasked(with("event_type", "order%1B%5B2J").as_bytes());
    assert_eq!((reason, detail.contains('\x1b')), (Reason::Unsupported, false));
    assert_eq!(unasked(with("owner_id", "4400552").as_bytes()).0, Reason::WrongStore);
    assert_eq!(unasked(with("owner_id", "04400551").as_bytes()).0, Reason::WrongStore);
}

#[actix_web::test]
async fn each_notified_status_is_compared_in_the_words_of_v3() {
    for (payment, fulfillment, shown_payment, shown_fulfillment, expected) in [
        ("ACCEPTED", "NEW", "PAID", "AWAITING_PROCESSING", Outcome::Match),
        ("QUEUED", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", Outcome::Match),
        ("CHARGEABLE", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", Outcome::Match),
        ("DECLINED", "SHIPPED", "CANCELLED", "SHIPPED", Outcome::Match),
        ("CANCELLED", "WILL_NOT_DELIVER", "CANCELLED", "WILL_NOT_DELIVER", Outcome::Match),
        ("REFUNDED", "RETURNED", "REFUNDED", "RETURNED", Outcome::Match),
        ("PAID", "AWAITING_PROCESSING", "PAID", "AWAITING_PROCESSING", Outcome::Match),
        ("CUSTOM_PAYMENT_STATUS_9", "NEW", "CUSTOM_PAYMENT_STATUS_9", "AWAITING_PROCESSING", Outcome::Match),
        ("ACCEPTED", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", Outcome::Mismatch),
        ("ACCEPTED", "NEW", "PAID", "SHIPPED", Outcome::Mismatch),
        ("ACCEPTED", "NEW", "paid", "AWAITING_PROCESSING", Outcome::Mismatch),
        ("AWAITING_PAYMENT", "NEW", "QUEUED", "AWAITING_PROCESSING", Outcome::Mismatch),
    ] {
        let mut order = old_order();
        order["paymentStatus"] = json!(shown_payment);
        order["fulfillmentStatus"] = json!(shown_fulfillment);
        let text = order.to_string();
        let shop = ShopDouble::serving(move |_| (200, text.clone()));
        let body = with("payment_status", payment)
            .replace("&fulfillment_status=NEW", &format!("&fulfillment_status={fulfillment}"));
        assert_eq!(outcome(&body, &shop).await.1, Some(expected), "{payment} {fulfillment}");
        shop.close().await;
    }
}

#[actix_web::test]
async fn an_order_is_asked_by_its_own_path_with_every_character_encoded() {
    let shop = ShopDouble::serving(|_| (404, String::new()));
    let list = |id: &str| format!("/4400551/orders?ids={id}&{IDS}&limit=100");
    let both = |id: &str| vec![format!("/4400551/orders/{id}"), list(id)];
    for (order_id, lines) in [
        ("A%3Fb%23c+%C3%A9%26", both("A%3Fb%23c%20%C3%A9%26")),
        ("a%2F..%2Flast", vec![list("a%2F..%2Flast")]),
        ("%252e%252e", vec![list("%252e%252e")]),
        ("a%5Cb", vec![list("a%5Cb")]),
        ("a%2Fb%2Cc", both("a%2Fb%2Cc")),
        ("...", both("...")),
    ] {
        let before = shop.seen().len();
        outcome(&with("order_id", order_id), &shop).await;
        assert_eq!(&shop.seen()[before..], lines, "{order_id}");
    }
    shop.close().await;
}

#[actix_web::test]
async fn another_order_on_the_direct_path_leads_to_the_list_and_near_matches_do_not_count() {
    let other = json!({"id": "SHOP-9", "internalId": 1207, "orderNumber": 9, "paymentStatus": "PAID",
        "fulfillmentStatus": "AWAITING_PROCESSING"});
    let near = json!({"id": "1207-A", "internalId": 3, "orderNumber": 12070, "paymentStatus": "PAID",
        "fulfillmentStatus": "AWAITING_PROCESSING"});
    for (listed, expected) in
        [(vec![near.clone(), old_order()], Outcome::Match), (vec![near, other.clone()], Outcome::NotFound)]
    {
        let (direct, list) = (other.to_string(), listing(&listed));
        let shop = ShopDouble::serving(move |line| {
            (200, if line.contains("ids=") { &list } else { &direct }.clone())
        });
        assert_eq!(outcome(CHANGE, &shop).await.1, Some(expected));
        shop.close().await;
    }
}

#[actix_web::test]
async fn a_404_is_not_there_only_when_the_list_has_no_exact_match_either() {
    for body in [
        "",
        r#"{"errorCode":"ORDER_NOT_FOUND"}"#,
        r#"{"errorMessage":"ORDER_NOT_FOUND"}"#,
        r#"{"errorMessage":"Order #1207 not found"}"#,
    ] {
        let shop = ShopDouble::serving(move |line| {
            if line.contains("ids=") { (200, listing(&[])) } else { (404, body.to_owned()) }
        });
        let (answer, outcome) = outcome(CHANGE, &shop).await;
        assert_eq!((answer.http_status, outcome), (Some(404), Some(Outcome::NotFound)), "{body}");
        shop.close().await;
    }
    let shop = ShopDouble::serving(|line| {
        if line.contains("ids=") { (200, listing(&[old_order()])) } else { (404, String::new()) }
    });
    assert_eq!(outcome(CHANGE, &shop).await.1, Some(Outcome::Match));
    shop.close().await;
}

#[actix_web::test]
async fn what_is_no_answer_is_a_failure_with_its_cause_and_owner() {
    for (status, body, cause, scope) in [
        (404, r#"{"errorCode":"STORE_NOT_FOUND"}"#, Cause::ApiDenied, FailureScope::Source),
        (404, r#"{"errorMessage":"Profile: PROFILE_NOT_FOUND"}"#, Cause::ApiDenied, FailureScope::Source),
        (402, r#"{"errorCode":"STORE_IS_SUSPENDED"}"#, Cause::ApiDenied, FailureScope::Unclear),
        (403, r#"{"errorCode":"INVALID_API_TOKEN"}"#, Cause::ApiDenied, FailureScope::Unclear),
        (403, r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#, Cause::ApiDenied, FailureScope::CallKind),
        (400, r#"{"errorCode":"WRONG_PARAMETER"}"#, Cause::ApiError, FailureScope::Unclear),
        (500, "", Cause::ApiError, FailureScope::Unclear),
        (408, "", Cause::ApiUnreachable, FailureScope::Unclear),
        (429, "", Cause::ApiRateLimited, FailureScope::Source),
        (301, "", Cause::ApiError, FailureScope::Unclear),
        (200, "", Cause::ApiError, FailureScope::Unclear),
        (200, "<html>", Cause::ApiError, FailureScope::Unclear),
        (200, "[]", Cause::ApiError, FailureScope::Unclear),
        (200, "{}", Cause::ApiError, FailureScope::Unclear),
        (200, r#"{"id":"1207"}"#, Cause::ApiError, FailureScope::Unclear),
    ] {
        let shop = ShopDouble::serving(move |_| (status, body.to_owned()));
        let (answer, _) = outcome(CHANGE, &shop).await;
        let CallResult::Failed(failure) = answer.result else {
            panic!("{status} {body}: {:?}", answer.result)
        };
        assert_eq!((failure.cause, failure.scope), (cause, scope), "{status} {body}");
        assert_eq!(failure.http_status, Some(status), "{body}");
        shop.close().await;
    }
}

#[actix_web::test]
async fn an_id_cannot_put_an_error_word_into_the_shops_mouth() {
    let shop = ShopDouble::serving(|line| {
        if line.contains("ids=") {
            (200, listing(&[]))
        } else {
            (404, r#"{"errorMessage":"Order #STORE_NOT_FOUND not found"}"#.to_owned())
        }
    });
    let (_, outcome) = outcome(&with("order_id", "STORE_NOT_FOUND"), &shop).await;
    assert_eq!(outcome, Some(Outcome::NotFound));
    shop.close().await;
}

#[actix_web::test]
async fn a_list_that_never_ends_contradicts_itself_or_is_none_is_an_error() {
    let near = |n: usize| json!({"id": format!("1207-{n}"), "internalId": n, "orderNumber": n});
    let full = json!({"total": 5000, "items": (0..100).map(near).collect::<Vec<_>>()}).to_string();
    for (list, calls) in [
        (full.as_str(), 11),
        (r#"{"total":3,"items":[]}"#, 2),
        (r#"{"items":[]}"#, 2),
        (r#"{"total":0}"#, 2),
        (r#"{"total":1,"items":[7]}"#, 2),
        (r#"{"total":1,"items":[{"internalId":1207}]}"#, 2),
        ("null", 2),
    ] {
        let list = list.to_owned();
        let shop = ShopDouble::serving(move |line| {
            if line.contains("ids=") { (200, list.clone()) } else { (404, String::new()) }
        });
        let (answer, _) = outcome(CHANGE, &shop).await;
        let CallResult::Failed(failure) = answer.result else { panic!("{:?}", answer.result) };
        // Over ten pages of near matches: the subject's own trouble, and no other answer will ever come.
        let is_crowded = calls == 11;
        assert_eq!((failure.cause, failure.is_refusal()), (Cause::ApiError, is_crowded));
        assert_eq!(failure.scope == FailureScope::Subject, is_crowded);
        assert_eq!(shop.seen().len(), calls);
        shop.close().await;
    }
}

#[actix_web::test]
async fn a_list_that_changes_under_way_is_read_again_and_a_huge_page_by_halves() {
    let near = |n: usize| json!({"id": format!("1207-{n}")});
    let shop = ShopDouble::serving(move |line| {
        let page = |total: usize, from: usize, more: Option<Value>| {
            let items: Vec<Value> = (from..from + 50).map(near).chain(more).collect();
            (200, json!({"total": total, "items": items}).to_string())
        };
        match line {
            line if line.contains("limit=100") => (200, " ".repeat(9 * 1024 * 1024)),
            line if line.contains("offset=50") => page(101, 50, Some(old_order())),
            line if line.contains("ids=") => page(100, 0, None),
            _ => (404, String::new()),
        }
    });
    let (answer, _) = outcome(CHANGE, &shop).await;
    // The first page always says 100 and the second 101, so that this list is never the same twice.
    assert!(matches!(answer.result, CallResult::Failed(_)));
    assert_eq!(shop.seen().iter().filter(|line| line.contains("limit=100")).count(), 1);
    assert_eq!(shop.seen().iter().filter(|line| line.contains("limit=50")).count(), 10);
    shop.close().await;
}

#[actix_web::test]
async fn the_control_question_holds_nothing_foreign() {
    let shop = ShopDouble::serving(|_| (200, r#"{"total":12}"#.to_owned()));
    assert!(source().control(&shop.api).await.is_ok());
    assert_eq!(shop.seen(), ["/4400551/orders?limit=1&responseFields=total"]);
    shop.close().await;
}

fn explains(later: &Claim, earlier: &Claim) -> bool {
    let [later, earlier] = [later, earlier].map(|claim| source().course(claim));
    earlier.asserted.is_some_and(|statuses| later.explains.contains(&statuses))
}

#[test]
fn a_later_notification_explains_an_earlier_one_by_its_old_values() {
    let (new, change) = (claim(NEW_ORDER), claim(CHANGE));
    assert!(explains(&change, &new));
    assert!(!explains(&new, &change), "a new order has no old values");
    let spelled_in_v3 = claim(&with("old_payment_status", "AWAITING_PAYMENT"));
    assert!(explains(&spelled_in_v3, &new));
    assert!(!explains(&claim(&with("old_payment_status", "REFUNDED")), &new));
}

#[test]
fn every_delivery_is_admitted_and_acknowledged_with_200() {
    assert_eq!(source().admit(&notification(b"")), Admission::Admitted);
    assert_eq!(source().acknowledgement().status, 200);
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = source().read(&notification(&body));
    }

    #[test]
    fn no_answer_matches_without_the_ids_and_values(body in any_json()) {
        let claim = claim(CHANGE);
        let there = |field: &str, word: &str| body.get(field).and_then(Value::as_str) == Some(word);
        let is_it = body.get("orderNumber").is_some_and(|n| n == &json!(1207) || n == "1207")
            || body.get("id").is_some_and(|id| id == &json!(1207) || id == "1207");
        let agrees = is_it && there("paymentStatus", "PAID") && there("fulfillmentStatus", "AWAITING_PROCESSING");
        let object = FoundObject { body, truth: None, compared: serde_json::Map::new() };
        let answer = Answer {
            asked_at: now(), date: None, http_status: Some(200), latency_ms: 1,
            result: CallResult::Found(Box::new(object)),
        };
        let comparison = source().compare(&claim, &answer, &Known::default());
        prop_assert_eq!(comparison.outcome == Outcome::Match, agrees);
    }
}
