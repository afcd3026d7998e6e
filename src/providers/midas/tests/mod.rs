//! Keys, sources and a stub of the API for the tests of this folder.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::Value;

use crate::domain::{Claim, Clock, Headers, RawNotification, Reading, Timestamp, Unasked};
use crate::metrics::Metrics;
use crate::providers::http::{Api, Client, OpenGate, Reply};
use crate::providers::keys::{KeyError, KeyValue, Keys};

use super::Midas;
use super::signature::{Signer, received_text};

mod api;
mod doctor;
mod judge;
mod keys;
mod notification;
mod signature;

/// 2026-01-02T03:00:00Z, the time of the recorded calls.
pub(super) const NOW: i64 = 1_767_322_800;

pub(in crate::providers) const MERCHANT: &[u8] = include_bytes!("../../../../data/midas/keys/1.pkcs8.der");
pub(in crate::providers) const PLATFORM: &[u8] = include_bytes!("../../../../data/midas/keys/2.pkcs8.der");

/// PEM of a label and DER.
pub(in crate::providers) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A self-signed certificate of a key.
pub(in crate::providers) fn certificate(pkcs8: &[u8], serial: &[u8]) -> String {
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
    params.self_signed(&key).unwrap().pem()
}

/// The keys of a source without platform certificates.
pub(super) fn keys() -> Keys {
    let mut keys = Keys::default();
    keys.set("merchant_id", KeyValue::Text("m-1001".to_owned()));
    keys.set("project_id", KeyValue::Text("pr-77".to_owned()));
    keys.set("serial_no", KeyValue::Text("0A1B".to_owned()));
    set_private_key(&mut keys, &pem("PRIVATE KEY", MERCHANT));
    keys
}

pub(super) fn set_private_key(keys: &mut Keys, pem: &str) {
    keys.set("private_key", KeyValue::Secrets(vec![SecretString::from(pem)]));
}

/// The same with one platform file.
pub(super) fn keys_with(platform: &str) -> Keys {
    let mut keys = keys();
    let file = (PathBuf::from("platform.pem"), platform.as_bytes().to_vec());
    keys.set("platform_cert_files", KeyValue::Files(vec![file]));
    keys
}

/// The same, and the platform's certificate with serial 0C2D.
pub(super) fn checking_keys() -> Keys {
    keys_with(&certificate(PLATFORM, &[0x0c, 0x2d]))
}

pub(super) fn assemble(keys: &Keys) -> Result<Midas, Vec<KeyError>> {
    let mut errors = Vec::new();
    super::assemble(keys, &mut errors).filter(|_| errors.is_empty()).ok_or(errors)
}

pub(super) fn midas() -> Midas {
    assemble(&keys()).unwrap()
}

/// `Txgw-*` headers for a body, signed with a key.
pub(in crate::providers) fn stamp(pkcs8: &[u8], serial: &str, body: &[u8]) -> Vec<(String, String)> {
    let pair = ring::signature::RsaKeyPair::from_pkcs8(pkcs8).unwrap();
    let signer =
        Signer { pair, merchant_id: String::new(), auth_id_type: String::new(), serial_no: String::new() };
    let signature = signer.sign(&received_text(&NOW.to_string(), "n0nce32", body)).unwrap();
    [
        ("Txgw-Timestamp", NOW.to_string()),
        ("Txgw-Nonce", "n0nce32".to_owned()),
        ("Txgw-Serial", serial.to_owned()),
        ("Txgw-Signature", STANDARD.encode(signature)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

pub(super) fn notification(headers: Vec<(String, String)>, body: &[u8]) -> RawNotification {
    RawNotification {
        source: "game".to_owned(),
        provider: "midas".to_owned(),
        received_at: Timestamp::from_seconds(NOW),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::new(headers),
        body: body.to_vec(),
    }
}

/// A file under `data/midas`.
pub(super) fn recorded(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/midas").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(super) fn read(body: &[u8]) -> Reading {
    super::notification::read(body, "m-1001", "pr-77")
}

pub(super) fn claim(body: &[u8]) -> Claim {
    match read(body) {
        Reading::Claim(claim) => *claim,
        Reading::Unasked(unasked) => panic!("{unasked:?}"),
    }
}

pub(super) fn unasked(body: &[u8]) -> Unasked {
    match read(body) {
        Reading::Unasked(unasked) => *unasked,
        Reading::Claim(claim) => panic!("{claim:?}"),
    }
}

/// A recorded JSON body with the value at a JSON pointer replaced, or taken away where `value` is null.
pub(super) fn with(name: &str, pointer: &str, value: Value) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&recorded(name)).unwrap();
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    body.to_string().into_bytes()
}

pub(super) fn reply(status: u16, headers: &[(String, String)], body: &[u8]) -> Reply {
    let mut map = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, value.parse().unwrap());
    }
    let asked_at = Timestamp::from_seconds(NOW);
    Reply { status, headers: map, body: body.to_vec(), asked_at, latency_ms: 3 }
}

/// One request and one canned answer; gives the request's head back.
pub(super) struct Stub {
    pub(super) base: String,
    served: JoinHandle<String>,
}

impl Stub {
    pub(super) fn answering(status: u16, headers: &[(String, String)], body: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/proxy", listener.local_addr().unwrap());
        let mut answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        let answer = [format!("{answer}connection: close\r\n\r\n").as_bytes(), body].concat();
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(&answer).unwrap();
            String::from_utf8(head).unwrap()
        });
        Self { base, served }
    }

    pub(super) fn api(&self) -> Api {
        let clock = Clock::standing_at(Timestamp::from_seconds(NOW));
        let client = Client::new(Duration::from_secs(5), Metrics::new().unwrap(), clock).unwrap();
        Api::new(client, "game", &self.base, Arc::new(OpenGate))
    }

    pub(super) fn request(self) -> String {
        self.served.join().unwrap()
    }
}
