//! The handle of the writer (see [`WriterThread`]): callers queue their work, and are told of success when it
//! is on disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::contention::PATIENCE;
use super::job::{Cancellation, Job, QueuePermit, Task, Work, WorkSender};
use super::rows::Row;
use super::thread::{WriterSignals, WriterThread};
use super::transaction::in_savepoint;
use crate::store::error::{Result, StoreError};
use crate::store::file::damage::Damage;

/// The writer's queue and signals; clones share it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Writer {
    jobs: mpsc::Sender<Job>,
    waiting: Arc<AtomicUsize>,
    is_ending: Arc<AtomicBool>,
    damage: Damage,
    signals: Arc<WriterSignals>,
    /// Closed by the end of the thread, however it ends.
    alive: watch::Receiver<()>,
}

impl Writer {
    /// Starts the writer's thread. It ends when everything queued is written after [`Writer::end`], or after the last
    /// [`Writer`] is dropped. Work that waits longer than `patience` for another program's lock fails.
    pub(in crate::store) fn start(
        path: &Path,
        conn: Connection,
        damage: Damage,
        patience: Option<Duration>,
    ) -> anyhow::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel();
        let (lives, alive) = watch::channel(());
        let signals = Arc::new(WriterSignals::new(path));
        let is_ending = Arc::new(AtomicBool::new(false));
        let mut writer_thread =
            WriterThread::new(path, conn, queue, Arc::clone(&is_ending), Arc::clone(&signals), patience)?;
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            let _alive = lives;
            writer_thread.run();
        })?;
        Ok((Self { jobs, waiting: Arc::new(AtomicUsize::new(0)), is_ending, damage, signals, alive }, thread))
    }

    /// Ends the writer once everything queued is written, even if other handles exist.
    pub(in crate::store) fn end(self) {
        self.is_ending.store(true, Ordering::Release);
        self.poke();
    }

    /// Waits for the end of the writer's thread.
    pub(in crate::store) async fn ended(&self) {
        let mut alive = self.alive.clone();
        while alive.changed().await.is_ok() {}
    }

    /// Makes the thread panic outside any containment, for tests.
    #[cfg(test)]
    pub(in crate::store) fn kill(&self) {
        struct Deadly;
        impl super::job::Runnable for Deadly {
            fn run(&mut self, _: Result<&Connection>) -> bool {
                true
            }

            fn finish(self: Box<Self>, _: Result<()>) {
                panic!("the writer is to die");
            }
        }
        drop(self.jobs.send(Job::of(Work::Isolated(Box::new(Deadly)))));
    }

    /// Makes its thread take a turn, without any work.
    pub(in crate::store) fn poke(&self) {
        let nothing = Work::Isolated(Task::boxed(|_| Ok(()), oneshot::channel().0));
        let cancellation = Cancellation::waiting();
        cancellation.abandon();
        // A writer that has ended takes no turn.
        let _ = self.jobs.send(Job { cancellation: Some(cancellation), ..Job::of(nothing) });
    }

    /// The signals of its thread.
    pub(in crate::store) fn signals(&self) -> &WriterSignals {
        &self.signals
    }

    /// Hands a job to its thread.
    fn send(&self, job: Job) -> Result<()> {
        self.damage.refuse()?;
        self.jobs.send(job).map_err(|_| StoreError::Closed)
    }

    /// Runs `work` inside the next transaction; returns when that is on disk. If `work` fails, it alone is
    /// undone.
    pub(in crate::store) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_isolated(false, work).await
    }

    /// Like [`Writer::run`], but at the end of the transaction that is being filled now, for callers that
    /// cannot wait for the next one.
    pub(in crate::store) async fn run_last<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_isolated(true, work).await
    }

    /// Like [`Writer::run`], for `work` that only changes the store: if other work fails, it may be undone
    /// and repeated. It is queued when this returns, and the future waits for the outcome.
    pub(in crate::store) fn run_batched<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        self.hand_over(false, |reply| Work::Batched(Task::boxed(work, reply)))
    }

    async fn run_isolated<T: Send + 'static>(
        &self,
        goes_last: bool,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut work = once(work);
        let alone = move |conn: &Connection| in_savepoint(conn, &mut work);
        self.hand_over(goes_last, |reply| Work::Isolated(Task::boxed(alone, reply))).await
    }

    fn hand_over<T, W>(
        &self,
        goes_last: bool,
        what: impl FnOnce(WorkSender<W, T>) -> Work,
    ) -> impl Future<Output = Result<T>> {
        let (reply, outcome) = oneshot::channel();
        let sent = self.send(Job { goes_last, ..Job::of(what(reply)) });
        async move {
            sent?;
            let (done, _work) = outcome.await.map_err(|_| StoreError::Closed)?;
            self.damage.note(done)
        }
    }

    /// Appends a notification; returns its id when it is on disk. Fails like [`Writer::run_urgent`].
    pub(super) async fn insert(&self, row: Row) -> Result<i64> {
        let (id, _row) = self.damage.note(self.enqueue(PATIENCE, |reply| Work::Insert(row, reply)).await?)?;
        Ok(id)
    }

    /// Like [`Writer::run`] for work that a sender or a person waits for, of one statement: a full queue and a lock held
    /// for longer than `patience` are errors, and after an error nothing is written.
    pub(in crate::store) async fn run_urgent<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, _work) =
            self.enqueue(patience, |reply| Work::Isolated(Task::boxed(once(work), reply))).await?;
        self.damage.note(done)
    }

    async fn enqueue<T>(
        &self,
        patience: Duration,
        what: impl FnOnce(oneshot::Sender<T>) -> Work,
    ) -> Result<T> {
        // A full queue passes, damage does not.
        self.damage.refuse()?;
        let permit = QueuePermit::take(&self.waiting).ok_or(StoreError::Full)?;
        let cancellation = Cancellation::waiting();
        let (reply, mut outcome) = oneshot::channel();
        self.send(Job {
            cancellation: Some(Arc::clone(&cancellation)),
            permit: Some(permit),
            ..Job::of(what(reply))
        })?;
        match tokio::time::timeout(patience, &mut outcome).await {
            Ok(outcome) => outcome.map_err(|_| StoreError::Closed),
            Err(_) if cancellation.abandon() => Err(self.signals.contention.why_late()),
            Err(_) => outcome.await.map_err(|_| StoreError::Closed),
        }
    }
}

/// Makes `work`, which runs once, callable as often as the type asks.
fn once<T>(
    work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> impl FnMut(&Connection) -> Result<T> + Send + 'static {
    let mut work = Some(work);
    move |conn| work.take().map_or(Err(StoreError::Closed), |work| work(conn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn with_a_full_queue_too_damage_is_what_the_caller_hears_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::fresh(&folder.path().join("a.db"));
        let writer = &store.writer;
        let permits: Vec<_> = std::iter::from_fn(|| QueuePermit::take(&writer.waiting)).collect();
        let full = writer.run_urgent(PATIENCE, |_| Ok(())).await;
        assert!(matches!(full, Err(StoreError::Full)), "{} permits: {full:?}", permits.len());
        writer.damage.note::<()>(Err(StoreError::Damaged("a page is torn".to_owned()))).unwrap_err();
        let damaged = writer.run_urgent(PATIENCE, |_| Ok(())).await;
        assert!(matches!(damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
    }
}
