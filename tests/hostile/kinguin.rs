//! Both of Kinguin's formats: words, numbers, repeated names, headers and dates that its documentation never had.

use super::{Case, with, with_json, withstand};
use crate::support::Request;
use crate::support::formats::{Format, KEYS, POP};

const MATCH: &[&str] = &["match"];
const DUPLICATE: &[&str] = &["duplicate"];
const MISMATCH: &[&str] = &["mismatch"];
const MALFORMED: &[&str] = &["malformed"];
const NOT_FOUND: &[&str] = &["not_found"];

/// Dates that say when, and dates that at least order.
const DATES: [&str; 13] = [
    "2025-03-04T10:15:09.120+00:00",
    "2025-03-04T10:15:09UTC",
    "2025-03-04T10:15:09Z",
    "2025-03-04T10:15:09.999999999999Z",
    "2025-03-04T12:15:09+0200",
    "2025-03-04 10:15:09 GMT",
    "2025-03-04T10:15:09",
    "2025-03-04T10:15:09CET",
    "2025-03-04T10:15:09Europe/Warsaw",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "2024-02-29T23:59:59Z",
    "1970-01-01T00:00:00Z",
];

const NO_DATES: [&str; 14] = [
    "yesterday",
    "1741083309",
    "2025-03-04",
    "10:15:09",
    "2025-02-29T10:15:09Z",
    "2025-13-01T10:15:09Z",
    "2025-03-04T25:15:09Z",
    "2025-03-04T10:15:09+99:99",
    "2025-03-04T10:15:09.Z",
    "2025-03-04T10:15:09Z\0",
    "2025-03-04T10:15:0é",
    "+2025-03-04T10:15:09Z",
    "<script>2025-03-04T10:15:09Z",
    "",
];

fn dates(format: Format) -> Vec<Case> {
    let said = DATES.into_iter().map(|date| (date, MATCH));
    let nonsense = NO_DATES.into_iter().map(|date| (date, MALFORMED));
    said.chain(nonsense).map(|(date, why)| Case::new(format, with(format, "/updatedAt", date), why)).collect()
}

#[test]
fn kinguin_withstands_dates_in_every_form_and_nonsense() {
    withstand(KEYS, &dates(KEYS));
}

#[test]
fn kinguin_postback_withstands_dates_in_every_form_and_nonsense() {
    withstand(POP, &dates(POP));
}

#[test]
fn kinguin_withstands_dates_of_a_product_and_believes_none_of_the_future() {
    let product = |date: &str| {
        let body =
            format!(r#"{{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"{date}"}}"#);
        (Request::post("/hooks/keys").header("X-Event-Name", "product.update").body(body.clone()), body)
    };
    let case = |date: &str, reasons| {
        let (request, sent) = product(date);
        Case { request, sent: sent.into_bytes(), reasons }
    };
    let mut cases: Vec<Case> = DATES.into_iter().map(|date| case(date, MATCH)).collect();
    for date in ["9999-12-31T23:59:59Z", "2999-01-01T00:00:00+00:00"] {
        cases.push(case(date, &["not_yet"]));
    }
    withstand(KEYS, &cases);
}

#[test]
fn kinguin_withstands_odd_fields() {
    let json = |place: &str, json: &str| with_json(KEYS, place, json);
    let cases = [
        (KEYS.truth(1207), MATCH),
        (json("/orderId", "1207"), NOT_FOUND),
        (json("/orderId", "1.5"), MALFORMED),
        (json("/orderId", "[\"K1207\"]"), MALFORMED),
        (json("/orderId", "null"), MALFORMED),
        (json("/orderId", "\"\""), MALFORMED),
        (json("/orderId", "99999999999999999999999999999"), NOT_FOUND),
        (json("/orderExternalId", "1207"), MISMATCH),
        (json("/orderExternalId", "null"), MISMATCH),
        (json("/orderExternalId", "{}"), MALFORMED),
        (json("/status", "1"), MALFORMED),
        (json("/status", "null"), MALFORMED),
        (json("/status", "[\"completed\"]"), MALFORMED),
        (json("/status", "\"COMPLETED\""), MISMATCH),
        (json("/status", "\"completed \""), MISMATCH),
        (json("/status", "\"shipped\\u0000\""), MISMATCH),
        (with(KEYS, "/status", "c".repeat(100_000)), MISMATCH),
        (json("/updatedAt", "1741083309"), MALFORMED),
        (json("/updatedAt", "null"), MALFORMED),
        (json("/updatedAt", "{}"), MALFORMED),
        (KEYS.truth(1207).replace("\"orderId\":", "\"orderId\":\"K1208\",\"orderId\":"), DUPLICATE),
        (KEYS.truth(1207).replace("\"status\":", "\"status\":\"refunded\",\"status\":"), DUPLICATE),
        // Never read by the postbacks' rules.
        ("{\"kinguinId\":70123,\"updatedAt\":\"2025-03-04T10:15:09Z\"}".to_owned(), MALFORMED),
    ];
    withstand(KEYS, &cases.map(|(body, reasons)| Case::new(KEYS, body, reasons)));
}

#[test]
fn kinguin_withstands_odd_event_names() {
    let cases = [
        ("order.status ", MATCH),
        ("ORDER.STATUS", &["unsupported"]),
        ("order.status,product.update", &["unsupported"]),
        ("order.stolen", &["unsupported"]),
        ("../order", &["unsupported"]),
        ("\u{e9}", &["unsupported"]),
        ("", MALFORMED),
    ];
    let cases = cases.map(|(word, reasons)| {
        let sent = KEYS.truth(1207);
        let request = Request::post("/hooks/keys").header("X-Event-Name", word).body(sent.clone());
        Case { request, sent: sent.into_bytes(), reasons }
    });
    let twice = Case {
        request: KEYS.request("{}").header("X-Event-Name", "product.update"),
        sent: b"{}".to_vec(),
        reasons: MALFORMED,
    };
    withstand(KEYS, &cases.into_iter().chain([twice]).collect::<Vec<_>>());
}

#[test]
fn kinguin_postback_withstands_odd_fields() {
    let json = |place: &str, json: &str| with_json(POP, place, json);
    let product =
        |id: &str, rest: &str| format!("{{\"kinguinId\":{id},\"updatedAt\":\"2025-03-04T10:15:09Z\"{rest}}}");
    let cases = [
        (POP.truth(1207), MATCH),
        (json("/orderId", "1207"), NOT_FOUND),
        (json("/orderId", "true"), MALFORMED),
        (json("/orderId", "null"), MALFORMED),
        (json("/kinguinId", "70123"), MALFORMED),
        (json("/kinguinId", "null"), DUPLICATE),
        (json("/orderExternalId", "[]"), MALFORMED),
        (product("70123", ""), MATCH),
        (product("\"70123\"", ""), DUPLICATE),
        (product("70123", ",\"productId\":\"5f00aa11bb22cc33dd44ee56\""), MISMATCH),
        (product("70123", ",\"productId\":7"), MISMATCH),
        (product("70123", ",\"productId\":[]"), MALFORMED),
        (product("70123.0", ""), MALFORMED),
        (product("7.0123e4", ""), MALFORMED),
        (product("-70123", ""), MALFORMED),
        (product("18446744073709551616", ""), MALFORMED),
        (product("18446744073709551615", ""), &["unavailable"]),
        (product("\"070123\"", ""), &["unavailable", "mismatch", "malformed"]),
        (product("[70123]", ""), MALFORMED),
        (product("70123", ",\"kinguinId\":70124"), &["unavailable"]),
    ];
    withstand(POP, &cases.map(|(body, reasons)| Case::new(POP, body, reasons)));
}
