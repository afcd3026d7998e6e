//! `midas`: what the platform signs, with its certificates or public keys configured.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::simulator::midas::{MidasMerchant, Transaction, UnknownId};
use countersign::simulator::{Fault, Trouble};
use rcgen::{CertificateParams, KeyPair, SerialNumber};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::midas::{STORED, calls, game, game_with, paid};
use crate::support::{Request, Serve, TestEnv, assert_verdict};

const CERTIFICATE: &str = "platform_cert_files = [\"platform.pem\"]";
/// Long ago: the age of a signature is not checked.
const TIMESTAMP: &str = "1767322800";

fn certificate(key_pem: &str, serial: &[u8]) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.self_signed(&KeyPair::from_pem(key_pem).unwrap()).unwrap().pem()
}

/// A source whose `platform.pem` is the certificate of the simulated platform.
fn checked(lines: &str) -> (TestEnv, MidasMerchant) {
    game_with(&format!("{CERTIFICATE}\n{lines}"), |merchant, folder| {
        let pem = certificate(&merchant.platform_private_key_pem().unwrap(), &[0x0c, 0x2d]);
        std::fs::write(folder.join("platform.pem"), pem).unwrap();
    })
}

/// The documented signature: three lines, each ended by a line feed.
fn signature(merchant: &MidasMerchant, body: &str) -> String {
    let pem = merchant.platform_private_key_pem().unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    let text = format!("{TIMESTAMP}\nn0nce32\n{body}\n");
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    STANDARD.encode(signature)
}

fn stamped(headers: &[(&str, &str)], body: &str) -> Request {
    let request = Request::post("/hooks/game").body(body);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn signed(merchant: &MidasMerchant, serial: &str, body: &str) -> Request {
    let signature = signature(merchant, body);
    let headers = [
        ("TXGW-Signature", signature.as_str()),
        ("txgw-nonce", "n0nce32"),
        ("Txgw-Serial", serial),
        ("Txgw-Timestamp", TIMESTAMP),
    ];
    stamped(&headers, body)
}

fn confirms(
    serve: &Serve,
    env: &TestEnv,
    merchant: &MidasMerchant,
    request: &Request,
    id: i64,
    subject: &str,
) {
    merchant.put_transaction(Transaction::new(subject));
    let answer = serve.send(request);
    assert_eq!((answer.status, answer.text().as_str()), (200, STORED), "{request:?}");
    serve.settled(id);
    assert_verdict(&env.row(id), "confirmed", "match");
}

#[test]
fn a_platforms_signature_counts_whatever_its_age_and_the_serials_spelling() {
    let (env, merchant) = checked("");
    let serve = env.serve();
    for (id, serial) in [(1, "0C2D"), (2, "0c2d"), (3, "C2D"), (4, "000C2D")] {
        let subject = format!("S-{id}");
        let request = signed(&merchant, serial, &paid(&subject).to_string());
        confirms(&serve, &env, &merchant, &request, id, &subject);
    }
    let body = paid("S-5").to_string();
    let headers = merchant.sign_notification(body.as_bytes()).unwrap();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    confirms(&serve, &env, &merchant, &stamped(&headers, &body), 5, "S-5");
}

#[test]
fn an_unsigned_or_wrongly_signed_notification_is_refused_and_not_stored() {
    let (env, merchant) = checked("");
    let serve = env.serve();
    let body = paid("S-1").to_string();
    let right = signature(&merchant, &body);
    let of_another_body = signature(&merchant, &paid("S-2").to_string());
    let all = |signature: &str| {
        [
            ("Txgw-Timestamp", TIMESTAMP),
            ("Txgw-Nonce", "n0nce32"),
            ("Txgw-Serial", "0C2D"),
            ("Txgw-Signature", signature),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    let without = |dropped: usize| {
        let mut headers = all(&right).to_vec();
        headers.remove(dropped);
        headers
    };
    let replaced = |at: usize, value: &str| {
        let mut headers = all(&right).to_vec();
        headers[at].1 = value.to_owned();
        headers
    };
    let twice = [all(&right).to_vec(), vec![("Txgw-Signature", right.clone())]].concat();
    let cases = [
        (Vec::new(), "missing_signature"),
        (without(0), "missing_signature"),
        (without(1), "missing_signature"),
        (without(2), "missing_signature"),
        (without(3), "missing_signature"),
        (replaced(3, ""), "missing_signature"),
        // The first of its cause within a second: the only one that the log names.
        (replaced(2, "0C2E"), "wrong_signature"),
        (replaced(0, "1767322801"), "wrong_signature"),
        (replaced(1, "n0nce33"), "wrong_signature"),
        (replaced(3, "bm8gc2lnbmF0dXJl"), "wrong_signature"),
        (replaced(3, "not base64!"), "wrong_signature"),
        (replaced(3, &of_another_body), "wrong_signature"),
        (twice, "wrong_signature"),
    ];
    let count = |cause: &str| {
        let sql = format!(
            "SELECT coalesce(sum(count), 0) FROM refusals WHERE source = 'game' AND cause = '{cause}'"
        );
        env.value(&sql).unwrap().parse::<i64>().unwrap()
    };
    for (headers, cause) in cases {
        let before = count(cause);
        let borrowed: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = serve.send(&stamped(&borrowed, &body));
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.text().starts_with(r#"{"processed":false,"message":""#), "{}", answer.text());
        assert_eq!(count(cause), before + 1, "{cause}: {headers:?}");
    }
    let broken = signed(&merchant, "0C2D", &body).body("no JSON");
    assert_eq!(serve.send(&broken).status, 401);
    assert_eq!(env.rows().len(), 0);
    assert!(calls(&env).is_empty());
    let unknown = |line: &str| line.contains("0C2E") && line.contains("game");
    serve.wait_for_line("the unknown serial is named", unknown);
}

#[test]
fn the_bytes_are_checked_as_they_came() {
    let (env, merchant) = checked("");
    let serve = env.serve();
    let odd = paid("S-1").to_string().replace("\"EUR\"", "\"\\u0045UR\"").replace("{\"sku", " {\r\n\t\"sku");
    confirms(&serve, &env, &merchant, &signed(&merchant, "0C2D", &odd), 1, "S-1");
    let written_again = signed(&merchant, "0C2D", &odd).body(paid("S-1").to_string());
    assert_eq!(serve.send(&written_again).status, 401);
}

#[test]
fn a_test_call_without_a_signature_is_acknowledged_and_not_stored() {
    let (env, merchant) = checked("");
    let serve = env.serve();
    for body in ["", "{}"] {
        let answer = serve.post("game", body);
        assert_eq!((answer.status, answer.text().as_str()), (200, STORED));
    }
    assert_eq!(serve.send(&stamped(&[("Txgw-Signature", "bm8=")], "{}")).status, 401);
    let counted = env.value("SELECT count FROM refusals WHERE cause = 'test_call'");
    assert_eq!((counted.as_deref(), env.rows().len()), (Some("2"), 0));
    let signed = signed(&merchant, "0C2D", "{}");
    assert_eq!(serve.send(&signed).status, 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "malformed");
}

#[test]
fn a_bare_public_key_checks_any_serial() {
    let (env, merchant) = game_with(CERTIFICATE, |merchant, folder| {
        std::fs::write(folder.join("platform.pem"), merchant.platform_public_key_pem().unwrap()).unwrap();
    });
    let serve = env.serve();
    let request = signed(&merchant, "F00D", &paid("S-1").to_string());
    confirms(&serve, &env, &merchant, &request, 1, "S-1");
    let forged = signed(&merchant, "F00D", &paid("S-1").to_string()).body(paid("S-2").to_string());
    assert_eq!(serve.send(&forged).status, 401);
    assert_eq!(serve.post("game", paid("S-1").to_string()).status, 401);
}

#[test]
fn of_several_certificates_the_serial_picks_one() {
    let lines = "platform_cert_files = [\"old.pem\", \"platform.pem\"]";
    let (env, merchant) = game_with(lines, |merchant, folder| {
        let old = certificate(&merchant.private_key_pem().unwrap(), &[0x0b, 0x01]);
        let new = certificate(&merchant.platform_private_key_pem().unwrap(), &[0x0c, 0x2d]);
        std::fs::write(folder.join("old.pem"), old).unwrap();
        std::fs::write(folder.join("platform.pem"), new).unwrap();
    });
    let serve = env.serve();
    let body = paid("S-1").to_string();
    confirms(&serve, &env, &merchant, &signed(&merchant, "0C2D", &body), 1, "S-1");
    assert_eq!(serve.send(&signed(&merchant, "0B01", &body)).status, 401, "signed by the other key");
}

#[test]
fn an_unsigned_or_wrongly_signed_answer_is_api_error_and_never_a_verdict() {
    let (env, merchant) = checked("");
    let shops = env.simulator.shops();
    let serve = env.serve();
    merchant.put_transaction(Transaction::new("KNOWN"));
    assert_eq!(serve.send(&signed(&merchant, "0C2D", &paid("KNOWN").to_string())).status, 200);
    serve.settled(1);
    // What each answer says once it is signed.
    let truths = [("T-1", "Completed", "match"), ("T-2", "Cancelled", "mismatch"), ("T-3", "", "not_found")];
    let mut id = 1;
    for trouble in [Trouble::Unsigned, Trouble::WrongSignature] {
        for (subject, status, reason) in truths {
            id += 1;
            let subject = format!("{subject}-{id}");
            if !status.is_empty() {
                merchant.put_transaction(Transaction::new(&subject).status(status));
            }
            let fault = shops.add_fault(Fault::new(trouble.clone()));
            assert_eq!(serve.send(&signed(&merchant, "0C2D", &paid(&subject).to_string())).status, 200);
            serve.pending(id, "api_error");
            let orders = format!("SELECT count(*) FROM orders WHERE order_id = '{subject}'");
            assert_eq!(env.value(&orders).as_deref(), Some("0"), "no truth comes of it");
            shops.clear_fault(fault);
            serve.settled(id);
            let row = env.row(id);
            assert_verdict(&row, if reason == "match" { "confirmed" } else { "ignored" }, reason);
            assert_eq!(row.outcomes[0], "api_error");
        }
    }
    merchant.configure(|settings| settings.unknown_id = UnknownId::EmptyObject);
    shops.add_fault(Fault::new(Trouble::Unsigned));
    assert_eq!(serve.send(&signed(&merchant, "0C2D", &paid("NEVER").to_string())).status, 200);
    serve.pending(id + 1, "api_error");
}

#[test]
fn check_signatures_chooses_where_a_signature_is_needed() {
    for (choice, unsigned_in, unsigned_back) in
        [("notifications", false, true), ("answers", true, false), ("both", false, false)]
    {
        let (env, merchant) = checked(&format!("check_signatures = \"{choice}\""));
        merchant.put_transaction(Transaction::new("S-1"));
        env.simulator.shops().add_fault(Fault::new(Trouble::Unsigned));
        let serve = env.serve();
        let body = paid("S-1").to_string();
        let status = serve.post("game", body.clone()).status;
        assert_eq!(status, if unsigned_in { 200 } else { 401 }, "{choice}");
        if !unsigned_in {
            assert_eq!(serve.send(&signed(&merchant, "0C2D", &body)).status, 200);
        }
        if unsigned_back {
            serve.settled(1);
            assert_verdict(&env.row(1), "confirmed", "match");
        } else {
            serve.pending(1, "api_error");
        }
    }
}

#[test]
fn without_certificates_nothing_is_checked() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("S-1"));
    env.simulator.shops().add_fault(Fault::new(Trouble::WrongSignature));
    let serve = env.serve();
    let request = stamped(&[("Txgw-Signature", "bm8="), ("Txgw-Serial", "FFFF")], &paid("S-1").to_string());
    assert_eq!(serve.send(&request).status, 200);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}
