//! Contains panics, so that a panic fails one piece of work and not the service. The log says where it happened.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("countersign panicked on it; the log says where; please report this")]
pub struct Panicked;

/// Runs `work`. After a panic, do not use anything that it may have left half done.
///
/// # Errors
/// The work panicked.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// Like [`contained`], for a future.
///
/// # Errors
/// The work panicked.
pub async fn contained_async<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}
