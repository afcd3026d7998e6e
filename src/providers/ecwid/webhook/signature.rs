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
