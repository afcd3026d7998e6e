//! Notifications as they are read.

use serde_json::{Map, json};

use super::*;
use crate::domain::Reason;

#[test]
fn a_status_webhook_asserts_ids_and_status() {
    let claim = claim_of(provider(&KINGUIN).read(&recorded(ORDER_STATUS)));
    assert_eq!(claim.event, "order.status");
    assert_eq!((claim.subject.kind, claim.subject.id.as_str()), (SubjectKind::Order, "QZ7T2RMN4WB"));
    assert_eq!((claim.question.as_str(), claim.call_kind.as_str()), ("order QZ7T2RMN4WB", "orders"));
    assert_eq!(
        Value::Object(claim.asserted),
        json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "status": "completed"})
    );
    assert_eq!(claim.event_time.instant.unwrap().to_string(), "2025-03-04T10:15:09.120Z");
    assert_eq!(claim.event_id, None);
}

#[test]
fn a_product_webhook_asserts_ids_and_time_and_nothing_else() {
    let claim = claim_of(provider(&KINGUIN).read(&recorded(PRODUCT_UPDATE)));
    assert_eq!((claim.event.as_str(), claim.question.as_str()), ("product.update", "product 70123"));
    assert_eq!(
        Value::Object(claim.asserted),
        json!({"kinguinId": "70123", "productId": "5f00aa11bb22cc33dd44ee55",
               "updatedAt": "2025-03-04T10:15:09.120+00:00"})
    );
}

#[test]
fn an_order_complete_asserts_that_the_order_is_completed_in_both_formats() {
    let webhook = claim_of(provider(&KINGUIN).read(&recorded(ORDER_COMPLETE)));
    let postback = claim_of(provider(&KINGUIN_POSTBACK).read(&recorded(POSTBACK_ORDER)));
    for claim in [webhook, postback] {
        assert_eq!(claim.event, "order.complete");
        assert_eq!(claim.asserted_text(&["status"]), Some("completed"));
    }
}

#[test]
fn the_shape_of_a_postbacks_body_names_its_event() {
    let time = r#""updatedAt":"2025-03-04T10:15:09+00:00""#;
    let event = |body: String| claim_of(postback(&body)).event;
    assert_eq!(event(format!(r#"{{"kinguinId":70123,{time}}}"#)), "product.update");
    assert_eq!(event(format!(r#"{{"kinguinId":null,"orderId":"A",{time}}}"#)), "order.complete");
    for (body, detail) in [
        (r#"{"kinguinId":1,"orderId":"A"}"#, "kinguinId and orderId are both there"),
        (r#"{"updatedAt":"2025-03-04T10:15:09Z"}"#, "kinguinId and orderId are both missing"),
        ("{}", "kinguinId and orderId are both missing"),
    ] {
        let unasked = unasked_of(postback(body));
        assert_eq!((unasked.reason, unasked.detail.as_str()), (Reason::Malformed, detail));
    }
}

#[test]
fn a_webhook_without_its_event_name_is_malformed_whatever_its_body() {
    let body = recorded(POSTBACK_ORDER).body;
    for headers in [&[][..], &[("X-Event-Name", "")], &[("X-Event-Name", "a"), ("x-event-name", "b")]] {
        let unasked = unasked_of(provider(&KINGUIN).read(&notification(headers, &body)));
        assert_eq!(unasked.reason, Reason::Malformed);
        assert!(unasked.detail.starts_with("X-Event-Name is "), "{}", unasked.detail);
    }
}

#[test]
fn an_unknown_event_word_is_unsupported() {
    for word in ["product.delete", "Order.Status", "order.status "] {
        let unasked = unasked_of(webhook(word, "{}"));
        assert_eq!((unasked.reason, unasked.event.as_deref()), (Reason::Unsupported, Some(word)));
    }
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_malformed_and_named() {
    let time = r#""updatedAt":"2025-03-04T10:15:09Z""#;
    for (event, body, detail) in [
        ("order.status", String::new(), "the body is empty"),
        ("order.status", "[]".to_owned(), "the body is not a JSON object"),
        ("order.status", "{".to_owned(), "the body cannot be read as JSON (line 1, column 1)"),
        ("order.status", "{}".to_owned(), "orderId is missing"),
        ("order.status", r#"{"orderId":null}"#.to_owned(), "orderId is missing"),
        ("order.status", r#"{"orderId":""}"#.to_owned(), "orderId is missing"),
        ("order.status", r#"{"orderId":["A"]}"#.to_owned(), "orderId is neither text nor a whole number"),
        (
            "order.status",
            r#"{"orderId":1e3}"#.to_owned(),
            "orderId is a number, but no integer in plain digits",
        ),
        ("order.status", r#"{"orderId":".."}"#.to_owned(), "orderId is a relative path"),
        ("order.status", r#"{"orderId":"deleted"}"#.to_owned(), "orderId is a word of the API's own paths"),
        ("order.status", r#"{"orderId":"A\u0000"}"#.to_owned(), "orderId holds a control character"),
        (
            "order.status",
            format!(r#"{{"orderId":"{}"}}"#, "A".repeat(256)),
            "orderId is longer than 255 bytes",
        ),
        (
            "order.complete",
            r#"{"orderId":"A/../B"}"#.to_owned(),
            "orderId is not of letters, digits, '.', '_' and '-', at most 64 of them",
        ),
        ("order.status", r#"{"orderId":"A\ud800"}"#.to_owned(), "orderId holds bytes that are not text"),
        ("order.status", r#"{"orderId":"A"}"#.to_owned(), "updatedAt is missing"),
        ("order.status", r#"{"orderId":"A","updatedAt":1741083309}"#.to_owned(), "updatedAt is not text"),
        (
            "order.complete",
            r#"{"orderId":"A","updatedAt":"soon\n"}"#.to_owned(),
            r"updatedAt is not a date and time: soon\n",
        ),
        ("order.status", format!(r#"{{"orderId":"A",{time}}}"#), "status is missing"),
        ("order.status", format!(r#"{{"orderId":"A","status":7,{time}}}"#), "status is not text"),
        (
            "order.status",
            format!(r#"{{"orderId":"A","orderExternalId":{{}},"status":"completed",{time}}}"#),
            "orderExternalId is neither text nor a whole number",
        ),
        ("product.update", r#"{"kinguinId":"abc"}"#.to_owned(), "kinguinId is not a whole number: abc"),
        ("product.update", r#"{"kinguinId":"1/2"}"#.to_owned(), "kinguinId is not a whole number: 1/2"),
        (
            "product.update",
            r#"{"kinguinId":-1}"#.to_owned(),
            "kinguinId is a number, but no integer in plain digits",
        ),
        (
            "product.update",
            format!(r#"{{"kinguinId":1,"productId":true,{time}}}"#),
            "productId is neither text nor a whole number",
        ),
    ] {
        let unasked = unasked_of(webhook(event, &body));
        assert_eq!((unasked.reason, unasked.detail.as_str()), (Reason::Malformed, detail), "{body}");
        assert_eq!(unasked.event.as_deref(), Some(event));
    }
}

#[test]
fn what_could_be_read_of_a_malformed_notification_is_kept() {
    let unasked =
        unasked_of(webhook("order.status", r#"{"orderId":"A","updatedAt":"2025-03-04T10:15:09Z"}"#));
    assert_eq!(unasked.subject.map(|subject| subject.id).as_deref(), Some("A"));
    assert!(unasked.event_time.instant.is_some());
}

#[test]
fn ids_come_as_numbers_or_as_text() {
    let time = r#""updatedAt":"2025-03-04T10:15:09Z""#;
    let key = |body: String| claim_of(postback(&body)).key();
    assert_eq!(
        key(format!(r#"{{"kinguinId":70123,{time}}}"#)),
        key(format!(r#"{{"kinguinId":"70123",{time}}}"#))
    );
    assert_eq!(
        key(format!(r#"{{"orderId":4711,{time}}}"#)),
        key(format!(r#"{{"orderId":"4711","orderExternalId":"",{time}}}"#))
    );
    assert_ne!(
        key(format!(r#"{{"orderId":4711,{time}}}"#)),
        key(format!(r#"{{"orderId":4711,"orderExternalId":"x",{time}}}"#))
    );
}

#[test]
fn a_zones_name_that_says_no_offset_is_kept_and_not_asserted() {
    let claim = claim_of(postback(r#"{"kinguinId":1,"updatedAt":"2020-03-04T10:15:09CET"}"#));
    assert_eq!(Value::Object(claim.asserted), json!({"kinguinId": "1"}));
    assert_eq!(claim.event_time.sent.as_deref(), Some("2020-03-04T10:15:09CET"));
    assert_eq!(claim.event_time.instant, None);
}

#[test]
fn a_body_nests_as_deep_as_a_notification_may() {
    let deep = |levels: usize| {
        let nest = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        postback(&format!(r#"{{"kinguinId":1,"updatedAt":"2020-03-04T10:15:09Z","x":{nest}}}"#))
    };
    claim_of(deep(32));
    for levels in [33, 100, 100_000] {
        assert_eq!(unasked_of(deep(levels)).reason, Reason::Malformed, "{levels}");
    }
}

#[test]
fn a_field_that_is_named_like_our_own_stays_the_senders() {
    let claim =
        claim_of(postback(r#"{"kinguinId":1,"updatedAt":"2020-03-04T10:15:09Z","before":{"kinguinId":2}}"#));
    let stored = Claim::split_stored_json(&claim.to_stored_json()).unwrap();
    assert_eq!(stored, (claim.asserted, Map::new()));
}
