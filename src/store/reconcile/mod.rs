//! Compares a shop's orders with the store.

pub(super) mod compare;
pub(super) mod known;
