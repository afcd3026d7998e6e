//! Positions: how much of a file its ledger has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::tables::LedgerTable;

/// A position in a file. The ledger keeps it as text, in the transaction of the rows.
///
/// Notifications, verifications, news and deliveries are shipped by ascending id. When a row changes after it
/// may have been shipped, the change log gets an entry. Other tables are first filled by key, and each of
/// their changes gets an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Incremented by each filling from the start.
    pub generation: i64,
    /// The last entry of the change log, except for refusals.
    pub log: i64,
    /// The last entry about refusals.
    pub refusals: i64,
    /// The id of the last notification shipped.
    pub notifications: i64,
    /// The last verification; the maximum integer if they are not included.
    pub verifications: i64,
    /// The seq of the last news shipped.
    pub news: i64,
    /// The id of the last delivery shipped.
    pub deliveries: i64,
    /// The progress in tables without ascending ids.
    pub fill: Fill,
}

/// The progress in tables without ascending ids: everything before `table`, and in `table` everything up to
/// the key `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fill {
    /// An index into [`Fill::TABLES`]; beyond the last one, all tables are filled.
    pub table: usize,
    /// The last key; empty at the start of a table.
    pub after: Vec<String>,
}

impl Fill {
    /// The tables that are filled by key, in this order.
    pub const TABLES: [LedgerTable; 3] = [LedgerTable::Orders, LedgerTable::Products, LedgerTable::Refusals];

    /// The current table; `None`: all are filled.
    #[must_use]
    pub fn current(&self) -> Option<LedgerTable> {
        Self::TABLES.get(self.table).copied()
    }

    /// The end: all tables are filled.
    #[must_use]
    pub fn done() -> Self {
        Self { table: Self::TABLES.len(), after: Vec::new() }
    }

    /// The start of the next table.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { table: self.table + 1, after: Vec::new() }
    }
}

impl Position {
    /// Whether everything up to `end` is shipped, except for refusals, which wait a minute.
    #[must_use]
    pub fn reaches(&self, end: &Self) -> bool {
        Self { refusals: end.refusals, ..self.clone() }.is_at_least(end)
    }

    /// Upper bound of the rows between this position and `end`; refusals do not count.
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

    /// Whether a file that ends here has given every id in `other`.
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
