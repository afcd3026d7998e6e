//! The shipper's decisions: pure functions of the ledger's state, its failures and the time.

use std::time::Duration;

use super::failure::ShipError;
use crate::domain::shipping::BatchLimit;

/// The node's row in the ledger, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeRow {
    /// The id of the file that ships under this node.
    pub(super) file: String,
    /// The number of its latest writer.
    pub(super) writer: i64,
    /// The position of the file's rows in the ledger, as text; `None`: no rows yet.
    pub(super) position: Option<String>,
}

/// The number under which this process writes the node, given its number so far.
///
/// # Errors
/// The node belongs to another file, or to a later writer.
pub(super) fn claim(row: &NodeRow, file: &str, ours: Option<i64>) -> Result<i64, ShipError> {
    if row.file != file {
        return Err(ShipError::OtherFile);
    }
    match ours {
        None => Ok(row.writer.saturating_add(1)),
        Some(ours) if ours < row.writer => Err(ShipError::OtherWriter),
        // A lower number is from before ours: the ledger was restored to an older state.
        Some(ours) => Ok(ours),
    }
}

/// The reaction to a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Read the node's row again, at once and on the same connection.
    ReadAgain,
    /// It passes by itself: connect again after the backoff.
    Retry,
    /// A person has to act: retry all the same, but rarely.
    Refused,
    /// Another process ships in our place: stop until a restart or new settings.
    Stop,
}

pub(super) fn after(failure: &ShipError) -> Then {
    match failure {
        ShipError::NodeChanged => Then::ReadAgain,
        ShipError::Lost(_) | ShipError::Timeout | ShipError::Store(_) => Then::Retry,
        ShipError::Sql { code, .. } if passes(code) => Then::Retry,
        ShipError::OtherWriter => Then::Stop,
        ShipError::Sql { .. }
        | ShipError::Refused(_)
        | ShipError::NewerSchema { .. }
        | ShipError::WrongSchema(_)
        | ShipError::OtherFile => Then::Refused,
    }
}

/// Whether an SQL state passes by itself: conflicts with other transactions, a standby, a lost connection, a
/// server that is stopping, full or overloaded, a cancelled statement, or a missing schema, which will be
/// created again.
fn passes(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "25006" | "55P03" | "42P01" | "3F000")
        || ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause after failures that pass.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause if a person has to act: short, for a person who has just acted.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);

/// The pause after `failures` in a row, the last of them followed by `then`; `jitter` is between 0 and 1.
pub(super) fn pause(then: Then, failures: u32, jitter: f64) -> Duration {
    let longest = match then {
        Then::ReadAgain | Then::Retry => LONGEST_PAUSE,
        Then::Refused | Then::Stop => return REFUSED_PAUSE,
    };
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(longest).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// Maximum number of rows in a batch.
const MOST_ROWS: usize = 1000;

/// Minimum number of rows: a few rows may have grown so large that they take long.
const FEWEST_ROWS: usize = 1;

/// Maximum size of a batch in bytes. It is in memory about four times: as read, converted, encoded and in
/// transit.
const MOST_BYTES: usize = 2 << 20;

/// Batches that take less time than this may have the maximum size; slower ones are made smaller.
const QUICK: Duration = Duration::from_secs(5);

/// The size limits of the next batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchSize(usize);

impl Default for BatchSize {
    fn default() -> Self {
        Self(MOST_ROWS)
    }
}

impl BatchSize {
    /// After a batch that took this long.
    pub(super) fn after(self, took: Duration) -> Self {
        Self(if took > QUICK { self.0 / 2 } else { self.0.saturating_mul(2) }.clamp(FEWEST_ROWS, MOST_ROWS))
    }

    /// After a batch that timed out.
    pub(super) fn after_timeout(self) -> Self {
        Self((self.0 / 8).max(FEWEST_ROWS))
    }

    /// As the store's parameters; `refusals`: whether a minute has passed since they were last shipped.
    pub(super) fn limit(self, refusals: bool) -> BatchLimit {
        BatchLimit { rows: self.0, bytes: MOST_BYTES, refusals }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(file: &str, writer: i64) -> NodeRow {
        NodeRow { file: file.to_owned(), writer, position: None }
    }

    #[test]
    fn a_node_is_claimed_by_its_file_and_its_latest_writer() {
        for (row, ours, wanted) in [
            (row("f", 0), None, Ok(1)),
            (row("f", 7), None, Ok(8)),
            (row("f", 8), Some(8), Ok(8)),
            (row("f", 9), Some(8), Err(ShipError::OtherWriter)),
            // The ledger went back to a time before this process started.
            (row("f", 3), Some(8), Ok(8)),
            (row("g", 0), None, Err(ShipError::OtherFile)),
            (row("g", 9), Some(8), Err(ShipError::OtherFile)),
        ] {
            assert_eq!(claim(&row, "f", ours), wanted, "{row:?} {ours:?}");
        }
    }

    #[test]
    fn each_failure_passes_or_needs_a_person() {
        let sql = |code: &str| ShipError::Sql { code: code.to_owned(), message: String::new() };
        for (failure, wanted) in [
            (sql("40001"), Then::Retry),
            (sql("40P01"), Then::Retry),
            (sql("25006"), Then::Retry),
            (sql("53100"), Then::Retry),
            (sql("53300"), Then::Retry),
            (sql("57P01"), Then::Retry),
            (sql("57P03"), Then::Retry),
            (sql("57014"), Then::Retry),
            (sql("08006"), Then::Retry),
            (sql("42P01"), Then::Retry),
            (sql("42501"), Then::Refused),
            (sql("28P01"), Then::Refused),
            (sql("3D000"), Then::Refused),
            (sql("42703"), Then::Refused),
            (sql("22P02"), Then::Refused),
            (ShipError::Lost(String::new()), Then::Retry),
            (ShipError::Timeout, Then::Retry),
            (ShipError::Store(String::new()), Then::Retry),
            (ShipError::Refused(String::new()), Then::Refused),
            (ShipError::NewerSchema { found: 2, known: 1 }, Then::Refused),
            (ShipError::WrongSchema(String::new()), Then::Refused),
            (ShipError::OtherFile, Then::Refused),
            (ShipError::OtherWriter, Then::Stop),
            (ShipError::NodeChanged, Then::ReadAgain),
        ] {
            assert_eq!(after(&failure), wanted, "{failure:?}");
        }
    }

    #[test]
    fn pauses_grow_to_half_a_minute_and_a_refusal_is_looked_at_every_quarter() {
        let pauses = [1, 2, 3, 8, 9, 100].map(|failures| pause(Then::Retry, failures, 1.0).as_millis());
        assert_eq!(pauses, [200, 400, 800, 25_600, 30_000, 30_000]);
        assert_eq!(pause(Then::Retry, 9, 0.0), Duration::from_secs(15));
        assert_eq!(pause(Then::Refused, 1, 0.3), REFUSED_PAUSE);
    }

    #[test]
    fn batches_shrink_with_a_slow_engine_and_grow_again() {
        let quick = Duration::from_millis(10);
        let mut size = BatchSize::default();
        assert_eq!(size.after(quick), size);
        size = size.after_timeout();
        assert_eq!(size.limit(true).rows, 125);
        for _ in 0..9 {
            size = size.after(Duration::from_secs(20));
        }
        assert_eq!(size.limit(true).rows, 1);
        for _ in 0..11 {
            size = size.after(quick);
        }
        assert_eq!(size, BatchSize::default());
    }
}
