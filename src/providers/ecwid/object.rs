//! Parses the API's orders and products. Ids become text, whether or not Ecwid quotes them; amounts stay decimal
//! text.

use chrono::DateTime;
use serde_json::{Map, Number, Value};

use crate::domain::replaced::{any_text, plain_json};
use crate::domain::{FoundObject, OrderTruth, ProductTruth, Timestamp, Truth, decimal};

/// The ids of an order. `GET /orders/{id}` and `?ids=` find an order by any of them, so that only an exact comparison
/// tells whether it is the one that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OrderIds {
    /// Shown to customers, with the store's prefix and suffix.
    pub(super) id: Option<String>,
    /// Ecwid's own number; a webhook's `entityId`.
    pub(super) internal_id: Option<String>,
    /// Deprecated: the sequential number of orders from before late 2020 (`order_id` of an Instant Order Notification).
    pub(super) order_number: Option<String>,
}

impl OrderIds {
    /// The ids in an order's JSON.
    pub(super) fn of(order: &Value) -> Self {
        let id = |name| order.get(name).and_then(id_text);
        Self { id: id("id"), internal_id: id("internalId"), order_number: id("orderNumber") }
    }

    /// All of them, each once.
    pub(super) fn all(self) -> Vec<String> {
        let mut ids: Vec<String> =
            [self.id, self.internal_id, self.order_number].into_iter().flatten().collect();
        ids.dedup();
        ids
    }

    /// Whether one of the ids that an Instant Order Notification may mean is `order_id`.
    pub(super) fn has_number(&self, order_id: &str) -> bool {
        self.order_number.as_deref() == Some(order_id) || self.id.as_deref() == Some(order_id)
    }
}

/// An id as text: of a text itself, of a number its plain digits; nothing else is an id.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => digits(number),
        _ => None,
    }
}

/// A whole number that is written in digits alone: not `-1`, `1.0` or `1e3`.
pub(super) fn digits(number: &Number) -> Option<String> {
    Some(number.to_string()).filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
}

/// An order as the API shows it.
///
/// Which field that Ecwid documents is missing, in plain words: such an answer judges nothing.
/// In plain words, which field that Ecwid documents is missing: such an answer judges nothing.
pub(super) fn order(body: Value) -> Result<FoundObject, String> {
    if !body.is_object() {
        return Err("the order is not a JSON object".to_owned());
    }
    let ids = OrderIds::of(&body);
    let Some(order_id) = ids.id else { return Err("the order has no id".to_owned()) };
    let status = |name: &str| match body.get(name).and_then(any_text) {
        Some(word) if !word.is_empty() => Ok(word.to_owned()),
        _ => Err(format!("the order has no {name}")),
    };
    let (payment, fulfillment) = (status("paymentStatus")?, status("fulfillmentStatus")?);
    let truth = OrderTruth {
        order_id,
        internal_id: ids.internal_id,
        status: Some(payment),
        fulfillment_status: Some(fulfillment),
        total: amount(body.get("total")),
        // An order carries no currency; that is the store's, in its profile.
        currency: None,
        email: body.get("email").and_then(any_text).filter(|text| !text.is_empty()).map(str::to_owned),
        updated_at: time(body.get("updateTimestamp"), body.get("updateDate")),
        raw: plain_json(&body),
    };
    let compared = picked(&body, &["id", "internalId", "paymentStatus", "fulfillmentStatus"]);
    Ok(FoundObject { truth: Some(Truth::Order(truth)), compared, body })
}

/// A product as the API shows it. A product that is hidden from the shop window is still shown here.
///
/// Which field that Ecwid documents is missing, in plain words.
/// In plain words, which field that Ecwid documents is missing.
pub(super) fn product(body: Value) -> Result<FoundObject, String> {
    let Some(product_id) = body.get("id").and_then(id_text) else {
        return Err("the product has no id".to_owned());
    };
    let flag = |name: &str| body.get(name).and_then(Value::as_bool);
    let qty = match flag("unlimited") {
        Some(true) => None,
        _ => amount(body.get("quantity")).and_then(|amount| amount.parse::<i64>().ok()),
    };
    let in_stock =
        flag("inStock").or(qty.map(|qty| qty > 0)).or(flag("unlimited").filter(|unlimited| *unlimited));
    let available = in_stock.map(|in_stock| in_stock && flag("enabled") != Some(false));
    let mut compared = picked(&body, &["id", "price", "quantity"]);
    if let Some(available) = available {
        compared.insert("available".to_owned(), Value::Bool(available));
    }
    let truth = ProductTruth {
        product_id,
        internal_id: None,
        name: body.get("name").and_then(any_text).map(str::to_owned),
        price: amount(body.get("price")),
        currency: None,
        qty,
        available,
        updated_at: time(body.get("updateTimestamp"), body.get("updated")),
        raw: plain_json(&body),
    };
    Ok(FoundObject { truth: Some(Truth::Product(truth)), compared, body })
}

/// Those of the fields that an answer has, with ids and amounts as text.
pub(super) fn picked(body: &Value, names: &[&str]) -> Map<String, Value> {
    let pick = |name: &&str| {
        let value = match body.get(name)? {
            Value::Number(number) => {
                let text = number.to_string();
                Value::String(decimal::canonical(&text).unwrap_or(text))
            }
            Value::Null => return None,
            other => other.clone(),
        };
        Some(((*name).to_owned(), value))
    };
    names.iter().filter_map(pick).collect()
}

/// An amount as decimal text.
pub(super) fn amount(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Number(number) => decimal::canonical(&number.to_string()),
        Value::String(text) => decimal::canonical(text),
        _ => None,
    }
}

/// The API's time of a change: unix seconds, otherwise a date with its offset.
pub(super) fn time(seconds: Option<&Value>, date: Option<&Value>) -> Option<Timestamp> {
    let seconds = seconds.and_then(id_text).and_then(|digits| digits.parse().ok());
    seconds.map(Timestamp::from_seconds).or_else(|| date_with_offset(date?.as_str()?))
}

/// Reads `2025-11-24 16:00:00 +0000`, as Ecwid writes dates, also with a `T` or a colon in the offset.
pub(super) fn date_with_offset(text: &str) -> Option<Timestamp> {
    let ecwid = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z").ok();
    let read = ecwid.map(|instant| Timestamp::from_millis(instant.timestamp_millis()));
    read.or_else(|| Timestamp::parse_rfc3339(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_texts_whether_quoted_or_not() {
        for (json, id) in [
            ("731200456", Some("731200456")),
            ("\"731200456\"", Some("731200456")),
            ("18446744073709551617", Some("18446744073709551617")),
            ("\"SALE-H4K9P\"", Some("SALE-H4K9P")),
            ("-1", None),
            ("1.0", None),
            ("1e3", None),
            ("\"\"", None),
            ("null", None),
            ("[1]", None),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(id_text(&value).as_deref(), id, "{json}");
        }
    }

    #[test]
    fn an_order_of_the_documentation_is_read_whole() {
        let body: Value =
            serde_json::from_str(include_str!("../../../data/ecwid/answers/order.json")).unwrap();
        let Ok(FoundObject { truth: Some(Truth::Order(truth)), compared, .. }) = order(body.clone()) else {
            panic!("no order")
        };
        assert_eq!(
            (truth.order_id.as_str(), truth.internal_id.as_deref()),
            ("SALE-H4K9P", Some("731200456"))
        );
        assert_eq!(
            (truth.total.as_deref(), truth.email.as_deref()),
            (Some("24.5"), Some("buyer@example.test"))
        );
        assert_eq!(truth.updated_at.map(|at| at.to_string()).as_deref(), Some("2025-11-24T16:00:00.000Z"));
        assert_eq!(truth.raw, body.to_string());
        assert_eq!(
            Value::Object(compared).to_string(),
            r#"{"id":"SALE-H4K9P","internalId":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING"}"#
        );
    }

    #[test]
    fn a_product_is_available_when_it_is_in_stock_and_not_hidden() {
        let sample = include_str!("../../../data/ecwid/answers/product.json");
        for (change, qty, available) in [
            (json!({}), Some(41), Some(true)),
            (json!({"quantity": 0, "inStock": false}), Some(0), Some(false)),
            (json!({"enabled": false}), Some(41), Some(false)),
            (json!({"unlimited": true, "quantity": null, "inStock": null}), None, Some(true)),
            (json!({"quantity": "7", "inStock": null}), Some(7), Some(true)),
            (json!({"quantity": null, "inStock": null}), None, None),
        ] {
            let mut body: Value = serde_json::from_str(sample).unwrap();
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let Ok(FoundObject { truth: Some(Truth::Product(truth)), .. }) = product(body) else {
                panic!("no product")
            };
            assert_eq!((truth.qty, truth.available), (qty, available), "{change}");
            assert_eq!(truth.price.as_deref(), Some("10"));
        }
    }

    #[test]
    fn a_date_keeps_its_offset() {
        for text in ["2025-11-24 20:00:00 +0400", "2025-11-24T16:00:00Z", "2025-11-24 16:00:00+00:00"] {
            assert_eq!(date_with_offset(text).map(Timestamp::seconds), Some(1_764_000_000), "{text}");
        }
        assert_eq!(date_with_offset("2025-11-24 16:00:00"), None);
    }

    #[test]
    fn an_order_without_a_documented_field_is_none() {
        for json in [
            "[]",
            "{}",
            r#"{"id":""}"#,
            r#"{"id":"A","paymentStatus":"PAID"}"#,
            r#"{"id":"A","paymentStatus":1}"#,
        ] {
            assert!(order(serde_json::from_str(json).unwrap()).is_err(), "{json}");
        }
    }
}
