//! One connection to the ledger's PostgreSQL: statements, transactions and their timeout.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::ShipError;

/// Timeout of one statement, and of one attempt to connect.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Timeout of a disconnect, and of cancelling a statement.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A parameter and its type. Without the type, the library would prepare a named statement.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// One connection. No statement on it has a name, and nothing outlives its transaction, so a pooler may run
/// each transaction in another session.
pub(super) struct Session {
    /// `None` once it is closed.
    pub(super) client: Option<Client>,
    pub(super) tls: MakeRustlsConnect,
    pub(super) driver: JoinHandle<()>,
}

impl Session {
    /// Sends one unnamed statement; returns the number of rows changed.
    ///
    /// # Errors
    /// PostgreSQL's error, or a timeout after [`LIMIT`]; then the statement is cancelled, and the session
    /// must be dropped.
    pub(super) async fn execute(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, ShipError> {
        self.within_limit(self.client()?.execute_typed(sql, parameters)).await
    }

    /// Sends one unnamed statement; returns its rows.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub(super) async fn query(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, ShipError> {
        self.within_limit(self.client()?.query_typed(sql, parameters)).await
    }

    /// Sends several statements without parameters as one message.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub(super) async fn run(&self, sql: &str) -> Result<(), ShipError> {
        self.within_limit(self.client()?.batch_execute(sql)).await
    }

    /// Runs `work` in a transaction, which is committed if it succeeds.
    ///
    /// # Errors
    /// Those of `work` and of [`Session::execute`]. If the connection is lost at the end, the transaction may
    /// have been committed.
    pub(super) async fn transaction<T>(
        &self,
        work: impl Future<Output = Result<T, ShipError>>,
    ) -> Result<T, ShipError> {
        self.run("BEGIN").await?;
        let done = work.await;
        match &done {
            Ok(_) => self.run("COMMIT").await?,
            // PostgreSQL rolls it back by itself.
            Err(ShipError::Lost(_) | ShipError::Timeout) => {}
            Err(_) => self.run("ROLLBACK").await?,
        }
        done
    }

    async fn within_limit<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, ShipError> {
        match tokio::time::timeout(LIMIT, work).await {
            Ok(done) => Ok(done?),
            Err(_) => {
                let cancelling = self.client()?.cancel_token();
                // If that fails, PostgreSQL notices by itself that the connection is gone.
                drop(tokio::time::timeout(CLOSE_TIMEOUT, cancelling.cancel_query(self.tls.clone())).await);
                Err(ShipError::Timeout)
            }
        }
    }

    fn client(&self) -> Result<&Client, ShipError> {
        self.client.as_ref().ok_or_else(|| ShipError::Lost("the connection is closed".to_owned()))
    }

    /// Closes the connection properly, if the server still responds.
    pub(super) async fn close(mut self) {
        self.client = None;
        drop(tokio::time::timeout(CLOSE_TIMEOUT, &mut self.driver).await);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
