//! The queue of questions: leases, fair queueing, rate limits, and the pauses of failing sources.

pub(super) mod clock_step;
pub(super) mod fairness;
pub(super) mod lease;
pub(super) mod pauses;
pub(super) mod rate_limit;
pub(super) mod release;
