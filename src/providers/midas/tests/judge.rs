//! The rules, row by row.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::{Answer, CallResult, Claim, Known, Outcome};
use crate::providers::http::Reply;

use super::super::judge;
use super::{claim, midas, recorded, reply, with};

const PAID: &str = "notifications/paid.json";
const COMPLETED: &str = "answers/completed.json";
const FOUND_BEFORE: Known = Known { stored: None, source_found_any: true };

fn answer(reply: &Reply) -> Answer {
    reply.answer(reply.asked_at, 1, midas().interpret(reply, "shop-order-9"))
}

fn judged(claim: &Claim, body: &[u8]) -> (Outcome, String) {
    let comparison = judge::compare("pr-77", claim, &answer(&reply(200, &[], body)), &FOUND_BEFORE);
    (comparison.outcome, comparison.detail.unwrap_or_default())
}

#[test]
fn a_payment_that_the_api_shows_completed_is_a_match() {
    let answer = answer(&reply(200, &[], &recorded(COMPLETED)));
    let comparison = judge::compare("pr-77", &claim(&recorded(PAID)), &answer, &Known::default());
    assert_eq!((comparison.outcome, comparison.detail), (Outcome::Match, None));
    assert_eq!(
        comparison.evidence,
        json!({
            "transaction": {"external_id": "shop-order-9", "id": "TX-555", "project": {"id": "pr-77"},
                "status": "Completed"},
            "user": {"id": "player-42"},
            "payment_details": {"payment": {"amount": "8.98", "currency": "EUR"}},
        })
    );
}

#[test]
fn a_payment_against_every_kind_of_answer() {
    let amount = "/payment_details/payment/amount";
    let cases: [(&str, Value, Outcome, &str); 16] = [
        ("/transaction/status", json!("Completed"), Outcome::Match, ""),
        ("/transaction/status", json!("Pending"), Outcome::NotYet, "transaction.status is Pending"),
        ("/transaction/status", json!("Unknown"), Outcome::NotYet, "transaction.status is Unknown"),
        ("/transaction/status", json!(null), Outcome::NotYet, "transaction.status is Unknown"),
        (
            "/transaction/status",
            json!("Cancelled"),
            Outcome::Mismatch,
            "transaction.status is Cancelled, not Compl",
        ),
        (
            "/transaction/status",
            json!("Held"),
            Outcome::Mismatch,
            "transaction.status is Held, not Completed",
        ),
        (
            "/transaction/project/id",
            json!("pr-78"),
            Outcome::WrongStore,
            "transaction.project.id is pr-78, not",
        ),
        ("/transaction/id", json!("TX-556"), Outcome::Mismatch, "transaction.id is TX-556, not TX-555"),
        ("/transaction/id", json!(null), Outcome::Match, ""),
        ("/user/id", json!("player-43"), Outcome::Mismatch, "user.id is player-43, not player-42"),
        ("/user", json!(null), Outcome::Match, ""),
        (amount, json!("8.980"), Outcome::Match, ""),
        (amount, json!("8.99"), Outcome::Mismatch, "payment_details.payment.amount is 8.99, not 8.98"),
        (amount, json!(null), Outcome::Mismatch, "payment_details.payment.amount is missing, not 8.98"),
        (
            "/payment_details/payment/currency",
            json!("USD"),
            Outcome::Mismatch,
            "payment_details.payment.currency",
        ),
        ("/payment_details", json!(null), Outcome::Mismatch, "payment_details.payment.amount is missing"),
    ];
    let claim = claim(&recorded(PAID));
    for (pointer, value, outcome, detail) in cases {
        let (actual, words) = judged(&claim, &with(COMPLETED, pointer, value.clone()));
        assert_eq!(actual, outcome, "{pointer} {value}: {words}");
        assert!(words.starts_with(detail), "{pointer} {value}: {words}");
    }
}

#[test]
fn ids_come_before_a_status_that_is_behind() {
    let mut body: Value = serde_json::from_slice(&recorded(COMPLETED)).unwrap();
    body["transaction"]["status"] = json!("Pending");
    body["payment_details"]["payment"]["amount"] = json!("1");
    assert_eq!(judged(&claim(&recorded(PAID)), body.to_string().as_bytes()).0, Outcome::NotYet);
    body["transaction"]["id"] = json!("TX-1");
    assert_eq!(judged(&claim(&recorded(PAID)), body.to_string().as_bytes()).0, Outcome::Mismatch);
}

#[test]
fn a_cancellation_needs_the_status_cancelled() {
    let claim = claim(&recorded("notifications/cancelled.json"));
    assert_eq!(judged(&claim, &recorded(COMPLETED)).0, Outcome::Mismatch);
    let cancelled = with(COMPLETED, "/transaction/status", json!("Cancelled"));
    assert_eq!(judged(&claim, &cancelled).0, Outcome::Match);
}

#[test]
fn values_that_were_not_notified_are_not_compared() {
    let body = br#"{"notification_type":"OrderPaid","transaction":{"external_id":"shop-order-9"}}"#;
    assert_eq!(judged(&claim(body), &recorded(COMPLETED)).0, Outcome::Match);
}

#[test]
fn an_absence_counts_only_once_any_transaction_was_found() {
    let claim = claim(&recorded(PAID));
    let absent = answer(&reply(404, &[], &recorded("answers/not_found.json")));
    let before = judge::compare("pr-77", &claim, &absent, &Known::default());
    assert_eq!(before.outcome, Outcome::NotYet);
    assert!(before.detail.unwrap().contains("no query of this source has found any transaction yet"));
    let after = judge::compare("pr-77", &claim, &absent, &FOUND_BEFORE);
    assert_eq!(after.outcome, Outcome::NotFound);
    assert_eq!(after.evidence, json!({"name": "NOT_FOUND", "debug_id": "5b11e0"}));
}

fn explains(later: &Claim, earlier: &Claim) -> bool {
    judge::course(earlier).asserted.is_some_and(|statuses| judge::course(later).explains.contains(&statuses))
}

#[test]
fn a_cancellation_explains_a_payment_of_the_same_transaction_and_sum() {
    let paid = claim(&recorded(PAID));
    let cancelled = claim(&recorded("notifications/cancelled.json"));
    assert!(explains(&cancelled, &paid));
    assert!(!explains(&paid, &cancelled));
    assert!(!explains(&cancelled, &cancelled));
    for (pointer, value) in [
        ("/billing/payment_details/payment/amount", "9999"),
        ("/billing/transaction/id", "TX-1"),
        ("/user/external_id", "player-1"),
    ] {
        let fake = claim(&with(PAID, pointer, json!(value)));
        assert!(!explains(&cancelled, &fake), "{pointer}");
        let silent = claim(&with(PAID, pointer, Value::Null));
        assert!(explains(&cancelled, &silent), "{pointer}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![
            Just("shop-order-9"),
            Just("TX-555"),
            Just("pr-77"),
            Just("Completed"),
            Just("8.98"),
            Just("EUR"),
            Just("player-42"),
            Just(""),
            Just("x")
        ]
        .prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("transaction"),
        Just("payment_details"),
        Just("payment"),
        Just("user"),
        Just("project"),
        Just("id"),
        Just("external_id"),
        Just("status"),
        Just("amount"),
        Just("currency"),
        Just("name"),
        Just("debug_id")
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_confirms_what_it_does_not_say(
        body in any_json(),
        changed in proptest::option::of((0usize..8, any_json())),
        status in prop_oneof![Just(200u16), Just(404), Just(400), Just(401), 200u16..500],
    ) {
        let pointers = ["/transaction", "/transaction/id", "/transaction/external_id", "/transaction/status",
            "/transaction/project", "/user/id", "/payment_details/payment", "/payment_details/payment/amount"];
        let body = match changed {
            Some((at, value)) => with(COMPLETED, pointers[at], value),
            None => body.to_string().into_bytes(),
        };
        let answer = answer(&reply(status, &[], &body));
        let comparison = judge::compare("pr-77", &claim(&recorded(PAID)), &answer, &FOUND_BEFORE);
        if matches!(answer.result, CallResult::Failed(_)) {
            prop_assert_eq!(comparison.outcome, Outcome::NotYet);
        }
        if comparison.outcome == Outcome::Match {
            let said: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(status, 200);
            for (pointer, value) in [("/transaction/external_id", "shop-order-9"), ("/transaction/status", "Completed"),
                ("/transaction/project/id", "pr-77"), ("/payment_details/payment/amount", "8.98")] {
                prop_assert_eq!(said.pointer(pointer).and_then(Value::as_str), Some(value));
            }
        }
    }

    #[test]
    fn any_bytes_of_an_answer_are_read_without_a_panic(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        status in 200u16..500,
    ) {
        let said = answer(&reply(status, &[], &body)).result;
        prop_assert!(!matches!(said, CallResult::Found(_)));
    }
}
