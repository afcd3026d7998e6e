//! Bodies that are hardly bodies: empty, binary, huge, deeply nested, cut off, said twice.

use serde_json::Value;

use super::{Case, document, with, withstand};
use crate::support::formats::{self, FORMATS, Format, GAME, KEYS, OLD, POP, SHOP};

const MALFORMED: &[&str] = &["malformed"];

fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

/// What is no document of any format.
fn no_documents() -> Vec<Vec<u8>> {
    let texts = [
        "",
        " \r\n\t",
        "\0",
        "null",
        "[]",
        "0",
        "\"orderId\"",
        "{",
        "{}",
        "{\"\":\"\"}",
        "}{",
        "{'orderId':1}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":1e}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u00\"}",
        "{\"$serde_json::private::Number\":\"1\"}",
        "&&&===&&&",
        "=",
        "<?xml version=\"1.0\"?><order/>",
        "GET /hooks/shop HTTP/1.1\r\n\r\n",
        "\u{feff}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.into_iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push((0..=255).collect());
    bodies.push(b"\x16\x03\x01\x02\x00\x01".to_vec());
    bodies.push(b"{\"orderId\":\"\xff\xfe\"}".to_vec());
    bodies.push(b"order_id=\xc3\x28&event_type=new_order".to_vec());
    bodies.push(nested(100_000, "[", "]").into_bytes());
    bodies.push(nested(40_000, "{\"a\":", "}").into_bytes());
    bodies.push("[".repeat(200_000).into_bytes());
    bodies.push("a=1&".repeat(60_000).into_bytes());
    bodies.push(format!("{{\"a\":\"{}\"}}", "x".repeat(250_000)).into_bytes());
    bodies.push(format!("{{\"a\":{}}}", "9".repeat(250_000)).into_bytes());
    bodies.push(format!("{{{}\"z\":1}}", "\"a\":1,".repeat(40_000)).into_bytes());
    bodies
}

#[track_caller]
fn withstand_no_documents(format: Format) {
    let cases: Vec<Case> =
        no_documents().into_iter().map(|body| Case::new(format, body, MALFORMED)).collect();
    withstand(format, &cases);
}

#[test]
fn ecwid_ion_withstands_what_is_no_document() {
    withstand_no_documents(OLD);
}

#[test]
fn ecwid_withstands_what_is_no_document() {
    withstand_no_documents(SHOP);
}

#[test]
fn kinguin_postback_withstands_what_is_no_document() {
    withstand_no_documents(POP);
}

#[test]
fn kinguin_withstands_what_is_no_document() {
    withstand_no_documents(KEYS);
}

#[test]
fn midas_withstands_what_is_no_document() {
    withstand_no_documents(GAME);
}

/// A true notification with something hostile beside it: read as if that were not there, or not at all.
fn beside_the_truth(format: Format) -> Vec<Case> {
    let readable: &[&str] = &["match", "duplicate", "malformed"];
    let truth = document(format).to_string();
    let (all_but_end, _) = truth.rsplit_once('}').unwrap();
    let with_extra = |json: &str| format!("{all_but_end},\"extra\":{json}}}");
    let mut cases = Vec::new();
    for json in [
        "{\"$serde_json::private::Number\":\"1e5\"}",
        "{\"$serde_json::private::Number\":\"no number\"}",
        "{\"$serde_json::private::RawValue\":\"{\"}",
        "1e999999999",
        "-0.0000000000000000000000000000000001",
        "\"\\u0000\\u202e\\ud83d\\udd11\"",
        "{\"before\":{\"before\":1}}",
    ] {
        cases.push(Case::new(format, with_extra(json), readable));
    }
    cases.push(Case::new(format, format!("{all_but_end},\"before\":[1]}}"), readable));
    cases.push(Case::new(format, format!(" \r\n{truth}\n\t"), readable));
    cases.push(Case::new(format, format!("{truth}{truth}"), MALFORMED));
    cases.push(Case::new(format, format!("{truth},"), MALFORMED));
    cases.push(Case::new(format, format!("\u{feff}\u{feff}{truth}"), MALFORMED));
    cases.push(Case::new(format, format!("[{truth}]"), MALFORMED));
    cases.push(Case::new(format, &truth.as_bytes()[..truth.len() - 1], MALFORMED));
    cases
}

/// True notifications, each with a time of its own and something nested beside it.
fn nested_beside_the_truth(format: Format) -> Vec<Case> {
    let time = match format.provider {
        "ecwid" => "/eventCreated",
        "midas" => "/transaction/payment_date",
        _ => "/updatedAt",
    };
    let depths = [1, 10, 29, 30, 31, 32, 33, 34, 62, 63, 64, 65];
    let cases = depths.into_iter().chain(120..132).zip(10..);
    let case = |(depth, second): (usize, u32)| {
        let at = if format.provider == "ecwid" {
            Value::from(1_764_000_000 + second)
        } else {
            Value::from(format!("2025-03-04T10:15:{second}Z"))
        };
        let truth = with(format, time, at);
        let (all_but_end, _) = truth.rsplit_once('}').unwrap();
        let body = format!("{all_but_end},\"extra\":{}}}", nested(depth, "[", "]"));
        Case::new(format, body, &["match", "malformed"])
    };
    cases.map(case).collect()
}

#[test]
fn ecwid_withstands_true_notifications_with_something_nested_beside() {
    withstand(SHOP, &nested_beside_the_truth(SHOP));
}

#[test]
fn kinguin_postback_withstands_true_notifications_with_something_nested_beside() {
    withstand(POP, &nested_beside_the_truth(POP));
}

#[test]
fn kinguin_withstands_true_notifications_with_something_nested_beside() {
    withstand(KEYS, &nested_beside_the_truth(KEYS));
}

#[test]
fn midas_withstands_true_notifications_with_something_nested_beside() {
    withstand(GAME, &nested_beside_the_truth(GAME));
}

#[test]
fn ecwid_withstands_anything_beside_a_true_notification() {
    withstand(SHOP, &beside_the_truth(SHOP));
}

#[test]
fn kinguin_postback_withstands_anything_beside_a_true_notification() {
    withstand(POP, &beside_the_truth(POP));
}

#[test]
fn kinguin_withstands_anything_beside_a_true_notification() {
    withstand(KEYS, &beside_the_truth(KEYS));
}

#[test]
fn midas_withstands_anything_beside_a_true_notification() {
    withstand(GAME, &beside_the_truth(GAME));
}

#[test]
fn a_body_of_many_megabytes_is_refused_at_every_source_and_leaves_no_row() {
    let env = formats::env();
    let serve = env.serve();
    for format in FORMATS {
        for body in ["[".repeat(5_000_000), "x".repeat(5_000_000)] {
            if let Ok(answer) = format.request(body).try_send(serve.intake) {
                assert_eq!(answer.status, 413, "{}", format.provider);
            }
        }
    }
    assert_eq!(env.rows().len(), 0);
    super::assert_unharmed(&serve);
}
