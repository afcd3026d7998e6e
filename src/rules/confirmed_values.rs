//! The API's values that a confirmation establishes: news is a difference from the values confirmed last.

use serde_json::{Map, Value};

use crate::domain::{CallResult, FoundObject, Reason, Truth};

/// Fields of an order that count as news although no claim is compared with them.
const TOTAL: &str = "total";
const CURRENCY: &str = "currency";

/// The values that a confirmation for `reason` establishes, after `last` was confirmed.
#[must_use]
pub fn of(result: &CallResult, reason: Reason, last: Option<&Map<String, Value>>) -> Map<String, Value> {
    match result {
        CallResult::Found(object) => shown(object, last),
        _ => Map::from_iter([(reason.as_str().to_owned(), Value::Bool(true))]),
    }
}

/// The compared values of an object that the API shows, and total and currency of an order. Where an answer
/// leaves one of these out, it is as confirmed last.
#[must_use]
pub fn shown(object: &FoundObject, last: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut values = object.compared.clone();
    if let Some(Truth::Order(order)) = &object.truth {
        for (field, value) in [(TOTAL, &order.total), (CURRENCY, &order.currency)] {
            let value = value.clone().map(Value::String).or_else(|| last?.get(field).cloned());
            if let Some(value) = value {
                values.insert(field.to_owned(), value);
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::OrderTruth;

    fn order(status: &str, total: Option<&str>, currency: Option<&str>) -> FoundObject {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let truth = OrderTruth { total: text(total), currency: text(currency), ..OrderTruth::default() };
        let compared = Map::from_iter([("status".to_owned(), json!(status))]);
        FoundObject { body: Value::Null, truth: Some(Truth::Order(truth)), compared }
    }

    #[test]
    fn another_total_or_currency_of_an_order_is_told() {
        let first = shown(&order("PAID", Some("99.00"), Some("EUR")), None);
        assert_eq!(
            Value::Object(first.clone()),
            json!({"status": "PAID", "total": "99.00", "currency": "EUR"})
        );
        for (next, is_news) in [
            (order("PAID", Some("99.00"), Some("EUR")), false),
            (order("PAID", None, None), false),
            (order("PAID", Some("89.00"), Some("EUR")), true),
            (order("PAID", Some("99.00"), Some("USD")), true),
            (order("REFUNDED", Some("99.00"), Some("EUR")), true),
        ] {
            assert_eq!(shown(&next, Some(&first)) != first, is_news, "{next:?}");
        }
    }
}
