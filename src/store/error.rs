//! Why the store did not do what was asked.

/// What to do about a store that cannot be trusted.
pub(super) const RESTORE: &str = "stop serve, leave the file as it is and put a backup in its place (`countersign \
                                  backup --help` says how; docs/recovery.md says what to do without one)";

/// A failed verb of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More is waiting to be written than we let wait.
    #[error("the queue of the store is full")]
    Full,
    /// Somebody else holds the write lock.
    #[error("the store is locked by another program")]
    Locked,
    /// The store is shutting down.
    #[error("the store is closing")]
    Closed,
    /// The file is not as it was written. Nothing is written to it any more.
    #[error("the store is damaged ({0}); {restore}", restore = RESTORE)]
    Damaged(String),
    /// The engine refused: no space, no permission.
    #[error("the store failed: {0}")]
    Engine(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Locked,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Engine(error.to_string()),
        }
    }
}

/// What every verb of the store returns.
pub type Result<T> = std::result::Result<T, StoreError>;
