//! What is asked and what the answers say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::domain::{CallResult, Cause, Failure, FailureScope, Truth};
use crate::providers::Provider as _;
use crate::providers::keys::KeyValue;

use super::super::signature::request_text;
use super::{
    MERCHANT, Midas, NOW, PLATFORM, Stub, assemble, checking_keys, claim, keys, midas, recorded, reply,
    stamp, with,
};

const COMPLETED: &str = "answers/completed.json";

fn said(midas: &Midas, status: u16, headers: &[(String, String)], body: &[u8]) -> CallResult {
    midas.interpret(&reply(status, headers, body), "shop-order-9")
}

fn failed(result: CallResult) -> Failure {
    match result {
        CallResult::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

/// The fields of the `Authorization` header of a request's head, and the request's target.
fn signed(head: &str) -> (String, impl Fn(&str) -> String + use<>) {
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let line = head.lines().find(|line| line.starts_with("authorization: ")).unwrap();
    let fields = line.strip_prefix("authorization: TXGW-SHA256-RSA2048 ").unwrap().to_owned();
    let field = move |name: &str| {
        let found = fields.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix("=\""));
        found.unwrap().strip_suffix('"').unwrap().to_owned()
    };
    (target, field)
}

fn verify(text: &str, signature: &str) {
    let pair = RsaKeyPair::from_pkcs8(MERCHANT).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    key.verify(text.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
}

#[tokio::test]
async fn what_is_signed_is_what_is_on_the_wire() {
    let stub = Stub::answering(200, &[], &recorded(COMPLETED));
    let claim = claim(&with(
        "notifications/paid.json",
        "/billing/transaction/external_id",
        json!("a/b?c#d%2F&ü'(~)"),
    ));
    let answer = midas().ask(&stub.api(), &claim).await;
    assert!(matches!(answer.result, CallResult::NotFound(_)), "{answer:?}");
    let (target, field) = signed(&stub.request());
    assert_eq!(target, "/proxy/v1/mor/transaction/query?external_id=a%2Fb%3Fc%23d%252F%26%C3%BC%27%28~%29");
    assert_eq!(field("auth_id"), "m-1001");
    assert_eq!(field("auth_id_type"), "MERCHANT_ID");
    assert_eq!(field("serial_no"), "0A1B");
    assert_eq!(field("timestamp"), NOW.to_string());
    let nonce = field("nonce_str");
    assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()), "{nonce}");
    verify(&request_text(&target, NOW, &nonce), &field("signature"));
}

#[tokio::test]
async fn settings_choose_the_parameter_and_what_is_signed() {
    let stub = Stub::answering(200, &[], &recorded(COMPLETED));
    let mut keys = keys();
    keys.set("id_param", KeyValue::Text("game_order".to_owned()));
    keys.set("auth_id_type", KeyValue::Text("APP".to_owned()));
    keys.set("sign_query", KeyValue::Flag(false));
    let midas = assemble(&keys).unwrap();
    let answer = midas.ask(&stub.api(), &claim(&recorded("notifications/paid.json"))).await;
    assert!(matches!(answer.result, CallResult::Found(_)), "{answer:?}");
    let (target, field) = signed(&stub.request());
    assert_eq!(target, "/proxy/v1/mor/transaction/query?game_order=shop-order-9");
    assert_eq!(field("auth_id_type"), "APP");
    let text = request_text("/proxy/v1/mor/transaction/query", NOW, &field("nonce_str"));
    verify(&text, &field("signature"));
}

#[tokio::test]
async fn the_control_question_takes_a_404_in_the_apis_words_or_a_200_for_an_answer() {
    let not_found = recorded("answers/not_found.json");
    let completed = recorded(COMPLETED);
    let denied = recorded("answers/unauthenticated.json");
    let cases: [(u16, &[u8], Option<Cause>); 7] = [
        (404, &not_found, None),
        (200, &completed, None),
        (200, b"{}", None),
        (404, b"<html>", Some(Cause::ApiError)),
        (400, &recorded("answers/invalid_argument.json"), Some(Cause::ApiError)),
        (401, &denied, Some(Cause::ApiDenied)),
        (500, b"", Some(Cause::ApiError)),
    ];
    for (status, body, cause) in cases {
        let stub = Stub::answering(status, &[], body);
        let result = midas().control(&stub.api()).await;
        assert_eq!(result.err().map(|failure| failure.cause), cause, "{status}");
        assert!(stub.request().contains("external_id=countersign-control "));
    }
}

#[test]
fn a_transaction_lands_in_the_truth_as_the_api_wrote_it() {
    let body = recorded(COMPLETED);
    let CallResult::Found(object) = said(&midas(), 200, &[], &body) else { panic!("not there") };
    let Some(Truth::Order(order)) = object.truth else { panic!("no order") };
    assert_eq!(order.order_id, "shop-order-9");
    assert_eq!(order.status.as_deref(), Some("Completed"));
    assert_eq!(order.total.as_deref(), Some("8.98"));
    assert_eq!(order.currency.as_deref(), Some("EUR"));
    assert_eq!(order.email.as_deref(), Some("p42@example.test"));
    assert_eq!(order.updated_at, None);
    assert_eq!(order.raw.as_bytes(), body);
}

#[test]
fn another_projects_transaction_is_seen_but_not_kept() {
    let body = with(COMPLETED, "/transaction/project/id", json!("pr-78"));
    let CallResult::Found(object) = said(&midas(), 200, &[], &body) else { panic!("not there") };
    assert_eq!(object.truth, None);
}

#[test]
fn equal_amounts_are_no_news() {
    let compared = |amount: &str| {
        let body = with(COMPLETED, "/payment_details/payment/amount", json!(amount));
        let CallResult::Found(object) = said(&midas(), 200, &[], &body) else { panic!("not there") };
        object.compared
    };
    assert_eq!(compared("10"), compared("10.00"));
    assert_ne!(compared("10"), compared("10.01"));
}

#[test]
fn only_the_providers_own_words_say_that_a_transaction_is_not_there() {
    let not_found = recorded("answers/not_found.json");
    let other_id = with(COMPLETED, "/transaction/external_id", json!("shop-order-8"));
    let no_transaction = with(COMPLETED, "/transaction", json!(null));
    let cases: [(u16, &[u8], bool); 13] = [
        (404, &not_found, true),
        (200, b"{}", true),
        (200, &other_id, true),
        (200, &no_transaction, true),
        (200, br#"{"transaction":{"external_id":"","id":"","status":"Unknown"}}"#, true),
        (404, b"", false),
        (404, b"<html>not here</html>", false),
        (404, br#"{"message":"no route"}"#, false),
        (404, br#"{"name":""}"#, false),
        (200, br#"{"name":"INTERNAL","debug_id":"1"}"#, false),
        (200, br#"{"transaction":{"id":"TX-555"}}"#, false),
        (200, br#"{"transaction":{"status":"Completed"}}"#, false),
        (204, b"", false),
    ];
    for (status, body, absent) in cases {
        match said(&midas(), status, &[], body) {
            CallResult::NotFound(_) => assert!(absent, "{status} {}", String::from_utf8_lossy(body)),
            CallResult::Failed(failure) => {
                assert!(!absent, "{status} {}", String::from_utf8_lossy(body));
                assert_eq!((failure.cause, failure.scope), (Cause::ApiError, FailureScope::Unclear));
            }
            CallResult::Found(_) => panic!("{status} {}", String::from_utf8_lossy(body)),
        }
    }
}

#[test]
fn an_answer_that_is_not_as_documented_is_an_error_that_names_the_field() {
    let cases: [(&str, Value, &str); 6] = [
        ("/transaction", json!("x"), "transaction is not an object"),
        ("/transaction/status", json!(3), "transaction.status is not text"),
        ("/transaction/project", json!(null), "transaction.project.id is missing"),
        ("/transaction/external_id", json!(null), "transaction.external_id is missing"),
        ("/payment_details/payment/amount", json!("1e3"), "payment_details.payment.amount is not a plain"),
        ("/user", json!([]), "user is not an object"),
    ];
    for (pointer, value, words) in cases {
        let failure = failed(said(&midas(), 200, &[], &with(COMPLETED, pointer, value)));
        assert_eq!(failure.cause, Cause::ApiError);
        assert!(failure.detail.contains(words), "{}", failure.detail);
    }
    let text = failed(said(&midas(), 200, &[], b"<html>"));
    assert_eq!(text.detail, "the API's answer is not a JSON object");
}

#[test]
fn refusals_keep_the_apis_word_and_debug_id() {
    let failure = failed(said(&midas(), 400, &[], &recorded("answers/invalid_argument.json")));
    assert_eq!(failure.cause, Cause::ApiError);
    assert!(
        failure.detail.contains("INVALID_ARGUMENT, field external_id, debug_id 247d0c"),
        "{}",
        failure.detail
    );
    assert!(failure.is_refusal());
    let denied = failed(said(&midas(), 401, &[], &recorded("answers/unauthenticated.json")));
    assert_eq!((denied.cause, denied.scope), (Cause::ApiDenied, FailureScope::Unclear));
    assert!(denied.detail.contains("UNAUTHENTICATED"));
    let long = json!({"name": format!("\u{1b}[2J{}", "x".repeat(10_000))}).to_string();
    let hostile = failed(said(&midas(), 403, &[], long.as_bytes()));
    assert_eq!(hostile.cause, Cause::ApiDenied);
    assert!(hostile.detail.len() < 200 && !hostile.detail.contains('\u{1b}'), "{}", hostile.detail);
}

#[test]
fn answers_count_only_when_signed_right_where_that_is_checked() {
    let checking = assemble(&checking_keys()).unwrap();
    for (status, name) in [(200, COMPLETED), (404, "answers/not_found.json")] {
        let body = recorded(name);
        let right = stamp(PLATFORM, "0C2D", &body);
        assert!(!matches!(said(&checking, status, &right, &body), CallResult::Failed(_)), "{name}");
        for headers in [Vec::new(), stamp(MERCHANT, "0C2D", &body), stamp(PLATFORM, "0C2D", b"{}")] {
            let failure = failed(said(&checking, status, &headers, &body));
            assert_eq!((failure.cause, failure.scope), (Cause::ApiError, FailureScope::Unclear));
            assert!(failure.detail.starts_with("the API's answer is not signed by the platform: "));
        }
        let unknown = failed(said(&checking, status, &stamp(PLATFORM, "77", &body), &body));
        assert!(unknown.detail.ends_with("certificate with serial 77"), "{}", unknown.detail);
        assert!(!matches!(said(&midas(), status, &[], &body), CallResult::Failed(_)), "{name}");
    }
    for status in [401, 403] {
        let denied = failed(said(&checking, status, &[], b""));
        assert_eq!(denied.cause, Cause::ApiDenied, "a gateway's refusal needs no signature");
    }
}
