//! A claim beside the API's answer, value by value.

use serde_json::Value;

use super::frame::{cell_text, weight};
use crate::store::VerificationRow;

/// Maximum number of values shown of a claim.
const VALUES: usize = 100;

/// A value as claimed and as answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) name: String,
    pub(super) claimed: String,
    pub(super) answered: String,
    pub(super) differs: bool,
}

impl Compared {
    /// Maximum size, in bytes of HTML.
    pub(super) fn weight(&self) -> usize {
        220 + weight(&self.name) + weight(&self.claimed) + weight(&self.answered)
    }
}

/// Each value of the claim beside the answer's value with the same name, or with the shop's own spelling of
/// it. Values that the verdict names as different are marked.
pub(super) fn compared(claim: &Value, asked: Option<&VerificationRow>) -> Vec<Compared> {
    let mut claimed = Vec::new();
    flatten("", claim, &mut claimed);
    let mut answered = Vec::new();
    if let Some(answer) = asked.and_then(|asked| asked.answer.as_ref()) {
        flatten("", answer, &mut answered);
    }
    let said = asked.and_then(|asked| asked.detail.as_deref()).unwrap_or_default();
    let mut rows = Vec::with_capacity(claimed.len() + answered.len());
    for (name, value) in claimed {
        let found = answered.iter().position(|(known, _)| spelling(known) == spelling(&name));
        let found = found.map(|at| answered.remove(at));
        rows.push(Compared {
            differs: found.as_ref().is_some_and(|(known, _)| names(said, known)),
            name: cell_text(&name),
            claimed: cell_text(&value),
            answered: found.map(|(_, value)| cell_text(&value)).unwrap_or_default(),
        });
    }
    rows.extend(answered.into_iter().map(|(name, value)| Compared {
        differs: names(said, &name),
        name: cell_text(&name),
        claimed: String::new(),
        answered: cell_text(&value),
    }));
    rows
}

/// A name without the differences in spelling between notifications and APIs: `data.newPaymentStatus`,
/// `payment_status` and `paymentStatus` become equal.
fn spelling(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let plain: String = last.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    let plain = plain.strip_prefix("new").map(str::to_owned).unwrap_or(plain);
    match plain.as_str() {
        "orderid" => "id".to_owned(),
        "entityid" => "internalid".to_owned(),
        _ => plain,
    }
}

/// Whether the verdict's detail names this value of the answer.
fn names(said: &str, name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    said.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == last)
}

/// The values of nested objects by their dotted names, at most [`VALUES`].
fn flatten(prefix: &str, value: &Value, found: &mut Vec<(String, String)>) {
    if found.len() >= VALUES {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, found);
            }
        }
        Value::String(text) => found.push((prefix.to_owned(), text.clone())),
        other => found.push((prefix.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_the_shop_has_otherwise_is_marked() {
        let claim = serde_json::json!({ "entityId": 7, "data": { "newPaymentStatus": "PAID" } });
        let asked = VerificationRow {
            id: 1,
            notification_id: 1,
            call_id: 1,
            at: String::new(),
            outcome: "mismatch".to_owned(),
            http_status: Some(200),
            latency_ms: 1,
            detail: Some("paymentStatus is REFUNDED, not PAID".to_owned()),
            answer: Some(
                serde_json::json!({ "internalId": 7, "paymentStatus": "REFUNDED", "total": "9.00" }),
            ),
        };
        let rows = compared(&claim, Some(&asked));
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (row.name.as_str(), row.claimed.as_str(), row.answered.as_str(), row.differs))
            .collect();
        assert_eq!(
            shown,
            [
                ("entityId", "7", "7", false),
                ("data.newPaymentStatus", "PAID", "REFUNDED", true),
                ("total", "", "9.00", false),
            ]
        );
    }
}
