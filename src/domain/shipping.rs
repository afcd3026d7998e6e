//! What of the store goes to the ledger, the database of `[ledger]` that other programs read: its tables and columns, a
//! batch of rows, and how far a file has got.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Timestamp;
use super::verdict::words;

words! {
    /// What is left out of the ledger unless `ledger.include` lists it.
    Included {
        /// The body of a notification.
        Body = "body",
        /// Its headers.
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

/// The setting `ledger.include`.
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
        /// What notifications changed.
        News = "news",
        /// News on its way to actions.
        Deliveries = "deliveries",
        /// Requests that were not stored.
        Refusals = "refusals",
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// RFC 3339 text.
    Time,
    /// A UTC day, `YYYY-MM-DD`.
    Day,
    /// Decimal text.
    Amount,
    /// A whole number.
    Number,
    /// JSON text.
    Json,
    /// The exact bytes: text or a blob.
    Bytes,
    /// Text.
    Text,
}

/// A column of a table in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, the same in the store and in the ledger.
    pub name: &'static str,
    /// What its values are.
    pub holds: ColumnType,
    /// It is NULL unless this is included.
    pub needs: Option<Included>,
}

const fn column(name: &'static str, holds: ColumnType) -> Column {
    Column { name, holds, needs: None }
}

const fn personal(name: &'static str, holds: ColumnType, needs: Included) -> Column {
    Column { name, holds, needs: Some(needs) }
}

impl LedgerTable {
    /// Its columns without `node`, in their order; those of its key come first.
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

    /// How many of the first columns are its key.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::Notifications | Self::Verifications | Self::News | Self::Deliveries => 1,
            Self::Orders | Self::Products => 2,
            Self::Refusals => 3,
        }
    }
}

use ColumnType::{Amount, Bytes, Day, Json, Number, Text, Time};

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

/// A value as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing, or not included.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number, where a file was edited by hand.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
}

/// A row as it is when its turn comes.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    /// Its table.
    pub table: LedgerTable,
    /// One value for each of [`LedgerTable::columns`].
    pub cells: Vec<Cell>,
}

/// Rows that go to the ledger in one transaction, with the position that they reach.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeBatch {
    /// The rows, each at most once.
    pub rows: Vec<LedgerRow>,
    /// How far the ledger has got with them.
    pub through: Position,
    /// Where everything ended when they were read.
    pub end: Position,
}

/// The largest batch: it ends before the row with which it would be larger, but has one row at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimit {
    /// The most rows.
    pub rows: usize,
    /// The most bytes of their values.
    pub bytes: usize,
    /// Whether it is time for refusals.
    pub refusals: bool,
}

/// How far a file has got with its ledger. The ledger keeps it as text, in the transaction of the rows.
///
/// Rows of notifications, verifications, news and deliveries are shipped by their ascending ids, whether they are old or
/// new; a row that changes once it may have been shipped has an entry in the change log. Other tables are filled by key,
/// and each change of theirs has an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Raised by each filling from the start.
    pub generation: i64,
    /// The last entry of the change log, but for refusals.
    pub log: i64,
    /// The last entry about refusals.
    pub refusals: i64,
    /// The last notification.
    pub notifications: i64,
    /// The last verification; the greatest number where they are not included.
    pub verifications: i64,
    /// The last news.
    pub news: i64,
    /// The last delivery.
    pub deliveries: i64,
    /// How far the tables without ascending ids are filled.
    pub fill: Fill,
}

/// How far the tables without ascending ids are filled: all before `table`, and of that all up to the key `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fill {
    /// An index into [`Fill::TABLES`]; behind the last one all are filled.
    pub table: usize,
    /// The last key; empty at the beginning.
    pub after: Vec<String>,
}

impl Fill {
    /// The tables that are filled by key, in this order.
    pub const TABLES: [LedgerTable; 3] = [LedgerTable::Orders, LedgerTable::Products, LedgerTable::Refusals];

    /// The table whose turn it is; `None`: all are filled.
    #[must_use]
    pub fn current(&self) -> Option<LedgerTable> {
        Self::TABLES.get(self.table).copied()
    }

    /// All are filled.
    #[must_use]
    pub fn done() -> Self {
        Self { table: Self::TABLES.len(), after: Vec::new() }
    }

    /// The beginning of the next table.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { table: self.table + 1, after: Vec::new() }
    }
}

impl Position {
    /// Whether everything up to `end` is shipped but for refusals, which wait a minute.
    #[must_use]
    pub fn reaches(&self, end: &Self) -> bool {
        Self { refusals: end.refusals, ..self.clone() }.is_at_least(end)
    }

    /// How many rows may lie between this position and `end`, at most; refusals do not count.
    #[must_use]
    pub fn distance(&self, end: &Self) -> u64 {
        let columns = |position: &Self| {
            [position.log, position.notifications, position.verifications, position.news, position.deliveries]
        };
        let rows = columns(self)
            .into_iter()
            .zip(columns(end))
            .map(|(from, to)| u64::try_from(to.saturating_sub(from)).unwrap_or(0));
        rows.sum::<u64>() + u64::from(self.fill < end.fill)
    }

    /// Whether a file that ends here gave every id that `other` tells of.
    #[must_use]
    pub fn gave(&self, other: &Self) -> bool {
        self.notifications >= other.notifications
            && (self.verifications >= other.verifications || other.verifications == i64::MAX)
            && self.news >= other.news
            && self.deliveries >= other.deliveries
    }

    /// Whether this position is at or after `other`, and of the same filling.
    #[must_use]
    pub fn is_at_least(&self, other: &Self) -> bool {
        self.generation == other.generation
            && self.log >= other.log
            && self.refusals >= other.refusals
            && self.notifications >= other.notifications
            && self.verifications >= other.verifications
            && self.news >= other.news
            && self.deliveries >= other.deliveries
            && self.fill >= other.fill
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Position {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

/// Why nothing is shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFailure {
    /// Whether trying again helps by itself; else a person has to do something.
    pub passes: bool,
    /// What the ledger said, in one line without a secret.
    pub error: String,
    /// Since when.
    pub since: Timestamp,
}

/// What the store knows of its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// How far the ledger has got, as it confirmed last.
    pub position: Position,
    /// Everything up to this time is in the ledger; `None`: never yet.
    pub shipped_until: Option<Timestamp>,
    /// When the ledger last confirmed a batch.
    pub confirmed_at: Option<Timestamp>,
    /// When the present filling began.
    pub filling_since: Timestamp,
    /// How much of the first filling is done, in thousandths; `None`: it is over.
    pub filled: Option<u32>,
    /// Rows that are to be shipped, at most.
    pub waiting: u64,
    /// When the first notification came in that is to be shipped.
    pub oldest_waiting: Option<Timestamp>,
    /// Why nothing is shipped now.
    pub failure: Option<LedgerFailure>,
    /// Rows that were removed from the store before they were shipped.
    pub gap: u64,
    /// When the last of them was.
    pub gap_at: Option<Timestamp>,
}

impl LedgerState {
    /// For how long the ledger is behind the store.
    #[must_use]
    pub fn behind(&self, now: Timestamp) -> Duration {
        self.behind_since().map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Since when the ledger is behind the store; `None`: it is not, or since a moment.
    #[must_use]
    pub fn behind_since(&self) -> Option<Timestamp> {
        if self.waiting == 0 {
            return None;
        }
        let begun = self.shipped_until.unwrap_or(self.filling_since);
        // While nothing is to be shipped nothing is written: `shipped_until` may be of long ago.
        let is_busy =
            self.confirmed_at.is_some_and(|confirmed| confirmed > begun) || self.shipped_until.is_none();
        let failing = self.failure.as_ref().map(|failure| failure.since);
        if is_busy {
            return Some(failing.map_or(begun, |since| since.min(begun)));
        }
        failing.into_iter().chain(self.oldest_waiting).min()
    }
}
