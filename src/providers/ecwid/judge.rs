//! A claim held against what the API shows: ids first, then the current values. Ecwid's own rule for its
//! notifications: an order that does not exist, or whose status is another than the notified one, makes a fake.

use serde_json::Value;

use crate::domain::{Answer, Comparison, Outcome, Said};

use super::api::clipped;
use super::shown::{OrderIds, picked};

/// The fields of an order that a verdict rests on.
const ORDER_FIELDS: [&str; 6] =
    ["id", "internalId", "orderNumber", "paymentStatus", "fulfillmentStatus", "updateDate"];

/// A status that a claim asserts.
pub(super) struct Asserted<'a> {
    /// The API's field.
    pub(super) field: &'static str,
    /// The word as notified.
    pub(super) notified: &'a str,
    /// The API's word for it.
    pub(super) expected: &'a str,
}

/// Holds an order's ids and statuses against an answer; `other_ids` says in which id the order that is shown differs.
pub(super) fn compare_order(
    answer: &Answer,
    other_ids: impl FnOnce(&OrderIds) -> Option<String>,
    asserted: &[Asserted<'_>],
) -> Comparison {
    let shown = match shown(answer) {
        Ok(order) => order,
        Err(comparison) => return comparison,
    };
    let evidence = Value::Object(picked(shown, &ORDER_FIELDS));
    if let Some(detail) = other_ids(&OrderIds::of(shown)) {
        return Comparison::differs(Outcome::Mismatch, detail, evidence);
    }
    let differences: Vec<String> = asserted.iter().filter_map(|claimed| difference(claimed, shown)).collect();
    if differences.is_empty() {
        Comparison::agrees(evidence)
    } else {
        Comparison::differs(Outcome::Mismatch, differences.join("; "), evidence)
    }
}

fn difference(claimed: &Asserted<'_>, shown: &Value) -> Option<String> {
    let actual = shown.get(claimed.field).and_then(Value::as_str);
    if actual == Some(claimed.expected) {
        return None;
    }
    let actual = actual.map_or_else(|| "missing".to_owned(), clipped);
    let meant = clipped(claimed.expected);
    let notified = if claimed.notified == claimed.expected {
        String::new()
    } else {
        format!(" (notified as {})", clipped(claimed.notified))
    };
    Some(format!("{} is {actual}, not {meant}{notified}", claimed.field))
}

/// The object that an answer shows, or what it means for a claim that it shows none.
pub(super) fn shown(answer: &Answer) -> Result<&Value, Comparison> {
    match &answer.said {
        Said::There(shown) => Ok(&shown.body),
        Said::NotThere(absence) => {
            let (detail, evidence) = (absence.detail.clone(), absence.evidence.clone());
            Err(Comparison::differs(Outcome::NotFound, detail, evidence))
        }
        Said::Failed(failure) => {
            Err(Comparison::differs(failure.cause.into(), failure.detail.clone(), Value::Null))
        }
    }
}

/// Whether `old` values of a later claim are those that an earlier one asserted: the statuses that both carry, at least
/// one of them, all equal.
pub(super) fn are_old_values(old: &[Option<&str>], asserted: &[Option<&str>]) -> bool {
    let mut both =
        old.iter().zip(asserted).filter_map(|(old, asserted)| Some(((*old)?, (*asserted)?))).peekable();
    both.peek().is_some() && both.all(|(old, asserted)| old == asserted)
}
