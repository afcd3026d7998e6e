//! Retention: removes and empties old rows.

pub(super) mod run;
pub(super) mod steps;
pub(super) mod unproven;
pub(super) mod unshipped;
