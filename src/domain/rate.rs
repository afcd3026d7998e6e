//! A rate limit, as configured for a source or for sender addresses.

use std::time::Duration;

/// A limit on events in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Maximum number of events; at least 1.
    pub limit: u32,
    /// Length of the window.
    pub window: Duration,
}
