//! What is known of a ledger before it is asked.

use std::path::PathBuf;

use secrecy::SecretString;

use super::connect::{Connector, LedgerUrl, Session};
use super::failure::ShipError;
use crate::domain::shipping::Include;

/// The `[ledger]` table, as far as shipping needs it.
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    /// Where the engine is.
    pub target: LedgerUrl,
    /// What it asks for.
    pub password: Option<SecretString>,
    /// The certificates that its own is verified against; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// The schema.
    pub schema: String,
    /// The name of this file in the ledger.
    pub node: String,
    /// What is shipped beside the rest.
    pub include: Include,
}

impl LedgerSettings {
    /// A connection to the engine.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn connect(&self) -> Result<Session, ShipError> {
        let connector = Connector::new(&self.target, self.password.as_ref(), self.ca_file.as_deref());
        connector.map_err(ShipError::Refused)?.connect().await
    }
}
