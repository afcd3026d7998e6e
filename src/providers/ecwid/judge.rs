//! Compares a claim with the API's answer: ids first, then the current values. Ecwid's own rule: a notification of an
//! order that does not exist, or with another status, is a fake.

use serde_json::{Map, Value};

use crate::domain::replaced::any_text;
use crate::domain::{
    Answer, CallResult, Comparison, Course, Deletion, Failure, NotFoundEvidence, Outcome, Timestamp, Truth,
};

use super::errors::excerpt;
use super::object::{OrderIds, date_with_offset, id_text, picked};

/// The field of an order's payment status.
pub(super) const PAYMENT: &str = "paymentStatus";

/// The field of an order's fulfilment status.
pub(super) const FULFILLMENT: &str = "fulfillmentStatus";

/// The payment status of an unfinished cart, which Ecwid's lists leave out.
pub(super) const INCOMPLETE: &str = "INCOMPLETE";

/// The fields of an order that a verdict is based on.
const ORDER_FIELDS: [&str; 6] =
    ["id", "internalId", "orderNumber", "paymentStatus", "fulfillmentStatus", "updateDate"];

/// The fields of a product that identify it and that the store keeps.
const PRODUCT_FIELDS: [&str; 7] = ["id", "price", "quantity", "unlimited", "inStock", "enabled", "updated"];

/// A status that a claim asserts.
pub(super) struct Asserted<'a> {
    pub(super) field: &'static str,
    /// The word as notified.
    pub(super) notified: &'a str,
    /// The API's word for it.
    pub(super) expected: &'a str,
}

impl<'a> Asserted<'a> {
    /// A status that is notified in the API's own words.
    pub(super) fn in_v3(field: &'static str, word: &'a str) -> Self {
        Self { field, notified: word, expected: word }
    }
}

/// Compares an order's ids and statuses with an answer; `other_ids` says which id of the shown order differs.
pub(super) fn compare_order<'a>(
    answer: &Answer,
    other_ids: impl FnOnce(&OrderIds) -> Option<String>,
    asserted: impl IntoIterator<Item = Asserted<'a>>,
) -> Comparison {
    let shown = match shown(answer) {
        Ok(order) => order,
        Err(comparison) => return comparison,
    };
    let evidence = Value::Object(picked(shown, &ORDER_FIELDS));
    if let Some(detail) = other_ids(&OrderIds::of(shown)) {
        return Comparison::differs(Outcome::Mismatch, detail, evidence);
    }
    let differences: Vec<String> =
        asserted.into_iter().filter_map(|claimed| difference(&claimed, shown)).collect();
    if differences.is_empty() {
        Comparison::agrees(evidence)
    } else {
        Comparison::differs(Outcome::Mismatch, differences.join("; "), evidence)
    }
}

fn difference(claimed: &Asserted<'_>, shown: &Value) -> Option<String> {
    let actual = shown.get(claimed.field);
    if actual.and_then(Value::as_str) == Some(claimed.expected) {
        return None;
    }
    let actual = actual.and_then(any_text).map_or_else(|| "missing".to_owned(), excerpt);
    let meant = excerpt(claimed.expected);
    let notified = if claimed.notified == claimed.expected {
        String::new()
    } else {
        format!(" (notified as {})", excerpt(claimed.notified))
    };
    Some(format!("{} is {actual}, not {meant}{notified}", claimed.field))
}

/// Compares a product's id with an answer; nothing else of a product is asserted.
pub(super) fn compare_product(answer: &Answer, product_id: &str) -> Comparison {
    let shown = match shown(answer) {
        Ok(product) => product,
        Err(comparison) => return comparison,
    };
    let evidence = Value::Object(picked(shown, &PRODUCT_FIELDS));
    match shown.get("id").and_then(id_text) {
        Some(id) if id == product_id => Comparison::agrees(evidence),
        other => {
            let other = other.map_or_else(|| "missing".to_owned(), |id| excerpt(&id));
            let detail = format!("the product's id is {other}, not {}", excerpt(product_id));
            Comparison::differs(Outcome::Mismatch, detail, evidence)
        }
    }
}

/// Compares a deletion with an answer: the object must be gone and in the list of deletions.
pub(super) fn compare_deletion(answer: &Answer, entity_id: &str, order_id: Option<&str>) -> Comparison {
    let item = match &answer.result {
        CallResult::Found(shown) => {
            let evidence = Value::Object(picked(&shown.body, &ORDER_FIELDS));
            return Comparison::differs(Outcome::Mismatch, "it is still there, not deleted", evidence);
        }
        CallResult::NotFound(NotFoundEvidence { deletion: Deletion::Listed(item), .. }) => item,
        CallResult::NotFound(NotFoundEvidence { evidence, detail, .. }) => {
            let detail = format!("{detail}, and none among its deletions");
            return Comparison::differs(Outcome::NotFound, detail, evidence.clone());
        }
        CallResult::Failed(failure) => return failed(failure),
    };
    let listed = |name| item.get(name).and_then(id_text);
    let other_order = listed("orderId").filter(|listed| order_id.is_some_and(|sent| sent != listed));
    if listed("id").as_deref() != Some(entity_id) {
        let detail = "the deletion listed is of another id";
        Comparison::differs(Outcome::Mismatch, detail, item.clone())
    } else if let Some(other) = other_order {
        let detail = format!(
            "the deletion listed is of order {}, not {}",
            excerpt(&other),
            excerpt(order_id.unwrap_or_default())
        );
        Comparison::differs(Outcome::Mismatch, detail, item.clone())
    } else {
        Comparison { outcome: Outcome::Deleted, ..Comparison::agrees(item.clone()) }
    }
}

/// The time of the object's last change, or of its deletion as the list of deletions has it.
pub(super) fn latest_time(answer: &Answer) -> Option<Timestamp> {
    match &answer.result {
        CallResult::Found(object) => object.truth.as_ref().and_then(Truth::updated_at),
        CallResult::NotFound(NotFoundEvidence { deletion: Deletion::Listed(item), .. }) => {
            date_with_offset(item.get("date")?.as_str()?)
        }
        CallResult::NotFound(_) | CallResult::Failed(_) => None,
    }
}

/// The object that an answer shows, or the outcome if it shows none.
fn shown(answer: &Answer) -> Result<&Value, Comparison> {
    match &answer.result {
        CallResult::Found(shown) => Ok(&shown.body),
        CallResult::NotFound(absence) => {
            let (detail, evidence) = (absence.detail.clone(), absence.evidence.clone());
            Err(Comparison::differs(Outcome::NotFound, detail, evidence))
        }
        CallResult::Failed(failure) => Err(failed(failure)),
    }
}

fn failed(failure: &Failure) -> Comparison {
    Comparison::differs(failure.cause.into(), failure.detail.clone(), Value::Null)
}

/// The statuses among the compared values of an order; none of an unfinished one.
pub(super) fn statuses(compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let status = |field: &'static str| Some((field, compared.get(field)?.as_str()?.to_owned()));
    let found: Vec<_> = [PAYMENT, FULFILLMENT].into_iter().filter_map(status).collect();
    if found.iter().any(|(_, word)| word == INCOMPLETE) { Vec::new() } else { found }
}

/// The course of an order's claim: the payment and fulfilment status that it asserts, and the previous ones
/// if it states them, all in the API's words.
pub(super) fn course(asserted: [Option<&str>; 2], before: [Option<&str>; 2]) -> Course {
    Course::of(&named(asserted), &named(before))
}

fn named(words: [Option<&str>; 2]) -> Vec<(&str, &str)> {
    let fields = [PAYMENT, FULFILLMENT].into_iter().zip(words);
    fields.filter_map(|(field, word)| Some((field, word?))).collect()
}
