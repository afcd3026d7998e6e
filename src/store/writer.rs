//! The one writer. Whatever waits to be written, notifications above all, is taken into one transaction, and nobody
//! hears of success before that transaction is on disk. No timer: a batch is what queued while the last one was synced.
//! While notifications wait, other work has a share of the time only, and the rest of it is put off (see [`Precedence`]).

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, mpsc, oneshot};

use super::checkpoint::Checkpoints;
use super::damage::Damage;
use super::error::{Result, StoreError};
use super::intake::{self, Row};
use super::jobs::{Appended, Claimed, Finish, Job, Place, Reply, What};
use super::migrations::SCHEMA_VERSION;
use super::precedence::Precedence;

/// Jobs in one transaction: more would make the first of them wait without saving anything.
const LARGEST_BATCH: usize = 512;

/// How long a notification waits for the write lock before its sender is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The way to the writer; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Arc<AtomicUsize>,
    is_ending: Arc<AtomicBool>,
    damage: Damage,
    told: Arc<Told>,
}

/// What the writer tells beside its replies.
#[derive(Debug, Default)]
struct Told {
    /// Transactions on disk.
    commits: AtomicU64,
    /// Rung for each transaction with notifications in it.
    appended: Arc<Notify>,
}

impl Writer {
    /// Starts the writer's thread. It ends when everything queued is written after [`Writer::end`], or after the last
    /// [`Writer`] is dropped.
    pub(super) fn start(
        path: &Path,
        conn: Connection,
        damage: Damage,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let told = Arc::new(Told::default());
        let is_ending = Arc::new(AtomicBool::new(false));
        let checkpoints = Checkpoints::start(path)?;
        let ending = Arc::clone(&is_ending);
        let told_of = Arc::clone(&told);
        let (put_off, precedence) = (VecDeque::new(), Precedence::default());
        let mut desk =
            Desk { checkpoints, conn, queue, put_off, precedence, is_ending: ending, told: told_of };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || desk.run())?;
        Ok((Self { jobs, waiting: Arc::new(AtomicUsize::new(0)), is_ending, damage, told }, thread))
    }

    /// Ends the writer once everything queued is written, whoever else still has a way to it.
    pub(super) fn end(self) {
        self.is_ending.store(true, Ordering::Release);
        let wake = What::Run(Box::new(|_| Box::new(|_| ())));
        // A writer that has ended already needs no waking.
        let _ = self.jobs.send(Job { what: wake, claim: None, place: None });
    }

    /// How many transactions it has put on disk.
    pub(super) fn commits(&self) -> u64 {
        self.told.commits.load(Ordering::Relaxed)
    }

    /// Rung whenever notifications were appended.
    pub(super) fn appended(&self) -> Arc<Notify> {
        Arc::clone(&self.told.appended)
    }

    /// Runs `work` inside the next transaction; returns when that is on disk. `work` is undone alone if it fails.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.damage.refuse()?;
        let (reply, outcome) = oneshot::channel();
        let what = run(reply, move |conn| in_savepoint(conn, work));
        self.jobs.send(Job { what, claim: None, place: None }).map_err(|_| StoreError::Closed)?;
        self.damage.note(outcome.await.map_err(|_| StoreError::Closed)?)
    }

    /// Appends a notification; returns its id when it is on disk. As with [`Writer::append`].
    pub(super) async fn append_row(&self, row: Row) -> Result<i64> {
        Ok(self.enqueue(|reply| What::Append(row, reply)).await?.0)
    }

    /// As [`Writer::write`] for the receiver: `work` is one statement; a full queue and a lock held too long are
    /// errors, and after an error nothing is written.
    pub(super) async fn append<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.enqueue(|reply| run(reply, work)).await
    }

    async fn enqueue<T>(&self, what: impl FnOnce(Reply<T>) -> What) -> Result<T> {
        self.damage.refuse()?;
        let place = Place::take(&self.waiting).ok_or(StoreError::Full)?;
        let claim = Claimed::waiting();
        let (reply, mut outcome) = oneshot::channel();
        let job = Job { what: what(reply), claim: Some(Arc::clone(&claim)), place: Some(place) };
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        let done = match tokio::time::timeout(PATIENCE, &mut outcome).await {
            Ok(outcome) => outcome.map_err(|_| StoreError::Closed)?,
            Err(_) if claim.abandon() => Err(StoreError::Locked),
            Err(_) => outcome.await.map_err(|_| StoreError::Closed)?,
        };
        self.damage.note(done)
    }
}

fn run<T: Send + 'static>(
    reply: Reply<T>,
    work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> What {
    What::Run(Box::new(move |conn| {
        let done = conn.and_then(work);
        Box::new(move |committed| {
            // Nobody listens any more when a client hung up; the row stays, at least once is kept.
            let _ = reply.send(committed.and(done));
        })
    }))
}

/// Runs `work`, and undoes it alone if it fails.
pub(super) fn in_savepoint<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
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

/// Where the writer's thread sits. The checkpoints end before the connection is closed.
struct Desk {
    checkpoints: Checkpoints,
    conn: Connection,
    queue: mpsc::UnboundedReceiver<Job>,
    /// Other work, oldest first, that gave way to notifications.
    put_off: VecDeque<Job>,
    precedence: Precedence,
    is_ending: Arc<AtomicBool>,
    told: Arc<Told>,
}

/// What one transaction did until its commit.
#[derive(Default)]
struct Done {
    /// Taken, not appended yet.
    rows: Vec<(Row, Reply<Appended>)>,
    appended: Vec<(Reply<Appended>, Result<Appended>)>,
    ran: Vec<Finish>,
}

impl Desk {
    fn run(&mut self) {
        let mut batch = Vec::new();
        while let Some(first) = self.next() {
            if self.is_ending.load(Ordering::Acquire) {
                self.queue.close();
            }
            batch.push(first);
            self.write_batch(&mut batch);
        }
        // The one file then holds everything, whoever else has it open; it makes nobody wait.
        if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            log::warn!("the last writes stay in the write-ahead log beside the store: {error}");
        }
    }

    /// The first job of the next batch; waits for it where nothing was put off.
    fn next(&mut self) -> Option<Job> {
        if self.put_off.is_empty() {
            return self.queue.blocking_recv();
        }
        self.queue.try_recv().ok().or_else(|| self.put_off.pop_front())
    }

    /// Takes the lock, fills the batch with all that has queued meanwhile, and commits it.
    fn write_batch(&mut self, batch: &mut Vec<Job>) {
        loop {
            match execute(&self.conn, "BEGIN IMMEDIATE").map_err(StoreError::from) {
                Ok(()) => break,
                Err(StoreError::Locked) => {
                    batch.retain(|job| !job.is_abandoned());
                    if batch.is_empty() {
                        return;
                    }
                    if self.queue.is_closed() && self.queue.is_empty() {
                        return fail(batch, &StoreError::Locked);
                    }
                }
                Err(error) => return fail(batch, &error),
            }
        }
        while batch.len() < LARGEST_BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            batch.push(job);
        }
        let mut done = Done::default();
        let has_intake = batch.iter().any(Job::is_intake);
        for job in batch.drain(..) {
            if job.is_intake() {
                done.take(job, &self.conn);
            } else {
                self.put_off.push_back(job);
            }
        }
        done.append(&self.conn);
        let (began, mut has_worked) = (Instant::now(), false);
        if !has_intake || self.precedence.lets_work(began) {
            while done.ran.len() < LARGEST_BATCH
                && let Some(job) = self.put_off.pop_front()
            {
                done.take(job, &self.conn);
                has_worked = true;
                if has_intake && Precedence::is_enough(began, Instant::now()) {
                    break;
                }
            }
        }
        self.commit(done);
        if has_intake && has_worked {
            // Most of what such a commit writes are the pages of that work.
            self.precedence.worked(began, Instant::now());
        }
    }

    fn commit(&mut self, done: Done) {
        let committed =
            in_transaction(&self.conn).and_then(|conn| execute(conn, "COMMIT").map_err(StoreError::from));
        if let Err(error) = &committed {
            if !matches!(error, StoreError::Damaged(_)) {
                let writes = done.appended.len() + done.ran.len();
                log::error!("the store did not take {writes} writes: {error}");
            }
            if !self.conn.is_autocommit()
                && let Err(error) = execute(&self.conn, "ROLLBACK")
            {
                log::error!("the store could not roll back: {error}");
            }
            overwrite_failed(&self.conn);
        } else {
            self.told.commits.fetch_add(1, Ordering::Relaxed);
        }
        let outcome = || committed.clone();
        if !done.appended.is_empty() {
            self.told.appended.notify_one();
        }
        for (reply, appended) in done.appended {
            // As above: a client hung up.
            let _ = reply.send(outcome().and(appended));
        }
        for finish in done.ran {
            finish(outcome());
        }
        self.checkpoints.committed(&self.conn);
    }
}

impl Done {
    /// Runs a job; a notification's row is only kept for [`Done::append`].
    fn take(&mut self, job: Job, conn: &Connection) {
        if !job.is_taken() {
            return;
        }
        drop(job.place);
        match job.what {
            What::Append(row, reply) => self.rows.push((row, reply)),
            What::Run(work) => self.ran.push(work(in_transaction(conn))),
        }
    }

    /// Appends what waits for it, in few statements.
    fn append(&mut self, conn: &Connection) {
        if self.rows.is_empty() {
            return;
        }
        let (rows, replies): (Vec<Row>, Vec<_>) = self.rows.drain(..).unzip();
        let mut ids = Vec::with_capacity(rows.len());
        for part in intake::parts(&rows) {
            match in_transaction(conn).and_then(|conn| intake::insert(conn, part)) {
                Ok(first) => ids.extend((first..).take(part.len()).map(Ok)),
                // One of them, perhaps: the others must not fail with it.
                Err(_) => ids.extend(part.iter().map(|row| {
                    in_transaction(conn).and_then(|conn| intake::insert(conn, std::slice::from_ref(row)))
                })),
            }
        }
        let appended = ids.into_iter().zip(rows).map(|(id, row): (Result<i64>, Row)| Ok((id?, row)));
        self.appended.extend(replies.into_iter().zip(appended));
    }
}

/// The engine rolls back by itself when the disk is full: what comes after must not run outside of the transaction.
fn in_transaction(conn: &Connection) -> Result<&Connection> {
    if conn.is_autocommit() {
        return Err(StoreError::Engine("the transaction was rolled back; is the disk full?".to_owned()));
    }
    Ok(conn)
}

fn execute(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
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
    for job in batch.drain(..).filter(Job::is_taken) {
        match job.what {
            What::Append(_, reply) => drop(reply.send(Err(why.clone()))),
            What::Run(work) => work(Err(why.clone()))(Ok(())),
        }
    }
}
