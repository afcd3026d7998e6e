//! Fuzzes the bodies of the five formats: each is parsed, always the same way, and the result can be stored and asked about.

use std::sync::Arc;

use super::{assert_fit_for_a_line, fuzz, head_and_body, plain, recording};
use crate::domain::{Claim, Headers, RawNotification, Reading, Reason, Timestamp};
use crate::providers::ids::unaskable_id;
use crate::providers::keys::KeyValue;
use crate::providers::{Keys, Provider, ProviderKind, ecwid, kinguin, midas};

/// A source of this kind under whose ids the recordings were made.
pub(super) fn source(kind: &ProviderKind, more: &[(&'static str, KeyValue)]) -> Arc<dyn Provider> {
    let text = |value: &str| KeyValue::Text(value.to_owned());
    let mut keys = Keys::default();
    keys.set("store_id", text("4400551"));
    keys.set("token", KeyValue::Secrets(vec!["secret_test".into()]));
    keys.set("api_key", KeyValue::Secrets(vec!["key-1".into()]));
    keys.set("merchant_id", text("m-1001"));
    keys.set("project_id", text("pr-77"));
    keys.set("serial_no", text("0A1B"));
    for (name, value) in more {
        keys.set(name, value.clone());
    }
    (kind.build)(&keys).unwrap()
}

pub(super) fn midas_source(more: &[(&'static str, KeyValue)]) -> Arc<dyn Provider> {
    let pem = midas::tests::pem("PRIVATE KEY", midas::tests::MERCHANT);
    let key = ("private_key", KeyValue::Secrets(vec![pem.into()]));
    let keys: Vec<_> = std::iter::once(key).chain(more.iter().cloned()).collect();
    source(&midas::MIDAS, &keys)
}

/// The notification that an input stands for.
pub(super) fn notification(input: &[u8]) -> RawNotification {
    let (headers, body) = head_and_body(input);
    RawNotification {
        source: "shop".to_owned(),
        provider: "any".to_owned(),
        received_at: Timestamp::from_seconds(1_764_000_100),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::new(headers),
        body: body.to_vec(),
    }
}

/// Parses the input as a notification and checks the promises about every reading; returns its effect in words.
fn read(provider: &dyn Provider, input: &[u8]) -> String {
    let notification = notification(input);
    let reading = provider.read(&notification);
    assert_eq!(provider.read(&as_stored(&notification)), reading, "read from the store, another reading");
    match reading {
        Reading::Claim(claim) => {
            assert_eq!(unaskable_id(&claim.subject.id), None, "an id that must not be asked about");
            assert_survives_the_store(&claim);
            let asserted: Vec<&String> = claim.asserted.keys().collect();
            let time = (claim.event_time.sent.is_some(), claim.event_time.instant.is_some());
            format!("claim {} {asserted:?} {time:?} {}", claim.event, provider.is_listable(&claim))
        }
        Reading::Unasked(unasked) => {
            let reasons = [Reason::Malformed, Reason::Unsupported, Reason::WrongStore];
            assert!(reasons.contains(&unasked.reason), "{:?}", unasked.reason);
            assert_fit_for_a_line(&unasked.detail);
            if let Some(claim) = &unasked.claim {
                assert_survives_the_store(claim);
            }
            format!("{:?} {} {}", unasked.reason, plain(&unasked.detail), unasked.subject.is_some())
        }
    }
}

/// The notification as `retry` parses it: without the secrets in its headers.
fn as_stored(notification: &RawNotification) -> RawNotification {
    let stored = notification.headers.to_stored_json();
    let headers = Headers::from_stored_json(&stored).expect("headers that can be read back");
    assert_eq!(headers.to_stored_json(), stored, "stored again, other headers");
    RawNotification { headers, ..notification.clone() }
}

fn assert_survives_the_store(claim: &Claim) {
    let stored = Claim::split_stored_json(&claim.to_stored_json());
    assert_eq!(stored, Some((claim.asserted.clone(), claim.before.clone())), "stored, another claim");
    if let Some(instant) = claim.event_time.instant {
        assert_eq!(Timestamp::parse_rfc3339(&instant.to_string()), Some(instant), "stored, another time");
    }
}

fn fuzz_format(target: &str, reached: &[&str], provider: &dyn Provider, recordings: &[&str], more: &[&str]) {
    let more = more.iter().map(|body| body.as_bytes().to_vec());
    let seeds = recordings.iter().map(|file| recording(file)).chain(more).collect();
    fuzz(target, reached, seeds, |input| read(provider, input));
}

#[test]
fn any_ion_is_read() {
    let files =
        ["ecwid/notifications/ion_new_order.form", "ecwid/notifications/ion_order_status_change.form"];
    let json = r#"{"owner_id":4400551,"event_type":"new_order","date":"2014-11-02 09:37:12 +0000","order_id":"1207",
        "payment_status":"QUEUED","fulfillment_status":"NEW"}"#;
    fuzz_format(
        "ecwid-ion",
        &["claim new_order", "claim order_status_change"],
        &*source(&ecwid::ION, &[]),
        &files,
        &[json],
    );
}

#[test]
fn any_ecwid_webhook_is_read() {
    let files = ["order_created", "order_updated", "order_deleted", "product_updated", "product_deleted"];
    let files = files.map(|name| format!("ecwid/notifications/{name}.json"));
    fuzz_format(
        "ecwid",
        &["claim order.created", "claim order.deleted", "claim product.deleted"],
        &*source(&ecwid::WEBHOOK, &[]),
        &files.each_ref().map(String::as_str),
        &[],
    );
}

#[test]
fn any_kinguin_webhook_is_read() {
    let files = ["order-status", "order-complete", "product-update"];
    let files = files.map(|name| format!("kinguin/notifications/{name}.http"));
    fuzz_format(
        "kinguin",
        &["claim order.status", "claim order.complete", "claim product.update"],
        &*source(&kinguin::KINGUIN, &[]),
        &files.each_ref().map(String::as_str),
        &[],
    );
}

#[test]
fn any_kinguin_postback_is_read() {
    let files = ["postback-order-complete", "postback-product", "postback-product-2019"];
    let files = files.map(|name| format!("kinguin/notifications/{name}.http"));
    let provider = source(&kinguin::KINGUIN_POSTBACK, &[]);
    fuzz_format("kinguin-postback", &["claim "], &*provider, &files.each_ref().map(String::as_str), &[]);
}

#[test]
fn any_midas_notification_is_read() {
    let files = ["paid", "paid-flat", "cancelled", "envelope"];
    let files = files.map(|name| format!("midas/notifications/{name}.json"));
    fuzz_format(
        "midas",
        &["claim OrderPaid", "claim OrderCancelled", "Unsupported"],
        &*midas_source(&[]),
        &files.each_ref().map(String::as_str),
        &[],
    );
}
