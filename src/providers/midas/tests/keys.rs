//! Private keys, certificates and the other keys of a source.

use crate::providers::keys::KeyValue;

use super::super::pem::plain_serial;
use super::{
    MERCHANT, PLATFORM, assemble, certificate, checking_keys, keys, keys_with, pem, set_private_key,
};

/// The PKCS#1 key inside a PKCS#8 one: it is the last field, after a header of constant size for 2048 bits.
fn pkcs1(pkcs8: &[u8]) -> &[u8] {
    &pkcs8[26..]
}

#[test]
fn both_pem_flavours_of_one_key_sign_alike() {
    let one = assemble(&keys()).unwrap();
    let mut keys = keys();
    set_private_key(&mut keys, &pem("RSA PRIVATE KEY", pkcs1(MERCHANT)));
    let other = assemble(&keys).unwrap();
    assert_eq!(one.signer.sign(b"text").unwrap(), other.signer.sign(b"text").unwrap());
}

#[test]
fn what_is_no_usable_private_key_is_said_with_the_kinds_that_are_accepted() {
    let elliptic = rcgen::KeyPair::generate().unwrap();
    let cases = [
        ("0123456789abcdef".to_owned(), "holds no key in PEM form"),
        (certificate(MERCHANT, &[0x0a, 0x1b]), "is a certificate, not the key that belongs to it"),
        (pem("PUBLIC KEY", b"x"), "is a public key, not the private one"),
        (pem("EC PRIVATE KEY", b"x"), "is an elliptic curve key"),
        (pem("ENCRYPTED PRIVATE KEY", b"x"), "is encrypted with a passphrase"),
        (pem("PRIVATE KEY", b"not a key"), "is not a usable RSA key"),
        (elliptic.serialize_pem(), "is not a usable RSA key"),
        (pem("PRIVATE KEY", MERCHANT).replace("-----END", "----END"), "holds broken PEM"),
    ];
    for (private_key, expected) in cases {
        let mut keys = keys();
        set_private_key(&mut keys, &private_key);
        let errors = assemble(&keys).unwrap_err();
        assert_eq!(errors.len(), 1, "{expected}");
        assert_eq!(errors[0].key, "private_key");
        assert!(errors[0].message.starts_with(expected), "{}", errors[0].message);
        assert!(errors[0].message.contains("PKCS#8"), "{}", errors[0].message);
        let body: String = private_key.lines().filter(|line| !line.starts_with('-')).collect();
        assert!(!errors[0].message.contains(&body), "a secret is in the message");
    }
}

#[test]
fn platform_files_hold_several_certificates_and_public_keys() {
    let one = certificate(PLATFORM, &[0x0c, 0x2d]);
    let key =
        rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PLATFORM.into(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let other = key.public_key_pem();
    let midas = assemble(&keys_with(&format!("{one}\n{other}"))).unwrap();
    let serials: Vec<_> = midas.platform.iter().map(|key| key.serial.as_deref()).collect();
    assert_eq!(serials, [Some("c2d"), None]);
}

#[test]
fn a_platform_file_with_anything_else_is_named() {
    let elliptic = rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem();
    for (content, expected) in [
        (String::new(), "holds nothing, or something else"),
        ("\u{0}\u{1}binary".to_owned(), "holds nothing, or something else"),
        (pem("PRIVATE KEY", PLATFORM), "holds a private key"),
        (pem("RSA PUBLIC KEY", b"x"), "holds nothing, or something else"),
        (pem("CERTIFICATE", b"x"), "holds a broken certificate"),
        (pem("PUBLIC KEY", b"x"), "holds a broken public key"),
        (elliptic, "its key is not an RSA key"),
    ] {
        let errors = assemble(&keys_with(&content)).unwrap_err();
        assert_eq!(errors[0].key, "platform_cert_files");
        let message = &errors[0].message;
        assert!(message.starts_with("platform.pem: ") && message.contains(expected), "{message}");
    }
}

#[test]
fn all_mistakes_are_listed_at_once() {
    let mut keys = keys_with("nothing");
    set_private_key(&mut keys, "nothing");
    keys.set("serial_no", KeyValue::Text("0A\"1B".to_owned()));
    keys.set("id_param", KeyValue::Text(String::new()));
    let named: Vec<_> = assemble(&keys).unwrap_err().iter().map(|error| error.key).collect();
    assert_eq!(named, ["serial_no", "id_param", "private_key", "platform_cert_files"]);
}

#[test]
fn signatures_are_checked_where_the_setting_says_and_only_with_a_certificate() {
    for (word, notifications, answers) in [
        (None, true, true),
        (Some("both"), true, true),
        (Some("notifications"), true, false),
        (Some("answers"), false, true),
    ] {
        let mut keys = checking_keys();
        if let Some(word) = word {
            keys.set("check_signatures", KeyValue::Text(word.to_owned()));
        }
        let midas = assemble(&keys).unwrap();
        assert_eq!(
            (midas.checks_notifications(), midas.checks_answers()),
            (notifications, answers),
            "{word:?}"
        );
    }
    let midas = assemble(&keys()).unwrap();
    assert!(!midas.checks_notifications() && !midas.checks_answers());
}

#[test]
fn serials_compare_as_hexadecimal_numbers() {
    for text in ["0C2D", "c2d", "00:0c:2d", "0x0C2D", " 0C2D "] {
        assert_eq!(plain_serial(text), "c2d", "{text}");
    }
}

#[test]
fn nothing_secret_is_in_debug_texts() {
    let midas = assemble(&keys()).unwrap();
    let shown = format!("{midas:?} {:?}", keys());
    let secret = pem("PRIVATE KEY", MERCHANT);
    assert!(!shown.contains(secret.lines().nth(5).unwrap()));
}
