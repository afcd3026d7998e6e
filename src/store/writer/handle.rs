//! The handle of the writer (see [`Desk`]): callers queue their work, and are told of success when it is on disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot, watch};

use super::contention::{Contention, PATIENCE, PATIENCE_OF_COMMANDS};
use super::job::{Claimed, Job, Place, Task, What, WorkReply};
use super::rows::Row;
use super::thread::{Desk, Told};
use super::transaction::in_savepoint;
use crate::store::error::{Result, StoreError};
use crate::store::file::damage::Damage;

/// The way to the writer; clones share it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Writer {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    is_ending: Arc<AtomicBool>,
    damage: Damage,
    told: Arc<Told>,
    /// Closed by the end of the thread, however that comes.
    alive: watch::Receiver<()>,
}

impl Writer {
    /// Starts the writer's thread. It ends when everything queued is written after [`Writer::end`], or after the last
    /// [`Writer`] is dropped. What waits for longer than `patience` for another program's lock fails.
    pub(in crate::store) fn start(
        path: &Path,
        conn: Connection,
        damage: Damage,
        patience: Option<Duration>,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel();
        let (lives, alive) = watch::channel(());
        let told = Arc::new(Told::new(path));
        let is_ending = Arc::new(AtomicBool::new(false));
        let mut desk = Desk::new(path, conn, queue, Arc::clone(&is_ending), Arc::clone(&told), patience)?;
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            let _alive = lives;
            desk.run();
        })?;
        Ok((Self { jobs, waiting: Arc::new(AtomicUsize::new(0)), is_ending, damage, told, alive }, thread))
    }

    /// Ends the writer once everything queued is written, even if other handles exist.
    pub(in crate::store) fn end(self) {
        self.is_ending.store(true, Ordering::Release);
        let wake = What::Alone(Task::boxed(|_| Ok(()), oneshot::channel().0));
        // A writer that has ended already needs no waking.
        let _ = self.jobs.send(Job { what: wake, claim: None, goes_last: false, place: None });
    }

    /// Waits for the end of the writer's thread.
    pub(in crate::store) async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Lets the thread panic where nothing contains that.
    #[cfg(test)]
    pub(in crate::store) fn kill(&self) {
        struct Deadly;
        impl super::job::Work for Deadly {
            fn run(&mut self, _: Result<&Connection>) -> bool {
                true
            }

            fn finish(self: Box<Self>, _: Result<()>) {
                panic!("the writer is to die");
            }
        }
        let what = What::Alone(Box::new(Deadly));
        drop(self.jobs.send(Job { what, claim: None, goes_last: false, place: None }));
    }

    /// Lets its thread take a turn, for nothing but that.
    pub(in crate::store) fn poke(&self) {
        let nothing = What::Alone(Task::boxed(|_| Ok(()), oneshot::channel().0));
        let claim = Claimed::waiting();
        claim.abandon();
        // A writer that has ended takes no turn.
        let _ = self.jobs.send(Job { what: nothing, claim: Some(claim), goes_last: false, place: None });
    }

    /// What its thread tells of the write lock.
    pub(in crate::store) fn contention(&self) -> &Contention {
        &self.told.contention
    }

    /// Bytes of the WAL that are not copied into the store.
    pub(in crate::store) fn log_left(&self) -> u64 {
        self.told.log_left.load(Ordering::Relaxed)
    }

    /// How many transactions that changed something it has put on disk.
    pub(in crate::store) fn commits(&self) -> u64 {
        *self.told.commits.borrow()
    }

    /// Told of each of them.
    pub(in crate::store) fn written(&self) -> watch::Receiver<u64> {
        self.told.commits.subscribe()
    }

    /// Rung whenever notifications were appended.
    pub(in crate::store) fn appended(&self) -> Arc<Notify> {
        Arc::clone(&self.told.appended)
    }

    /// Does `work` inside the next transaction; returns when that is on disk. `work` is undone alone if it fails.
    pub(in crate::store) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_alone(false, work).await
    }

    /// Like [`Writer::write`], but at the end of the transaction that is being filled now, for callers that cannot
    /// wait for the next one.
    pub(in crate::store) async fn write_last<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_alone(true, work).await
    }

    /// As [`Writer::write`], for `work` that changes nothing but the store: where other work fails it may be undone, and
    /// done again. The writer has it when this returns, and the future waits for the outcome.
    pub(in crate::store) fn write_together<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        self.hand_over(false, |reply| What::Together(Task::boxed(work, reply)))
    }

    async fn write_alone<T: Send + 'static>(
        &self,
        goes_last: bool,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut work = once(work);
        let alone = move |conn: &Connection| in_savepoint(conn, &mut work);
        self.hand_over(goes_last, |reply| What::Alone(Task::boxed(alone, reply))).await
    }

    fn hand_over<T, W>(
        &self,
        goes_last: bool,
        what: impl FnOnce(WorkReply<W, T>) -> What,
    ) -> impl Future<Output = Result<T>> {
        let (reply, outcome) = oneshot::channel();
        let sent = self.damage.refuse().and_then(|()| {
            let job = Job { what: what(reply), claim: None, goes_last, place: None };
            self.jobs.send(job).map_err(|_| StoreError::Closed)
        });
        async move {
            sent?;
            let (done, _work) = outcome.await.map_err(|_| StoreError::Closed)?;
            self.damage.note(done)
        }
    }

    /// Appends a notification; returns its id when it is on disk. As with [`Writer::append`].
    pub(super) async fn append_row(&self, row: Row) -> Result<i64> {
        let (id, _row) = self.damage.note(self.enqueue(PATIENCE, |reply| What::Append(row, reply)).await?)?;
        Ok(id)
    }

    /// Like [`Writer::write`] for the receiver: `work` is one statement; a full queue and a lock held too long are
    /// errors, and after an error nothing is written.
    pub(in crate::store) async fn append<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.append_within(PATIENCE, work).await
    }

    /// Like [`Writer::append`], for what a person waits for: a lock is an error after a command's patience.
    pub(in crate::store) async fn write_soon<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.append_within(PATIENCE_OF_COMMANDS, work).await
    }

    async fn append_within<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, _work) =
            self.enqueue(patience, |reply| What::Alone(Task::boxed(once(work), reply))).await?;
        self.damage.note(done)
    }

    async fn enqueue<T>(
        &self,
        patience: Duration,
        what: impl FnOnce(oneshot::Sender<T>) -> What,
    ) -> Result<T> {
        self.damage.refuse()?;
        let place = Place::take(&self.waiting).ok_or(StoreError::Full)?;
        let claim = Claimed::waiting();
        let (reply, mut outcome) = oneshot::channel();
        let job =
            Job { what: what(reply), claim: Some(Arc::clone(&claim)), goes_last: false, place: Some(place) };
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        match tokio::time::timeout(patience, &mut outcome).await {
            Ok(outcome) => outcome.map_err(|_| StoreError::Closed),
            Err(_) if claim.abandon() => Err(self.told.contention.why_late()),
            Err(_) => outcome.await.map_err(|_| StoreError::Closed),
        }
    }
}

/// `work` as something that could be called again, but is not.
fn once<T>(
    work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> impl FnMut(&Connection) -> Result<T> + Send + 'static {
    let mut work = Some(work);
    move |conn| work.take().map_or(Err(StoreError::Closed), |work| work(conn))
}
