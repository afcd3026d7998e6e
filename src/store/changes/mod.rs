//! The changes of the store since it was last shipped to the ledger. Triggers write the change log, so that
//! no store operation can forget it; they exist only while a ledger is configured.

pub(super) mod batch;
pub(super) mod log;
pub(super) mod progress;
mod queries;
pub(super) mod state;
