//! The signature of a webhook.

use secrecy::SecretString;

use crate::providers::{Admission, Provider as _};

use super::super::api::Shop;
use super::super::webhook::Webhook;
use super::notification;

const BODY: &str = include_str!("../../../../data/ecwid/notifications/order_updated.json");
const SIGNATURE: &str = "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=";

fn admitted(body: &str, headers: &[(&str, &str)]) -> Admission {
    let mut notification = notification(body.as_bytes());
    notification.headers = crate::domain::Headers::new(headers.iter().copied());
    let secret = SecretString::from("test_client_secret_1");
    Webhook::new(Shop::new("4400551", SecretString::from("secret_test")), Some(secret)).admit(&notification)
}

#[test]
fn the_documented_vector_is_admitted_and_says_nothing_about_the_rest_of_the_body() {
    let signed = [("X-Ecwid-Webhook-Signature", SIGNATURE)];
    assert_eq!(admitted(BODY, &signed), Admission::Admitted);
    assert_eq!(admitted(&BODY.replace("PAID", "REFUNDED"), &signed), Admission::Admitted);
    assert_eq!(admitted(&BODY.replace("1764000000", "\"1764000000\""), &signed), Admission::Admitted);
}

#[test]
fn every_other_signature_is_refused_by_its_cause() {
    let wrong = Admission::refused("wrong_signature");
    for sent in ["", "=", "AAAA", &SIGNATURE[..43], "fFO504mAvDZelJY_viFsRSobEy-xI562k-mP5hFVQ5o=", "é"] {
        assert_eq!(admitted(BODY, &[("x-ecwid-webhook-signature", sent)]), wrong, "{sent}");
    }
    let header = ("x-ecwid-webhook-signature", SIGNATURE);
    assert_eq!(admitted(&BODY.replace("1764000000", "1764000001"), &[header]), wrong);
    assert_eq!(admitted(BODY, &[header, header]), wrong);
    assert_eq!(admitted(BODY, &[]), Admission::refused("missing_signature"));
    for body in ["", "{}", "{", "[]", r#"{"eventId":"a"}"#, r#"{"eventId":{},"eventCreated":1}"#] {
        assert_eq!(admitted(body, &[header]), Admission::refused("unreadable"), "{body}");
    }
}

#[test]
fn a_test_button_without_a_signature_is_no_notification() {
    for body in ["", " ", "{}", " { } "] {
        assert_eq!(admitted(body, &[]), Admission::TestCall, "{body:?}");
    }
}
