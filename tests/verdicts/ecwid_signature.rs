//! `ecwid` with a `client_secret`: who may deliver at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::simulator::ecwid::EcwidStore;
use ring::hmac;

use super::ecwid_shop::{Hook, asked, keys, shop};
use crate::support::{Request, Serve, TestEnv, assert_verdict};

const SECRET: &str = "test_client_secret_1";

/// Ecwid's rule: the signature of event `11111111-2222-4333-8444-555555555555`, created 1764000000, under [`SECRET`].
const DOCUMENTED: &str = "fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o=";

fn signed_shop() -> (TestEnv, EcwidStore) {
    let (env, store) = shop();
    let keys = format!("{}\nclient_secret = \"{SECRET}\"", keys(&env, "ecwid"));
    (env.source("signed", &keys), store)
}

fn documented() -> Hook {
    Hook::sale("PAID", "AWAITING_PROCESSING").set("eventId", "11111111-2222-4333-8444-555555555555")
}

fn signature(secret: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}

fn post(serve: &Serve, body: &str, signatures: &[&str]) -> u16 {
    let request = Request::post("/hooks/signed?eventtype=order.updated").body(body);
    let with = |request: Request, value: &&str| request.header("X-Ecwid-Webhook-Signature", value);
    serve.send(&signatures.iter().fold(request, with)).status
}

/// How often deliveries to `signed` were refused for `cause`, once serve has written all of it.
fn refused(env: &TestEnv, cause: &str) -> Option<String> {
    env.value(&format!("SELECT sum(count) FROM refusals WHERE source = 'signed' AND cause = '{cause}'"))
}

#[test]
fn the_documented_signature_opens_the_door_and_the_api_still_decides() {
    let (env, _store) = signed_shop();
    let serve = env.serve();
    assert_eq!(post(&serve, &documented().body(), &[DOCUMENTED]), 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    // It covers neither order nor status: the same signature under another body opens, and is then found false.
    assert_eq!(post(&serve, &documented().data("newPaymentStatus", "REFUNDED").body(), &[DOCUMENTED]), 200);
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "mismatch");
    // The digits count as they stand in the body, quoted or not; a number may be the event's id.
    assert_eq!(post(&serve, &documented().set("eventCreated", "1764000000").body(), &[DOCUMENTED]), 200);
    let numbered = documented().set("eventId", 77).body();
    assert_eq!(post(&serve, &numbered, &[&signature(SECRET, "1764000000.77")]), 200);
    serve.settled(3);
    serve.settled(4);
    assert_verdict(&env.row(3), "ignored", "duplicate");
    assert_verdict(&env.row(4), "confirmed", "match");
    // The signature itself is no secret of ours and stays with the other headers.
    let header = env.value("SELECT headers ->> 'x-ecwid-webhook-signature' FROM notifications WHERE id = 1");
    assert_eq!(header.as_deref(), Some(DOCUMENTED));
}

#[test]
fn a_missing_or_wrong_signature_is_401_and_leaves_no_row() {
    let (env, _store) = signed_shop();
    let serve = env.serve();
    let body = documented().body();
    let foreign = signature("another_secret", "1764000000.11111111-2222-4333-8444-555555555555");
    let url_safe = DOCUMENTED.replace('/', "_").replace('+', "-");
    let wrong: [&[&str]; 9] = [
        &[""],
        &["="],
        &["AAAA"],
        &[&DOCUMENTED[..43]],
        &[&url_safe],
        &[&foreign],
        &["secret_test_token"],
        &[DOCUMENTED, DOCUMENTED],
        &["fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5p="],
    ];
    assert_eq!(post(&serve, &body, &[]), 401);
    for signatures in wrong {
        assert_eq!(post(&serve, &body, signatures), 401, "{signatures:?}");
    }
    for changed in [documented().later(1), documented().set("eventId", "x")] {
        assert_eq!(post(&serve, &changed.body(), &[DOCUMENTED]), 401);
    }
    assert!(serve.stop().success());
    assert!(env.rows().is_empty() && asked(&env).is_empty());
    assert_eq!(refused(&env, "missing_signature").as_deref(), Some("1"));
    assert_eq!(refused(&env, "wrong_signature").as_deref(), Some("11"));
}

#[test]
fn a_body_too_broken_to_check_is_401_and_leaves_no_row() {
    let (env, _store) = signed_shop();
    let serve = env.serve();
    let broken = [
        "{".to_owned(),
        "[]".to_owned(),
        "a=b".to_owned(),
        "{}".to_owned(),
        String::new(),
        documented().without("eventId").body(),
        documented().without("eventCreated").body(),
    ];
    for body in &broken {
        assert_eq!(post(&serve, body, &[DOCUMENTED]), 401, "{body}");
    }
    assert_eq!(post(&serve, "{", &[]), 401);
    assert!(serve.stop().success());
    assert!(env.rows().is_empty());
    assert_eq!(refused(&env, "unreadable").as_deref(), Some("7"));
}

#[test]
fn a_signed_body_that_lacks_other_fields_is_stored_as_malformed() {
    let (env, _store) = signed_shop();
    let serve = env.serve();
    assert_eq!(post(&serve, &documented().without("storeId").body(), &[DOCUMENTED]), 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "malformed");
}
