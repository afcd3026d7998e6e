//! Fuzzes headers and bodies: only the right secret or signature is admitted.

use super::notifications::{midas_source, notification, source};
use super::{fuzz, head_and_body, readable, recording};
use crate::domain::{Headers, RawNotification};
use crate::providers::keys::KeyValue;
use crate::providers::{Admission, ecwid, kinguin, midas};

/// The signature of the recorded `order_updated` under [`CLIENT_SECRET`].
const SIGNATURE: &str = "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=";
const CLIENT_SECRET: &str = "test_client_secret_1";

/// Checks the promises about every admission; returns its effect in words.
fn effect(admission: &Admission, notification: &RawNotification, header: &str) -> String {
    let causes = ["missing_secret", "wrong_secret", "missing_signature", "wrong_signature", "unreadable"];
    let word = match admission {
        Admission::Admitted => {
            assert!(!notification.headers.repeats(header), "admitted by one of two headers");
            "Admitted"
        }
        Admission::Refused { cause, .. } => {
            assert!(causes.contains(cause), "{cause}");
            cause
        }
        Admission::TestCall => {
            let body: Vec<u8> =
                notification.body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            assert!(body.is_empty() || body == b"{}", "a notification taken for a test call");
            assert!(
                notification.headers.get(header).unwrap_or_default().is_empty(),
                "a secret in a test call"
            );
            "TestCall"
        }
    };
    format!("{word} {}", notification.headers.repeats(header))
}

/// The lines of a stamp by which the platform signed something, with the word `SIGNED` instead of the signature.
pub(super) fn lines_and_signature(stamp: &[(String, String)]) -> (String, String) {
    let (signatures, others): (Vec<_>, Vec<_>) = stamp.iter().partition(|(name, _)| name == "Txgw-Signature");
    let lines: Vec<String> = others.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    (format!("{}\nTxgw-Signature: SIGNED", lines.join("\n")), signatures[0].1.clone())
}

fn with_head(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\n\n", body].concat()
}

#[test]
fn nobody_passes_ecwids_signature_but_who_signed_the_event() {
    let provider =
        source(&ecwid::WEBHOOK, &[("client_secret", KeyValue::Secrets(vec![CLIENT_SECRET.into()]))]);
    let body = recording("ecwid/notifications/order_updated.json");
    let signed = with_head(&format!("X-Ecwid-Webhook-Signature: {SIGNATURE}"), &body);
    let reached = ["Admitted", "missing_signature"];
    fuzz("signature-ecwid", &reached, vec![signed, body], |input| {
        let notification = notification(input);
        let admission = provider.admit(&notification);
        if admission == Admission::Admitted {
            let said = readable(&notification.body);
            assert_eq!(said["eventId"], "11111111-2222-4333-8444-555555555555");
            assert_eq!(said["eventCreated"].to_string().trim_matches('"'), "1764000000");
            assert_eq!(notification.headers.get("x-ecwid-webhook-signature").unwrap().trim(), SIGNATURE);
        }
        effect(&admission, &notification, "x-ecwid-webhook-signature")
    });
}

#[test]
fn nobody_passes_kinguins_secret_but_who_knows_it() {
    let secrets = KeyValue::Secrets(vec!["new-secret".into(), "example-shared-secret".into()]);
    let provider = source(&kinguin::KINGUIN, &[("secret", secrets)]);
    let seeds = vec![recording("kinguin/notifications/order-status.http")];
    fuzz("signature-kinguin", &["Admitted"], seeds, |input| {
        let notification = notification(input);
        let admission = provider.admit(&notification);
        if admission == Admission::Admitted {
            let sent = notification.headers.get("x-event-secret").unwrap();
            assert!(["new-secret", "example-shared-secret"].contains(&sent), "{sent}");
        }
        effect(&admission, &notification, "x-event-secret")
    });
}

/// The platform's keys are new in each run; see [`lines_and_signature`].
#[test]
fn nobody_passes_midas_signature_with_another_body() {
    let certificate = midas::tests::certificate(midas::tests::PLATFORM, &[0x0c, 0x2d]);
    let file = ("platform.pem".into(), certificate.into_bytes());
    let provider = midas_source(&[("platform_cert_files", KeyValue::Files(vec![file]))]);
    let body = recording("midas/notifications/paid.json");
    let stamp = midas::tests::stamp(midas::tests::PLATFORM, "0C2D", &body);
    let (lines, signature) = lines_and_signature(&stamp);
    let reached = ["Admitted", "missing_signature"];
    fuzz("signature-midas", &reached, vec![with_head(&lines, &body), body.clone()], |input| {
        let mut notification = notification(input);
        let (head, _) = head_and_body(input);
        let signed = |value: String| if value == "SIGNED" { signature.clone() } else { value };
        notification.headers = Headers::new(head.into_iter().map(|(name, value)| (name, signed(value))));
        let admission = provider.admit(&notification);
        if admission == Admission::Admitted {
            assert_eq!(notification.body, body);
            assert_eq!(notification.headers.get("txgw-signature").unwrap().trim(), signature);
        }
        effect(&admission, &notification, "txgw-signature")
    });
}
