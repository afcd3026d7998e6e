//! Parses an order or a product of the API.

use serde_json::{Map, Value, json};

use super::{dates, fields};
use crate::domain::replaced::is_replaced;
use crate::domain::{FoundObject, OrderTruth, ProductTruth, Timestamp, Truth, decimal};

/// Prices have no currency; Kinguin charges a balance in euros.
const CURRENCY: &str = "EUR";

/// An object, or why the answer is not one: the fields that identify and date it are documented as required.
pub(super) type Parsed = Result<FoundObject, &'static str>;

/// An order of an answer; `raw` is its JSON text.
pub(super) fn order(body: &Value, raw: String) -> Parsed {
    let order_id = fields::id_of(body, "orderId").ok_or("it has no orderId")?;
    let status = fields::any_text_of(body, "status").ok_or("it has no status")?;
    let reference = match body.get("orderExternalId") {
        Some(value) if is_replaced(value) => Some(value.clone()),
        value => fields::id(value).map_err(|_| "its orderExternalId is not an id")?.map(Value::String),
    };
    let mut compared = Map::new();
    compared.insert("orderId".to_owned(), Value::String(order_id.clone()));
    if let Some(reference) = reference {
        compared.insert("orderExternalId".to_owned(), reference);
    }
    compared.extend(body.get("status").map(|status| ("status".to_owned(), status.clone())));
    let total = fields::decimal_of(body, "totalPrice");
    let truth = OrderTruth {
        order_id,
        internal_id: None,
        status: Some(status.to_owned()),
        fulfillment_status: None,
        currency: total.is_some().then(|| CURRENCY.to_owned()),
        total,
        email: fields::any_text_of(body, "userEmail").map(str::to_owned),
        updated_at: None,
        raw,
    };
    Ok(FoundObject { body: body.clone(), truth: Some(Truth::Order(truth)), compared })
}

/// A product of an answer; `raw` is its JSON text.
pub(super) fn product(body: &Value, raw: String) -> Parsed {
    let kinguin_id = fields::id_of(body, "kinguinId").ok_or("it has no kinguinId")?;
    let product_id = fields::id_of(body, "productId").ok_or("it has no productId")?;
    let updated_at = fields::any_text_of(body, "updatedAt").ok_or("it has no updatedAt")?;
    let price = fields::decimal_of(body, "price");
    let qty = fields::count_of(body, "qty");
    // `qty` counts only the cheapest offers, `totalQty` all of them; the latter is sometimes missing.
    let available = qty.max(fields::count_of(body, "totalQty")).map(|qty| qty > 0);
    let changed = dates::instant(updated_at);
    // In one spelling: the same second with and without a fraction is no news.
    let changed_text =
        changed.map_or(updated_at.to_owned(), |time| Timestamp::from_seconds(time.seconds()).to_string());
    let compared = [
        ("kinguinId", Some(json!(kinguin_id))),
        ("productId", Some(json!(product_id))),
        ("updatedAt", Some(json!(changed_text))),
        ("price", price.as_deref().and_then(decimal::canonical).map(Value::String)),
        ("qty", qty.map(Value::from)),
        ("available", available.map(Value::Bool)),
    ];
    let compared = compared.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let truth = ProductTruth {
        product_id: kinguin_id,
        internal_id: Some(product_id),
        name: fields::any_text_of(body, "name").map(str::to_owned),
        currency: price.is_some().then(|| CURRENCY.to_owned()),
        price,
        qty,
        available,
        updated_at: changed,
        raw,
    };
    Ok(FoundObject { body: body.clone(), truth: Some(Truth::Product(truth)), compared })
}
