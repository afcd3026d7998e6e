//! The data that is shipped to the ledger, the PostgreSQL of `[ledger]`: tables and columns, batches of rows,
//! and positions.

use std::time::Duration;

use super::time::Timestamp;

mod position;
mod tables;

pub use position::{Fill, Position};
pub use tables::{Column, ColumnType, Include, Included, LedgerTable};

/// A value as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL, or not included.
    Null,
    Integer(i64),
    /// A floating-point number; only in files that were edited by hand.
    Real(f64),
    Text(String),
    /// Bytes that are not text.
    Bytes(Vec<u8>),
}

/// A row as it is at the time of shipping.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    pub table: LedgerTable,
    /// One value per column of [`LedgerTable::columns`].
    pub cells: Vec<Cell>,
}

/// Rows that are shipped in one transaction, with the position that they reach.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeBatch {
    /// The rows, each at most once.
    pub rows: Vec<LedgerRow>,
    /// The position after them.
    pub through: Position,
    /// The end of the file when they were read.
    pub end: Position,
}

/// The limits of a batch: it ends before the row that would exceed them, but has at least one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimit {
    /// Maximum number of rows.
    pub rows: usize,
    /// Maximum size of their values, in bytes.
    pub bytes: usize,
    /// Whether refusals are due.
    pub refusals: bool,
}

/// Why nothing is shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFailure {
    /// Whether retrying helps by itself; otherwise a person has to act.
    pub passes: bool,
    /// The explanation, one line without a secret.
    pub error: String,
    pub since: Timestamp,
}

/// The store's knowledge of its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// The position that the ledger last confirmed.
    pub position: Position,
    /// The ledger has everything up to this time; `None`: not yet.
    pub shipped_until: Option<Timestamp>,
    /// When the ledger last confirmed a batch.
    pub confirmed_at: Option<Timestamp>,
    /// When the present filling began.
    pub filling_since: Timestamp,
    /// The progress of the first filling, in thousandths; `None`: it is over.
    pub filled: Option<u32>,
    /// Upper bound of the rows not yet shipped.
    pub waiting: u64,
    /// When the oldest notification that is not shipped was received.
    pub oldest_waiting: Option<Timestamp>,
    /// The current failure, if there is one.
    pub failure: Option<LedgerFailure>,
    /// Rows that were removed from the store before they were shipped.
    pub gap: u64,
    /// When the last of them was removed.
    pub gap_at: Option<Timestamp>,
}

impl LedgerState {
    /// How long the ledger has been behind the store.
    #[must_use]
    pub fn behind(&self, now: Timestamp) -> Duration {
        self.behind_since().map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Since when the ledger has been behind the store; `None`: it is up to date, or has been behind for a
    /// moment only.
    #[must_use]
    pub fn behind_since(&self) -> Option<Timestamp> {
        if self.waiting == 0 {
            return None;
        }
        let begun = self.shipped_until.unwrap_or(self.filling_since);
        // While there is nothing to ship, nothing is written, so `shipped_until` may be old.
        let is_busy =
            self.confirmed_at.is_some_and(|confirmed| confirmed > begun) || self.shipped_until.is_none();
        let failing = self.failure.as_ref().map(|failure| failure.since);
        if is_busy {
            return Some(failing.map_or(begun, |since| since.min(begun)));
        }
        failing.into_iter().chain(self.oldest_waiting).min()
    }
}
