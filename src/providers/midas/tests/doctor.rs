//! What `doctor` says.

use crate::domain::Timestamp;
use crate::providers::{DoctorCheck, Provider as _};

use super::{
    MERCHANT, NOW, Stub, assemble, certificate, checking_keys, keys, keys_with, pem, recorded,
    set_private_key,
};

fn date(at: &str) -> Vec<(String, String)> {
    vec![("Date".to_owned(), at.to_owned())]
}

const ON_TIME: &str = "Fri, 02 Jan 2026 03:00:20 GMT";

async fn examined(keys: &crate::providers::Keys, status: u16, at: &str, body: &[u8]) -> Vec<DoctorCheck> {
    let stub = Stub::answering(status, &date(at), body);
    let examination = assemble(keys).unwrap().examine(&stub.api()).await;
    let theirs = Timestamp::parse_http_date(at).unwrap();
    assert_eq!(examination.clock.is_some(), status < 500);
    assert!(examination.clock.is_none_or(|clock| clock == (theirs, Timestamp::from_seconds(NOW))));
    examination.checks
}

fn wrong(checks: &[DoctorCheck]) -> Vec<&str> {
    checks.iter().filter(|check| !check.good).map(|check| check.words.as_str()).collect()
}

#[tokio::test]
async fn all_is_well_when_the_api_knows_no_such_transaction() {
    let checks = examined(&keys(), 404, ON_TIME, &recorded("answers/not_found.json")).await;
    assert_eq!(wrong(&checks), Vec::<&str>::new());
    assert!(checks.iter().any(|check| check.words.contains("accepts merchant_id")), "{checks:?}");
}

#[tokio::test]
async fn a_refused_signature_says_what_to_compare() {
    let checks = examined(&keys(), 401, ON_TIME, &recorded("answers/unauthenticated.json")).await;
    let wrong = wrong(&checks);
    assert_eq!(wrong.len(), 1);
    for word in ["UNAUTHENTICATED", "serial_no", "private_key", "clock", "sandbox"] {
        assert!(wrong[0].contains(word), "{word}: {}", wrong[0]);
    }
}

#[tokio::test]
async fn other_answers_say_what_to_do() {
    for (status, body, words) in [
        (403, &b""[..], "account manager"),
        (400, &recorded("answers/invalid_argument.json"), "id_param"),
        (404, b"<html>", "api_base"),
        (200, b"<html>", "api_base"),
        (500, b"", "Try again later"),
    ] {
        let checks = examined(&keys(), status, ON_TIME, body).await;
        assert_eq!(wrong(&checks).len(), 1, "{status}: {checks:?}");
        assert!(wrong(&checks)[0].contains(words), "{status}: {checks:?}");
    }
}

#[tokio::test]
async fn an_unsigned_answer_points_at_the_setting() {
    let checks = examined(&checking_keys(), 404, ON_TIME, &recorded("answers/not_found.json")).await;
    assert!(wrong(&checks)[0].contains("check_signatures = \"notifications\""), "{checks:?}");
}

#[tokio::test]
async fn our_own_certificate_in_the_platforms_place_is_wrong() {
    let keys = keys_with(&certificate(MERCHANT, &[0x0a, 0x1b]));
    let checks = examined(&keys, 401, ON_TIME, b"").await;
    assert!(wrong(&checks)[0].starts_with("platform_cert_files: "), "{checks:?}");
}

#[tokio::test]
async fn a_certificate_beside_the_key_must_match_it_and_the_serial() {
    let not_found = recorded("answers/not_found.json");
    let key = pem("PRIVATE KEY", MERCHANT);
    for (certificate, words) in [
        (certificate(MERCHANT, &[0x0a, 0x1b]), None),
        (certificate(MERCHANT, &[0x0a, 0x1c]), Some("serial_no: is 0A1B")),
        (certificate(super::PLATFORM, &[0x0a, 0x1b]), Some("private_key: the certificate beside it")),
    ] {
        let mut keys = keys();
        set_private_key(&mut keys, &format!("{certificate}{key}"));
        let checks = examined(&keys, 404, ON_TIME, &not_found).await;
        assert_eq!(wrong(&checks).len(), usize::from(words.is_some()), "{checks:?}");
        if let Some(words) = words {
            assert!(wrong(&checks)[0].starts_with(words), "{checks:?}");
        }
    }
}
