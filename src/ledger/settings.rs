//! What is known of a ledger before it is asked.

use std::path::PathBuf;

use secrecy::SecretString;

use super::connect::{Connector, Session, Target};
use super::failure::Failure;
use crate::domain::shipping::Include;

/// The `[ledger]` table, as far as shipping needs it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the engine is.
    pub target: Target,
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

impl Settings {
    /// A connection to the engine.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn connect(&self) -> Result<Session, Failure> {
        let connector = Connector::new(&self.target, self.password.as_ref(), self.ca_file.as_deref());
        connector.map_err(Failure::Refused)?.connect().await
    }
}
