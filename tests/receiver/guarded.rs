//! Sources with a secret or a signature: who lacks it is refused and counted, a panel's TEST button is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::support::formats::{self, Format, GAME, KEYS, POP, SHOP};
use crate::support::{Request, TestEnv, assert_verdict};

const CLIENT_SECRET: &str = "client-secret-of-five";
const OLD_SECRET: &str = "old secret of five";
const NEW_SECRET: &str = "new-secret-of-five";

/// The three formats that can be guarded, guarded, as `g-shop`, `g-keys` and `g-game`.
fn env() -> TestEnv {
    let env = formats::env();
    let guards = [
        (SHOP, format!("client_secret = \"{CLIENT_SECRET}\"")),
        (KEYS, format!("secret = [\"{NEW_SECRET}\", \"{OLD_SECRET}\"]")),
        (GAME, "platform_cert_files = [\"platform.pem\"]".to_owned()),
    ];
    guards.into_iter().fold(env, |env, (format, guard)| {
        let lines = formats::lines(&env, format);
        env.source(&format!("g-{}", format.source), &format!("{lines}{guard}\n"))
    })
}

fn guarded(format: Format, body: impl Into<Vec<u8>>) -> Request {
    format.request_to(&format!("/hooks/g-{}", format.source), body)
}

fn ecwid_signature(secret: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, message.as_bytes()))
}

fn midas_signed(env: &TestEnv, body: &str, over: &str) -> Request {
    let merchant = env.simulator.shops().open_midas("m-1001", "pr-77").unwrap();
    let headers = merchant.sign_notification(over.as_bytes()).unwrap();
    headers.iter().fold(guarded(GAME, body), |request, (name, value)| request.header(name, value))
}

#[test]
fn the_right_secret_or_signature_lets_in() {
    let env = env();
    let serve = env.serve();
    let signature = ecwid_signature(CLIENT_SECRET, "1764000000.e-1207");
    let requests = [
        guarded(SHOP, SHOP.truth(1207)).header("X-Ecwid-Webhook-Signature", &signature),
        guarded(KEYS, KEYS.truth(1207)).header("X-Event-Secret", NEW_SECRET),
        guarded(KEYS, KEYS.truth(1208)).header("x-event-secret", OLD_SECRET),
        midas_signed(&env, &GAME.truth(1207), &GAME.truth(1207)),
    ];
    for (id, request) in (1..).zip(requests) {
        assert!(matches!(serve.send(&request).status, 200 | 204), "{request:?}");
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_wrong_or_missing_secret_or_signature_is_401_without_a_row_and_counted() {
    let env = env();
    let serve = env.serve();
    let (shop, keys, game) = (SHOP.truth(1207), KEYS.truth(1207), GAME.truth(1207));
    let ecwid = "X-Ecwid-Webhook-Signature";
    let other_secret = ecwid_signature("another", "1764000000.e-1207");
    let other_event = ecwid_signature(CLIENT_SECRET, "1764000000.e-1208");
    let right = ecwid_signature(CLIENT_SECRET, "1764000000.e-1207");
    let unsigned: [(&str, Request); 14] = [
        ("g-shop missing_signature", guarded(SHOP, shop.as_str())),
        ("g-shop wrong_signature", guarded(SHOP, shop.as_str()).header(ecwid, &other_secret)),
        ("g-shop wrong_signature", guarded(SHOP, shop.as_str()).header(ecwid, &other_event)),
        ("g-shop wrong_signature", guarded(SHOP, shop.as_str()).header(ecwid, "")),
        ("g-shop unreadable", guarded(SHOP, "too broken to check").header(ecwid, &right)),
        ("g-shop unreadable", guarded(SHOP, "{}").header(ecwid, &right)),
        ("g-keys missing_secret", guarded(KEYS, keys.as_str())),
        ("g-keys wrong_secret", guarded(KEYS, keys.as_str()).header("X-Event-Secret", "guess")),
        ("g-keys wrong_secret", guarded(KEYS, keys.as_str()).header("X-Event-Secret", "NEW-SECRET-OF-FIVE")),
        ("g-keys wrong_secret", guarded(KEYS, "{}").header("X-Event-Secret", "guess")),
        ("g-keys missing_secret", guarded(KEYS, b"\xff\xfe".as_slice())),
        ("g-game missing_signature", guarded(GAME, game.as_str())),
        ("g-game wrong_signature", midas_signed(&env, &game, &GAME.truth(1208))),
        ("g-game missing_signature", guarded(GAME, "too broken to check")),
    ];
    let mut counts = std::collections::BTreeMap::new();
    for (cause, request) in unsigned {
        let answer = serve.send(&request);
        let refused = r#"{"processed":false,"message":"the secret or signature is missing or wrong"}"#;
        assert_eq!((answer.status, answer.text().as_str()), (401, refused), "{cause} {request:?}");
        *counts.entry(cause).or_insert(0) += 1;
    }
    assert!(serve.stop().success());
    assert_eq!(env.rows().len(), 0);
    let causes: Vec<String> = counts.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    let stored = "SELECT group_concat(source || ' ' || cause || ' ' || count, ',') FROM
                  (SELECT * FROM refusals ORDER BY source, cause)";
    assert_eq!(env.value(stored), Some(causes.join(",")));
    let today =
        "SELECT count(*) FROM refusals WHERE day = substr(last_at, 1, 10) AND last_remote_addr = '127.0.0.1'";
    assert_eq!(env.value(today), Some(counts.len().to_string()));
    assert_eq!(env.simulator.shops().calls().len(), 0);
}

#[test]
fn unsigned_posts_of_a_stranger_leave_a_few_lines_that_say_what_is_wrong() {
    let env = env();
    let serve = env.serve_with(&["--no-worker"]);
    let began = std::time::Instant::now();
    for format in [GAME, SHOP] {
        for n in 0..250 {
            assert_eq!(serve.send(&guarded(format, format!("{{\"n\":{n}}}"))).status, 401);
        }
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    let log = serve.log();
    assert!(serve.stop().success());
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("missing_signature")).collect();
    assert!(lines.len() <= seconds + 2, "{} lines in {seconds} s", lines.len());
    let said = "source=g-game sender=127.0.0.1 detail=\"the header txgw-signature is missing\"";
    assert!(lines.iter().any(|line| line.contains(said)), "{lines:?}");
    assert_eq!(env.value("SELECT sum(count) FROM refusals").as_deref(), Some("500"));
}

#[test]
fn a_test_call_is_acknowledged_and_counted_and_leaves_no_row() {
    let env = env();
    let serve = env.serve();
    for format in [SHOP, KEYS, GAME] {
        for body in ["", "{}", " {\n} "] {
            let answer = serve.send(&guarded(format, body));
            assert_eq!((answer.status, answer.text().as_str()), format.acknowledgement, "{format:?}");
        }
    }
    assert!(serve.stop().success());
    assert_eq!(env.rows().len(), 0);
    let counted = "SELECT count(*) FROM refusals WHERE cause = 'test_call' AND count = 3";
    assert_eq!(env.value(counted).as_deref(), Some("3"));
    assert_eq!(env.value("SELECT count(*) FROM refusals").as_deref(), Some("3"));
}

#[test]
fn without_a_configured_secret_a_test_call_is_a_malformed_notification() {
    let env = formats::env();
    let serve = env.serve();
    let mut id = 0;
    for format in formats::FORMATS {
        for body in ["", "{}"] {
            id += 1;
            assert_eq!(serve.send(&format.request(body)).status, format.acknowledgement.0);
            serve.settled(id);
            assert_verdict(&env.row(id), "ignored", "malformed");
        }
    }
    assert_eq!(env.value("SELECT count(*) FROM refusals").as_deref(), Some("0"));
}

#[test]
fn a_secret_sent_to_a_source_without_one_is_no_cause_for_refusal() {
    let env = formats::env();
    let serve = env.serve();
    let requests = [
        SHOP.request(SHOP.truth(1207)).header("X-Ecwid-Webhook-Signature", "anything"),
        KEYS.request(KEYS.truth(1207)).header("X-Event-Secret", "anything"),
        POP.request(POP.truth(1207)).header("X-Event-Secret", "anything"),
        GAME.request(GAME.truth(1207)).header("Txgw-Signature", "anything"),
    ];
    for (id, request) in (1..).zip(requests) {
        assert!(matches!(serve.send(&request).status, 200 | 204), "{request:?}");
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}
