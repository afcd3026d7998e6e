//! The writer thread. It takes everything queued, notifications first, into one transaction, and reports
//! success only when that is on disk. There is no timer: a batch is whatever queued while the last one was
//! synced. While notifications come, other work gets only a share of the time, and the rest of it waits (see
//! [`IntakePriority`]).

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, watch};

use super::checkpoint::Checkpoints;
use super::contention::Contention;
use super::job::{Job, Work};
use super::priority::IntakePriority;
use super::transaction::{WriteTransaction, execute, in_transaction};
use crate::store::error::StoreError;
use crate::store::file::schema::SCHEMA_VERSION;

/// Maximum number of jobs of a kind in one transaction: more would delay the first of them without saving
/// anything.
const LARGEST_BATCH: usize = 512;

/// State of the writer thread. The checkpoints end before the connection is closed.
pub(super) struct WriterThread {
    checkpoints: Checkpoints,
    conn: Connection,
    queue: Receiver<Job>,
    pending: Pending,
    priority: IntakePriority,
    is_ending: Arc<AtomicBool>,
    signals: Arc<WriterSignals>,
    /// How long it waits for another program's lock; `None`: without limit.
    patience: Option<Duration>,
}

/// Signals of the writer besides its replies.
#[derive(Debug)]
pub(in crate::store) struct WriterSignals {
    /// Committed transactions that changed something.
    pub(in crate::store) commits: watch::Sender<u64>,
    /// Rung for each transaction with notifications in it.
    pub(in crate::store) appended: Arc<Notify>,
    /// Its turns, and the lock that keeps it from writing.
    pub(in crate::store) contention: Contention,
    /// Bytes of the WAL that are not checkpointed.
    pub(in crate::store) log_left: Arc<AtomicU64>,
}

impl WriterSignals {
    pub(in crate::store) fn new(path: &Path) -> Self {
        let (appended, log_left) = Default::default();
        let commits = watch::Sender::new(0);
        Self { commits, appended, contention: Contention::new(path), log_left }
    }
}

/// Jobs received but not written yet, oldest first.
#[derive(Default)]
struct Pending {
    notifications: VecDeque<Job>,
    /// Other work; it yields to notifications.
    work: VecDeque<Job>,
    /// Other work that goes last.
    last: VecDeque<Job>,
}

impl Pending {
    fn push(&mut self, job: Job) {
        let pile = if job.is_intake() {
            &mut self.notifications
        } else if job.goes_last {
            &mut self.last
        } else {
            &mut self.work
        };
        pile.push_back(job);
    }

    fn has_work(&self) -> bool {
        !self.work.is_empty() || !self.last.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.notifications.is_empty() && !self.has_work()
    }
}

impl WriterThread {
    /// A writer thread for `queue`, which ends when the queue is empty and `is_ending`.
    pub(in crate::store) fn new(
        path: &Path,
        conn: Connection,
        queue: Receiver<Job>,
        is_ending: Arc<AtomicBool>,
        signals: Arc<WriterSignals>,
        patience: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let checkpoints = Checkpoints::start(path, Arc::clone(&signals.log_left))?;
        let (pending, priority) = (Pending::default(), IntakePriority::default());
        Ok(Self { checkpoints, conn, queue, pending, priority, is_ending, signals, patience })
    }

    /// Writes until the end.
    pub(in crate::store) fn run(&mut self) {
        while self.waits_for_jobs() {
            self.write();
        }
        // Afterwards the database file alone has everything, even if another process has it open. Nothing
        // waits for this.
        if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            log::warn!("the last writes stay in the WAL: {error}");
        }
    }

    /// Waits until there is something to write: a notification, or other work that need not wait for one.
    /// `false`: there will be nothing more.
    fn waits_for_jobs(&mut self) -> bool {
        while self.pending.notifications.is_empty() {
            let received = match self.queue.try_recv() {
                Ok(job) => Ok(job),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) if self.is_ending() => return self.pending.has_work(),
                Err(TryRecvError::Empty) if !self.pending.has_work() => self.queue.recv().map_err(Into::into),
                Err(TryRecvError::Empty) => match self.priority.waits(Instant::now()) {
                    Some(wait) => self.queue.recv_timeout(wait),
                    None => return true,
                },
            };
            match received {
                Ok(job) => self.pending.push(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.pending.has_work(),
            }
        }
        true
    }

    /// Takes the lock, runs everything that has queued meanwhile, and commits it.
    fn write(&mut self) {
        if !self.takes_lock() {
            return;
        }
        let changes_before = self.conn.total_changes();
        self.receive();
        let mut transaction = WriteTransaction::default();
        let notifications = self.pending.notifications.len().min(LARGEST_BATCH);
        for job in self.pending.notifications.drain(..notifications) {
            transaction.take(job, &self.conn);
        }
        transaction.append(&self.conn);
        let has_intake = notifications > 0;
        let began = Instant::now();
        let has_worked =
            (!has_intake || self.priority.lets_work(began)) && self.work(&mut transaction, has_intake);
        self.commit(transaction, changes_before);
        let ended = Instant::now();
        if has_intake {
            self.priority.acknowledged(ended);
        }
        if has_worked {
            // Most pages that such a commit writes belong to that work.
            self.priority.worked(began, ended);
        }
        self.checkpoints.committed(&self.conn);
    }

    /// Waits for the write lock as long as a job waits for it. `false`: no job does any more.
    fn takes_lock(&mut self) -> bool {
        loop {
            self.signals.contention.beat();
            match execute(&self.conn, "BEGIN IMMEDIATE").map_err(StoreError::from) {
                Ok(()) => {
                    self.signals.contention.got();
                    return true;
                }
                Err(StoreError::Locked(_)) => {
                    let held = self.signals.contention.met(Instant::now());
                    self.receive();
                    self.pending.notifications.retain(|job| !job.is_abandoned());
                    if self.pending.is_empty() {
                        return false;
                    }
                    if self.is_ending() || self.patience.is_some_and(|patience| held >= patience) {
                        let why = self.signals.contention.gives_up();
                        self.fail(&why);
                        return false;
                    }
                }
                Err(error) => {
                    self.fail(&error);
                    return false;
                }
            }
        }
    }

    /// Runs other work, as much as fits into one transaction; returns whether there was any.
    fn work(&mut self, transaction: &mut WriteTransaction, has_intake: bool) -> bool {
        let began = Instant::now();
        let share = self.priority.share(has_intake, began);
        let mut taken = 0;
        while taken < LARGEST_BATCH
            && let Some(job) = self.pending.work.pop_front()
        {
            transaction.take(job, &self.conn);
            taken += 1;
            if began.elapsed() >= share {
                break;
            }
        }
        self.receive();
        for job in self.pending.last.drain(..) {
            transaction.take(job, &self.conn);
            taken += 1;
        }
        transaction.close_group(&self.conn);
        taken > 0
    }

    /// Drains the channel into the pending queues.
    fn receive(&mut self) {
        while let Ok(job) = self.queue.try_recv() {
            self.pending.push(job);
        }
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    fn commit(&mut self, transaction: WriteTransaction, changes_before: u64) {
        let committed =
            in_transaction(&self.conn).and_then(|conn| execute(conn, "COMMIT").map_err(StoreError::from));
        if let Err(error) = &committed {
            if !matches!(error, StoreError::Damaged(_)) {
                let writes = transaction.appended.len() + transaction.worked.len();
                log::error!("{writes} writes failed: {error:#}");
            }
            if !self.conn.is_autocommit()
                && let Err(error) = execute(&self.conn, "ROLLBACK")
            {
                log::error!("could not roll back: {error}");
            }
            overwrite_failed(&self.conn);
        } else if self.conn.total_changes() != changes_before {
            self.signals.commits.send_modify(|commits| *commits += 1);
        }
        let outcome = || committed.clone();
        if !transaction.appended.is_empty() {
            self.signals.appended.notify_one();
        }
        for (reply, appended) in transaction.appended {
            // The client may have hung up. The row stays, because delivery is at least once.
            let _ = reply.send(outcome().and(appended));
        }
        for work in transaction.worked {
            work.finish(outcome());
        }
    }

    /// Reports to all waiting callers that nothing was written.
    fn fail(&mut self, why: &StoreError) {
        self.receive();
        let Pending { notifications, work, last } = std::mem::take(&mut self.pending);
        let jobs: Vec<Job> = notifications.into_iter().chain(work).chain(last).collect();
        // A command reports this itself.
        let is_told = matches!(why, StoreError::Damaged(_)) || self.patience.is_some();
        if !is_told {
            log::error!("{} writes failed: {why:#}", jobs.len());
        }
        for job in jobs.into_iter().filter(Job::is_taken) {
            match job.what {
                Work::Insert(_, reply) => drop(reply.send(Err(why.clone()))),
                Work::Isolated(mut work) | Work::Batched(mut work) => {
                    work.run(Err(why.clone()));
                    work.finish(Ok(()));
                }
            }
        }
    }
}

/// A transaction whose sync failed is in the WAL all the same, complete, and the recovery after a crash would
/// take it for committed. The next commit overwrites it: this one, which changes nothing.
fn overwrite_failed(conn: &Connection) {
    if let Err(error) = conn.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}")) {
        log::debug!("cannot overwrite the failed transaction yet: {error}");
    }
}
