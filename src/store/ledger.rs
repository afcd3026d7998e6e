//! Store operations for shipping to the ledger: read the next rows, and record how far the ledger is.

use rusqlite::Connection;
use tokio::sync::watch;

use super::Store;
use super::changes::{batch, log, progress, state};
use super::error::Result;
use super::reader::Reader;
use crate::domain::Timestamp;
use crate::domain::shipping::{BatchLimit, ChangeBatch, Include, LedgerState, Position};

impl Store {
    /// Keeps a change log for a ledger from now on, or none. Where the ledger is new, or gets other columns than before,
    /// it is filled from the start.
    pub async fn keep_change_log(&self, ledger: Option<Include>, now: Timestamp) -> Result<()> {
        match ledger {
            Some(include) => self.writer.run(move |conn| log::turn_on(conn, &include, now)).await,
            None => {
                if self.reader().ledger().await?.is_some() {
                    self.writer.run(log::turn_off).await?;
                }
                while self.reader().pool().read(log::has_left).await? {
                    self.writer.run(log::clear).await?;
                }
                Ok(())
            }
        }
    }

    /// Where shipping goes on after a connection to a ledger that has got to `there`; `None`: it holds no position of this
    /// file. Where the two do not fit, the ledger is filled from the start. `None` where no ledger is configured.
    pub async fn resume_shipping(&self, there: Option<Position>, now: Timestamp) -> Result<Option<Position>> {
        self.writer.run(move |conn| progress::resumed(conn, there.as_ref(), now)).await
    }

    /// The ledger has confirmed everything up to `through`; with `until`, everything that was in the store at that time.
    /// `false`: that is of an earlier filling, or no ledger is configured any more; then nothing is recorded.
    ///
    /// # Errors
    /// The store failed; then the ledger tells its position at the next connection.
    pub async fn shipped(&self, through: Position, until: Option<Timestamp>, now: Timestamp) -> Result<bool> {
        self.writer.run(move |conn| progress::shipped(conn, &through, until, now)).await
    }

    /// Nothing can be shipped; `error` is one line without a secret, `passes` where trying again may help by itself.
    pub async fn shipping_failed(&self, error: String, passes: bool, now: Timestamp) -> Result<()> {
        self.writer.run(move |conn| progress::failed(conn, &error, passes, now)).await
    }

    /// Told after each commit that changed something through this store; not of those of other processes.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.writer.written()
    }
}

impl Reader {
    /// The next rows behind `from`, and how far the ledger gets with them. Where both are equal nothing is to be shipped.
    /// `None` where `from` is of an earlier filling, or no ledger is configured any more.
    pub async fn changes(&self, from: Position, limit: BatchLimit) -> Result<Option<ChangeBatch>> {
        self.pool().read(move |conn| batch::next(conn, &from, limit)).await
    }

    /// What is known of the ledger; `None` where none is configured.
    pub async fn ledger(&self) -> Result<Option<LedgerState>> {
        self.pool().read(state::look).await
    }

    /// The random id of the file; `None`: a copy that no `serve` has opened yet.
    pub async fn file_id(&self) -> Result<Option<String>> {
        let read = |conn: &Connection| Ok(conn.query_row("SELECT file FROM identity", [], |row| row.get(0))?);
        self.pool().read(read).await
    }
}
