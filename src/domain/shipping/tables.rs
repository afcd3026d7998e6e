//! The ledger's tables and columns, in the contract's order.

use std::collections::BTreeSet;

use self::ColumnType::{Amount, Bytes, Day, Json, Number, Text, Time};
use crate::domain::verdict::words;

words! {
    /// Data that is shipped only if `ledger.include` lists it.
    Included {
        /// The body of a notification.
        Body = "body",
        /// The headers of a notification.
        Headers = "headers",
        /// The addresses of senders.
        RemoteAddr = "remote_addr",
        /// The customer's address of an order.
        Email = "email",
        /// The answers that verifications are based on.
        Answer = "answer",
        /// The API's JSON of orders and products.
        Raw = "raw",
        /// The table of verifications.
        Verifications = "verifications",
    }
}

/// The data that `ledger.include` lists.
pub type Include = BTreeSet<Included>;

words! {
    /// A table of the ledger.
    LedgerTable {
        /// Every notification with its verdict.
        Notifications = "notifications",
        /// Every question, if included.
        Verifications = "verifications",
        /// The latest truth about each order.
        Orders = "orders",
        /// The latest truth about each product.
        Products = "products",
        /// The changes that notifications made.
        News = "news",
        /// News on its way to actions.
        Deliveries = "deliveries",
        /// Requests that were not stored.
        Refusals = "refusals",
    }
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A UTC time, RFC 3339 text.
    Time,
    /// A UTC day, `YYYY-MM-DD`.
    Day,
    /// A decimal number as text, so that no digit is lost.
    Amount,
    Number,
    Json,
    /// The exact bytes: text or a blob.
    Bytes,
    Text,
}

/// A column of a table in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The same name in the store and in the ledger.
    pub name: &'static str,
    /// The type of its values.
    pub holds: ColumnType,
    /// NULL unless this is included.
    pub needs: Option<Included>,
}

const fn column(name: &'static str, holds: ColumnType) -> Column {
    Column { name, holds, needs: None }
}

const fn personal(name: &'static str, holds: ColumnType, needs: Included) -> Column {
    Column { name, holds, needs: Some(needs) }
}

impl LedgerTable {
    /// The columns without `node`, in order; the key columns come first.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Notifications => NOTIFICATIONS,
            Self::Verifications => VERIFICATIONS,
            Self::Orders => ORDERS,
            Self::Products => PRODUCTS,
            Self::News => NEWS,
            Self::Deliveries => DELIVERIES,
            Self::Refusals => REFUSALS,
        }
    }

    /// The number of key columns.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::Notifications | Self::Verifications | Self::News | Self::Deliveries => 1,
            Self::Orders | Self::Products => 2,
            Self::Refusals => 3,
        }
    }
}

const NOTIFICATIONS: &[Column] = &[
    column("id", Number),
    column("source", Text),
    column("provider", Text),
    column("received_at", Time),
    personal("remote_addr", Text, Included::RemoteAddr),
    column("content_type", Text),
    personal("headers", Json, Included::Headers),
    personal("body", Bytes, Included::Body),
    column("event", Text),
    column("subject_kind", Text),
    column("subject_id", Text),
    column("resolved_id", Text),
    column("claim", Json),
    column("event_time", Time),
    column("state", Text),
    column("reason", Text),
    column("detail", Text),
    column("duplicate_of", Number),
    column("news", Number),
    column("attempts", Number),
    column("next_attempt_at", Time),
    column("decided_at", Time),
    column("origin", Text),
];

const VERIFICATIONS: &[Column] = &[
    column("id", Number),
    column("notification_id", Number),
    column("call_id", Number),
    column("at", Time),
    column("outcome", Text),
    column("http_status", Number),
    column("latency_ms", Number),
    column("detail", Text),
    personal("answer", Json, Included::Answer),
];

const ORDERS: &[Column] = &[
    column("source", Text),
    column("order_id", Text),
    column("status", Text),
    column("fulfillment_status", Text),
    column("total", Amount),
    column("currency", Text),
    personal("email", Text, Included::Email),
    column("updated_at", Time),
    column("fetched_at", Time),
    column("gone_at", Time),
    personal("raw", Json, Included::Raw),
];

const PRODUCTS: &[Column] = &[
    column("source", Text),
    column("product_id", Text),
    column("name", Text),
    column("price", Amount),
    column("currency", Text),
    column("qty", Number),
    column("available", Number),
    column("updated_at", Time),
    column("fetched_at", Time),
    personal("raw", Json, Included::Raw),
];

const NEWS: &[Column] = &[
    column("seq", Number),
    column("type", Text),
    column("at", Time),
    column("notification_id", Number),
    column("source", Text),
    column("provider", Text),
    column("event", Text),
    column("origin", Text),
    column("subject_kind", Text),
    column("subject_id", Text),
    column("current", Json),
    column("previous", Json),
];

const DELIVERIES: &[Column] = &[
    column("id", Number),
    column("action", Text),
    column("seq", Number),
    column("source", Text),
    column("subject_kind", Text),
    column("subject_id", Text),
    column("state", Text),
    column("attempts", Number),
    column("next_attempt_at", Time),
    column("decided_at", Time),
    column("detail", Text),
];

const REFUSALS: &[Column] = &[
    column("source", Text),
    column("day", Day),
    column("cause", Text),
    column("count", Number),
    column("last_at", Time),
    personal("last_remote_addr", Text, Included::RemoteAddr),
];
