//! The store: one SQLite file, behind verbs of the domain. No other room mentions SQLite, and none of its
//! types leaves this room, so another engine could implement the same verbs.
//!
//! One thread writes ([`writer`] is its handle, [`writer::thread`] its loop), in transactions that take everything
//! queued. Many connections read, and cannot write. A service or a changing command holds a [`Store`] (the worker's
//! operations are in [`work`]); everything else gets a [`Reader`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;
use tokio::sync::Notify;

use self::deliveries::Outbox;
use self::file::{connection, migrations, open};
use self::reconcile::compare;
use self::retention::run::Retention;
use self::retention::unshipped::is_short;
use self::verdicts::supersede::Settled;
use self::verdicts::{claims, decisions, supersede};
use self::writer::handle::Writer;
use self::writer::{contention, intake};
use crate::domain::{RawNotification, Timestamp, Window};

mod alerts;
mod changes;
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

/// Joined by [`Store::close`].
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

    /// Records parsed notifications, except those that are recorded already. The writer has them when this returns, in
    /// the order of the calls; the future waits for the outcome.
    pub fn record(
        &self,
        parsed: Vec<ParsedNotification>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<FirstVerdict>>> {
        self.record_after(0, parsed, now)
    }

    /// Like [`Store::record`], for notifications that were parsed before those up to `after` are recorded.
    ///
    /// # Errors
    /// The write failed, or earlier notifications are not recorded. Then these are not either, because skipped ones
    /// would not be found again.
    pub fn record_after(
        &self,
        after: i64,
        parsed: Vec<ParsedNotification>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<FirstVerdict>>> {
        let rows_to_write: Vec<_> = parsed.iter().map(claims::VerdictRow::of).collect();
        drop(parsed);
        self.writer.run_batched(move |conn| claims::record(conn, after, &rows_to_write, now))
    }

    /// Resets at most [`ROWS_AT_ONCE`] notifications, to be verified again, and ends the pauses of their sources.
    /// `by` becomes the detail of those that are pending then.
    pub async fn retry(
        &self,
        parsed: Vec<ParsedNotification>,
        by: Option<&'static str>,
        now: Timestamp,
    ) -> Result<Vec<Decided>> {
        let sources: BTreeSet<String> =
            parsed.iter().map(|parsed| parsed.notification.source.clone()).collect();
        let rows_to_write: Vec<_> =
            parsed.iter().map(|parsed| claims::VerdictRow::of(parsed).decided_by(by)).collect();
        drop(parsed);
        let decided = self.writer.run(move |conn| decisions::retry(conn, &rows_to_write, now)).await?;
        if decided.iter().any(|decided| matches!(decided, Decided::Done(_))) {
            for source in sources {
                self.resume(source, now).await?;
            }
        }
        Ok(decided)
    }

    /// Dismisses at most [`ROWS_AT_ONCE`] undecided notifications.
    pub async fn dismiss(&self, ids: Vec<i64>, note: Option<String>, now: Timestamp) -> Result<Vec<Decided>> {
        self.writer.run(move |conn| decisions::dismiss(conn, &ids, note.as_deref(), now)).await
    }

    /// Compares a shop's answer about one order with the store, in one transaction: the answer is stored in
    /// `orders`, and if requested, a missed or drifted order becomes a confirmed notification.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn compare_order(&self, comparison: OrderComparison, now: Timestamp) -> Result<ComparedOrder> {
        let subscriptions = self.outbox.subscriptions.load_full();
        let recovers = comparison.recovers;
        let compare_order =
            move |conn: &Connection| compare::compare_order(conn, &comparison, &subscriptions, now);
        let (compared, left) = self.writer.run(compare_order).await?;
        if recovers
            && matches!(&compared, ComparedOrder::Compared(Some(finding)) if finding.notification_id.is_some())
        {
            self.outbox.changed.send_replace(());
        }
        self.supersede(left, now).await?;
        Ok(compared)
    }

    /// Supersedes notifications that were too many for the transaction of a verdict; returns those that
    /// moved.
    async fn supersede(&self, mut left: Option<Settled>, now: Timestamp) -> Result<Vec<StateChange>> {
        let mut moved = Vec::new();
        while let Some(settled) = left {
            let spread = move |conn: &Connection| supersede::spread(conn, settled.clone(), now);
            let (superseded, rest) = self.writer.run_batched(spread).await?;
            moved.extend(superseded.into_iter().map(StateChange::superseded));
            left = rest;
        }
        Ok(moved)
    }

    /// Records a complete `reconcile` over everything since the last one: the windows of its sources.
    pub async fn complete_reconcile(&self, windows: Vec<(String, Window)>, now: Timestamp) -> Result<()> {
        self.writer.run(move |conn| compare::complete(conn, &windows, now)).await
    }

    /// Stores the report of a `reconcile` as JSON, in place of the previous one.
    pub async fn remember_reconcile(&self, report: String, made_at: Timestamp) -> Result<()> {
        self.writer.run(move |conn| compare::remember(conn, &report, made_at)).await
    }

    fn retention(&self) -> Retention<'_> {
        Retention { writer: &self.writer, pool: self.reader.pool(), path: &self.path }
    }

    /// Applies all retention rules once.
    ///
    /// # Errors
    /// A step failed. The steps before it stay done.
    pub async fn retain(&self, rules: &RetentionPolicy, now: Timestamp) -> Result<Removed> {
        self.retention().retain(rules, now).await
    }

    /// Applies `max_unproven` if a flood exceeds it by a tenth.
    ///
    /// # Errors
    /// Like [`Store::retain`].
    pub async fn enforce_unproven(&self, rules: &RetentionPolicy) -> Result<Removed> {
        self.retention().enforce_unproven(rules).await
    }

    /// Whether the disk is so full that nothing is kept for the ledger.
    #[must_use]
    pub fn is_short_of_disk(&self, min_free: u64) -> bool {
        is_short(&self.path, min_free)
    }

    /// Removes every settled notification received before `before`, with its duplicates; calls `progress` with the
    /// number removed in each step. Rows that the ledger does not have yet stay for 30 days, unless the disk has little
    /// more than `min_free` bytes left.
    ///
    /// # Errors
    /// A step failed. The removals before it stay done.
    pub async fn prune(
        &self,
        before: Timestamp,
        min_free: u64,
        now: Timestamp,
        progress: impl FnMut(u64),
    ) -> Result<SettledCount> {
        self.retention().prune(before, min_free, now, progress).await
    }
}
