//! What of the store goes to the ledger, the database of `[ledger]` that other programs read: its tables and columns, a
//! batch of rows, and how far a file has got.

use std::time::Duration;

use super::time::Timestamp;

mod position;
mod tables;

pub use position::{Fill, Position};
pub use tables::{Column, ColumnType, Include, Included, LedgerTable};

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
