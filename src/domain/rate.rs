//! How often something may happen.

use std::time::Duration;

/// At most `limit` times in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times; at least 1.
    pub limit: u32,
    /// In any stretch of this length.
    pub window: Duration,
}
