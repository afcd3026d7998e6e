//! The check of the ledger: whether this file could ship to it now.

use super::{CommandError, Findings};
use crate::config::Settings;
use crate::ledger::{self, NodeState};
use crate::service::ledger_settings;
use crate::store::Store;

pub(super) async fn check(
    findings: &mut Findings,
    settings: &Settings,
    store: Option<&Store>,
) -> Result<(), CommandError> {
    let Some(ledger) = ledger_settings(settings) else { return Ok(()) };
    let file = match store {
        Some(store) => store.reader().file_id().await?,
        None => None,
    };
    let (node, schema) = (&ledger.node, &ledger.schema);
    match ledger::examine(&ledger, file.as_deref()).await {
        Err(failure) => findings.bad(format!("ledger: {failure}")),
        Ok(NodeState::Ours) => {
            findings.good(format!("ledger: can be reached; node {node} belongs to this file"))
        }
        Ok(NodeState::New) => findings.good(format!("ledger: can be reached; node {node} has no rows yet")),
        Ok(NodeState::ToBeMade) => {
            findings.good(format!("ledger: can be reached; serve will create or upgrade the schema {schema}"))
        }
    }
}
