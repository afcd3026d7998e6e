//! The one writer: its handle, its thread, its transactions, and their priorities.

pub(super) mod checkpoint;
pub(super) mod contention;
pub(super) mod handle;
pub(super) mod intake;
pub(super) mod job;
pub(super) mod priority;
pub(super) mod rows;
pub(super) mod thread;
pub(super) mod transaction;
pub(super) mod trial;
