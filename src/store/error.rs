//! Why the store did not do what was asked.

use std::path::Path;

use crate::domain::health::Unwritable;

/// What to do about a store that cannot be trusted.
pub(super) const RESTORE: &str = "stop serve, leave the file as it is and put a backup in its place (`countersign \
                                  backup --help` says how; docs/recovery.md says what to do without one)";

/// A failed verb of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More is waiting to be written than we let wait.
    #[error("the queue of the store is full")]
    Full,
    /// Another program holds the lock: which, and who.
    #[error("{0}")]
    Locked(String),
    /// The store's own disk, or what is written before, takes too long.
    #[error("the store takes no write in time; its disk is slow or fails")]
    Slow,
    /// The store is shutting down.
    #[error("the store is closing")]
    Closed,
    /// What was to be done panicked; it was undone.
    #[error(transparent)]
    Panicked(#[from] crate::domain::panics::Panicked),
    /// The file is not as it was written. Nothing is written to it any more.
    #[error("the store is damaged ({0}); {restore}", restore = RESTORE)]
    Damaged(String),
    /// The engine refused: no space, no permission.
    #[error("the store failed: {0}")]
    Engine(String),
}

impl StoreError {
    /// The write lock of the store at `path` is with `holder`.
    pub(super) fn locked(path: &Path, holder: &str) -> Self {
        Self::Locked(format!("the write lock of the store {} is held by {holder}", path.display()))
    }

    /// What to do about it, where that is known.
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
        Self { why: error.to_string(), remedy: error.remedy() }
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
                // What a row holds cannot be read as what its column is for.
                rusqlite::Error::FromSqlConversionFailure(_, _, why) => Self::Damaged(why.to_string()),
                other => Self::Engine(other.to_string()),
            },
        }
    }
}

/// What every verb of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;
