//! A pool of connections that cannot write, used on blocking threads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use super::damage::Damage;
use super::{connection, open};
use crate::store::error::{Result, StoreError};

/// Maximum number of reader connections; reports and metrics do not need more.
const CONNECTIONS: u32 = 4;

/// The readers' connections; clones share them.
#[derive(Clone, Debug)]
pub(in crate::store) struct Pool {
    pool: r2d2::Pool<SqliteConnectionManager>,
    path: Arc<Path>,
    damage: Damage,
}

impl Pool {
    /// Opens an existing store for reading.
    pub(in crate::store) fn open(path: &Path) -> anyhow::Result<Self> {
        drop(connection::open_reader(path)?);
        let manager = SqliteConnectionManager::file(path)
            .with_flags(open::reader_flags())
            .with_init(|conn| connection::reader_pragmas(conn));
        let pool = r2d2::Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(0))
            .idle_timeout(Some(Duration::from_secs(60)))
            .connection_timeout(Duration::from_secs(10))
            .build_unchecked(manager);
        Ok(Self { pool, path: path.into(), damage: Damage::none(path) })
    }

    /// Runs `work` on a blocking thread; its statements all see one state of the store.
    pub(in crate::store) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut conn = pool.get().map_err(|error| StoreError::Failed(error.to_string()))?;
            let transaction = conn.transaction()?;
            work(&transaction)
        });
        self.damage.note(done.await.map_err(|error| StoreError::Failed(error.to_string()))?)
    }

    /// Where the file is.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// The damage found, shared with the writer.
    pub(in crate::store) fn damage(&self) -> &Damage {
        &self.damage
    }
}
