//! The settings of a ledger.

use std::path::PathBuf;

use secrecy::SecretString;

use super::connect::Connector;
use super::failure::ShipError;
use super::session::Session;
use super::url::LedgerUrl;
use crate::domain::shipping::Include;

/// The `[ledger]` table, as far as shipping needs it.
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    pub target: LedgerUrl,
    /// The password, if there is one.
    pub password: Option<SecretString>,
    /// The certificates that the server's is verified against; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// The schema that holds the tables.
    pub schema: String,
    /// The name of this file in the ledger.
    pub node: String,
    /// The optional columns and tables that are shipped.
    pub include: Include,
}

impl LedgerSettings {
    /// Opens a connection.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(&self) -> Result<Session, ShipError> {
        let connector = Connector::new(&self.target, self.password.as_ref(), self.ca_file.as_deref());
        connector.map_err(ShipError::Refused)?.connect().await
    }
}
