//! Tests of the family: recorded notifications and answers lie in `data/kinguin`.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::api::{order_result, product_result};
use super::*;
use crate::domain::{CallResult, Headers, Timestamp, Unasked};
use crate::providers::http::Reply;
use crate::providers::keys::KeyValue;

mod api;
mod judge;
mod notification;
mod totality;

const PRODUCT_UPDATE: &str = include_str!("../../../../data/kinguin/notifications/product-update.http");
const ORDER_STATUS: &str = include_str!("../../../../data/kinguin/notifications/order-status.http");
const ORDER_COMPLETE: &str = include_str!("../../../../data/kinguin/notifications/order-complete.http");
const POSTBACK_ORDER: &str =
    include_str!("../../../../data/kinguin/notifications/postback-order-complete.http");
const POSTBACK_PRODUCT: &str = include_str!("../../../../data/kinguin/notifications/postback-product.http");
const POSTBACK_2019: &str = include_str!("../../../../data/kinguin/notifications/postback-product-2019.http");
const ORDER: &str = include_str!("../../../../data/kinguin/answers/order.json");
const PRODUCT: &str = include_str!("../../../../data/kinguin/answers/product.json");
const ORDER_NOT_FOUND: &str = include_str!("../../../../data/kinguin/answers/order-not-found.json");
const UNAUTHORIZED: &str = include_str!("../../../../data/kinguin/answers/unauthorized.json");

fn provider(kind: &ProviderKind) -> Arc<dyn Provider> {
    let mut keys = Keys::default();
    keys.set("api_key", KeyValue::Secrets(vec!["key-1".into()]));
    (kind.build)(&keys).unwrap()
}

fn notification(headers: &[(&str, &str)], body: &[u8]) -> RawNotification {
    RawNotification {
        source: "keys".to_owned(),
        provider: "kinguin".to_owned(),
        received_at: Timestamp::from_seconds(1_741_083_310),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::new(headers.iter().map(|(name, value)| (*name, *value))),
        body: body.to_vec(),
    }
}

fn recorded(request: &str) -> RawNotification {
    let (head, body) = request.split_once("\n\n").unwrap();
    let headers: Vec<_> = head.lines().skip(1).map(|line| line.split_once(": ").unwrap()).collect();
    notification(&headers, body.as_bytes())
}

fn webhook(event: &str, body: &str) -> Reading {
    provider(&KINGUIN).read(&notification(&[("X-Event-Name", event)], body.as_bytes()))
}

fn postback(body: &str) -> Reading {
    provider(&KINGUIN_POSTBACK).read(&notification(&[], body.as_bytes()))
}

fn claim_of(reading: Reading) -> Claim {
    match reading {
        Reading::Claim(claim) => *claim,
        Reading::Unasked(unasked) => panic!("no claim: {}", unasked.detail),
    }
}

fn unasked_of(reading: Reading) -> Unasked {
    match reading {
        Reading::Unasked(unasked) => *unasked,
        Reading::Claim(claim) => panic!("a claim: {claim:?}"),
    }
}

fn order_claim(event: &str, status: &str) -> Claim {
    let body = format!(
        r#"{{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"{status}","updatedAt":"2025-03-04T10:15:09Z"}}"#
    );
    claim_of(webhook(event, &body))
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
        asked_at: Timestamp::from_seconds(1_741_083_311),
        latency_ms: 12,
    }
}

/// What a reply to the question of `claim` says.
fn answer_to(claim: &Claim, status: u16, body: &str) -> Answer {
    let reply = reply(status, body);
    let result = match claim.subject.kind {
        SubjectKind::Order => order_result(&reply),
        SubjectKind::Product => product_result(&reply),
    };
    reply.answer(reply.asked_at, reply.latency_ms, result)
}

/// A recorded answer with some fields replaced; `null` removes one.
fn with(recorded: &str, changes: &Value) -> String {
    let mut body: Value = serde_json::from_str(recorded).unwrap();
    let fields = body.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            fields.shift_remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    body.to_string()
}

#[test]
fn a_secret_that_no_header_can_carry_is_a_mistake_of_the_configuration() {
    for (api_key, secret, wrong) in
        [("key-1", "old", None), ("key\n1", "old", Some("api_key")), ("key-1", "o\tld", Some("secret"))]
    {
        let mut keys = Keys::default();
        keys.set("api_key", KeyValue::Secrets(vec![api_key.into()]));
        keys.set("secret", KeyValue::Secrets(vec!["new".into(), secret.into()]));
        let errors = (KINGUIN.build)(&keys).err().unwrap_or_default();
        assert_eq!(errors.first().map(|error| error.key), wrong, "{api_key:?} {secret:?}");
    }
    let errors = (KINGUIN_POSTBACK.build)(&Keys::default()).err().unwrap_or_default();
    assert_eq!(errors.first().map(|error| error.key), Some("api_key"));
}

#[test]
fn a_good_answer_is_an_empty_204() {
    for kind in [&KINGUIN, &KINGUIN_POSTBACK] {
        let expected = Acknowledgement { status: 204, body: "", content_type: None };
        assert_eq!(provider(kind).acknowledgement(), expected);
    }
}

#[test]
fn a_postback_needs_no_secret() {
    let notification = notification(&[("X-Event-Secret", "anything")], b"{}");
    assert_eq!(provider(&KINGUIN_POSTBACK).admit(&notification), Admission::Admitted);
}

#[test]
fn every_recorded_notification_is_confirmed_by_the_recorded_answers() {
    let webhooks = [PRODUCT_UPDATE, ORDER_STATUS, ORDER_COMPLETE].map(|request| (&KINGUIN, request));
    let postbacks =
        [POSTBACK_ORDER, POSTBACK_PRODUCT, POSTBACK_2019].map(|request| (&KINGUIN_POSTBACK, request));
    for (kind, request) in webhooks.into_iter().chain(postbacks) {
        let provider = provider(kind);
        let claim = claim_of(provider.read(&recorded(request)));
        let body = if claim.subject.kind == SubjectKind::Order { ORDER } else { PRODUCT };
        let answer = answer_to(&claim, 200, body);
        let comparison = provider.compare(&claim, &answer, &Known::default());
        assert_eq!(comparison.outcome, crate::domain::Outcome::Match, "{request}: {:?}", comparison.detail);
        assert!(matches!(answer.result, CallResult::Found(_)));
    }
}
