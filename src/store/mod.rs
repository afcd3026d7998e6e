//! The store: one SQLite file, behind verbs of the domain. No other room mentions SQLite, and none of its
//! types leaves this room, so another engine could implement the same verbs.
//!
//! One thread writes ([`writer`] is its handle, [`writer::thread`] its loop), in transactions that take everything
//! queued. Many connections read, and cannot write. A service or a changing command holds a [`Store`]; everything else
//! gets a [`Reader`].
//!
//! This file opens and closes a store and has the operations of intake. The others are in a file for each user:
//!
//! | file | operations of |
//! |---|---|
//! | [`work`] | the worker: record, lease, settle, release, give up |
//! | [`outbox`] | the deliverer, and a person's decisions about deliveries |
//! | [`decisions`] | a person who decides about notifications |
//! | [`comparison`] | `reconcile` |
//! | [`removal`] | `prune` and the retention rules |
//! | [`ledger`] | the shipper to the ledger |
//! | [`alerts`] | the alerts and the heartbeat |
//! | [`write_checks`] | checks whether writing works |

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;
use tokio::sync::Notify;

use self::deliveries::Outbox;
use self::file::{connection, migrations, open};
use self::writer::handle::Writer;
use self::writer::{contention, intake};
use crate::domain::{RawNotification, Timestamp};

mod alerts;
mod changes;
mod comparison;
mod decisions;
mod deliveries;
mod error;
mod file;
mod ledger;
mod news;
mod outbox;
#[cfg(test)]
mod plans;
mod queue;
mod read;
mod reader;
mod reconcile;
mod removal;
mod retention;
mod rows;
#[cfg(test)]
mod statement_cost;
mod verdicts;
mod work;
mod write_checks;
mod writer;

pub use deliveries::Subscription;
pub use deliveries::decide::DeliveryDecided;
pub use deliveries::lease::{DeliveryRequest, LeasedDeliveries, LeasedDelivery};
pub use deliveries::list::{AttemptRow, DeliveryFilter, DeliveryRow};
pub use deliveries::page::{Deliveries, DeliveryQuery};
pub use deliveries::record::Recorded;
pub use error::{Result, StoreError};
pub use file::backup::{BackedUp, Backup, BackupStop};
pub use file::disk::{file_size, free_disk, wal_size};
pub use file::integrity::{LARGEST_THOROUGH, Soundness};
pub use file::lock::{ServeLock, VerifyLock, holder};
pub use file::schema::SCHEMA_VERSION;
pub use news::feed::{FeedEdge, NewsQuery};
pub use queue::lease::{Lease, LeaseRequest, Leased};
pub use queue::pauses::Outage;
pub use queue::rate_limit::{CallPermit, Grant};
pub use queue::release::LEASE_LENGTH;
pub use read::backlog::QueueLength;
pub use read::fakes_by_sender::{FakesBySender, FakesOfSender};
pub use read::lines::{Lines, NotificationLine, RowFilter};
pub use read::matching_ids::Filter;
pub use read::notifications::{Notification, VerificationRow};
pub use read::reports::Detail;
pub use read::subject::SubjectTruth;
pub use reader::Reader;
pub use reconcile::compare::{ComparedOrder, OrderComparison};
pub use retention::run::{Removed, RetentionPolicy};
pub use retention::steps::SettledCount;
pub use retention::unproven::UnprovenRoom;
pub use rows::BATCH_BYTES;
pub use verdicts::call::{StateChange, VerificationCall};
pub use verdicts::claims::{Batch, FirstVerdict, ParsedNotification};
pub use verdicts::decisions::{Decided, ROWS_AT_ONCE};
pub use writer::trial::{Trial, try_to_write};

/// A handle on the store that writes. Clones share the one writer.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Writer,
    reader: Reader,
    path: Arc<PathBuf>,
    thread: Arc<WriterJoin>,
    outbox: Outbox,
}

/// The writer's thread; [`Store::close`] takes it out and joins it.
#[derive(Debug)]
struct WriterJoin(Mutex<Option<JoinHandle<()>>>);

/// Creates an empty store with mode 0600 if there is no file; for `serve` and `demo` only.
///
/// # Errors
/// The file cannot be created.
pub fn create(path: &Path) -> anyhow::Result<()> {
    open::create(path)
}

/// Prepares the store for the `serve` that holds `lock`: sets up an empty one, and upgrades an older one after a
/// backup beside it that leaves `min_free` bytes of the disk free. Both are logged.
///
/// # Errors
/// The file cannot be written, is damaged, belongs to another program or to a newer version, or has lost
/// data; or the upgrade failed and was undone.
pub fn bring_up_to_date(path: &Path, lock: &ServeLock, min_free: u64, now: Timestamp) -> anyhow::Result<()> {
    migrations::bring_up_to_date(path, lock.mark().is_some(), min_free, now)
}

impl Store {
    /// An empty store for a test.
    #[cfg(test)]
    pub(crate) fn fresh(path: &Path) -> Self {
        create(path).unwrap();
        migrations::set_up(path).unwrap();
        Self::open(path).unwrap()
    }

    /// Opens an existing store for a command: writes fail after waiting 5 seconds for another program's lock.
    ///
    /// # Errors
    /// There is no file, or it cannot be opened, is empty, damaged, older or newer than this program, or another
    /// program's.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::open_with(path, Some(contention::PATIENCE_OF_COMMANDS))
    }

    /// Opens an existing store for a service, which waits for locks without limit; see [`Store::locked_for_long`].
    ///
    /// # Errors
    /// Like [`Store::open`].
    pub fn open_to_serve(path: &Path) -> anyhow::Result<Self> {
        Self::open_with(path, None)
    }

    fn open_with(path: &Path, patience: Option<Duration>) -> anyhow::Result<Self> {
        let conn = connection::open_writer(path)?;
        let reader = Reader::open(path)?;
        let damage = reader.pool().damage().clone();
        let (writer, thread) =
            Writer::start(path, conn, damage, patience).context("start the store's writer")?;
        let thread = Arc::new(WriterJoin(Mutex::new(Some(thread))));
        Ok(Self { writer, reader, path: Arc::new(path.to_path_buf()), thread, outbox: Outbox::default() })
    }

    /// A handle that only reads.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of transactions that the writer has committed.
    #[must_use]
    pub fn commits(&self) -> u64 {
        *self.writer.signals().commits.borrow()
    }

    /// Waits until the writer ends. Without [`Store::close`] that is a fault, after which nothing is written.
    pub async fn writer_ended(&self) {
        self.writer.ended().await;
    }

    /// Makes the writer panic, for tests.
    #[cfg(test)]
    pub fn kill_writer(&self) {
        self.writer.kill();
    }

    /// Rung whenever notifications were stored.
    #[must_use]
    pub fn stored(&self) -> Arc<Notify> {
        Arc::clone(&self.writer.signals().appended)
    }

    /// Closes the store for every handle, after everything queued is written. Later writes are refused.
    pub fn close(self) {
        let Self { writer, reader, thread, .. } = self;
        drop(reader);
        writer.end();
        let thread = thread.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the store's writer panicked");
        }
    }

    /// Stores a notification as received; returns its id once it is on disk. On an error nothing is stored.
    ///
    /// # Errors
    /// The queue is full, the store is locked for 3 seconds or closing, or the disk does not take it.
    pub async fn append(&self, notification: RawNotification) -> Result<i64> {
        self.append_holding(notification, ()).await
    }

    /// Like [`Store::append`]; `held` is dropped when the notification is on disk or refused, even if the
    /// caller is gone by then.
    ///
    /// # Errors
    /// Like [`Store::append`].
    pub async fn append_holding(
        &self,
        notification: RawNotification,
        held: impl Send + 'static,
    ) -> Result<i64> {
        intake::append(&self.writer, notification, Box::new(held)).await
    }

    /// Counts a request to a configured source that was not stored.
    ///
    /// # Errors
    /// Like [`Store::append`].
    pub async fn count_refusal(
        &self,
        source: &str,
        cause: &'static str,
        remote_addr: &str,
        at: Timestamp,
    ) -> Result<()> {
        intake::count_refusal(&self.writer, source.to_owned(), cause, remote_addr.to_owned(), at).await
    }

    /// Registers the configured sources (name, provider). Returns those whose name belongs to another provider, with
    /// that provider.
    ///
    /// # Errors
    /// The write failed, or another program has held the lock for 5 seconds.
    pub async fn introduce_sources(
        &self,
        sources: Vec<(String, &'static str)>,
        now: Timestamp,
    ) -> Result<Vec<(String, String)>> {
        let work = move |conn: &Connection| {
            let mut taken = Vec::new();
            for (name, provider) in sources {
                if let Some(before) = rows::introduce_source(conn, &name, provider, now)? {
                    taken.push((name, before));
                }
            }
            Ok(taken)
        };
        self.writer.run_urgent(contention::PATIENCE_OF_COMMANDS, work).await
    }
}
