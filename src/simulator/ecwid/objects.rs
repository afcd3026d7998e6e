//! Ecwid's orders and products, with the defaults of an ordinary shop.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::simulator::record::{Fields, Record, RecordKind, decimal, text_of};
use crate::simulator::time;

/// An order; awaiting payment by default.
pub type Order = Record<OrderKind>;

/// A product; in stock and enabled by default.
pub type Product = Record<ProductKind>;

/// The kind of record that an order is.
#[derive(Clone, Copy, Debug)]
pub enum OrderKind {}

/// The kind of record that a product is.
#[derive(Clone, Copy, Debug)]
pub enum ProductKind {}

impl Order {
    /// An order of today's kind: `id` with prefix and suffix as customers see it, and `orderNumber` the same as
    /// `internalId` (the webhooks' `entityId`).
    #[must_use]
    pub fn new(id: &str, internal_id: u64) -> Self {
        Self::with(json!({
            "id": id, "internalId": internal_id, "orderNumber": internal_id, "vendorOrderNumber": id,
            "email": "buyer@example.test", "total": 24.5, "subtotal": 20, "tax": 0, "usdTotal": 26.9,
            "refundedAmount": 0, "paymentStatus": "AWAITING_PAYMENT",
            "fulfillmentStatus": "AWAITING_PROCESSING",
            "items": [{"id": 88001, "productId": 9001, "sku": "A-1", "name": "Mug", "quantity": 2, "price": 10}],
        }))
    }

    /// The sequential number of a store from before late 2020 (`order_id` of Instant Order Notifications).
    #[must_use]
    pub fn order_number(self, number: u64) -> Self {
        self.field("orderNumber", number)
    }

    /// `paymentStatus` `PAID`.
    #[must_use]
    pub fn paid(self) -> Self {
        self.payment("PAID")
    }

    /// `paymentStatus`, any word.
    #[must_use]
    pub fn payment(self, status: &str) -> Self {
        self.field("paymentStatus", status)
    }

    /// `fulfillmentStatus`, any word.
    #[must_use]
    pub fn fulfillment(self, status: &str) -> Self {
        self.field("fulfillmentStatus", status)
    }

    /// `total`, in exactly these digits.
    #[must_use]
    pub fn total(self, amount: &str) -> Self {
        self.field("total", decimal(amount))
    }

    /// `email`.
    #[must_use]
    pub fn email(self, address: &str) -> Self {
        self.field("email", address)
    }

    /// `createDate` and `createTimestamp`; without this, when it is put into the shop.
    #[must_use]
    pub fn created_at(self, at: DateTime<Utc>) -> Self {
        self.field("createDate", time::ecwid(at)).field("createTimestamp", at.timestamp())
    }

    /// `updateDate` and `updateTimestamp`; without this, the last edit.
    #[must_use]
    pub fn updated_at(self, at: DateTime<Utc>) -> Self {
        self.field("updateDate", time::ecwid(at)).field("updateTimestamp", at.timestamp())
    }
}

impl RecordKind for OrderKind {
    fn key(fields: &Fields) -> String {
        fields.get("id").map(text_of).unwrap_or_default()
    }

    fn alias(fields: &Fields) -> Option<String> {
        fields.get("internalId").map(text_of)
    }

    fn created(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("createDate", time::ecwid(now).into()), ("createTimestamp", now.timestamp().into())]
    }

    fn updated(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("updateDate", time::ecwid(now).into()), ("updateTimestamp", now.timestamp().into())]
    }

    fn from_fields(fields: &Fields) -> Result<Record<Self>, String> {
        let id = fields.get("id").map(text_of).filter(|id| !id.is_empty());
        let internal = fields.get("internalId").and_then(|value| text_of(value).parse().ok());
        match (id, internal) {
            (Some(id), Some(internal)) => Ok(Order::new(&id, internal).merge(fields)),
            _ => Err("an order needs id and a whole internalId".to_owned()),
        }
    }
}

impl Product {
    /// A product with 41 pieces at 10.
    #[must_use]
    pub fn new(id: u64, name: &str) -> Self {
        Self::with(json!({
            "id": id, "sku": format!("A-{id}"), "name": name, "price": 10, "quantity": 41, "unlimited": false,
            "inStock": true, "enabled": true,
        }))
    }

    /// `price`, in exactly these digits.
    #[must_use]
    pub fn price(self, amount: &str) -> Self {
        self.field("price", decimal(amount))
    }

    /// `quantity`, and `inStock` to fit it.
    #[must_use]
    pub fn quantity(self, pieces: u64) -> Self {
        self.field("quantity", pieces).field("inStock", pieces > 0)
    }

    /// `unlimited`: then there is no `quantity`.
    #[must_use]
    pub fn unlimited(self) -> Self {
        self.field("unlimited", true).field("inStock", true).without("quantity")
    }

    /// `updated` and `updateTimestamp`; without this, the last edit.
    #[must_use]
    pub fn updated_at(self, at: DateTime<Utc>) -> Self {
        self.field("updated", time::ecwid(at)).field("updateTimestamp", at.timestamp())
    }
}

impl RecordKind for ProductKind {
    fn key(fields: &Fields) -> String {
        fields.get("id").map(text_of).unwrap_or_default()
    }

    fn alias(_: &Fields) -> Option<String> {
        None
    }

    fn created(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("created", time::ecwid(now).into()), ("createTimestamp", now.timestamp().into())]
    }

    fn updated(now: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        vec![("updated", time::ecwid(now).into()), ("updateTimestamp", now.timestamp().into())]
    }

    fn from_fields(fields: &Fields) -> Result<Record<Self>, String> {
        let id = fields.get("id").and_then(|value| text_of(value).parse().ok());
        id.map(|id| Product::new(id, "Mug").merge(fields))
            .ok_or_else(|| "a product needs a whole id".to_owned())
    }
}
