//! Compares a claim with an answer: pure, and total for any claim and any answer.

use serde_json::{Map, Value, json};

use super::fields::{self, shown};
use super::{COMPLETED, dates};
use crate::domain::{
    Answer, CallResult, Claim, Comparison, Course, FoundObject, Known, NotFoundEvidence, Outcome, StatusKey,
    SubjectKind, Timestamp,
};

/// Accepted, keys not all delivered.
const PROCESSING: &str = "processing";

/// The API may not have caught up yet, whatever else was notified. `pending` is the word from before 2021,
/// and of the sandbox.
const UNFINISHED: [&str; 2] = [PROCESSING, "pending"];

/// Compares `claim` with `answer`. A product that is not shown is `unavailable`, and the evidence has the
/// result of [`is_stored`] under `held`.
pub(super) fn compare(claim: &Claim, answer: &Answer, known: &Known) -> Comparison {
    match (&answer.result, claim.subject.kind) {
        (CallResult::Found(object), SubjectKind::Order) => order(claim, object),
        (CallResult::Found(object), SubjectKind::Product) => product(claim, object),
        (CallResult::NotFound(absence), SubjectKind::Order) => {
            Comparison::differs(Outcome::NotFound, absence.detail.clone(), absence.evidence.clone())
        }
        (CallResult::NotFound(absence), SubjectKind::Product) => unavailable(claim, absence, known),
        (CallResult::Failed(failure), _) => {
            Comparison::differs(failure.cause.into(), failure.detail.clone(), Value::Null)
        }
    }
}

/// Whether the store has the claim's product under the same ids. Then an `unavailable` product is confirmed
/// (a true notification that it sold out); otherwise it is ignored (it may be invented). The ids are the same
/// if the stored `resolved_id` is the claim's subject, and the stored `internal_id` is its `productId`, if it
/// has one.
#[must_use]
pub fn is_stored(claim: &Claim, known: &Known) -> bool {
    known.stored.as_ref().is_some_and(|stored| {
        stored.resolved_id == claim.subject.id
            && match claim.asserted.get("productId") {
                None => true,
                Some(product_id) => {
                    product_id.as_str().is_some_and(|id| stored.internal_id.as_deref() == Some(id))
                }
            }
    })
}

/// The course of an order's claim: `processing`, then `completed`, then `refunded` or `canceled`. A mismatch
/// of the order reference is never explained, nor is anything about products, which have no course.
pub(super) fn course(claim: &Claim) -> Course {
    let Some(status) = claim.asserted_text(&["status"]).filter(|_| claim.subject.kind == SubjectKind::Order)
    else {
        return Course::default();
    };
    let reference = claim.asserted.get("orderExternalId").map(Value::to_string).unwrap_or_default();
    let key = |status: &str| StatusKey::of(&[("status", status), ("orderExternalId", &reference)]);
    let earlier: &[&str] = match status {
        COMPLETED => &[PROCESSING],
        status if is_final(status) => &[PROCESSING, COMPLETED],
        _ => &[],
    };
    Course {
        asserted: key(status),
        before: None,
        explains: earlier.iter().filter_map(|word| key(word)).collect(),
    }
}

/// Whether an order stays in this status.
pub(super) fn is_final(status: &str) -> bool {
    matches!(status, "refunded" | "canceled")
}

/// The status among the compared values of an order.
pub(super) fn statuses(compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let status = compared.get("status").and_then(Value::as_str);
    status.map(|status| ("status", status.to_owned())).into_iter().collect()
}

/// The latest time of an order or product. By the documentation, an order has no `updatedAt`.
pub(super) fn latest_time(answer: &Answer) -> Option<Timestamp> {
    let CallResult::Found(object) = &answer.result else { return None };
    let time = |name| fields::text_of(&object.body, name).and_then(dates::instant);
    time("updatedAt").max(time("createdAt"))
}

fn order(claim: &Claim, object: &FoundObject) -> Comparison {
    let body = &object.body;
    let evidence = picked(body, &["orderId", "orderExternalId", "status"]);
    let mismatch = |detail: String, evidence| Comparison::differs(Outcome::Mismatch, detail, evidence);
    let order_id = fields::id_of(body, "orderId");
    if order_id.as_deref() != Some(claim.subject.id.as_str()) {
        return mismatch(differs("orderId", order_id.as_deref(), Some(&claim.subject.id)), evidence);
    }
    let reference = fields::id(body.get("orderExternalId"));
    let claimed = claim.asserted_text(&["orderExternalId"]);
    if reference.as_ref().map(Option::as_deref) != Ok(claimed) {
        let shown = reference.ok().flatten();
        let shown = shown.as_deref().or(fields::any_text_of(body, "orderExternalId"));
        return mismatch(differs("orderExternalId", shown, claimed), evidence);
    }
    let status = fields::text_of(body, "status");
    let claimed = claim.asserted_text(&["status"]);
    let detail = || differs("status", fields::any_text_of(body, "status"), claimed);
    match (status, claimed) {
        (Some(status), Some(claimed)) if status == claimed => Comparison::agrees(evidence),
        (Some(status), _) if UNFINISHED.contains(&status) => {
            Comparison::differs(Outcome::NotYet, detail(), evidence)
        }
        _ => mismatch(detail(), evidence),
    }
}

fn product(claim: &Claim, object: &FoundObject) -> Comparison {
    let body = &object.body;
    let evidence = picked(body, &["kinguinId", "productId", "updatedAt"]);
    let kinguin_id = fields::id_of(body, "kinguinId");
    if kinguin_id.as_deref() != Some(claim.subject.id.as_str()) {
        let detail = differs("kinguinId", kinguin_id.as_deref(), Some(&claim.subject.id));
        return Comparison::differs(Outcome::Mismatch, detail, evidence);
    }
    let product_id = fields::id_of(body, "productId");
    let claimed = claim.asserted_text(&["productId"]);
    if claimed.is_some() && product_id.as_deref() != claimed {
        let detail = differs("productId", product_id.as_deref(), claimed);
        return Comparison::differs(Outcome::Mismatch, detail, evidence);
    }
    // Notifications have milliseconds, the API whole seconds: compared exactly, a true notification would
    // look too new forever.
    let Some(notified) =
        claim.asserted_text(&["updatedAt"]).and_then(|text| Some((text, dates::instant(text)?)))
    else {
        return Comparison::agrees(evidence);
    };
    let (text, notified) = notified;
    let updated_at = fields::text_of(body, "updatedAt");
    match updated_at.and_then(dates::instant).map(Timestamp::seconds) {
        Some(seconds) if seconds >= notified.seconds() => Comparison::agrees(evidence),
        Some(_) => {
            let detail = format!(
                "updatedAt is {}, before the notified {}",
                shown(updated_at.unwrap_or_default()),
                shown(text)
            );
            Comparison::differs(Outcome::NotYet, detail, evidence)
        }
        None => {
            let detail =
                format!("updatedAt is {}, which no time can be compared with", known_text(updated_at));
            Comparison::differs(Outcome::NotYet, detail, evidence)
        }
    }
}

fn unavailable(claim: &Claim, absence: &NotFoundEvidence, known: &Known) -> Comparison {
    let stored = is_stored(claim, known);
    let mut evidence = match &absence.evidence {
        Value::Object(fields) => fields.clone(),
        other => Map::from_iter([("answer".to_owned(), other.clone())]),
    };
    evidence.insert("held".to_owned(), Value::Bool(stored));
    let before = if stored {
        "confirmed before with the same ids"
    } else {
        "never confirmed before with these ids: sold out or invented"
    };
    let detail = format!("{}; {before}", absence.detail);
    let differs = Comparison::differs(Outcome::Unavailable, detail, Value::Object(evidence));
    Comparison { stored_before: stored, ..differs }
}

/// The fields of an answer that the outcome is based on, as received.
fn picked(body: &Value, names: &[&str]) -> Value {
    let field = |name: &&str| body.get(*name).map(|value| ((*name).to_owned(), value.clone()));
    match body {
        Value::Object(_) => Value::Object(names.iter().filter_map(field).collect()),
        _ => json!({}),
    }
}

fn differs(name: &str, actual: Option<&str>, claimed: Option<&str>) -> String {
    format!("{name} is {}, not {}", known_text(actual), known_text(claimed))
}

fn known_text(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), shown)
}
