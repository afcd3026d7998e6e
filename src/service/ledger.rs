//! Runs the task that ships to the configured ledger.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::wiring::Common;
use crate::config::Settings;
use crate::domain::Timestamp;
use crate::ledger::{self, ShipperParts};

/// The ledger of these settings; `None` if there is none.
#[must_use]
pub fn ledger_settings(settings: &Settings) -> Option<Arc<ledger::LedgerSettings>> {
    settings.ledger.clone().map(Arc::new)
}

/// Ships to the ledger in force until `stop` is rung.
pub(super) async fn run(
    common: Common,
    settings: watch::Receiver<Option<Arc<ledger::LedgerSettings>>>,
    emptied: watch::Receiver<Option<Timestamp>>,
    stop: Arc<Notify>,
) {
    let Common { store, clock, .. } = common;
    ledger::run(ShipperParts { store, clock, settings, emptied }, stop).await;
}
