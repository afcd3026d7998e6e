//! The one writer's desk. Whatever waits to be written, notifications above all, is taken into one transaction, and nobody
//! hears of success before that transaction is on disk. No timer: a batch is what queued while the last one was synced.
//! While notifications come, other work has a share of the time only, and the rest of it is put off (see [`Precedence`]).

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Instant;

use rusqlite::Connection;

use super::checkpoint::Checkpoints;
use super::error::{Result, StoreError};
use super::intake::{self, Row};
use super::jobs::{Appended, Job, Reply, What, Work};
use super::migrations::SCHEMA_VERSION;
use super::precedence::Precedence;
use super::writer::{Told, in_savepoint};

/// Jobs in one transaction: more would make the first of them wait without saving anything.
const LARGEST_BATCH: usize = 512;

/// Where the writer's thread sits. The checkpoints end before the connection is closed.
pub(super) struct Desk {
    checkpoints: Checkpoints,
    conn: Connection,
    queue: Receiver<Job>,
    /// Other work, oldest first, that gave way to notifications.
    put_off: VecDeque<Job>,
    /// Other work that goes last.
    last: VecDeque<Job>,
    /// Notifications that came while the last transaction was being filled.
    came: VecDeque<Job>,
    precedence: Precedence,
    is_ending: Arc<AtomicBool>,
    told: Arc<Told>,
}

impl Desk {
    /// A desk for what comes through `queue`, until that is empty and `is_ending`.
    pub(super) fn new(
        path: &Path,
        conn: Connection,
        queue: Receiver<Job>,
        is_ending: Arc<AtomicBool>,
        told: Arc<Told>,
    ) -> anyhow::Result<Self> {
        let checkpoints = Checkpoints::start(path)?;
        let precedence = Precedence::default();
        let (put_off, last, came) = <(VecDeque<_>, VecDeque<_>, VecDeque<_>)>::default();
        Ok(Self { checkpoints, conn, queue, put_off, last, came, precedence, is_ending, told })
    }

    /// Writes until the end.
    pub(super) fn run(&mut self) {
        let mut batch = Vec::new();
        while let Some(first) = self.next() {
            batch.push(first);
            self.write_batch(&mut batch);
        }
        // The one file then holds everything, whoever else has it open; it makes nobody wait.
        if let Err(error) = self.conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            log::warn!("the last writes stay in the write-ahead log beside the store: {error}");
        }
    }

    /// The first job of the next batch: a notification where one waits or is about to come, else the oldest other work.
    fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.came.pop_front() {
            return Some(job);
        }
        loop {
            let received = match self.queue.try_recv() {
                Ok(job) => Ok(job),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) if self.is_ending() => return self.next_put_off(),
                Err(TryRecvError::Empty) if self.put_off.is_empty() && self.last.is_empty() => {
                    self.queue.recv().map_err(Into::into)
                }
                Err(TryRecvError::Empty) => match self.precedence.waits(Instant::now()) {
                    Some(wait) => self.queue.recv_timeout(wait),
                    None => return self.next_put_off(),
                },
            };
            match received {
                Ok(job) if job.is_intake() => return Some(job),
                Ok(job) => self.put_off(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.next_put_off(),
            }
        }
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
                    if self.is_ending() {
                        return fail(batch, &StoreError::Locked);
                    }
                }
                Err(error) => return fail(batch, &error),
            }
        }
        batch.extend(self.came.drain(..));
        while batch.len() < LARGEST_BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            batch.push(job);
        }
        let mut done = Done::default();
        let mut has_intake = false;
        for job in batch.drain(..) {
            if job.is_intake() {
                has_intake = true;
                done.take(job, &self.conn);
            } else {
                self.put_off(job);
            }
        }
        done.append(&self.conn);
        let began = Instant::now();
        let has_worked = (!has_intake || self.precedence.lets_work(began)) && self.work(&mut done);
        self.commit(done);
        let ended = Instant::now();
        if has_intake {
            self.precedence.acknowledged(ended);
        }
        if has_worked {
            // Most of what such a commit writes are the pages of that work.
            self.precedence.worked(began, ended);
        }
        self.checkpoints.committed(&self.conn);
    }

    /// Does what was put off, as much of it as goes into one transaction; returns whether it did any.
    fn work(&mut self, done: &mut Done) -> bool {
        let began = Instant::now();
        let mut taken = 0;
        while taken < LARGEST_BATCH
            && let Some(job) = self.put_off.pop_front()
        {
            done.take(job, &self.conn);
            taken += 1;
            if Precedence::is_enough(began, Instant::now()) {
                break;
            }
        }
        while let Ok(job) = self.queue.try_recv() {
            if job.is_intake() { self.came.push_back(job) } else { self.put_off(job) }
        }
        for job in self.last.drain(..) {
            done.take(job, &self.conn);
            taken += 1;
        }
        done.close_group(&self.conn);
        taken > 0
    }

    /// Keeps other work for later.
    fn put_off(&mut self, job: Job) {
        if job.goes_last { self.last.push_back(job) } else { self.put_off.push_back(job) }
    }

    fn next_put_off(&mut self) -> Option<Job> {
        self.put_off.pop_front().or_else(|| self.last.pop_front())
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    fn commit(&mut self, done: Done) {
        let committed =
            in_transaction(&self.conn).and_then(|conn| execute(conn, "COMMIT").map_err(StoreError::from));
        if let Err(error) = &committed {
            if !matches!(error, StoreError::Damaged(_)) {
                let writes = done.appended.len() + done.worked.len();
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
        for work in done.worked {
            work.finish(outcome());
        }
    }
}

/// What one transaction did until its commit.
#[derive(Default)]
struct Done {
    /// Taken, not appended yet.
    rows: Vec<(Row, Reply<Appended>)>,
    appended: Vec<(Reply<Appended>, Result<Appended>)>,
    /// Done together, in a savepoint that is open while there is any.
    group: Vec<Box<dyn Work>>,
    worked: Vec<Box<dyn Work>>,
}

impl Done {
    /// Does a job; a notification's row is only kept for [`Done::append`].
    fn take(&mut self, job: Job, conn: &Connection) {
        if !job.is_taken() {
            return;
        }
        drop(job.place);
        match job.what {
            What::Append(row, reply) => self.rows.push((row, reply)),
            What::Alone(mut work) => {
                self.close_group(conn);
                work.run(in_transaction(conn));
                self.worked.push(work);
            }
            What::Together(work) => self.join_group(work, conn),
        }
    }

    fn join_group(&mut self, mut work: Box<dyn Work>, conn: &Connection) {
        let opened = if self.group.is_empty() { savepoint(conn, "SAVEPOINT together") } else { Ok(()) };
        let is_done = work.run(opened.and_then(|()| in_transaction(conn)));
        self.group.push(work);
        if is_done || conn.is_autocommit() {
            return;
        }
        let undone = savepoint(conn, "ROLLBACK TO together");
        let mut group = std::mem::take(&mut self.group);
        for work in &mut group {
            let again = undone.clone().and_then(|()| in_transaction(conn));
            match again {
                Ok(conn) => alone(work.as_mut(), conn),
                Err(error) => drop(work.run(Err(error))),
            }
        }
        self.group = group;
        self.close_group(conn);
    }

    /// Nothing more is undone of what was done together.
    fn close_group(&mut self, conn: &Connection) {
        if self.group.is_empty() {
            return;
        }
        if let Err(error) = savepoint(conn, "RELEASE together") {
            log::debug!("what was done together stays in its savepoint until the commit: {error}");
        }
        self.worked.append(&mut self.group);
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

/// Does work that is undone alone where it fails; what it met it tells itself.
fn alone(work: &mut dyn Work, conn: &Connection) {
    let mut has_run = false;
    let done = in_savepoint(conn, |conn| {
        has_run = true;
        if work.run(Ok(conn)) { Ok(()) } else { Err(StoreError::Closed) }
    });
    if let Err(error) = done
        && !has_run
    {
        work.run(Err(error));
    }
}

/// The engine rolls back by itself when the disk is full: what comes after must not run outside of the transaction.
fn in_transaction(conn: &Connection) -> Result<&Connection> {
    if conn.is_autocommit() {
        return Err(StoreError::Engine("the transaction was rolled back; is the disk full?".to_owned()));
    }
    Ok(conn)
}

fn savepoint(conn: &Connection, sql: &str) -> Result<()> {
    Ok(execute(in_transaction(conn)?, sql)?)
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
            What::Alone(mut work) | What::Together(mut work) => {
                work.run(Err(why.clone()));
                work.finish(Ok(()));
            }
        }
    }
}
