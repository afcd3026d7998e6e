//! The signature scheme in both directions.

use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use crate::providers::{Admission, Provider as _};

use super::super::signature::{received_text, request_text};
use super::{
    MERCHANT, NOW, PLATFORM, assemble, certificate, checking_keys, keys, keys_with, midas, notification,
    recorded, stamp,
};

fn sha256(text: &[u8]) -> String {
    digest::digest(&digest::SHA256, text).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_signed_texts_are_the_providers_byte_for_byte() {
    let asked = request_text("/v1/mor/transaction/query?external_id=shop-order-9", NOW, "n0nce32");
    assert_eq!(asked.len(), 75);
    assert_eq!(sha256(asked.as_bytes()), "43f5b79726542f92ab27994fd7391f90603cab460843bfcdfdc0f284d6f4c410");
    let path_alone = request_text("/v1/mor/transaction/query", NOW, "n0nce32");
    assert_eq!(path_alone.len(), 50);
    assert_eq!(
        sha256(path_alone.as_bytes()),
        "277c59df66bce5730f0d767eada484ccd0860e657c2d6f8e328dbd9acd136c02"
    );
    let received = received_text("1767322800", "n0nce32", br#"{"notification_type":"OrderPaid"}"#);
    assert_eq!(received.len(), 53);
    assert_eq!(sha256(&received), "ac023f0968933d49d903b9f8944a95cbba96e5e904585e16c8a8c5f0dd86f4ba");
}

#[test]
fn a_signature_is_pkcs1_v15_with_sha256() {
    let pair = RsaKeyPair::from_pkcs8(MERCHANT).unwrap();
    let mut expected = vec![0; 256];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"text", &mut expected).unwrap();
    assert_eq!(midas().signer.sign(b"text").unwrap(), expected);
}

#[test]
fn a_notification_that_the_platform_signed_is_admitted() {
    let midas = assemble(&checking_keys()).unwrap();
    for body in [recorded("notifications/paid.json"), Vec::new(), b"\xff\x00binary\n".to_vec()] {
        for serial in ["0C2D", "c2d", "00:0C:2D"] {
            let notification = notification(stamp(PLATFORM, serial, &body), &body);
            assert_eq!(midas.admit(&notification), Admission::Admitted);
        }
    }
}

#[test]
fn a_bare_public_key_checks_any_serial_and_none() {
    let key =
        rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PLATFORM.into(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let midas = assemble(&keys_with(&key.public_key_pem())).unwrap();
    let mut headers = stamp(PLATFORM, "77", b"body");
    assert_eq!(midas.admit(&notification(headers.clone(), b"body")), Admission::Admitted);
    headers.retain(|(name, _)| name != "Txgw-Serial");
    assert_eq!(midas.admit(&notification(headers, b"body")), Admission::Admitted);
}

/// The cause of a refusal, which comes with words for the log.
fn refused(admission: &Admission) -> Option<&'static str> {
    match admission {
        Admission::Refused { cause, detail: Some(_) } => Some(cause),
        _ => None,
    }
}

#[test]
fn a_rotation_needs_no_outage() {
    let both = certificate(MERCHANT, &[0x0c, 0x2c]) + &certificate(PLATFORM, &[0x0c, 0x2d]);
    let midas = assemble(&keys_with(&both)).unwrap();
    for (key, serial) in [(MERCHANT, "0C2C"), (PLATFORM, "0C2D")] {
        assert_eq!(midas.admit(&notification(stamp(key, serial, b"x"), b"x")), Admission::Admitted);
    }
    let crossed = notification(stamp(PLATFORM, "0C2C", b"x"), b"x");
    assert_eq!(refused(&midas.admit(&crossed)), Some("wrong_signature"));
}

#[test]
fn what_is_not_signed_right_is_refused() {
    let midas = assemble(&checking_keys()).unwrap();
    let body = recorded("notifications/paid.json");
    let right = stamp(PLATFORM, "0C2D", &body);
    let without = |name: &str| {
        let mut headers = right.clone();
        headers.retain(|(header, _)| header != name);
        headers
    };
    let replaced = |name: &str, value: &str| {
        let mut headers = without(name);
        headers.push((name.to_owned(), value.to_owned()));
        headers
    };
    let twice = [right.clone(), stamp(PLATFORM, "0C2D", b"other")].concat();
    let cases = [
        (Vec::new(), "missing_signature"),
        (without("Txgw-Timestamp"), "missing_signature"),
        (without("Txgw-Nonce"), "missing_signature"),
        (without("Txgw-Serial"), "missing_signature"),
        (without("Txgw-Signature"), "missing_signature"),
        (replaced("Txgw-Signature", ""), "missing_signature"),
        (replaced("Txgw-Signature", "bm8="), "wrong_signature"),
        (replaced("Txgw-Signature", "not base64!"), "wrong_signature"),
        (replaced("Txgw-Timestamp", "1767322801"), "wrong_signature"),
        (replaced("Txgw-Nonce", "other"), "wrong_signature"),
        (replaced("Txgw-Serial", "0C2E"), "wrong_signature"),
        (stamp(MERCHANT, "0C2D", &body), "wrong_signature"),
        (stamp(PLATFORM, "0C2D", b"another body"), "wrong_signature"),
        (twice, "wrong_signature"),
    ];
    for (headers, word) in cases {
        assert_eq!(refused(&midas.admit(&notification(headers.clone(), &body))), Some(word), "{headers:?}");
    }
}

#[test]
fn a_test_button_is_known_by_its_empty_body_without_a_signature() {
    let midas = assemble(&checking_keys()).unwrap();
    for body in ["", "{}", " { } \n"] {
        assert_eq!(midas.admit(&notification(Vec::new(), body.as_bytes())), Admission::TestCall);
        let wrongly_signed = notification(stamp(MERCHANT, "0C2D", body.as_bytes()), body.as_bytes());
        assert_eq!(refused(&midas.admit(&wrongly_signed)), Some("wrong_signature"));
    }
}

#[test]
fn nothing_is_checked_without_a_certificate_or_where_only_answers_are() {
    assert_eq!(assemble(&keys()).unwrap().admit(&notification(Vec::new(), b"{}")), Admission::Admitted);
    let mut keys = checking_keys();
    keys.set("check_signatures", crate::providers::keys::KeyValue::Text("answers".to_owned()));
    assert_eq!(assemble(&keys).unwrap().admit(&notification(Vec::new(), b"x")), Admission::Admitted);
}
