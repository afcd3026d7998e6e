//! The deliverer sends the news to the owner's actions. It is a loop around a public [`Deliverer::turn`], which leases
//! what is due and starts to send it, and never waits for a target. Its slots and HTTP clients are its own, so a slow
//! or dead target delays no verdict, no acknowledgement and no other action.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::actions::http::Clients;
use crate::actions::{Action, Stopping, Target};
use crate::domain::{Clock, LastTurn, Timestamp};
use crate::metrics::Metrics;
use crate::rules::delivery::longest_pause;
use crate::store::{DeliveryRequest, LEASE_LENGTH, LeasedDelivery, Store, StoreError};

mod sending;

use sending::Sender;

/// The interval of checks for deliveries that another process made due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Maximum number of tries of one action started in one turn.
const MOST_IN_ONE_TURN: usize = 128;

/// Time that a cut-off try may need to clean up.
const CLEANUP_TIME: Duration = Duration::from_millis(100);

/// The actions in force.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    pub actions: Vec<Action>,
    /// How long a stop waits for tries in flight.
    pub drain: Duration,
}

/// The parts of a deliverer.
pub struct DelivererParts {
    /// The store with the outbox.
    pub store: Store,
    /// The actions in force; deliveries to other actions stay waiting.
    pub in_force: watch::Receiver<Arc<InForce>>,
    /// The HTTP clients for endpoints.
    pub clients: Clients,
    pub clock: Clock,
    pub metrics: Metrics,
    /// The owner of its leases, of the form `role-…`.
    pub owner: String,
}

/// The deliverer of one process.
pub struct Deliverer {
    parts: DelivererParts,
    queues: BTreeMap<String, ActionQueue>,
    tries: JoinSet<(String, i64)>,
    stopping: watch::Sender<Stopping>,
    last_turn: LastTurn,
    renew_at: Timestamp,
    look_at: Timestamp,
}

/// One action, and its tries in flight.
struct ActionQueue {
    /// `None`: it is no longer configured; its tries in flight may end.
    action: Option<(Arc<Action>, Arc<dyn Target>)>,
    under_way: BTreeSet<i64>,
    /// When a delivery may be due; `None`: not before another process or a try makes one due.
    due_at: Option<Timestamp>,
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelivererTurn {
    /// It started at least one try.
    Worked,
    /// Nothing to start. Tries may be in flight; the time is when the next delivery is due, `None` if none
    /// is.
    Idle(Option<Timestamp>),
}

impl Deliverer {
    /// A deliverer that has not started.
    #[must_use]
    pub fn new(parts: DelivererParts) -> Self {
        let now = parts.clock.now();
        let mut deliverer = Self {
            queues: BTreeMap::new(),
            tries: JoinSet::new(),
            stopping: watch::Sender::new(Stopping::No),
            last_turn: LastTurn::new(&parts.clock),
            renew_at: now.plus(LEASE_LENGTH / 3),
            look_at: now,
            parts,
        };
        deliverer.take_over();
        deliverer
    }

    /// Its last turn, for health checks.
    #[must_use]
    pub fn last_turn(&self) -> LastTurn {
        self.last_turn.clone()
    }

    /// Delivers until `stop` is rung, then lets the tries in flight end within `drain` and releases the rest.
    pub async fn run(mut self, stop: Arc<Notify>) {
        let stopped = stop.notified();
        tokio::pin!(stopped);
        let mut changed = self.parts.store.outbox_changed();
        let mut in_force = self.parts.in_force.clone();
        loop {
            let pause = match self.turn().await {
                Ok(DelivererTurn::Worked) => Duration::ZERO,
                Ok(DelivererTurn::Idle(until)) => {
                    let now = self.parts.clock.now();
                    until.map_or(LOOK_EVERY, |then| then.since(now)).min(self.look_at.since(now))
                }
                // Damage is logged once, where it is found.
                Err(StoreError::Damaged(_)) => LOOK_EVERY,
                Err(error) => {
                    log::error!("the deliverer cannot use the store: {error:#}");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                biased;
                () = &mut stopped => break,
                Ok(()) = in_force.changed() => self.take_over(),
                Ok(()) = changed.changed() => self.mark_all_due(),
                Some(ended) = self.tries.join_next() => self.ended(ended),
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.finish().await;
    }

    /// Puts new actions in force; tries in flight continue as they began.
    fn take_over(&mut self) {
        let in_force = Arc::clone(&self.parts.in_force.borrow_and_update());
        for queue in self.queues.values_mut() {
            queue.action = None;
        }
        self.queues.retain(|_, queue| !queue.under_way.is_empty());
        for action in &in_force.actions {
            let target = action.kind.target(&self.parts.clients);
            let queue = self.queues.entry(action.name.clone()).or_insert_with(ActionQueue::idle);
            queue.action = Some((Arc::new(action.clone()), target));
        }
        self.mark_all_due();
    }

    fn mark_all_due(&mut self) {
        let now = self.parts.clock.now();
        self.queues.values_mut().for_each(|queue| queue.due_at = Some(now));
    }

    /// Starts the tries that are due and allowed, without waiting for their end.
    pub async fn turn(&mut self) -> Result<DelivererTurn, StoreError> {
        let now = self.parts.clock.now();
        self.last_turn.begin();
        while let Some(ended) = self.tries.try_join_next() {
            self.ended(ended);
        }
        if now >= self.renew_at || now.plus(LEASE_LENGTH) < self.renew_at {
            self.renew(now).await?;
            self.renew_at = now.plus(LEASE_LENGTH / 3);
        }
        if now >= self.look_at || now.plus(LOOK_EVERY) < self.look_at {
            self.check_due(now).await?;
            self.look_at = now.plus(LOOK_EVERY);
        }
        let requests: Vec<DeliveryRequest> =
            self.queues.values().filter_map(|queue| queue.request(now)).collect();
        if requests.is_empty() {
            return Ok(DelivererTurn::Idle(self.next_due()));
        }
        let names: Vec<String> = requests.iter().map(|request| request.action.clone()).collect();
        let leased = self.parts.store.lease_deliveries(requests, self.parts.owner.clone(), now).await?;
        let mut has_worked = false;
        for (name, leased) in names.into_iter().zip(leased) {
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            queue.due_at = leased.come_back_at;
            has_worked |= !leased.deliveries.is_empty();
            for delivery in leased.deliveries {
                self.begin(&name, delivery);
            }
        }
        Ok(if has_worked { DelivererTurn::Worked } else { DelivererTurn::Idle(self.next_due()) })
    }

    /// Waits until one of the tries in flight is recorded; `false` if there is none.
    pub async fn wait_for_one(&mut self) -> bool {
        match self.tries.join_next().await {
            Some(ended) => {
                self.ended(ended);
                true
            }
            None => false,
        }
    }

    /// When the next delivery that has a free slot is due.
    fn next_due(&self) -> Option<Timestamp> {
        self.queues.values().filter(|queue| queue.room() > 0).filter_map(|queue| queue.due_at).min()
    }

    fn begin(&mut self, name: &str, delivery: LeasedDelivery) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let Some((action, target)) = queue.action.clone() else { return };
        let id = delivery.id;
        queue.under_way.insert(id);
        let sender = Sender {
            store: self.parts.store.clone(),
            clock: self.parts.clock.clone(),
            metrics: self.parts.metrics.clone(),
            owner: self.parts.owner.clone(),
            action,
            target,
            stop: self.stopping.subscribe(),
        };
        let name = name.to_owned();
        self.tries.spawn(async move {
            if AssertUnwindSafe(sender.send(delivery)).catch_unwind().await.is_err() {
                log::error!("action={name} delivery={id} panicked; it is retried when its lease expires");
            }
            (name, id)
        });
    }

    fn ended(&mut self, ended: Result<(String, i64), tokio::task::JoinError>) {
        let now = self.parts.clock.now();
        match ended {
            Ok((name, id)) => {
                if let Some(queue) = self.queues.get_mut(&name) {
                    queue.under_way.remove(&id);
                    queue.due_at = Some(now);
                }
            }
            Err(error) => log::debug!("a delivery was cut off: {error}"),
        }
    }

    async fn renew(&self, now: Timestamp) -> Result<(), StoreError> {
        let ids: Vec<i64> = self.queues.values().flat_map(|queue| queue.under_way.iter().copied()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.parts.store.renew_deliveries(ids, self.parts.owner.clone(), now).await
    }

    /// Checks for deliveries that another process made due.
    async fn check_due(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let with_room = self.queues.iter().filter(|(_, queue)| queue.room() > 0);
        let actions: Vec<(String, Duration)> = with_room
            .filter_map(|(name, queue)| {
                let (action, _) = queue.action.as_ref()?;
                Some((name.clone(), longest_pause(&action.policy)))
            })
            .collect();
        if actions.is_empty() {
            return Ok(());
        }
        let due = self.parts.store.reader().deliveries_due(actions.clone(), now).await?;
        for ((name, _), due_at) in actions.into_iter().zip(due) {
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.due_at = due_at;
            }
        }
        Ok(())
    }

    /// Lets the tries in flight end in time, then releases the remaining leases.
    pub async fn finish(mut self) {
        let drain = self.parts.in_force.borrow().drain;
        self.stopping.send_replace(Stopping::Ends);
        let rest = async { while self.tries.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, rest).await.is_err() {
            log::warn!("cut off {} deliveries; they are waiting again", self.tries.len());
            self.stopping.send_replace(Stopping::Over);
            let rest = async { while self.tries.join_next().await.is_some() {} };
            // Tries that still do not end are aborted.
            let _ = tokio::time::timeout(CLEANUP_TIME, rest).await;
        }
        self.tries.shutdown().await;
        if let Err(error) = self.parts.store.free_deliveries(self.parts.owner.clone()).await {
            log::warn!("could not release the leases of deliveries (they expire in 60 s): {error:#}");
        }
    }
}

impl ActionQueue {
    fn idle() -> Self {
        Self { action: None, under_way: BTreeSet::new(), due_at: None }
    }

    /// The number of tries that may start.
    fn room(&self) -> usize {
        let most = self.action.as_ref().map_or(0, |(action, _)| action.concurrency);
        most.saturating_sub(self.under_way.len())
    }

    fn request(&self, now: Timestamp) -> Option<DeliveryRequest> {
        let (action, _) = self.action.as_ref()?;
        let most = self.room().min(MOST_IN_ONE_TURN);
        let is_due = self.due_at.is_some_and(|due| due <= now);
        (is_due && most > 0).then(|| DeliveryRequest {
            action: action.name.clone(),
            most,
            longest_pause: longest_pause(&action.policy),
            with_email: action.with_email,
            with_raw: action.with_raw,
        })
    }
}
