//! Integers as SQLite, Prometheus and the clock hold them.

/// `n` as an `i64`; a larger number becomes `i64::MAX`.
#[must_use]
pub fn whole(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}
