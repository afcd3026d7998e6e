//! Claims held against answers, row by row.

use serde_json::json;

use super::super::judge::{compare, course};
use super::*;
use crate::domain::{FailureScope, Outcome, StoredObject};

fn outcome(claim: &Claim, status: u16, body: &str) -> (Outcome, String) {
    let comparison = compare(claim, &answer_to(claim, status, body), &Known::default());
    (comparison.outcome, comparison.detail.unwrap_or_default())
}

fn product_claim(fields: &str) -> Claim {
    claim_of(postback(&format!(r#"{{"kinguinId":70123,{fields}}}"#)))
}

#[test]
fn an_order_is_held_against_its_status() {
    for (event, claimed, actual, expected) in [
        ("order.status", "completed", "completed", Outcome::Match),
        ("order.status", "processing", "processing", Outcome::Match),
        ("order.status", "completed", "processing", Outcome::NotYet),
        ("order.status", "refunded", "processing", Outcome::NotYet),
        ("order.status", "anything", "processing", Outcome::NotYet),
        ("order.status", "processing", "completed", Outcome::Mismatch),
        ("order.status", "completed", "refunded", Outcome::Mismatch),
        ("order.status", "refunded", "completed", Outcome::Mismatch),
        ("order.status", "Completed", "completed", Outcome::Mismatch),
        ("order.status", "cancelled", "canceled", Outcome::Mismatch),
        ("order.status", "pending", "pending", Outcome::Match),
        ("order.complete", "ignored", "completed", Outcome::Match),
        ("order.complete", "ignored", "processing", Outcome::NotYet),
        ("order.complete", "ignored", "refunded", Outcome::Mismatch),
        ("order.complete", "ignored", "canceled", Outcome::Mismatch),
    ] {
        let claim = order_claim(event, claimed);
        let (outcome, detail) = outcome(&claim, 200, &with(ORDER, &json!({"status": actual})));
        assert_eq!(outcome, expected, "{event} {claimed} against {actual}: {detail}");
    }
    let (_, detail) =
        outcome(&order_claim("order.status", "completed"), 200, &with(ORDER, &json!({"status": "refunded"})));
    assert_eq!(detail, "status is refunded, not completed");
}

#[test]
fn an_order_of_other_ids_is_a_mismatch_also_while_it_is_processing() {
    let claim = order_claim("order.status", "completed");
    for (changes, detail) in [
        (json!({"orderId": "OTHER"}), "orderId is OTHER, not QZ7T2RMN4WB"),
        (json!({"orderId": "qz7t2rmn4wb"}), "orderId is qz7t2rmn4wb, not QZ7T2RMN4WB"),
        (json!({"orderExternalId": "shop-1"}), "orderExternalId is shop-1, not shop-000451"),
        (json!({"orderExternalId": ""}), "orderExternalId is none, not shop-000451"),
        (
            json!({"orderExternalId": "shop-1", "status": "processing"}),
            "orderExternalId is shop-1, not shop-000451",
        ),
    ] {
        let expected = (Outcome::Mismatch, detail.to_owned());
        assert_eq!(outcome(&claim, 200, &with(ORDER, &changes)), expected);
    }
}

#[test]
fn no_reference_null_and_empty_are_the_same() {
    for claimed in ["", r#""orderExternalId":null,"#, r#""orderExternalId":"","#] {
        let claim = claim_of(postback(&format!(
            r#"{{"orderId":"QZ7T2RMN4WB",{claimed}"updatedAt":"2025-03-04T10:15:09Z"}}"#
        )));
        for actual in [json!({"orderExternalId": null}), json!({"orderExternalId": ""})] {
            assert_eq!(outcome(&claim, 200, &with(ORDER, &actual)).0, Outcome::Match);
        }
        let null = ORDER.replace(r#""shop-000451""#, "null");
        assert_eq!(outcome(&claim, 200, &null).0, Outcome::Match);
        let expected = (Outcome::Mismatch, "orderExternalId is shop-000451, not none".to_owned());
        assert_eq!(outcome(&claim, 200, ORDER), expected);
    }
}

#[test]
fn an_order_id_may_be_a_number_on_either_side() {
    let claim = claim_of(postback(
        r#"{"orderId":4711,"orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09Z"}"#,
    ));
    for order_id in [json!(4711), json!("4711")] {
        assert_eq!(outcome(&claim, 200, &with(ORDER, &json!({"orderId": order_id}))).0, Outcome::Match);
    }
}

#[test]
fn a_product_must_not_be_older_than_notified_in_whole_seconds() {
    for (notified, actual, expected) in [
        ("2025-03-04T10:15:09.120+00:00", "2025-03-04T10:15:09+00:00", Outcome::Match),
        ("2025-03-04T10:15:09+00:00", "2025-03-04T10:15:09.500Z", Outcome::Match),
        ("2025-03-04T10:15:09UTC", "2025-03-04T12:15:09+0200", Outcome::Match),
        ("2025-03-04T10:15:09Z", "2026-01-01T00:00:00Z", Outcome::Match),
        ("2025-03-04T10:15:09.120Z", "2025-03-04T10:15:08.999Z", Outcome::NotYet),
        ("2025-03-04T10:15:09Z", "soon", Outcome::NotYet),
        ("2025-03-04T10:15:09CET", "2020-01-01T00:00:00Z", Outcome::Match),
    ] {
        let claim = product_claim(&format!(r#""updatedAt":"{notified}""#));
        let (outcome, detail) = outcome(&claim, 200, &with(PRODUCT, &json!({"updatedAt": actual})));
        assert_eq!(outcome, expected, "{notified} against {actual}: {detail}");
    }
}

#[test]
fn a_product_of_other_ids_is_a_mismatch() {
    let time = r#""updatedAt":"2025-03-04T10:15:09Z""#;
    let claim = product_claim(&format!(r#""productId":"5f00aa11bb22cc33dd44ee55",{time}"#));
    for (changes, detail) in [
        (json!({"kinguinId": 70124}), "kinguinId is 70124, not 70123"),
        (json!({"productId": "60"}), "productId is 60, not 5f00aa11bb22cc33dd44ee55"),
        (
            json!({"productId": "60", "updatedAt": "2020-01-01T00:00:00Z"}),
            "productId is 60, not 5f00aa11bb22cc33dd44ee55",
        ),
    ] {
        assert_eq!(outcome(&claim, 200, &with(PRODUCT, &changes)), (Outcome::Mismatch, detail.to_owned()));
    }
    assert_eq!(outcome(&claim, 200, &with(PRODUCT, &json!({"kinguinId": "70123"}))).0, Outcome::Match);
    let without = product_claim(time);
    assert_eq!(outcome(&without, 200, &with(PRODUCT, &json!({"productId": "60"}))).0, Outcome::Match);
}

#[test]
fn only_order_not_found_says_that_an_order_is_not_there() {
    let claim = order_claim("order.status", "completed");
    for status in [400, 404, 410, 422] {
        let (outcome, detail) = outcome(&claim, status, ORDER_NOT_FOUND);
        assert_eq!(outcome, Outcome::NotFound, "{detail}");
    }
    for (status, body, expected) in [
        (404, "", Outcome::ApiError),
        (404, "<html>", Outcome::ApiError),
        (404, "{}", Outcome::ApiError),
        (404, r#"{"kind":"Http","status":404}"#, Outcome::ApiError),
        (404, r#"{"kind":"ProductUnavailable"}"#, Outcome::ApiError),
        (404, r#"{"kind":["OrderNotFound"]}"#, Outcome::ApiError),
        (404, r#"{"kind":"OrderNotSupported"}"#, Outcome::ApiError),
        (400, r#"{"kind":"ConstraintViolation"}"#, Outcome::ApiError),
        (401, UNAUTHORIZED, Outcome::ApiDenied),
        (403, "", Outcome::ApiDenied),
        (200, ORDER_NOT_FOUND, Outcome::ApiError),
        (200, "", Outcome::ApiError),
        (200, "[]", Outcome::ApiError),
        (200, r#"{"orderId":"QZ7T2RMN4WB"}"#, Outcome::ApiError),
    ] {
        assert_eq!(outcome(&claim, status, body).0, expected, "{status} {body}");
    }
}

#[test]
fn an_order_of_the_old_platform_concerns_only_itself() {
    let claim = order_claim("order.status", "completed");
    let scope = |status, body| match answer_to(&claim, status, body).result {
        CallResult::Failed(failure) => failure.scope,
        said => panic!("{said:?}"),
    };
    assert_eq!(scope(404, r#"{"kind":"OrderNotSupported"}"#), FailureScope::Subject);
    assert_eq!(scope(404, r#"{"kind":"Http"}"#), FailureScope::Unclear);
    assert_eq!(scope(401, UNAUTHORIZED), FailureScope::Unclear);
}

#[test]
fn a_backend_that_kinguin_did_not_reach_is_no_refusal_of_an_order() {
    let is_refusal = |claim: &Claim, status, body: &str| match answer_to(claim, status, body).result {
        CallResult::Failed(failure) => Some(failure.is_refusal()),
        CallResult::Found(_) | CallResult::NotFound(_) => None,
    };
    let order = order_claim("order.status", "completed");
    let product = product_claim(r#""updatedAt":"2025-03-04T10:15:09Z""#);
    for (kind, of_order, of_product) in [
        ("HttpClient", Some(false), None),
        ("Http", Some(false), Some(true)),
        ("ConstraintViolation", Some(true), None),
        ("OrderNotSupported", Some(true), None),
    ] {
        let body = format!(r#"{{"kind":"{kind}","status":404}}"#);
        assert_eq!(is_refusal(&order, 404, &body), of_order, "{kind}");
        assert_eq!(is_refusal(&product, 404, &body), of_product, "{kind}");
    }
}

#[test]
fn a_product_that_is_not_shown_is_unavailable_and_tells_whether_it_is_held() {
    let time = r#""updatedAt":"2025-03-04T10:15:09Z""#;
    let with_id = product_claim(&format!(r#""productId":"5f00aa11bb22cc33dd44ee55",{time}"#));
    let without_id = product_claim(time);
    let stored = |resolved_id: &str, internal_id: Option<&str>| Known {
        stored: Some(StoredObject {
            by_internal_id: false,
            resolved_id: resolved_id.to_owned(),
            internal_id: internal_id.map(str::to_owned),
            updated_at: None,
            fetched_at: Timestamp::from_seconds(0),
        }),
        source_found_any: true,
    };
    for (claim, known, expected) in [
        (&with_id, stored("70123", Some("5f00aa11bb22cc33dd44ee55")), true),
        (&with_id, stored("70123", Some("60")), false),
        (&with_id, stored("70123", None), false),
        (&with_id, stored("70124", Some("5f00aa11bb22cc33dd44ee55")), false),
        (&with_id, Known::default(), false),
        (&without_id, stored("70123", Some("60")), true),
        (&without_id, stored("70124", Some("60")), false),
        (&without_id, Known::default(), false),
    ] {
        let answer = answer_to(claim, 404, r#"{"kind":"ProductNotFound","status":404}"#);
        let comparison = compare(claim, &answer, &known);
        assert_eq!(comparison.outcome, Outcome::Unavailable);
        assert_eq!(
            comparison.evidence,
            json!({"http_status": 404, "kind": "ProductNotFound", "held": expected}),
            "{known:?}"
        );
        assert_eq!(is_stored(claim, &known), expected);
    }
}

#[test]
fn a_404_without_kinguins_own_error_says_nothing_about_a_product() {
    let claim = product_claim(r#""updatedAt":"2025-03-04T10:15:09Z""#);
    for (status, body) in [
        (404, ""),
        (404, "<html>"),
        (404, "{}"),
        (404, r#"{"kind":"Http"}"#),
        (404, r#"{"kind":null}"#),
        (400, r#"{"kind":"ProductUnavailable"}"#),
        (200, r#"{"kinguinId":70123,"updatedAt":"2025-03-04T10:15:09Z"}"#),
        (200, r#"{"kinguinId":70123,"productId":"5f"}"#),
    ] {
        assert_eq!(outcome(&claim, status, body).0, Outcome::ApiError, "{status} {body}");
    }
}

fn explains(later: &Claim, earlier: &Claim) -> bool {
    course(earlier).asserted.is_some_and(|statuses| course(later).explains.contains(&statuses))
}

#[test]
fn a_later_status_of_the_same_order_explains_an_earlier_one() {
    let order = |status| order_claim("order.status", status);
    for (earlier, later, expected) in [
        ("processing", "completed", true),
        ("processing", "canceled", true),
        ("processing", "refunded", true),
        ("completed", "refunded", true),
        ("completed", "canceled", true),
        ("completed", "processing", false),
        ("refunded", "canceled", false),
        ("completed", "completed", false),
        ("pending", "completed", false),
        ("processing", "shipped", false),
    ] {
        assert_eq!(explains(&order(later), &order(earlier)), expected, "{earlier}, then {later}");
    }
    assert!(explains(&order("refunded"), &order_claim("order.complete", "")));
    assert!(explains(&order_claim("order.complete", ""), &order("processing")));
}

#[test]
fn a_later_status_does_not_explain_another_reference_nor_a_product() {
    let later = order_claim("order.status", "refunded");
    let forged = claim_of(webhook(
        "order.status",
        r#"{"orderId":"QZ7T2RMN4WB","orderExternalId":"forged","status":"completed","updatedAt":"2025-03-04T10:15:09Z"}"#,
    ));
    assert!(!explains(&later, &forged));
    let product = product_claim(r#""updatedAt":"2025-03-04T10:15:09Z""#);
    assert!(!explains(&product, &product));
    assert!(!explains(&later, &product));
}
