//! Compares a claim with a transaction: pure functions.

use serde_json::Value;

use crate::domain::{
    Answer, CallResult, Claim, Comparison, Course, Known, Outcome, StatusKey, Timestamp, decimal,
};

use super::fields::{Object, SHOWN, cut};
use super::notification::{CANCELLED, PAID};
use super::object::{AMOUNT, CURRENCY, Transaction};

/// The status of a paid transaction.
const COMPLETED_STATUS: &str = "Completed";

/// The status of a cancelled transaction.
const CANCELLED_STATUS: &str = "Cancelled";

/// Compares a claim with an answer, for the source of `project_id`.
pub(super) fn compare(project_id: &str, claim: &Claim, answer: &Answer, known: &Known) -> Comparison {
    let shown = match &answer.result {
        CallResult::Found(shown) => shown,
        // An absence may mean that the parameter name is wrong: the provider does not document it.
        CallResult::NotFound(absence) if !known.source_found_any => {
            let detail = format!("{}; no query of this source has found any transaction yet", absence.detail);
            return Comparison::differs(Outcome::NotYet, detail, absence.evidence.clone());
        }
        CallResult::NotFound(absence) => {
            let evidence = absence.evidence.clone();
            return Comparison::differs(Outcome::NotFound, absence.detail.clone(), evidence);
        }
        CallResult::Failed(failure) => {
            return Comparison::differs(Outcome::NotYet, failure.detail.clone(), Value::Null);
        }
    };
    let read = match &shown.body {
        Value::Object(object) => Transaction::read(object),
        _ => Err("the answer is not an object".to_owned()),
    };
    match read {
        Err(detail) => Comparison::differs(Outcome::NotYet, detail, Value::Null),
        Ok(shown) => {
            let evidence = Value::Object(shown.evidence());
            match difference(project_id, claim, &shown) {
                Some((outcome, detail)) => Comparison::differs(outcome, detail, evidence),
                None => Comparison::agrees(evidence),
            }
        }
    }
}

/// The first difference between the answer and the claim: the owner of the transaction, the ids, whether the
/// answer has caught up, then the values.
fn difference(project_id: &str, claim: &Claim, shown: &Transaction) -> Option<(Outcome, String)> {
    let mismatch = |detail| (Outcome::Mismatch, detail);
    if shown.project_id.as_deref() != Some(project_id) {
        let detail = differs("transaction.project.id", shown.project_id.as_deref(), project_id);
        return Some((Outcome::WrongStore, detail));
    }
    if shown.external_id.as_ref() != Some(&claim.subject.id) {
        let actual = shown.external_id.as_deref();
        return Some(mismatch(differs("transaction.external_id", actual, &claim.subject.id)));
    }
    let ids: [(&str, &[&str], &Option<String>); 2] = [
        ("transaction.id", &["transaction", "id"], &shown.id),
        ("user.id", &["user", "external_id"], &shown.user_id),
    ];
    let unreadable = |name| (Outcome::Mismatch, format!("{name} holds bytes that are not text"));
    for (name, path, actual) in ids {
        if claim.asserted_text(path).is_some() && shown.is_unreadable(name) {
            return Some(unreadable(name));
        }
        if let (Some(claimed), Some(actual)) = (claim.asserted_text(path), actual.as_deref())
            && claimed != actual
        {
            return Some(mismatch(differs(name, Some(actual), claimed)));
        }
    }
    if shown.is_unreadable("transaction.status") {
        return Some(unreadable("transaction.status"));
    }
    let status = shown.status();
    if matches!(status, "Pending" | "Unknown") {
        return Some((Outcome::NotYet, format!("transaction.status is {status}: the API has not caught up")));
    }
    let Some(expected) = status_of(&claim.event) else {
        return Some(mismatch(format!("{} has no status to compare", cut(&claim.event, SHOWN))));
    };
    if status != expected {
        return Some(mismatch(differs("transaction.status", Some(status), expected)));
    }
    let amount = shown.amount.as_deref();
    if let Some(claimed) = claim.asserted_text(&["payment_details", "payment", "amount"])
        && !amount.is_some_and(|actual| decimal::same_amount(actual, claimed))
    {
        return Some(if shown.is_unreadable(AMOUNT) {
            unreadable(AMOUNT)
        } else {
            mismatch(differs(AMOUNT, amount, claimed))
        });
    }
    let currency = shown.currency.as_deref();
    if let Some(claimed) = claim.asserted_text(&["payment_details", "payment", "currency"])
        && currency != Some(claimed)
    {
        return Some(if shown.is_unreadable(CURRENCY) {
            unreadable(CURRENCY)
        } else {
            mismatch(differs(CURRENCY, currency, claimed))
        });
    }
    None
}

fn status_of(event: &str) -> Option<&'static str> {
    match event {
        PAID => Some(COMPLETED_STATUS),
        CANCELLED => Some(CANCELLED_STATUS),
        _ => None,
    }
}

/// Whether a notification can announce this status.
pub(super) fn is_notified(status: &str) -> bool {
    [PAID, CANCELLED].into_iter().any(|event| status_of(event) == Some(status))
}

/// `transaction.payment_date`, also of a cancelled payment.
pub(super) fn latest_time(answer: &Answer) -> Option<Timestamp> {
    let CallResult::Found(shown) = &answer.result else { return None };
    Timestamp::parse_rfc3339(shown.body.pointer("/transaction/payment_date")?.as_str()?)
}

/// The status among the compared values of a transaction.
pub(super) fn statuses(compared: &Object) -> Vec<(&'static str, String)> {
    let status = compared.get("transaction").and_then(|transaction| transaction.get("status")?.as_str());
    status.map(|status| ("transaction.status", status.to_owned())).into_iter().collect()
}

/// Whether a claim says that the payment is cancelled. A recovered claim uses the API's own words.
fn is_cancellation(claim: &Claim) -> bool {
    claim.event == CANCELLED || claim.asserted_text(&["transaction", "status"]) == Some(CANCELLED_STATUS)
}

fn differs(name: &str, actual: Option<&str>, claimed: &str) -> String {
    match actual {
        Some(actual) => format!("{name} is {}, not {}", cut(actual, SHOWN), cut(claimed, SHOWN)),
        None => format!("{name} is missing, not {}", cut(claimed, SHOWN)),
    }
}

/// The course of a claim: a payment, then its cancellation. A claim with another transaction, user or sum
/// than the cancelled one was never true, and stays a fake; a claim that states fewer of them does not.
pub(super) fn course(claim: &Claim) -> Course {
    let fixed: [(&str, &[&[&str]]); 4] = [
        ("transaction", &[&["transaction", "id"]]),
        // A recovered claim uses the API's own words.
        ("user", &[&["user", "external_id"], &["user", "id"]]),
        ("amount", &[&["payment_details", "payment", "amount"]]),
        ("currency", &[&["payment_details", "payment", "currency"]]),
    ];
    let asserted = |(name, paths): (&'static str, &[&[&str]])| {
        Some((name, paths.iter().find_map(|path| claim.asserted_text(path))?))
    };
    let fixed: Vec<(&str, &str)> = fixed.into_iter().filter_map(asserted).collect();
    let key = |event, fixed: &[(&str, &str)]| StatusKey::of(&[&[("event", event)], fixed].concat());
    if is_cancellation(claim) {
        let choices = subsets(&fixed);
        let explains = choices.iter().filter_map(|choice| key(PAID, choice)).collect();
        return Course { asserted: key(CANCELLED, &fixed), before: None, explains };
    }
    let asserted = key(claim.event.as_str(), &fixed).filter(|_| claim.event == PAID);
    Course { asserted, ..Course::default() }
}

/// All subsets of the values, including the empty and the full one.
fn subsets<'a>(values: &[(&'a str, &'a str)]) -> Vec<Vec<(&'a str, &'a str)>> {
    values.iter().fold(vec![Vec::new()], |choices, value| {
        let with = choices.iter().map(|choice| [choice.as_slice(), &[*value]].concat());
        let with: Vec<_> = with.collect();
        choices.into_iter().chain(with).collect()
    })
}
