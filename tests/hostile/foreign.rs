//! Bytes that are no text, byte order marks and NULs, in requests and in answers: what nobody compares makes nothing
//! unreadable, and what is compared equals nothing.

use countersign::simulator::kinguin::Order;
use countersign::simulator::{Fault, Trouble};
use serde_json::Value;

use crate::support::formats::{self, FORMATS, Format, GAME, KEYS, OLD, POP, SHOP};
use crate::support::{Row, TestEnv, assert_verdict};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body with `extra` at the end of its object.
fn with_extra(format: Format, extra: &[u8]) -> Vec<u8> {
    let mut body = format.truth(1207).into_bytes();
    body.pop();
    [body.as_slice(), extra, b"}"].concat()
}

fn replaced(body: &str, from: &str, to: &[u8]) -> Vec<u8> {
    let (before, after) = body.split_once(from).expect(from);
    [before.as_bytes(), to, after.as_bytes()].concat()
}

/// The verdict of one notification at an environment of its own.
fn verdict_of(format: Format, body: &[u8]) -> (TestEnv, Row) {
    let env = formats::env();
    let serve = env.serve();
    let answer = serve.send(&format.request(body));
    assert_eq!((answer.status, answer.text().as_str()), format.acknowledgement);
    serve.settled(1);
    let row = env.row(1);
    (env, row)
}

#[test]
fn what_nobody_compares_makes_no_notification_unreadable() {
    let old = |end: &[u8]| [OLD.truth(1207).as_bytes(), end].concat();
    let marked = |format: Format| [BYTE_ORDER_MARK, format.truth(1207).as_bytes()].concat();
    let ended = |format: Format, end: &[u8]| [format.truth(1207).as_bytes(), end].concat();
    let mut cases =
        vec![(OLD, old(b"&name=J%FCrgen")), (OLD, old(b"&name=J\xfcrgen&%FF=1")), (OLD, old(b"\r\n\0"))];
    cases.extend(FORMATS.map(|format| (format, marked(format))));
    cases.extend(FORMATS.map(|format| (format, ended(format, b"\0\0"))));
    for format in [SHOP, POP, KEYS, GAME] {
        for extra in [
            &br#","note":"thanks \ud83d""#[..],
            b",\"name\":\"J\xfcrgen\"",
            b",\"custom_parameters\":{\"nick\":\"Cat \\ud83d\",\"\\udc00\":[\"\xff\"]}",
            b",\"\xff\":1",
        ] {
            cases.push((format, with_extra(format, extra)));
        }
    }
    for (format, body) in cases {
        let (_env, row) = verdict_of(format, &body);
        assert_eq!(row.reason.as_deref(), Some("match"), "{} {row:#?}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn an_id_in_which_something_was_replaced_is_malformed() {
    let json = [
        (SHOP, "\"entityId\":41207", &b"\"entityId\":\"41207\xff\""[..]),
        (SHOP, "\"orderId\":\"1207\"", br#""orderId":"1207\ud83d""#),
        (POP, "K1207", b"K1207\xff"),
        (KEYS, "K1207", b"K1207\xff"),
        (KEYS, "x-1207", b"x-1207\xff"),
        (GAME, "T1207", b"T1207\xff"),
        (OLD, "order_id=1207", b"order_id=1207%FF"),
        (OLD, "owner_id=1003", b"owner_id=1003\xff"),
    ];
    for (format, from, to) in json {
        let (_env, row) = verdict_of(format, &replaced(&format.truth(1207), from, to));
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.clone().unwrap_or_default().contains("not text"), "{row:#?}");
    }
}

#[test]
fn a_compared_value_in_which_something_was_replaced_differs_from_all() {
    let cases = [
        (OLD, "ACCEPTED", &b"ACCEPTED%FF"[..]),
        (OLD, "fulfillment_status=NEW", b"fulfillment_status=NEW%FF"),
        (SHOP, "\"PAID\"", b"\"PAID\xff\""),
        (KEYS, "completed", b"completed\xff"),
        (GAME, "\"EUR\"", br#""EUR\ud83d""#),
    ];
    for (format, from, to) in cases {
        let (_env, row) = verdict_of(format, &replaced(&format.truth(1207), from, to));
        assert_verdict(&row, "ignored", "mismatch");
    }
}

/// The shop's answer to the question of each format about its order 1207.
fn answer_of(format: Format) -> (&'static str, &'static str) {
    match format.provider {
        "ecwid" | "ecwid-ion" => (
            "/orders/1207",
            r#"{"id":"1207","internalId":41207,"orderNumber":1207,"paymentStatus":"PAID",
            "fulfillmentStatus":"AWAITING_PROCESSING","orderComments":"please ring"}"#,
        ),
        "midas" => (
            "T1207",
            r#"{"transaction":{"external_id":"T1207","id":"TX-1","status":"Completed","project":{"id":"pr-77"}},
            "payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"user":{"name":"please ring"}}"#,
        ),
        _ => (
            "/order/K1207",
            r#"{"orderId":"K1207","orderExternalId":"x-1207","status":"completed",
            "products":[{"name":"please ring"}]}"#,
        ),
    }
}

/// The verdict of the true notification where the shop answers `body`.
fn verdict_by(format: Format, body: Vec<u8>) -> (TestEnv, Row) {
    let env = formats::env();
    let (path, _) = answer_of(format);
    let trouble = Trouble::Answer { status: 200, headers: Vec::new(), body };
    env.simulator.shops().add_fault(Fault::new(trouble).path(path));
    let serve = env.serve();
    serve.send(&format.request(format.truth(1207)));
    serve.settled(1);
    let row = env.row(1);
    (env, row)
}

#[test]
fn what_nobody_compares_makes_no_answer_unreadable() {
    for format in FORMATS {
        let (_, answer) = answer_of(format);
        let answers = [
            [BYTE_ORDER_MARK, answer.as_bytes(), b"\0"].concat(),
            replaced(answer, "please ring", br"please ring \ud83d"),
            replaced(answer, "please ring", b"J\xfcrgen"),
        ];
        for body in answers {
            let (env, row) = verdict_by(format, body);
            assert_verdict(&row, "confirmed", "match");
            let raw: Value = serde_json::from_str(&env.value("SELECT raw FROM orders").unwrap()).unwrap();
            assert!(raw.is_object(), "{raw}");
        }
    }
}

#[test]
fn a_compared_value_of_an_answer_in_which_something_was_replaced_differs_from_all() {
    let cases = [
        (OLD, "PAID", &b"PAID\xff"[..]),
        (SHOP, "PAID", br"PAID\ud83d"),
        (POP, "completed", b"completed\xff"),
        (KEYS, "x-1207", b"x-1207\xff"),
        (KEYS, "completed", br"completed\udc00"),
        (GAME, "Completed", b"Completed\xff"),
        (GAME, "EUR", b"EUR\xff"),
        (GAME, "8.98", b"8.98\xff"),
    ];
    for (format, from, to) in cases {
        let (_, answer) = answer_of(format);
        let (_env, row) = verdict_by(format, replaced(answer, from, to));
        assert_verdict(&row, "ignored", "mismatch");
    }
}

#[test]
fn a_replaced_value_equals_no_other_one_and_a_true_replacement_character_is_text() {
    let status = |status: &[u8]| replaced(&KEYS.truth(1207), "completed", status);
    for (said, shown, is_same) in [
        (&b"done\xff"[..], &b"done\xff"[..], false),
        (b"done\xff", "done\u{fffd}".as_bytes(), false),
        ("done\u{fffd}".as_bytes(), b"done\xff", false),
        ("done\u{fffd}".as_bytes(), "done\u{fffd}".as_bytes(), true),
        (br"done\ufffd", "done\u{fffd}".as_bytes(), true),
    ] {
        let env = formats::env();
        let (path, answer) = answer_of(KEYS);
        let body = replaced(answer, "completed", shown);
        let trouble = Trouble::Answer { status: 200, headers: Vec::new(), body };
        env.simulator.shops().add_fault(Fault::new(trouble).path(path));
        let serve = env.serve();
        serve.send(&KEYS.request(status(said)));
        serve.settled(1);
        let expected = if is_same { ("confirmed", "match") } else { ("ignored", "mismatch") };
        assert_verdict(&env.row(1), expected.0, expected.1);
    }
}

#[test]
fn an_error_body_with_foreign_bytes_still_says_what_is_not_there() {
    for (format, path, body) in [
        (KEYS, "/order/K1207", &b"{\"kind\":\"OrderNotFound\",\"detail\":\"J\xfcrgen\"}\0"[..]),
        (SHOP, "/orders/1207", b"\xef\xbb\xbf{\"errorCode\":\"STORE_NOT_FOUND\",\"errorMessage\":\"\xff\"}"),
    ] {
        let env = formats::env();
        let trouble = Trouble::Answer { status: 404, headers: Vec::new(), body: body.to_vec() };
        env.simulator.shops().add_fault(Fault::new(trouble).path(path));
        let serve = env.serve();
        serve.send(&format.request(format.truth(1207)));
        if format.provider == "kinguin" {
            serve.settled(1);
            assert_verdict(&env.row(1), "ignored", "not_found");
        } else {
            serve.pending(1, "api_denied");
        }
    }
}

#[test]
fn one_foreign_name_costs_a_list_of_orders_nothing() {
    let now = chrono::Utc::now().to_rfc3339();
    let order = |number: u64, name: &[u8]| {
        let order = format!(
            r#"{{"orderId":"N{number}","status":"completed","createdAt":"{now}","products":[{{"name":"@"}}]}}"#
        );
        replaced(&order, "@", name)
    };
    for name in [&b"Game \\ud83d"[..], b"J\xfcrgen"] {
        let env = formats::env();
        let account = env.simulator.shops().open_kinguin("five", formats::API_KEY);
        for order_id in ["N1", "N2"] {
            account.put_order(Order::new(order_id).completed());
        }
        let orders = [order(1, b"Game"), order(2, name)].join(&b',');
        let body = [b"{\"item_count\":2,\"results\":[", orders.as_slice(), b"]}\0"].concat();
        let trouble = Trouble::Answer { status: 200, headers: Vec::new(), body };
        env.simulator.shops().add_fault(Fault::new(trouble).path("createdAtFrom="));
        drop(env.serve());
        let done = env.run(&["reconcile", "--format", "json", "--since", "2h", "--source", "keys"]);
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let findings = report["sources"][0]["findings"].as_array().unwrap();
        assert_eq!((done.status.code(), findings.len()), (Some(3), 2), "{report}");
    }
}
