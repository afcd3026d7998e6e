//! The one writer. Whatever waits to be written, notifications above all, is taken into one transaction, and nobody
//! hears of success before that transaction is on disk. No timer: a batch is what queued while the last one was synced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::damage::Damage;
use super::error::{Result, StoreError};
use super::migrations::SCHEMA_VERSION;

/// Notifications that may wait for the writer; more are turned away at once.
const LONGEST_QUEUE: usize = 4096;

/// Jobs in one transaction: more would make the first of them wait without saving anything.
const LARGEST_BATCH: usize = 512;

/// How long a notification waits for the write lock before its sender is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

type Finish = Box<dyn FnOnce(Result<()>) + Send>;

/// Run inside the transaction; what it returns is told the outcome of the commit.
type Run = Box<dyn FnOnce(Result<&Connection>) -> Finish + Send>;

struct Job {
    run: Run,
    /// `None` for jobs whose sender never goes away.
    claim: Option<Arc<Claimed>>,
}

/// Settles the race between the writer taking a notification and its sender losing patience.
#[derive(Debug)]
struct Claimed(AtomicU8);

impl Claimed {
    const WAITING: u8 = 0;
    const TAKEN: u8 = 1;
    const ABANDONED: u8 = 2;

    fn take_if_waiting(&self, next: u8) -> bool {
        self.0.compare_exchange(Self::WAITING, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The way to the writer; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Arc<AtomicUsize>,
    is_ending: Arc<AtomicBool>,
    damage: Damage,
}

impl Writer {
    /// Starts the writer's thread. It ends when everything queued is written after [`Writer::end`], or after the last
    /// [`Writer`] is dropped.
    pub(super) fn start(conn: Connection, damage: Damage) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let is_ending = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&is_ending);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&conn, queue, &ending))?;
        Ok((Self { jobs, waiting: Arc::new(AtomicUsize::new(0)), is_ending, damage }, thread))
    }

    /// Ends the writer once everything queued is written, whoever else still has a way to it.
    pub(super) fn end(self) {
        self.is_ending.store(true, Ordering::Release);
        let wake: Run = Box::new(|_| Box::new(|_| ()));
        // A writer that has ended already needs no waking.
        let _ = self.jobs.send(Job { run: wake, claim: None });
    }

    /// Runs `work` inside the next transaction; returns when that is on disk. `work` is undone alone if it fails.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.damage.refuse()?;
        let (reply, outcome) = oneshot::channel();
        let run = job(reply, move |conn| in_savepoint(conn, work));
        self.jobs.send(Job { run, claim: None }).map_err(|_| StoreError::Closed)?;
        self.damage.note(outcome.await.map_err(|_| StoreError::Closed)?)
    }

    /// As [`Writer::write`] for the receiver: `work` is one statement; a full queue and a lock held too long are
    /// errors, and after an error nothing is written.
    pub(super) async fn append<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.damage.refuse()?;
        let place = Place::take(&self.waiting).ok_or(StoreError::Full)?;
        let claim = Arc::new(Claimed(AtomicU8::new(Claimed::WAITING)));
        let (reply, mut outcome) = oneshot::channel();
        let run = job(reply, move |conn| {
            drop(place);
            work(conn)
        });
        self.jobs.send(Job { run, claim: Some(Arc::clone(&claim)) }).map_err(|_| StoreError::Closed)?;
        let done = match tokio::time::timeout(PATIENCE, &mut outcome).await {
            Ok(outcome) => outcome.map_err(|_| StoreError::Closed)?,
            Err(_) if claim.take_if_waiting(Claimed::ABANDONED) => Err(StoreError::Locked),
            Err(_) => outcome.await.map_err(|_| StoreError::Closed)?,
        };
        self.damage.note(done)
    }
}

/// A place in the bounded queue.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(waiting));
        (waiting.fetch_add(1, Ordering::AcqRel) < LONGEST_QUEUE).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn job<T: Send + 'static>(
    reply: oneshot::Sender<Result<T>>,
    work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> Run {
    Box::new(move |conn| {
        let done = conn.and_then(work);
        Box::new(move |committed| {
            // Nobody listens any more when a client hung up; the row stays, at least once is kept.
            let _ = reply.send(committed.and(done));
        })
    })
}

fn in_savepoint<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    conn.prepare_cached("SAVEPOINT job")?.execute([])?;
    let done = work(conn);
    if done.is_err() && !conn.is_autocommit() {
        conn.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !conn.is_autocommit() {
        conn.prepare_cached("RELEASE job")?.execute([])?;
    }
    done
}

fn run(conn: &Connection, mut queue: mpsc::UnboundedReceiver<Job>, is_ending: &AtomicBool) {
    let mut batch = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        if is_ending.load(Ordering::Acquire) {
            queue.close();
        }
        batch.push(first);
        write_batch(conn, &mut queue, &mut batch);
    }
    // The one file then holds everything, whoever else has it open; it makes nobody wait.
    if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        log::warn!("the last writes stay in the write-ahead log beside the store: {error}");
    }
}

/// Takes the lock, fills the batch with all that has queued meanwhile, and commits it.
fn write_batch(conn: &Connection, queue: &mut mpsc::UnboundedReceiver<Job>, batch: &mut Vec<Job>) {
    loop {
        match conn.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from) {
            Ok(()) => break,
            Err(StoreError::Locked) => {
                batch.retain(|job| {
                    job.claim
                        .as_ref()
                        .is_none_or(|claim| claim.0.load(Ordering::Acquire) != Claimed::ABANDONED)
                });
                if batch.is_empty() {
                    return;
                }
                if queue.is_closed() && queue.is_empty() {
                    return fail(batch, &StoreError::Locked);
                }
            }
            Err(error) => return fail(batch, &error),
        }
    }
    while batch.len() < LARGEST_BATCH
        && let Ok(job) = queue.try_recv()
    {
        batch.push(job);
    }
    let mut finishes = Vec::with_capacity(batch.len());
    for job in batch.drain(..) {
        if job.claim.as_ref().is_none_or(|claim| claim.take_if_waiting(Claimed::TAKEN)) {
            // The engine rolls back by itself when the disk is full: what comes after must not run outside of it.
            let conn = if conn.is_autocommit() {
                Err(StoreError::Engine("the transaction was rolled back".to_owned()))
            } else {
                Ok(conn)
            };
            finishes.push((job.run)(conn));
        }
    }
    let committed = if conn.is_autocommit() {
        Err("the transaction was rolled back; is the disk full?".to_owned())
    } else {
        conn.execute_batch("COMMIT").map_err(|error| error.to_string())
    };
    if let Err(error) = &committed {
        log::error!("the store did not take {} writes: {error}", finishes.len());
        if !conn.is_autocommit()
            && let Err(error) = conn.execute_batch("ROLLBACK")
        {
            log::error!("the store could not roll back: {error}");
        }
        overwrite_failed(conn);
    }
    for finish in finishes {
        finish(committed.clone().map_err(StoreError::Engine));
    }
}

/// A transaction whose sync failed stands in the write-ahead log all the same, whole, and the recovery after a crash would
/// take it for committed. The next commit is written over it: this one, which changes nothing.
fn overwrite_failed(conn: &Connection) {
    if let Err(error) = conn.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}")) {
        log::debug!("the store fails on: {error}");
    }
}

fn fail(batch: &mut Vec<Job>, why: &StoreError) {
    if !matches!(why, StoreError::Damaged(_)) {
        log::error!("the store did not take {} writes: {why}", batch.len());
    }
    for job in batch.drain(..) {
        if job.claim.as_ref().is_none_or(|claim| claim.take_if_waiting(Claimed::TAKEN)) {
            (job.run)(Err(why.clone()))(Ok(()));
        }
    }
}
