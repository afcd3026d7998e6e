//! What is kept, and for how long.

pub(super) mod run;
pub(super) mod steps;
pub(super) mod unproven;
