use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::{MidasMerchant, SignedPath, Transaction, UnknownId, keys, signature};
use crate::simulator::testing::{ask, ask_json, start};
use crate::simulator::{Fault, Simulator, Trouble};

fn merchant() -> (Simulator, MidasMerchant) {
    let simulator = start();
    let merchant = simulator.shops().open_midas("m-1001", "pr-77").unwrap();
    (simulator, merchant)
}

/// The header of a call, signed over `path` with the merchant's own private key.
fn header(merchant: &MidasMerchant, path: &str, at: i64, quoted: bool) -> String {
    let der = PrivatePkcs8KeyDer::from_pem_slice(merchant.private_key_pem().unwrap().as_bytes()).unwrap();
    let pair = KeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let message = format!("GET\n{path}\n{at}\nn0nce32\n\n");
    let mut signed = vec![0; pair.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signed).unwrap();
    let signed = STANDARD.encode(signed);
    if quoted {
        return format!(
            "TXGW-SHA256-RSA2048 auth_id=\"m-1001\",auth_id_type=\"MERCHANT_ID\",nonce_str=\"n0nce32\",\
             timestamp=\"{at}\",serial_no=\"0A1B\",signature=\"{signed}\""
        );
    }
    format!(
        "TXGW-SHA256-RSA2048 signature={signed},serial_no=a1b,timestamp={at},auth_id=m-1001,\
         auth_id_type=MERCHANT_ID,nonce_str=n0nce32"
    )
}

async fn query(simulator: &Simulator, merchant: &MidasMerchant, query: &str) -> (u16, Value) {
    let target = format!("/midas/v1/mor/transaction/query?{query}");
    let header = header(merchant, &target, simulator.shops().now().timestamp(), true);
    ask_json(&format!("{}{target}", simulator.url()), ("authorization", &header)).await
}

#[tokio::test]
async fn a_transaction_is_found_by_its_external_id_and_its_token() {
    let (simulator, merchant) = merchant();
    merchant.put_transaction(Transaction::new("shop-order-9").id("TX-555").token("tok"));
    let (status, body) = query(&simulator, &merchant, "external_id=shop-order-9").await;
    assert_eq!((status, &body["transaction"]["id"]), (200, &json!("TX-555")));
    assert_eq!(body["transaction"]["project"]["id"], "pr-77");
    assert_eq!(body.get("token"), None);
    assert_eq!(query(&simulator, &merchant, "token=tok").await.0, 200);
    assert_eq!(query(&simulator, &merchant, "id=tok").await.1["name"], "INVALID_ARGUMENT");
    merchant.edit_transaction("shop-order-9", |transaction| transaction.status("Cancelled"));
    let (_, body) = query(&simulator, &merchant, "external_id=shop-order-9").await;
    assert_eq!(body["transaction"]["status"], "Cancelled");
}

#[tokio::test]
async fn an_unknown_id_gives_what_was_chosen() {
    let (simulator, merchant) = merchant();
    let (status, body) = query(&simulator, &merchant, "external_id=x").await;
    assert_eq!((status, &body["name"]), (404, &json!("RESOURCE_NOT_FOUND")));
    merchant.configure(|settings| settings.unknown_id = UnknownId::NotFoundWithoutName);
    assert_eq!(query(&simulator, &merchant, "external_id=x").await, (404, json!({"message": "not found"})));
    merchant.configure(|settings| settings.unknown_id = UnknownId::EmptyObject);
    assert_eq!(query(&simulator, &merchant, "external_id=x").await, (200, json!({})));
}

#[tokio::test]
async fn a_call_is_let_in_only_when_signed_right() {
    let (simulator, merchant) = merchant();
    merchant.put_transaction(Transaction::new("9"));
    let path = "/midas/v1/mor/transaction/query";
    let target = format!("{path}?external_id=9");
    let url = format!("{}{target}", simulator.url());
    let now = simulator.shops().now().timestamp();
    let status = async |header: String| ask_json(&url, ("authorization", &header)).await.0;
    assert_eq!(status(header(&merchant, &target, now, false)).await, 200, "unquoted, in another order");
    assert_eq!(status(header(&merchant, path, now, true)).await, 401, "the query is not signed");
    assert_eq!(status(header(&merchant, &target, now - 301, true)).await, 401, "too old");
    assert_eq!(status(header(&merchant, &target, now, true).replace("0A1B", "0A1C")).await, 401);
    assert_eq!(status(header(&merchant, &target, now, true).replace("m-1001", "m-1")).await, 401);
    assert_eq!(status("Bearer x".to_owned()).await, 401);
    merchant.configure(|settings| settings.signed_path = SignedPath::PathOnly);
    assert_eq!(status(header(&merchant, path, now, true)).await, 200);
    let other = simulator.shops().open_midas("m-2", "pr-78").unwrap();
    merchant.register_public_key(&other.public_key_pem()).unwrap();
    assert_eq!(status(header(&merchant, path, now, true)).await, 401, "another key is registered");
    assert_eq!(status(header(&other, path, now, true)).await, 200);
}

#[tokio::test]
async fn answers_and_notifications_are_signed_by_the_platform_unless_told_otherwise() {
    let (simulator, merchant) = merchant();
    let url = format!("{}/v1/mor/transaction/query?external_id=9", simulator.midas_base());
    let key = keys::public_from_pem(&merchant.platform_public_key_pem().unwrap()).unwrap();
    let signed = async || {
        let answer = ask(&url, ("authorization", "none")).await.unwrap();
        let headers = answer.headers().clone();
        let body = answer.bytes().await.unwrap();
        let text = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
        let message = signature::of_platform(&text("txgw-timestamp")?, &text("txgw-nonce")?, &body);
        assert_eq!(text("txgw-serial")?, "0C2D");
        Some(keys::verifies(&key, &message, &text("txgw-signature")?))
    };
    assert_eq!(signed().await, Some(true), "an error is signed too");
    simulator.shops().add_fault(Fault::new(Trouble::WrongSignature).times(1));
    assert_eq!(signed().await, Some(false));
    simulator.shops().add_fault(Fault::new(Trouble::Unsigned).times(1));
    assert_eq!(signed().await, None);
    let body = br#"{"notification_type":"OrderPaid"}"#;
    let [(_, timestamp), (_, nonce), _, (_, by_platform)] = merchant.sign_notification(body).unwrap();
    assert!(keys::verifies(&key, &signature::of_platform(&timestamp, &nonce, body), &by_platform));
}
