//! Any body at each of the five formats: it is read, always the same way, and what comes of it can be stored and asked.

use std::sync::Arc;

use super::{fuzz, head_and_body, plain, recording};
use crate::domain::{Claim, Delivery, Headers, Reading, Reason, Timestamp};
use crate::providers::keys::KeyValue;
use crate::providers::{Keys, Kind, Provider, ecwid, kinguin, midas, unaskable_id};

/// A source of this kind under whose ids the recordings were made.
pub(super) fn source(kind: &Kind, more: &[(&'static str, KeyValue)]) -> Arc<dyn Provider> {
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
    let pem = midas::tests::pem("PRIVATE KEY", &midas::tests::MERCHANT);
    let key = ("private_key", KeyValue::Secrets(vec![pem.into()]));
    let keys: Vec<_> = std::iter::once(key).chain(more.iter().cloned()).collect();
    source(&midas::MIDAS, &keys)
}

/// The delivery that an input stands for.
pub(super) fn delivery(input: &[u8]) -> Delivery {
    let (headers, body) = head_and_body(input);
    Delivery {
        source: "shop".to_owned(),
        provider: "any".to_owned(),
        received_at: Timestamp::from_seconds(1_764_000_100),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::new(headers),
        body: body.to_vec(),
    }
}

/// Reads the input as a notification and holds what is promised of every reading; says what came of it.
fn read(provider: &dyn Provider, input: &[u8]) -> String {
    let delivery = delivery(input);
    let reading = provider.read(&delivery);
    assert_eq!(provider.read(&delivery), reading, "read twice, another reading");
    match reading {
        Reading::Claim(claim) => {
            assert_eq!(unaskable_id(&claim.subject.id), None, "an id that must not be asked about");
            let stored = Claim::split_stored_json(&claim.to_stored_json());
            assert_eq!(
                stored,
                Some((claim.asserted.clone(), claim.unverified.clone())),
                "stored, another claim"
            );
            let asserted: Vec<&String> = claim.asserted.keys().collect();
            let time = (claim.event_time.sent.is_some(), claim.event_time.instant.is_some());
            format!("claim {} {asserted:?} {time:?} {}", claim.event, provider.is_listable(&claim))
        }
        Reading::Unasked(unasked) => {
            let reasons = [Reason::Malformed, Reason::Unsupported, Reason::WrongStore];
            assert!(reasons.contains(&unasked.reason), "{:?}", unasked.reason);
            assert!(unasked.detail.len() < 1000, "{}", unasked.detail);
            assert!(!unasked.detail.contains(char::is_control), "{:?}", unasked.detail);
            format!("{:?} {} {}", unasked.reason, plain(&unasked.detail), unasked.subject.is_some())
        }
    }
}

fn fuzz_format(target: &str, provider: &dyn Provider, recordings: &[&str]) {
    let seeds = recordings.iter().map(|file| recording(file)).collect();
    fuzz(target, seeds, |input| read(provider, input));
}

#[test]
fn any_ion_is_read() {
    let files =
        ["ecwid/notifications/ion_new_order.form", "ecwid/notifications/ion_order_status_change.form"];
    fuzz_format("ecwid-ion", &*source(&ecwid::ION, &[]), &files);
}

#[test]
fn any_ecwid_webhook_is_read() {
    let files = ["order_created", "order_updated", "order_deleted", "product_updated", "product_deleted"];
    let files = files.map(|name| format!("ecwid/notifications/{name}.json"));
    fuzz_format("ecwid", &*source(&ecwid::WEBHOOK, &[]), &files.each_ref().map(String::as_str));
}

#[test]
fn any_kinguin_webhook_is_read() {
    let files = ["order-status", "order-complete", "product-update"];
    let files = files.map(|name| format!("kinguin/notifications/{name}.http"));
    fuzz_format("kinguin", &*source(&kinguin::KINGUIN, &[]), &files.each_ref().map(String::as_str));
}

#[test]
fn any_kinguin_postback_is_read() {
    let files = ["postback-order-complete", "postback-product", "postback-product-2019"];
    let files = files.map(|name| format!("kinguin/notifications/{name}.http"));
    let provider = source(&kinguin::KINGUIN_POSTBACK, &[]);
    fuzz_format("kinguin-postback", &*provider, &files.each_ref().map(String::as_str));
}

#[test]
fn any_midas_notification_is_read() {
    let files = ["paid", "paid-flat", "cancelled", "envelope"];
    let files = files.map(|name| format!("midas/notifications/{name}.json"));
    fuzz_format("midas", &*midas_source(&[]), &files.each_ref().map(String::as_str));
}
