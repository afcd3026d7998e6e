//! `midas`: how our calls are signed, and failures that say nothing about a notification.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::simulator::midas::{SignedPath, Transaction};
use countersign::simulator::{Fault, Trouble};

use super::midas::{calls, game, game_with, paid, post};
use crate::support::assert_verdict;

const QUERY: &str = "/v1/mor/transaction/query";

/// The PKCS#1 form of a 2048-bit PKCS#8 key: its last field, behind a header of constant size.
fn pkcs1(pkcs8: &str) -> String {
    let base64: String = pkcs8.lines().filter(|line| !line.starts_with('-')).collect();
    let key = STANDARD.encode(&STANDARD.decode(base64).unwrap()[26..]);
    let lines: Vec<_> = key.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"))
}

#[test]
fn a_key_in_pkcs1_signs_as_well_as_one_in_pkcs8() {
    let (env, merchant) = game_with("", |merchant, folder| {
        let pem = pkcs1(&merchant.private_key_pem().unwrap());
        std::fs::write(folder.join("merchant.pem"), pem).unwrap();
    });
    merchant.put_transaction(Transaction::new("T-1"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn the_settings_that_the_provider_leaves_open_reach_the_wire() {
    let lines =
        "id_param = \"order_ref\"\nauth_id_type = \"APP_ID\"\nsign_query = false\nserial_no = \"a1b\"";
    let (env, merchant) = game_with(lines, |_, _| {});
    merchant.configure(|settings| {
        settings.id_param = "order_ref".to_owned();
        settings.auth_id_type = "APP_ID".to_owned();
        settings.signed_path = SignedPath::PathOnly;
    });
    merchant.put_transaction(Transaction::new("T 1"));
    let serve = env.serve();
    post(&serve, &paid("T 1"));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(calls(&env), [format!("{QUERY}?order_ref=T%201")]);
}

#[test]
fn a_signature_that_is_not_accepted_pauses_the_source_after_the_control_question() {
    type Spoil = fn(&mut countersign::simulator::midas::MerchantOptions);
    let cases: [(&str, Spoil); 4] = [
        ("sign_query = false", |_| {}),
        ("serial_no = \"0A1C\"", |_| {}),
        ("auth_id_type = \"APP_ID\"", |_| {}),
        ("", |settings| settings.serial_no = "0A1D".to_owned()),
    ];
    for (lines, spoil) in cases {
        let (env, merchant) = game_with(lines, |_, _| {});
        merchant.configure(spoil);
        merchant.put_transaction(Transaction::new("T-1"));
        let serve = env.serve();
        post(&serve, &paid("T-1"));
        serve.pending(1, "api_denied");
        let asked = calls(&env);
        assert_eq!(asked[0], format!("{QUERY}?external_id=T-1"));
        assert!(asked[1].starts_with(QUERY) && !asked[1].contains("T-1"), "a constant id: {asked:?}");
        serve
            .wait_for_line("it is said loudly", |line| line.contains("ERROR") && line.contains("api_denied"));
        assert_eq!(env.row(1).state, "pending");
        assert_eq!(env.value("SELECT http_status FROM verifications LIMIT 1").as_deref(), Some("401"));
    }
}

#[test]
fn a_denied_source_goes_on_where_it_stopped() {
    let (env, merchant) = game();
    merchant.configure(|settings| settings.serial_no = "FFFF".to_owned());
    merchant.put_transaction(Transaction::new("T-1"));
    merchant.put_transaction(Transaction::new("T-2"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.pending(1, "api_denied");
    post(&serve, &paid("T-2"));
    merchant.configure(|settings| settings.serial_no = "0A1B".to_owned());
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_refusal_of_one_subject_is_its_api_error_and_undecided_after_five_answers() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-2"));
    let statuses = [400, 401, 403];
    let serve = env.serve();
    for (id, http_status) in (1..).zip(statuses) {
        let refused = format!("T-{http_status}");
        env.simulator.shops().add_fault(Fault::status(http_status).path(format!("external_id={refused}")));
        post(&serve, &paid(&refused));
        serve.pending(id, "api_error");
    }
    post(&serve, &paid("T-2"));
    serve.settled(4);
    assert_verdict(&env.row(4), "confirmed", "match");
    for (id, http_status) in (1..).zip(statuses) {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "undecided", "api_error");
        assert_eq!(row.outcomes, ["api_error"; 5], "{http_status}");
    }
}

#[test]
fn an_invalid_argument_is_api_error_with_its_details_and_debug_id() {
    let (env, _merchant) = game();
    let body = br#"{"name":"INVALID_ARGUMENT","message":"m","debug_id":"247d0c","details":[{"field":"external_id"}]}"#;
    let trouble = Trouble::Answer { status: 400, headers: Vec::new(), body: body.to_vec() };
    env.simulator.shops().add_fault(Fault::new(trouble).path("external_id=T-1"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "api_error");
    let detail = row.detail.unwrap();
    for word in ["INVALID_ARGUMENT", "external_id", "247d0c"] {
        assert!(detail.contains(word), "{detail}");
    }
}

#[test]
fn an_answer_that_is_no_documented_transaction_is_api_error() {
    let (env, merchant) = game();
    let serve = env.serve();
    let answers = [
        (200, "[]"),
        (200, "null"),
        (200, "<html>"),
        (200, r#"{"error":"busy"}"#),
        (200, r#"{"transaction":"T"}"#),
        (200, r#"{"transaction":{"id":"TX-T","status":"Completed"}}"#),
        (500, r#"{"name":"INTERNAL"}"#),
        (503, r#"{"name":"UNAVAILABLE"}"#),
        (302, "{}"),
    ];
    for (id, (http_status, body)) in (1..).zip(answers) {
        let external_id = format!("T-{id}");
        merchant.put_transaction(Transaction::new(&external_id));
        let trouble = Trouble::Answer { status: http_status, headers: Vec::new(), body: body.into() };
        let fault = env.simulator.shops().add_fault(Fault::new(trouble));
        post(&serve, &paid(&external_id));
        serve.pending(id, "api_error");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(env.row(id).outcomes[0], "api_error", "{http_status} {body}");
    }
}

#[test]
fn a_rate_limit_makes_the_source_wait() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1"));
    env.simulator.shops().add_fault(Fault::too_many(Some("1")).times(1));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.pending(1, "api_rate_limited");
    serve.settled(1);
    assert_eq!(env.row(1).outcomes, ["api_rate_limited", "match"]);
    assert_eq!(calls(&env).len(), 2);
}

#[test]
fn nothing_that_is_logged_or_stored_holds_a_key_or_our_signature() {
    let (env, merchant) = game();
    merchant.put_transaction(Transaction::new("T-1"));
    let serve = env.serve();
    post(&serve, &paid("T-1"));
    serve.settled(1);
    let key = merchant.private_key_pem().unwrap();
    let secret = key.lines().nth(3).unwrap();
    let log = serve.log();
    assert!(!log.contains(secret) && !log.contains("TXGW-SHA256"), "{log}");
    assert!(serve.stop().success());
    let store = std::fs::read(env.store_path()).unwrap();
    for text in [secret, "TXGW-SHA256"] {
        assert!(!store.windows(text.len()).any(|window| window == text.as_bytes()));
    }
}
