//! Who is asked about next: leases, fair queueing, rate limits, and the pauses of sources that fail.

pub(super) mod clock_step;
pub(super) mod fairness;
pub(super) mod lease;
pub(super) mod pauses;
pub(super) mod rate_limit;
