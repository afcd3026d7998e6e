//! Kinguin's orders and products, with the defaults of an ordinary purchase.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::simulator::record::{Fields, Record, RecordKind, decimal, text_of};
use crate::simulator::time;

/// An order; `processing` by default.
pub type Order = Record<OrderKind>;

/// A product with 31 text keys.
pub type Product = Record<ProductKind>;

/// The kind of record that an order is.
#[derive(Clone, Copy, Debug)]
pub enum OrderKind {}

/// The kind of record that a product is.
#[derive(Clone, Copy, Debug)]
pub enum ProductKind {}

impl Order {
    /// An order of two keys without an external id.
    #[must_use]
    pub fn new(order_id: &str) -> Self {
        Self::with(json!({
            "orderId": order_id, "status": "processing", "storeId": 12, "userEmail": "buyer@example.test",
            "totalPrice": decimal("12.40"), "requestTotalPrice": decimal("12.40"),
            "paymentPrice": decimal("12.10"), "totalQty": 2, "isPreorder": false,
            "products": [{
                "kinguinId": 70123, "productId": "5f00aa11bb22cc33dd44ee55",
                "offerId": "60aa11bb22cc33dd44ee55ff", "qty": 2, "name": "Example Game Key",
                "price": decimal("6.20"), "totalPrice": decimal("12.40"), "requestPrice": decimal("6.20"),
                "isPreorder": false, "releaseDate": "2020-01-02", "keyType": "text",
            }],
        }))
    }

    /// `orderExternalId`, the buyer's own reference.
    #[must_use]
    pub fn external_id(self, id: &str) -> Self {
        self.field("orderExternalId", id)
    }

    /// `status`, any word.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.field("status", status)
    }

    /// `status` `completed`.
    #[must_use]
    pub fn completed(self) -> Self {
        self.status("completed")
    }

    /// `createdAt`; without this, when it is put into the account.
    #[must_use]
    pub fn created_at(self, at: DateTime<Utc>) -> Self {
        self.field("createdAt", time::kinguin(at))
    }
}

impl RecordKind for OrderKind {
    fn key(fields: &Fields) -> String {
        fields.get("orderId").map(text_of).unwrap_or_default()
    }

    fn alias(_: &Fields) -> Option<String> {
        None
    }

    fn created(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("createdAt", time::kinguin(now).into())]
    }

    /// Kinguin's documentation: an order has no `updatedAt`.
    fn updated(_: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn from_fields(fields: &Fields) -> Result<Record<Self>, String> {
        let id = fields.get("orderId").map(text_of).filter(|id| !id.is_empty());
        id.map(|id| Order::new(&id).merge(fields)).ok_or_else(|| "an order needs orderId".to_owned())
    }
}

impl Product {
    /// A product by both of its ids.
    #[must_use]
    pub fn new(kinguin_id: u64, product_id: &str) -> Self {
        Self::with(json!({
            "kinguinId": kinguin_id, "productId": product_id, "name": "Example Game Key",
            "price": decimal("6.20"), "qty": 31, "textQty": 31, "totalQty": 80, "offersCount": 3,
            "cheapestOfferId": ["60aa11bb22cc33dd44ee55ff"], "merchantName": ["ExampleSeller"],
            "isPreorder": false,
        }))
    }

    /// `price`, in exactly these digits.
    #[must_use]
    pub fn price(self, amount: &str) -> Self {
        self.field("price", decimal(amount))
    }

    /// `qty` and `textQty`.
    #[must_use]
    pub fn quantity(self, keys: u64) -> Self {
        self.field("qty", keys).field("textQty", keys)
    }

    /// `updatedAt` in whole seconds; without this, the last edit.
    #[must_use]
    pub fn updated_at(self, at: DateTime<Utc>) -> Self {
        self.field("updatedAt", time::kinguin(at))
    }
}

impl RecordKind for ProductKind {
    fn key(fields: &Fields) -> String {
        fields.get("kinguinId").map(text_of).unwrap_or_default()
    }

    fn alias(fields: &Fields) -> Option<String> {
        fields.get("productId").map(text_of)
    }

    fn created(_: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn updated(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("updatedAt", time::kinguin(now).into())]
    }

    fn from_fields(fields: &Fields) -> Result<Record<Self>, String> {
        let kinguin_id = fields.get("kinguinId").and_then(|value| text_of(value).parse().ok());
        let product_id = fields.get("productId").map(text_of);
        match (kinguin_id, product_id) {
            (Some(kinguin_id), Some(product_id)) => Ok(Product::new(kinguin_id, &product_id).merge(fields)),
            _ => Err("a product needs a whole kinguinId and a productId".to_owned()),
        }
    }
}
