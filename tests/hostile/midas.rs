//! Midas: words, numbers, amounts, nestings and dates that its documentation never had.

use super::{Case, with, with_json, withstand};
use crate::support::formats::GAME;

const MATCH: &[&str] = &["match"];
const DUPLICATE: &[&str] = &["duplicate"];
const MISMATCH: &[&str] = &["mismatch"];
const MALFORMED: &[&str] = &["malformed"];
const UNSUPPORTED: &[&str] = &["unsupported"];
const WRONG_STORE: &[&str] = &["wrong_store"];
const NOT_FOUND: &[&str] = &["not_found"];

#[test]
fn midas_withstands_odd_fields() {
    let json = |place: &str, json: &str| with_json(GAME, place, json);
    let cases = [
        (GAME.truth(1207), MATCH),
        (json("/notification_type", "7"), MALFORMED),
        (json("/notification_type", "null"), MALFORMED),
        (json("/notification_type", "[\"OrderPaid\"]"), MALFORMED),
        (json("/notification_type", "\"orderpaid\""), UNSUPPORTED),
        (json("/notification_type", "\"OrderPaid\\u0000\""), UNSUPPORTED),
        (with(GAME, "/notification_type", "O".repeat(100_000)), UNSUPPORTED),
        (json("/notification_type", "\"OrderCancelled\""), MISMATCH),
        (json("/order", "{\"status\":\"Cancelled\"}"), MALFORMED),
        (json("/order", "{\"status\":7}"), MALFORMED),
        (json("/transaction", "\"T1207\""), MALFORMED),
        (json("/transaction", "[]"), MALFORMED),
        (json("/transaction", "null"), MALFORMED),
        (json("/transaction/external_id", "1207"), NOT_FOUND),
        (json("/transaction/external_id", "1207.0"), MALFORMED),
        (json("/transaction/external_id", "true"), MALFORMED),
        (json("/transaction/external_id", "99999999999999999999999999"), NOT_FOUND),
        (json("/transaction/id", "7"), MISMATCH),
        (json("/transaction/id", "{}"), MALFORMED),
        (json("/user", "{\"external_id\":\"player-43\"}"), MISMATCH),
        (json("/user", "{\"external_id\":\"player-42\"}"), MATCH),
        (json("/user", "7"), MALFORMED),
        (json("/settings", "[]"), MALFORMED),
        (json("/settings/merchant_id", "1001"), WRONG_STORE),
        (json("/settings/merchant_id", "[\"m-1001\"]"), MALFORMED),
        (json("/settings/project_id", "\"PR-77\""), WRONG_STORE),
        (json("/settings", "null"), MATCH),
        // Two nestings that complete or contradict each other.
        (json("/billing", "{\"transaction\":{\"external_id\":\"T1207\"}}"), DUPLICATE),
        (json("/billing", "{\"transaction\":{\"external_id\":\"T1208\"}}"), MALFORMED),
        (json("/billing", "{\"settings\":{\"merchant_id\":\"m-1002\"}}"), MALFORMED),
        (json("/billing", "{\"payment_details\":{\"payment\":{\"amount\":8.980}}}"), DUPLICATE),
        (json("/billing", "{\"payment_details\":{\"payment\":{\"amount\":8.99}}}"), MALFORMED),
        (json("/billing", "[]"), MALFORMED),
        (json("/billing", "\"\""), DUPLICATE),
        // Of a name that repeats, the last value counts.
        (
            GAME.truth(1207).replace("\"external_id\":", "\"external_id\":\"T1208\",\"external_id\":"),
            DUPLICATE,
        ),
        (
            GAME.truth(1207)
                .replace("\"notification_type\":", "\"notification_type\":7,\"notification_type\":"),
            DUPLICATE,
        ),
    ];
    withstand(GAME, &cases.map(|(body, reasons)| Case::new(GAME, body, reasons)));
}

#[test]
fn midas_withstands_odd_amounts() {
    let amount = |json: &str| with_json(GAME, "/payment_details/payment/amount", json);
    let currency = |json: &str| with_json(GAME, "/payment_details/payment/currency", json);
    let cases = [
        (amount("\"8.98\""), MATCH),
        (amount("8.98"), DUPLICATE),
        (amount("8.980"), DUPLICATE),
        (amount("\"08.98\""), DUPLICATE),
        (amount("\"8.9800000000000000000000000000\""), DUPLICATE),
        (amount("\"8.9800000000000000000000000001\""), MISMATCH),
        (amount("8.97999999999999999999"), MISMATCH),
        (amount("\"-8.98\""), &["mismatch", "malformed"]),
        (amount("0"), MISMATCH),
        (amount("\"0\""), DUPLICATE_OF_NOTHING),
        (amount("898e-2"), MALFORMED),
        (amount("1e400"), MALFORMED),
        (amount("\"8,98\""), MALFORMED),
        (amount("\"8.98 EUR\""), MALFORMED),
        (amount("\"8.98\\u0000\""), MALFORMED),
        (amount("\"\u{661}\u{662}\""), MALFORMED),
        (amount("\"Infinity\""), MALFORMED),
        (amount("true"), MALFORMED),
        (amount("{}"), MALFORMED),
        (amount(&format!("\"{}\"", "9".repeat(100_000))), MISMATCH),
        (amount(&"9".repeat(100_000)), DUPLICATE_OF_NOTHING),
        (currency("\"eur\""), MISMATCH),
        (currency("\"EUR\\u0000\""), MISMATCH),
        (currency("978"), MALFORMED),
        (currency("null"), MATCH),
        (with_json(GAME, "/payment_details", "null"), MATCH),
        (with_json(GAME, "/payment_details", "[]"), MALFORMED),
    ];
    withstand(GAME, &cases.map(|(body, reasons)| Case::new(GAME, body, reasons)));
}

/// The same claim as one that was ignored: it is asked about again.
const DUPLICATE_OF_NOTHING: &[&str] = MISMATCH;

#[test]
fn midas_withstands_dates_in_every_form_and_nonsense() {
    let dates = [
        "\"2026-01-02T03:04:05Z\"",
        "\"2026-01-02T03:04:05.678+02:00\"",
        "\"2026-01-02 03:04:05\"",
        "\"2026-02-30T03:04:05Z\"",
        "\"yesterday\"",
        "\"\\u0000\"",
        "\"-99999999999999999999\"",
        "1767322145",
    ];
    let case = |date, reasons| Case::new(GAME, with_json(GAME, "/transaction/payment_date", date), reasons);
    let mut cases: Vec<Case> = dates.into_iter().map(|date| case(date, MATCH)).collect();
    // What is no text is no date, as the number before.
    cases.push(case("{}", DUPLICATE));
    withstand(GAME, &cases);
}
