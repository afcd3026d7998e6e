//! The signature of a webhook: `base64(HMAC-SHA256(client_secret, eventCreated + "." + eventId))` (Ecwid's
//! documentation: webhooks). It covers neither the store nor the entity nor the data and never expires: anyone who
//! saw one request can sign any body with the same `eventId`, so that it never replaces asking the API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::RawNotification;
use crate::providers::{Admission, is_test_body};

use super::notification::signed_fields;

/// The header that carries it.
const HEADER: &str = "x-ecwid-webhook-signature";

/// Checks the signature of a notification.
pub(super) fn admit(client_secret: &SecretString, notification: &RawNotification) -> Admission {
    let Some(sent) = notification.headers.get(HEADER) else {
        let is_test = is_test_body(&notification.body);
        return if is_test { Admission::TestCall } else { Admission::refused("missing_signature") };
    };
    let Some((event_created, event_id)) = signed_fields(&notification.body) else {
        return Admission::refused("unreadable");
    };
    let message = format!("{event_created}.{event_id}");
    if !notification.headers.repeats(HEADER) && is_signed(client_secret, &message, sent) {
        Admission::Admitted
    } else {
        Admission::refused("wrong_signature")
    }
}

/// Compares in a time that does not depend on where the signatures differ.
fn is_signed(client_secret: &SecretString, message: &str, sent: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.expose_secret().as_bytes());
    let tag = STANDARD.decode(sent.trim());
    tag.is_ok_and(|tag| hmac::verify(&key, message.as_bytes(), &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::ecwid::shop_double::notification;

    const BODY: &str = include_str!("../../../../data/ecwid/notifications/order_updated.json");
    const SIGNATURE: &str = "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=";

    fn admitted(body: &str, headers: &[(&str, &str)]) -> Admission {
        let mut notification = notification(body.as_bytes());
        notification.headers = crate::domain::Headers::new(headers.iter().copied());
        admit(&SecretString::from("test_client_secret_1"), &notification)
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
        for sent in ["", "=", "AAAA", &SIGNATURE[..43], "fFO504mAvDZelJY_viFsRSobEy-xI562k-mP5hFVQ5o=", "é"]
        {
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
}
