//! Any headers over any body: nobody is let in but by the very secret or signature.

use serde_json::Value;

use super::notifications::{delivery, midas_source, source};
use super::{fuzz, recording};
use crate::providers::keys::KeyValue;
use crate::providers::{Admission, ecwid, kinguin, midas};

/// The signature of the recorded `order_updated` under [`CLIENT_SECRET`].
const SIGNATURE: &str = "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=";
const CLIENT_SECRET: &str = "test_client_secret_1";

fn effect(admission: Admission) -> String {
    format!("{admission:?}")
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
    fuzz("signature-ecwid", vec![signed, body], |input| {
        let delivery = delivery(input);
        let admission = provider.admit(&delivery);
        if admission == Admission::Admitted {
            let said: Value = serde_json::from_slice(&delivery.body).unwrap();
            assert_eq!(said["eventId"], "11111111-2222-4333-8444-555555555555");
            assert_eq!(said["eventCreated"].to_string().trim_matches('"'), "1764000000");
            assert_eq!(delivery.headers.get("x-ecwid-webhook-signature").unwrap().trim(), SIGNATURE);
        }
        effect(admission)
    });
}

#[test]
fn nobody_passes_kinguins_secret_but_who_knows_it() {
    let secrets = KeyValue::Secrets(vec!["new-secret".into(), "example-shared-secret".into()]);
    let provider = source(&kinguin::KINGUIN, &[("secret", secrets)]);
    let seeds = vec![recording("kinguin/notifications/order-status.http")];
    fuzz("signature-kinguin", seeds, |input| {
        let delivery = delivery(input);
        let admission = provider.admit(&delivery);
        if admission == Admission::Admitted {
            let sent = delivery.headers.get("x-event-secret").unwrap();
            assert!(["new-secret", "example-shared-secret"].contains(&sent), "{sent}");
        }
        effect(admission)
    });
}

#[test]
fn nobody_passes_midas_signature_with_another_body() {
    let certificate = midas::tests::certificate(&midas::tests::PLATFORM, &[0x0c, 0x2d]);
    let file = ("platform.pem".into(), certificate.into_bytes());
    let provider = midas_source(&[("platform_cert_files", KeyValue::Files(vec![file]))]);
    let body = recording("midas/notifications/paid.json");
    let stamp = midas::tests::stamp(&midas::tests::PLATFORM, "0C2D", &body);
    let head: Vec<String> = stamp.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let signed = with_head(&head.join("\n"), &body);
    // The keys are new in each run: what an earlier one kept is signed by none of them.
    fuzz("signature-midas", vec![signed, body.clone()], |input| {
        let delivery = delivery(input);
        let admission = provider.admit(&delivery);
        if admission == Admission::Admitted {
            assert_eq!(delivery.body, body);
            let signature =
                |headers: &crate::domain::Headers| headers.get("txgw-signature").map(str::to_owned);
            let signed = crate::domain::Headers::new(stamp.clone());
            assert_eq!(signature(&delivery.headers).unwrap().trim(), signature(&signed).unwrap());
        }
        effect(admission)
    });
}
