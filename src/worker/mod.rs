//! The worker: reads what came in, asks the shops, and records what their answers mean. A loop around a public
//! [`Worker::turn`]; a turn files, leases, and starts questions, and never waits for one of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::domain::ledger::Policy;
use crate::domain::{Clock, Rate, Timestamp};
use crate::metrics::Metrics;
use crate::providers::{Api, LIST_LIMIT, Provider};
use crate::store::{LEASE_LENGTH, Lease, LeaseRequest, Moved, Store, StoreError};

mod asking;
mod control;
mod filing;
mod gate;
mod slots;
#[cfg(test)]
mod tests;

use asking::Asker;
use control::ControlQuestion;
use filing::Portion;
pub use filing::read_deliveries;
pub use gate::BudgetGate;
pub use slots::{Place, Slot, Slots, Waiting};

/// How long the loop sleeps at most: another process may have started something afresh.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// How often to look for what came in without a ring, through another process.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long what came in faster than it is read is read on before questions are asked beside it: of a burst about one
/// subject the last is answered by the same call as the first.
const READS_FIRST: Duration = Duration::from_secs(1);

/// What is read in one turn.
const READ: Portion = Portion { batches: 6, deliveries: 150 };

/// The same while questions are asked beside it: those take the writer about as long.
const READ_BESIDE_QUESTIONS: Portion = Portion { batches: 2, deliveries: 100 };

/// Questions that one source may start in one turn, before the next source has its turn.
const MOST_IN_ONE_TURN: usize = 64;

/// A source as the worker needs it.
#[derive(Clone)]
pub struct WorkerSource {
    /// Its provider.
    pub provider: Arc<dyn Provider>,
    /// The way to its API; the worker puts its own gate before it.
    pub api: Api,
    /// Its rate limit.
    pub rate: Rate,
}

/// What the worker is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// The configured sources by name.
    pub sources: BTreeMap<String, WorkerSource>,
    /// The `[verify]` settings that judging needs.
    pub policy: Policy,
    /// API calls under way at once.
    pub concurrency: usize,
    /// The clock.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
    /// The owner of its leases, of the form `role-…`.
    pub owner: String,
    /// Rung by the receiver when something came in.
    pub wake: Arc<Notify>,
    /// Told of every notification that moves; for progress and the demo.
    pub moves: Option<mpsc::UnboundedSender<Moved>>,
}

/// The worker of one process.
pub struct Worker {
    parts: Arc<Parts>,
    slots: Slots,
    questions: JoinSet<()>,
    controls: BTreeMap<String, Arc<ControlQuestion>>,
    /// The calls begun so far, by source.
    begun: BTreeMap<String, Begun>,
    /// Which source begins the next turn.
    first: usize,
    renew_at: Timestamp,
    last_turn: Arc<AtomicI64>,
    /// Whether what waited unread for its source to be configured was read again.
    has_read_again: bool,
    /// Nobody has rung since the last look at what came in, until then.
    look_at: Option<Timestamp>,
    /// Since when there has always been more to read, by [`Clock::steady_millis`].
    behind_since_ms: Option<i64>,
    /// Nothing is asked before, by [`Clock::steady_millis`].
    asks_from_ms: i64,
}

/// What a turn found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It filed something or started a question.
    Worked,
    /// Nothing to start now. Questions may be under way; the time is when something waits to be started.
    Idle {
        /// When to come back; `None`: nothing waits.
        until: Option<Timestamp>,
        /// Whether due work waits only for its source's budget.
        is_spent: bool,
    },
}

impl Worker {
    /// A worker that has not begun.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let slots = Slots::new(parts.concurrency, parts.sources.keys().map(String::as_str));
        let now = parts.clock.now();
        Self {
            slots,
            questions: JoinSet::new(),
            controls: parts.sources.keys().map(|name| (name.clone(), Arc::default())).collect(),
            begun: BTreeMap::new(),
            first: 0,
            renew_at: now.plus(LEASE_LENGTH / 3),
            last_turn: Arc::new(AtomicI64::new(now.millis())),
            has_read_again: false,
            look_at: None,
            behind_since_ms: None,
            asks_from_ms: i64::MIN,
            parts: Arc::new(parts),
        }
    }

    /// Beats the heart of the worker before it, which health checks go on listening to.
    #[must_use]
    pub fn beating(self, heart: Arc<AtomicI64>) -> Self {
        Self { last_turn: heart, ..self }
    }

    /// Asks nothing before then, a [`Clock::steady_millis`]: what [`Worker::run`] of the worker before it returned.
    #[must_use]
    pub fn asking_from(self, asks_from_ms: i64) -> Self {
        Self { asks_from_ms, ..self }
    }

    /// When the last turn began, in milliseconds since 1970, for health checks.
    #[must_use]
    pub fn last_turn(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.last_turn)
    }

    /// Works until `stop` is rung, then waits up to `drain` for the questions under way and gives back the rest. Returns
    /// what its successor must be told ([`Worker::asking_from`]).
    pub async fn run(mut self, stop: Arc<Notify>, drain: Duration) -> i64 {
        let stopped = stop.notified();
        tokio::pin!(stopped);
        loop {
            let until = match self.turn().await {
                // A timer would round up to its next millisecond.
                Ok(Turn::Worked) => tokio::select! {
                    biased;
                    () = &mut stopped => break,
                    () = tokio::task::yield_now() => continue,
                },
                Ok(Turn::Idle { until, .. }) => until,
                // Damage is told once, where it is met.
                Err(StoreError::Damaged(_)) => None,
                Err(error) => {
                    log::error!("the worker cannot use the store: {error}");
                    None
                }
            };
            let pause = until.map_or(LONGEST_SLEEP, |then| then.since(self.parts.clock.now()));
            let pause = pause.min(LONGEST_SLEEP);
            let wake = Arc::clone(&self.parts.wake);
            tokio::select! {
                () = &mut stopped => break,
                () = wake.notified() => self.look_at = None,
                Some(_) = self.questions.join_next() => {}
                // Before the answer is recorded: what is asked next is leased in the same transaction.
                () = self.slots.call_ended() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let asks_from_ms = self.asks_from_ms;
        self.finish(drain).await;
        asks_from_ms
    }

    /// Files what came in and starts the questions that are due and allowed; does not wait for their answers.
    ///
    /// # Errors
    /// The store failed.
    pub async fn turn(&mut self) -> Result<Turn, StoreError> {
        if let Some(by_ms) = self.parts.clock.set_by() {
            self.follow_clock(by_ms).await?;
        }
        let now = self.parts.clock.now();
        self.last_turn.store(now.millis(), Ordering::Relaxed);
        while self.questions.try_join_next().is_some() {}
        if now >= self.renew_at || now.plus(LEASE_LENGTH) < self.renew_at {
            if !self.questions.is_empty() {
                self.parts.store.renew_leases(self.parts.owner.clone(), now).await?;
            }
            self.renew_at = now.plus(LEASE_LENGTH / 3);
        }
        if !self.has_read_again {
            filing::file_unread(&self.parts).await?;
            self.has_read_again = true;
        }
        let mut has_worked = false;
        if self.look_at.is_none_or(|then| then <= now || then > now.plus(LOOK_EVERY)) {
            let reads_first = self.reads_first();
            let portion = if reads_first { READ } else { READ_BESIDE_QUESTIONS };
            let filed = filing::file_new(&self.parts, portion).await?;
            has_worked = filed.count > 0;
            self.look_at = (!filed.is_more_left).then(|| now.plus(LOOK_EVERY));
            if !filed.is_more_left {
                self.behind_since_ms = None;
            } else if reads_first {
                return Ok(Turn::Worked);
            }
        }
        let wait_ms = self.asks_from_ms.saturating_sub(self.parts.clock.steady_millis());
        if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
            if has_worked {
                return Ok(Turn::Worked);
            }
            return Ok(Turn::Idle { until: Some(now.plus(Duration::from_millis(wait_ms))), is_spent: false });
        }
        let started = self.start_questions().await?;
        Ok(if has_worked || started.any {
            Turn::Worked
        } else {
            Turn::Idle { until: started.until, is_spent: started.is_spent }
        })
    }

    /// Whether reading has not been behind for long enough to be interrupted.
    fn reads_first(&mut self) -> bool {
        let now_ms = self.parts.clock.steady_millis();
        let since_ms = *self.behind_since_ms.get_or_insert(now_ms);
        u128::try_from(now_ms.saturating_sub(since_ms)).is_ok_and(|ms| ms < READS_FIRST.as_millis())
    }

    /// What came in before the clock was set ahead looks older than it is: until it has the age that makes a "not there"
    /// final, nothing is asked.
    async fn follow_clock(&mut self, by_ms: i64) -> Result<(), StoreError> {
        let clock = &self.parts.clock;
        let direction = if by_ms > 0 { "ahead" } else { "back" };
        log::warn!("the clock was set {} s {direction}", by_ms.unsigned_abs() / 1000);
        if by_ms > 0 {
            let grace = i64::try_from(self.parts.policy.grace.as_millis()).unwrap_or(i64::MAX);
            self.asks_from_ms = clock.steady_millis().saturating_add(grace.min(by_ms));
        }
        let sources: Vec<String> = self.parts.sources.keys().cloned().collect();
        self.parts.store.follow_clock(by_ms, &sources, clock.clone()).await
    }

    /// Waits for one of the questions under way to be recorded; `false` where none is.
    pub async fn wait_for_one(&mut self) -> bool {
        self.questions.join_next().await.is_some()
    }

    /// Starts what each source may be asked now; the sources take turns in being the first.
    async fn start_questions(&mut self) -> Result<Started, StoreError> {
        let mut names: Vec<&String> =
            self.parts.sources.keys().filter(|name| self.slots.has_place(name)).collect();
        if names.is_empty() {
            return Ok(Started::default());
        }
        self.first = self.first.wrapping_add(1);
        let first = self.first % names.len();
        names.rotate_left(first);
        let names: Vec<String> = names.into_iter().cloned().collect();
        let requests = names.iter().filter_map(|name| self.request(name)).collect();
        let slots = self.slots.clone();
        let places = move |source: &str| slots.places(source, MOST_IN_ONE_TURN);
        let now = self.parts.clock.now();
        let (mut started, mut failed) = (Started::default(), None);
        for (name, leased, places) in self.parts.store.lease(requests, places, now).await? {
            let leased = match leased {
                Ok(leased) => leased,
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            started.any |= !leased.calls.is_empty();
            started.is_spent |= leased.is_spent;
            started.until = [started.until, leased.come_back_at].into_iter().flatten().min();
            self.ask(&name, leased.calls, places, now);
        }
        failed.map_or(Ok(started), Err)
    }

    fn request(&self, name: &str) -> Option<LeaseRequest> {
        Some(LeaseRequest {
            source: name.to_owned(),
            owner: self.parts.owner.clone(),
            rate: self.parts.sources.get(name)?.rate,
            most_in_list: LIST_LIMIT,
            begun: self.begun.get(name).map_or(0, |begun| begun.calls),
            last_begun_at: self.begun.get(name).map(|begun| begun.last_at),
        })
    }

    /// Begins calls, each in its place.
    fn ask(&mut self, name: &str, calls: Vec<Vec<Lease>>, places: Vec<Place>, now: Timestamp) {
        let Some(source) = self.parts.sources.get(name).filter(|_| !calls.is_empty()).cloned() else {
            return;
        };
        let begun = self.begun.entry(name.to_owned()).or_insert(Begun { calls: 0, last_at: now });
        begun.calls = begun.calls.wrapping_add(u64::try_from(calls.len()).unwrap_or(0));
        begun.last_at = now;
        let control = Arc::clone(self.controls.entry(name.to_owned()).or_default());
        for (leases, place) in calls.into_iter().zip(places) {
            let asker = Asker {
                parts: Arc::clone(&self.parts),
                slots: self.slots.clone(),
                source: source.clone(),
                control: Arc::clone(&control),
            };
            self.questions.spawn(async move { asker.ask(leases, place).await });
        }
    }

    /// Lets the questions under way end within `drain`, then gives back what is still leased.
    pub async fn finish(mut self, drain: Duration) {
        self.slots.close();
        let rest = async { while self.questions.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, rest).await.is_err() {
            log::warn!("{} questions are given back unanswered", self.questions.len());
        }
        self.questions.shutdown().await;
        if let Err(error) = self.parts.store.free_leases(self.parts.owner.clone()).await {
            log::warn!("leases end by themselves: {error}");
        }
    }
}

/// The calls of one source that this process began.
struct Begun {
    calls: u64,
    last_at: Timestamp,
}

#[derive(Default)]
struct Started {
    any: bool,
    until: Option<Timestamp>,
    is_spent: bool,
}
