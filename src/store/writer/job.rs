//! The writer's jobs: notifications, whose senders may time out, and other work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::rows::Row;
use crate::domain::panics::contained;
use crate::store::error::{Result, StoreError};

/// Notifications that may wait for the writer; more are turned away at once.
const LONGEST_QUEUE: usize = 4096;

pub(super) type ResultSender<T> = oneshot::Sender<Result<T>>;

/// Returned with the result, so that the thread that allocated its memory also frees it.
pub(super) type WorkSender<F, T> = oneshot::Sender<(Result<T>, F)>;

/// Work inside a transaction.
pub(super) trait Runnable: Send {
    /// Does the work, or fails as the transaction did; returns whether it succeeded. A panic is a failure.
    fn run(&mut self, conn: Result<&Connection>) -> bool;

    /// Reports the outcome of the commit to the caller.
    fn finish(self: Box<Self>, committed: Result<()>);
}

/// Work with a caller that waits for its result.
pub(super) struct Task<F, T> {
    work: F,
    done: Option<Result<T>>,
    reply: WorkSender<F, T>,
}

impl<F, T> Task<F, T>
where
    F: FnMut(&Connection) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    /// `work`, whose outcome goes to `reply`.
    pub(super) fn boxed(work: F, reply: WorkSender<F, T>) -> Box<dyn Runnable> {
        Box::new(Self { work, done: None, reply })
    }
}

impl<F, T> Runnable for Task<F, T>
where
    F: FnMut(&Connection) -> Result<T> + Send,
    T: Send,
{
    fn run(&mut self, conn: Result<&Connection>) -> bool {
        let work = &mut self.work;
        let done = contained(|| conn.and_then(work)).unwrap_or_else(|panicked| Err(panicked.into()));
        self.done.insert(done).is_ok()
    }

    fn finish(self: Box<Self>, committed: Result<()>) {
        let done = self.done.unwrap_or(Err(StoreError::Closed));
        // The client may have hung up. The row stays, because delivery is at least once.
        let _ = self.reply.send((committed.and(done), self.work));
    }
}

pub(super) struct Job {
    pub(in crate::store) what: Work,
    /// `None` for jobs whose sender never goes away.
    pub(in crate::store) cancellation: Option<Arc<Cancellation>>,
    /// Whether it runs at the end of the transaction that is being filled, even if that is full.
    pub(super) goes_last: bool,
    /// Returned when the job is taken.
    pub(in crate::store) permit: Option<QueuePermit>,
}

/// The kinds of work.
pub(super) enum Work {
    /// A notification: many are inserted by one statement.
    Insert(Row, ResultSender<Appended>),
    /// Work that is undone alone if it fails.
    Isolated(Box<dyn Runnable>),
    /// Work that can be repeated. Much of it runs together, and only if some of it fails, each piece runs
    /// alone: remembering how to undo is a good part of its cost.
    Batched(Box<dyn Runnable>),
}

/// The id of a row, and the row itself: freeing its memory on the thread that allocated it costs a fraction.
pub(super) type Appended = (i64, Row);

/// Settles the race between the writer taking a notification and its sender losing patience.
#[derive(Debug)]
pub(super) struct Cancellation(AtomicU8);

impl Cancellation {
    const WAITING: u8 = 0;
    const TAKEN: u8 = 1;
    const ABANDONED: u8 = 2;

    /// A notification that is not taken yet.
    pub(in crate::store) fn waiting() -> Arc<Self> {
        Arc::new(Self(AtomicU8::new(Self::WAITING)))
    }

    /// Its sender gives up; `false` if it is taken already, and its outcome will come.
    pub(super) fn abandon(&self) -> bool {
        self.take_if_waiting(Self::ABANDONED)
    }

    fn take_if_waiting(&self, next: u8) -> bool {
        self.0.compare_exchange(Self::WAITING, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Job {
    /// Other work, whose sender never goes away.
    pub(super) fn of(what: Work) -> Self {
        Self { what, cancellation: None, goes_last: false, permit: None }
    }

    /// Whether its sender still waits; from now on it waits for the outcome.
    pub(super) fn is_taken(&self) -> bool {
        self.cancellation
            .as_ref()
            .is_none_or(|cancellation| cancellation.take_if_waiting(Cancellation::TAKEN))
    }

    /// Whether a sender waits for it.
    pub(super) fn is_intake(&self) -> bool {
        self.cancellation.is_some()
    }

    /// Whether its sender gave up before it was taken.
    pub(super) fn is_abandoned(&self) -> bool {
        self.cancellation
            .as_ref()
            .is_some_and(|cancellation| cancellation.0.load(Ordering::Acquire) == Cancellation::ABANDONED)
    }
}

/// A permit of the bounded queue, returned when dropped.
pub(super) struct QueuePermit(Arc<AtomicUsize>);

impl QueuePermit {
    /// One more permit; `None` if the queue is full.
    pub(in crate::store) fn take(waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let permit = Self(Arc::clone(waiting));
        (waiting.fetch_add(1, Ordering::AcqRel) < LONGEST_QUEUE).then_some(permit)
    }
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
