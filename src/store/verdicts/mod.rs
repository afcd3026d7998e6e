//! Claims and verdicts: every write to `verdicts` except to the columns of a lease.

pub(super) mod call;
pub(super) mod claims;
pub(super) mod confirm;
pub(super) mod decisions;
pub(super) mod hour_index;
pub(super) mod load;
pub(super) mod settle;
pub(super) mod supersede;
pub(super) mod truth;
