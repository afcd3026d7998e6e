//! The worker: parses notifications, asks the shops, and records the verdicts. It is a loop around the public
//! [`Worker::turn`], which parses, leases and starts calls, and never waits for one of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::domain::number::whole;
use crate::domain::settlement::Policy;
use crate::domain::{Clock, LastTurn, Rate, Timestamp};
use crate::metrics::Metrics;
use crate::providers::{Api, LIST_LIMIT, Provider};
use crate::store::{LEASE_LENGTH, Lease, LeaseRequest, StateChange, Store, StoreError};

mod call_gate;
mod control;
mod parsing;
mod slots;
#[cfg(test)]
mod tests;
mod verifier;

pub use call_gate::RateLimitGate;
use control::ControlQuestion;
use parsing::Portion;
pub use parsing::read_notifications;
pub use slots::{Reserved, Slot, Slots, Ticket};
use verifier::Verifier;

/// Maximum sleep of the loop, because another process may have reset a notification.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The interval of checks for notifications that another process received.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a backlog is parsed before calls are started beside it. In a burst about one subject, one call then
/// answers all.
const READS_FIRST: Duration = Duration::from_secs(1);

/// The limits of parsing in one turn.
const READ: Portion = Portion { batches: 6, notifications: 150 };

/// The same while calls are in flight, which need the writer about as long.
const READ_BESIDE_CALLS: Portion = Portion { batches: 2, notifications: 100 };

/// Maximum number of questions that one source starts in a turn, before the next source.
const MOST_IN_ONE_TURN: usize = 64;

/// Maximum number of calls that are in flight or whose answers wait to be recorded, for each slot. If the store is slower
/// than the shops, answers must not pile up.
const CALLS_PER_SLOT: usize = 4;

/// A source as the worker sees it.
#[derive(Clone)]
pub struct WorkerSource {
    pub provider: Arc<dyn Provider>,
    /// Its API; the worker adds its own gate.
    pub api: Api,
    pub rate: Rate,
}

/// The parts of the worker.
pub struct WorkerParts {
    pub store: Store,
    /// The configured sources, by name.
    pub sources: BTreeMap<String, WorkerSource>,
    /// The `[verify]` settings of the rules.
    pub policy: Policy,
    /// Maximum number of concurrent API calls.
    pub concurrency: usize,
    pub clock: Clock,
    pub metrics: Metrics,
    /// The owner of its leases, of the form `role-…`.
    pub owner: String,
    /// Rung by the receiver for a new notification.
    pub wake: Arc<Notify>,
    /// Called for every change of state; for progress and the demo.
    pub moves: Option<mpsc::UnboundedSender<StateChange>>,
}

/// The worker of one process.
pub struct Worker {
    parts: Arc<WorkerParts>,
    slots: Slots,
    verifications: JoinSet<()>,
    controls: BTreeMap<String, Arc<ControlQuestion>>,
    /// The calls begun so far, by source.
    begun: BTreeMap<String, Begun>,
    /// The source that is first in the next turn.
    first: usize,
    renew_at: Timestamp,
    last_turn: LastTurn,
    /// Whether the notifications that waited for their source's configuration were parsed.
    has_parsed_awaiting: bool,
    /// When to check for new notifications without a ring.
    look_at: Option<Timestamp>,
    /// Since when there has been a backlog to parse, by [`Clock::steady_millis`].
    behind_since_ms: Option<i64>,
    /// No calls before this time, by [`Clock::steady_millis`].
    calls_from_ms: i64,
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerTurn {
    /// It parsed a notification or started a call.
    Worked,
    /// There is nothing to start now, but calls may be in flight.
    Idle {
        /// When work is due next, if any is waiting.
        until: Option<Timestamp>,
        /// Whether due work waits only for its source's rate limit.
        is_spent: bool,
    },
}

impl Worker {
    #[must_use]
    pub fn new(parts: WorkerParts) -> Self {
        let slots = Slots::new(parts.concurrency, parts.sources.keys().map(String::as_str));
        let now = parts.clock.now();
        Self {
            slots,
            verifications: JoinSet::new(),
            controls: parts.sources.keys().map(|name| (name.clone(), Arc::default())).collect(),
            begun: BTreeMap::new(),
            first: 0,
            renew_at: now.plus(LEASE_LENGTH / 3),
            last_turn: LastTurn::new(&parts.clock),
            has_parsed_awaiting: false,
            look_at: None,
            behind_since_ms: None,
            calls_from_ms: i64::MIN,
            parts: Arc::new(parts),
        }
    }

    /// Records its turns where the previous worker did, so that health checks survive a reload.
    #[must_use]
    pub fn with_last_turn(self, last_turn: LastTurn) -> Self {
        Self { last_turn, ..self }
    }

    /// Makes no calls before this time, by [`Clock::steady_millis`]: the result of [`Worker::run`] of the previous
    /// worker.
    #[must_use]
    pub fn calling_from(self, calls_from_ms: i64) -> Self {
        Self { calls_from_ms, ..self }
    }

    /// Its last turn, for health checks.
    #[must_use]
    pub fn last_turn(&self) -> LastTurn {
        self.last_turn.clone()
    }

    /// Works until `stop` is rung, then waits up to `drain` for the calls in flight and releases the rest. Returns
    /// the argument for its successor's [`Worker::calling_from`].
    pub async fn run(mut self, stop: Arc<Notify>, drain: Duration) -> i64 {
        let stopped = stop.notified();
        tokio::pin!(stopped);
        loop {
            let until = match self.turn().await {
                // A timer would round up to its next millisecond.
                Ok(WorkerTurn::Worked) => tokio::select! {
                    biased;
                    () = &mut stopped => break,
                    () = tokio::task::yield_now() => continue,
                },
                Ok(WorkerTurn::Idle { until, .. }) => until,
                // Damage is logged once, where it is found.
                Err(StoreError::Damaged(_)) => None,
                Err(error) => {
                    log::error!("the worker cannot use the store: {error:#}");
                    None
                }
            };
            let pause = until.map_or(LONGEST_SLEEP, |then| then.since(self.parts.clock.now()));
            let pause = pause.min(LONGEST_SLEEP);
            let wake = Arc::clone(&self.parts.wake);
            tokio::select! {
                () = &mut stopped => break,
                () = wake.notified() => self.look_at = None,
                Some(_) = self.verifications.join_next() => {}
                // Before the answer is recorded, so that the next question is leased in the same transaction.
                () = self.slots.call_ended() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        let calls_from_ms = self.calls_from_ms;
        self.finish(drain).await;
        calls_from_ms
    }

    /// Parses new notifications and starts the calls that are due and allowed; does not wait for their answers.
    pub async fn turn(&mut self) -> Result<WorkerTurn, StoreError> {
        if let Some(by_ms) = self.parts.clock.set_by() {
            self.follow_clock(by_ms).await?;
        }
        let now = self.parts.clock.now();
        self.last_turn.begin();
        while self.verifications.try_join_next().is_some() {}
        if now >= self.renew_at || now.plus(LEASE_LENGTH) < self.renew_at {
            if !self.verifications.is_empty() {
                self.parts.store.renew_leases(self.parts.owner.clone(), now).await?;
            }
            self.renew_at = now.plus(LEASE_LENGTH / 3);
        }
        if !self.has_parsed_awaiting {
            parsing::parse_awaiting(&self.parts).await?;
            self.has_parsed_awaiting = true;
        }
        let mut has_worked = false;
        if self.look_at.is_none_or(|then| then <= now || then > now.plus(LOOK_EVERY)) {
            let reads_first = self.reads_first();
            let portion = if reads_first { READ } else { READ_BESIDE_CALLS };
            let parsed = parsing::parse_new(&self.parts, portion).await?;
            has_worked = parsed.count > 0;
            self.look_at = (!parsed.is_more_left).then(|| now.plus(LOOK_EVERY));
            if !parsed.is_more_left {
                self.behind_since_ms = None;
            } else if reads_first {
                return Ok(WorkerTurn::Worked);
            }
        }
        let wait_ms = self.calls_from_ms.saturating_sub(self.parts.clock.steady_millis());
        if let Ok(wait_ms @ 1..) = u64::try_from(wait_ms) {
            if has_worked {
                return Ok(WorkerTurn::Worked);
            }
            return Ok(WorkerTurn::Idle {
                until: Some(now.plus(Duration::from_millis(wait_ms))),
                is_spent: false,
            });
        }
        let started = self.start_calls().await?;
        Ok(if has_worked || started.any {
            WorkerTurn::Worked
        } else {
            WorkerTurn::Idle { until: started.until, is_spent: started.is_spent }
        })
    }

    /// Whether parsing has priority: a backlog that is still short in time.
    fn reads_first(&mut self) -> bool {
        let now_ms = self.parts.clock.steady_millis();
        let since_ms = *self.behind_since_ms.get_or_insert(now_ms);
        u128::try_from(now_ms.saturating_sub(since_ms)).is_ok_and(|ms| ms < READS_FIRST.as_millis())
    }

    /// After the clock was set ahead, notifications look older than they are. No calls until they have the age at
    /// which "not found" is final.
    async fn follow_clock(&mut self, by_ms: i64) -> Result<(), StoreError> {
        let clock = &self.parts.clock;
        let direction = if by_ms > 0 { "ahead" } else { "back" };
        log::warn!("the clock was set {} s {direction}", by_ms.unsigned_abs() / 1000);
        if by_ms > 0 {
            let grace = whole(self.parts.policy.grace.as_millis());
            self.calls_from_ms = clock.steady_millis().saturating_add(grace.min(by_ms));
        }
        let sources: Vec<String> = self.parts.sources.keys().cloned().collect();
        self.parts.store.follow_clock(by_ms, &sources, clock.clone()).await
    }

    /// Waits until one of the calls in flight is recorded; `false` if there is none.
    pub async fn wait_for_one(&mut self) -> bool {
        self.verifications.join_next().await.is_some()
    }

    /// Starts the calls that each source allows now, beginning with another source in each turn.
    async fn start_calls(&mut self) -> Result<Started, StoreError> {
        let mut names: Vec<&String> =
            self.parts.sources.keys().filter(|name| self.slots.has_room(name)).collect();
        if names.is_empty() || self.verifications.len() >= self.parts.concurrency * CALLS_PER_SLOT {
            return Ok(Started::default());
        }
        self.first = self.first.wrapping_add(1);
        let first = self.first % names.len();
        names.rotate_left(first);
        let names: Vec<String> = names.into_iter().cloned().collect();
        let requests = names.iter().filter_map(|name| self.request(name)).collect();
        let slots = self.slots.clone();
        let reserved = move |source: &str| slots.reserve(source, MOST_IN_ONE_TURN);
        let now = self.parts.clock.now();
        let (mut started, mut failed) = (Started::default(), None);
        for (name, leased, reserved) in self.parts.store.lease(requests, reserved, now).await? {
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
            self.ask(&name, leased.calls, reserved, now);
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

    /// Starts calls, each in its slot.
    fn ask(&mut self, name: &str, calls: Vec<Vec<Lease>>, reserved: Vec<Reserved>, now: Timestamp) {
        let Some(source) = self.parts.sources.get(name).filter(|_| !calls.is_empty()).cloned() else {
            return;
        };
        let begun = self.begun.entry(name.to_owned()).or_insert(Begun { calls: 0, last_at: now });
        begun.calls = begun.calls.wrapping_add(u64::try_from(calls.len()).unwrap_or(0));
        begun.last_at = now;
        let control = Arc::clone(self.controls.entry(name.to_owned()).or_default());
        for (leases, reserved) in calls.into_iter().zip(reserved) {
            let verifier = Verifier {
                parts: Arc::clone(&self.parts),
                slots: self.slots.clone(),
                source: source.clone(),
                control: Arc::clone(&control),
            };
            self.verifications.spawn(async move { verifier.ask(leases, reserved).await });
        }
    }

    /// Lets the calls in flight end within `drain`, then releases the remaining leases.
    pub async fn finish(mut self, drain: Duration) {
        self.slots.close();
        let rest = async { while self.verifications.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, rest).await.is_err() {
            log::warn!("released {} unanswered calls", self.verifications.len());
        }
        self.verifications.shutdown().await;
        if let Err(error) = self.parts.store.free_leases(self.parts.owner.clone()).await {
            log::warn!("could not release the leases (they expire in 60 s): {error:#}");
        }
    }
}

/// The calls of one source that this process started.
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
