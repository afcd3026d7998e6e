//! A shop's list of orders beside what is known.

pub(super) mod compare;
pub(super) mod known;
