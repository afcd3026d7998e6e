//! Store operations for shipping to the ledger: read the next rows, and record the position of the ledger.

use rusqlite::Connection;
use tokio::sync::watch;

use super::Store;
use super::changes::{batch, log, progress, state};
use super::error::Result;
use super::reader::Reader;
use crate::domain::Timestamp;
use crate::domain::shipping::{BatchLimit, ChangeBatch, Include, LedgerState, Position};

impl Store {
    /// Starts or stops the change log. If the ledger is new, or includes other data than before, it is filled
    /// from the start.
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

    /// The position to continue from with a ledger that has reached `there`; `None`: it has no position of
    /// this file. If the two do not match, the ledger is filled from the start. `None` if no ledger is
    /// configured.
    pub async fn resume_shipping(&self, there: Option<Position>, now: Timestamp) -> Result<Option<Position>> {
        self.writer.run(move |conn| progress::resumed(conn, there.as_ref(), now)).await
    }

    /// Records that the ledger has confirmed everything up to `through`, and with `until`, everything in the
    /// store at that time. `false`: it belongs to an earlier filling, or no ledger is configured any more;
    /// nothing is recorded.
    ///
    /// # Errors
    /// The store failed; the ledger reports its position at the next connection.
    pub async fn shipped(&self, through: Position, until: Option<Timestamp>, now: Timestamp) -> Result<bool> {
        self.writer.run(move |conn| progress::shipped(conn, &through, until, now)).await
    }

    /// Records a failure; `error` is one line without a secret, and `passes` says whether retrying may help
    /// by itself.
    pub async fn shipping_failed(&self, error: String, passes: bool, now: Timestamp) -> Result<()> {
        self.writer.run(move |conn| progress::failed(conn, &error, passes, now)).await
    }

    /// Notified after each commit that changed something through this store, but not after commits of other
    /// processes.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.writer.signals().commits.subscribe()
    }
}

impl Reader {
    /// The next rows after `from`, and the position that they reach. If both positions are equal, there is
    /// nothing to ship. `None` if `from` belongs to an earlier filling, or no ledger is configured any more.
    pub async fn changes(&self, from: Position, limit: BatchLimit) -> Result<Option<ChangeBatch>> {
        self.pool().read(move |conn| batch::next(conn, &from, limit)).await
    }

    /// The state of the ledger; `None` if none is configured.
    pub async fn ledger(&self) -> Result<Option<LedgerState>> {
        self.pool().read(state::status).await
    }

    /// Those of these notifications that the file does not have.
    pub async fn removed(&self, ids: Vec<i64>) -> Result<Vec<i64>> {
        let look = move |conn: &Connection| {
            let mut is_kept = conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM intake WHERE id = ?1)")?;
            let mut removed = Vec::new();
            for id in ids {
                if !is_kept.query_row([id], |row| row.get::<_, bool>(0))? {
                    removed.push(id);
                }
            }
            Ok(removed)
        };
        self.pool().read(look).await
    }

    /// The random id of the file; `None`: a copy that no `serve` has opened yet.
    pub async fn file_id(&self) -> Result<Option<String>> {
        let read = |conn: &Connection| Ok(conn.query_row("SELECT file FROM identity", [], |row| row.get(0))?);
        self.pool().read(read).await
    }
}
