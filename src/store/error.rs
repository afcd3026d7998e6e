//! Errors of the store.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::domain::health::Unwritable;

/// The remedy for a damaged store.
pub(super) const RESTORE: &str = "stop serve and its sockets, keep the file unchanged and put a backup in its \
    place (see `countersign backup --help`; without a backup see docs/recovery.md)";

/// A failed verb of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The queue is full.
    #[error("the queue of the store is full")]
    Full,
    /// Another program holds the lock; the text says which lock and which program.
    #[error("{0}")]
    Locked(String),
    /// The disk, or the work queued before, takes too long.
    #[error("the store takes no write in time; its disk is slow or fails")]
    Slow,
    /// The store is shutting down.
    #[error("the store is closing")]
    Closed,
    /// The work panicked and was rolled back.
    #[error(transparent)]
    Panicked(#[from] crate::domain::panics::Panicked),
    /// The file is damaged. Nothing more is written to it.
    #[error("the store is damaged ({0}); {restore}", restore = RESTORE)]
    Damaged(String),
    /// SQLite refused, for example for lack of space or permission. Print it with `{:#}`, as an [`anyhow::Error`]:
    /// `{}` leaves out SQLite's message, which is the source.
    #[error(fmt = with_cause)]
    Engine(#[source] EngineError),
    /// No connection, no thread, or rows that contradict each other.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// SQLite's error. Its own source would only repeat it with a number, so it has none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(Arc<rusqlite::Error>);

fn with_cause(cause: &EngineError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("the store failed")?;
    if f.alternate() { write!(f, ": {cause}") } else { Ok(()) }
}

impl StoreError {
    /// The write lock of the store at `path` is with `holder`.
    pub(super) fn locked(path: &Path, holder: &str) -> Self {
        Self::Locked(format!("the write lock of the store {} is held by {holder}", path.display()))
    }

    /// The remedy, if known.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Locked(_) => Some("end its transaction there (COMMIT or ROLLBACK), or close that program"),
            _ => None,
        }
    }
}

impl From<StoreError> for Unwritable {
    fn from(error: StoreError) -> Self {
        Self { why: format!("{error:#}"), remedy: error.remedy() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::Locked("the store is locked by another program".to_owned())
            }
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => match error {
                // A row's value is not valid for its column.
                rusqlite::Error::FromSqlConversionFailure(_, _, why) => Self::Damaged(why.to_string()),
                other => Self::Engine(EngineError(Arc::new(other))),
            },
        }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn an_error_of_sqlite_is_the_source_and_stands_once_in_a_line() {
        let full = "database or disk is full";
        let code = ffi::Error::new(ffi::SQLITE_FULL);
        let error = StoreError::from(rusqlite::Error::SqliteFailure(code, Some(full.to_owned())));
        assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some(full));
        let line = format!("the store failed: {full}");
        assert_eq!(format!("{error:#}"), line);
        assert_eq!(format!("{:#}", anyhow::Error::from(error)), line);
    }
}
