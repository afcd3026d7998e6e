//! Panics, contained: work that panics costs what it was about, and not the service. The log tells where it happened.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

/// Work that panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("countersign panicked over it; the log of that moment says where: please report that")]
pub struct Panicked;

/// Runs `work`, of which nothing that it may have left half done is used after a panic.
///
/// # Errors
/// It panicked.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// As [`contained`], for work that waits.
///
/// # Errors
/// It panicked.
pub async fn contained_async<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}
