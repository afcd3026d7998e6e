//! Slots for concurrent API calls, shared so that no shop blocks another: shops whose last call failed together hold
//! at most half of the slots, and a busy shop leaves at least one to shops that hold none.
//!
//! A working shop that is alone may also have calls that hold a [`Ticket`] for its slots. Each is sent as soon as another
//! one ends, without another transaction. After a failed call, none of them is sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// All slots of one process; clones share them.
#[derive(Clone, Debug)]
pub struct Slots {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    concurrency: usize,
    sources: Mutex<BTreeMap<String, SourceSlots>>,
    freed: Notify,
    /// Cloned by each caller waiting in [`Slots::take`]; they go before calls that hold a [`Ticket`].
    takers: Arc<()>,
    /// Rung when a call has ended, so that the worker starts the next.
    ended: Notify,
}

#[derive(Debug, Default)]
struct SourceSlots {
    in_use: usize,
    /// Whether its last call succeeded; `None` before the first call.
    is_well: Option<bool>,
    /// Calls that wait for its next free slots.
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

impl SourceSlots {
    fn has_succeeded(&self) -> bool {
        self.is_well == Some(true)
    }

    /// Unknown whether it works: its first question must not wait for the timeouts of others.
    fn is_first_question(&self) -> bool {
        self.is_well.is_none() && self.in_use == 0
    }
}

impl Slots {
    /// Creates `concurrency` slots for these sources.
    pub fn new<'a>(concurrency: usize, sources: impl IntoIterator<Item = &'a str>) -> Self {
        let sources = sources.into_iter().map(|name| (name.to_owned(), SourceSlots::default())).collect();
        Self {
            inner: Arc::new(Inner {
                concurrency: concurrency.max(1),
                sources: Mutex::new(sources),
                freed: Notify::new(),
                takers: Arc::default(),
                ended: Notify::new(),
            }),
        }
    }

    /// A slot for a call of `source`, if it may have one now.
    #[must_use]
    pub fn try_take(&self, source: &str) -> Option<Slot> {
        let mut sources = self.lock();
        if !may_take(&sources, source, self.inner.concurrency) {
            return None;
        }
        sources.entry(source.to_owned()).or_default().in_use += 1;
        Some(Slot { slots: self.clone(), source: source.to_owned(), is_used: false })
    }

    /// Whether [`Slots::reserve`] would give any.
    #[must_use]
    pub fn has_room(&self, source: &str) -> bool {
        let mut sources = self.lock();
        may_take(&sources, source, self.inner.concurrency)
            || may_wait(&mut sources, source, self.inner.concurrency) > 0
    }

    /// At most `most` slots for calls of `source` that start now, or as soon as other calls of it end.
    #[must_use]
    pub fn reserve(&self, source: &str, most: usize) -> Vec<Reserved> {
        let mut reserved: Vec<Reserved> =
            std::iter::from_fn(|| self.try_take(source)).take(most).map(Reserved::Slot).collect();
        let mut sources = self.lock();
        let room = may_wait(&mut sources, source, self.inner.concurrency).min(most - reserved.len());
        if let Some(one) = sources.get_mut(source) {
            for _ in 0..room {
                let (sender, receiver) = oneshot::channel();
                one.waiting.push_back(sender);
                reserved.push(Reserved::Ticket(Ticket(receiver)));
            }
        }
        reserved
    }

    /// Refuses every call that waits for a slot.
    pub fn close(&self) {
        self.lock().values_mut().for_each(|one| one.waiting.clear());
    }

    /// Waits until a call has ended since the last time. Only one caller may wait at a time.
    pub async fn call_ended(&self) {
        self.inner.ended.notified().await;
    }

    pub async fn take(&self, source: &str) -> Slot {
        let _taker = Arc::clone(&self.inner.takers);
        loop {
            let freed = self.inner.freed.notified();
            if let Some(slot) = self.try_take(source) {
                return slot;
            }
            freed.await;
        }
    }

    /// Records the result of a source's last call.
    pub fn mark(&self, source: &str, is_well: bool) {
        let mut sources = self.lock();
        let one = sources.entry(source.to_owned()).or_default();
        one.is_well = Some(is_well);
        if !is_well {
            one.waiting.clear();
        }
        drop(sources);
        self.inner.freed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SourceSlots>> {
        self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_take(sources: &BTreeMap<String, SourceSlots>, source: &str, concurrency: usize) -> bool {
    let in_use: usize = sources.values().map(|one| one.in_use).sum();
    let free = concurrency.saturating_sub(in_use);
    let none = SourceSlots::default();
    let own = sources.get(source).unwrap_or(&none);
    let failing: usize = sources.values().filter(|one| !one.has_succeeded()).map(|one| one.in_use).sum();
    let is_kept_out = !own.has_succeeded() && !own.is_first_question() && failing >= concurrency.div_ceil(2);
    if free == 0 || is_kept_out {
        return false;
    }
    let idle = sources.iter().filter(|(name, one)| name.as_str() != source && one.in_use == 0).count();
    let kept = if own.in_use == 0 { 0 } else { idle.min((concurrency / 4).max(1)) };
    free > kept
}

/// How many more calls may wait for slots of a source.
fn may_wait(sources: &mut BTreeMap<String, SourceSlots>, source: &str, concurrency: usize) -> usize {
    let is_alone = sources.iter().all(|(name, one)| name == source || one.in_use == 0);
    let Some(own) = sources.get_mut(source).filter(|own| is_alone && own.has_succeeded() && own.in_use > 0)
    else {
        return 0;
    };
    own.waiting.retain(|waiting| !waiting.is_closed());
    // Leasing a few costs a transaction as well as leasing many.
    let most = concurrency / 2;
    if own.waiting.len() > most / 2 { 0 } else { most - own.waiting.len() }
}

/// A slot for a call, or a ticket for one.
#[derive(Debug)]
pub enum Reserved {
    Slot(Slot),
    /// After another call of its source has ended.
    Ticket(Ticket),
}

/// A call's ticket for the next free slot of its source.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Slot>);

impl Ticket {
    /// Waits for the slot. `None` if a call of the source has failed meanwhile or the process stops; then this call
    /// must not be sent.
    pub async fn slot(self) -> Option<Slot> {
        self.0.await.ok().map(Slot::used)
    }
}

/// A slot; free again when dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    source: String,
    is_used: bool,
}

impl Slot {
    /// Marks that a call starts in it, whose end [`Slots::call_ended`] reports.
    #[must_use]
    pub fn used(mut self) -> Self {
        self.is_used = true;
        self
    }
}

impl Drop for Slot {
    /// The next waiting call of its source gets it, unless a second call waits, which goes first; the last slot of a
    /// source goes to its own call, which no other slot would wake. A call that is gone drops it again.
    fn drop(&mut self) {
        let inner = &self.slots.inner;
        let next = self.slots.lock().get_mut(&self.source).and_then(|own| {
            let has_takers = own.in_use > 1 && Arc::strong_count(&inner.takers) > 1;
            let next = if has_takers { None } else { own.waiting.pop_front() };
            own.in_use -= usize::from(next.is_none());
            next
        });
        match next {
            // A call has started in it only once the next one takes it, so an unused slot wakes nothing.
            Some(next) => {
                let (slots, source) = (self.slots.clone(), self.source.clone());
                drop(next.send(Self { slots, source, is_used: false }));
            }
            None => inner.freed.notify_waiters(),
        }
        if self.is_used {
            inner.ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn taken(slots: &Slots, source: &str) -> Vec<Slot> {
        std::iter::from_fn(|| slots.try_take(source)).collect()
    }

    #[test]
    fn a_failing_source_holds_at_most_half_of_the_places() {
        let slots = Slots::new(8, ["dead", "well"]);
        slots.mark("well", true);
        let dead = taken(&slots, "dead");
        assert_eq!(dead.len(), 4);
        assert_eq!(taken(&slots, "well").len(), 4);
    }

    #[test]
    fn a_busy_source_leaves_places_to_those_that_hold_none() {
        let slots = Slots::new(8, ["busy", "b", "c", "d"]);
        for source in ["busy", "b", "c", "d"] {
            slots.mark(source, true);
        }
        let busy = taken(&slots, "busy");
        assert_eq!(busy.len(), 6);
        assert!(slots.try_take("b").is_some());
    }

    #[test]
    fn of_two_places_neither_a_slow_nor_a_dead_source_takes_both() {
        let slots = Slots::new(2, ["slow", "new"]);
        slots.mark("slow", true);
        let slow = taken(&slots, "slow");
        assert_eq!(slow.len(), 1);
        assert!(slots.try_take("new").is_some());
        let slots = Slots::new(2, ["dead", "new"]);
        let dead = taken(&slots, "dead");
        assert_eq!(dead.len(), 1);
        assert!(slots.try_take("new").is_some());
    }

    #[test]
    fn a_single_source_that_is_well_may_use_all_and_one_place_serves_all_in_turn() {
        let slots = Slots::new(128, ["only"]);
        slots.mark("only", true);
        assert_eq!(taken(&slots, "only").len(), 128);
        let slots = Slots::new(1, ["a", "b"]);
        let first = slots.try_take("a");
        assert!(first.is_some() && slots.try_take("b").is_none());
        drop(first);
        assert!(slots.try_take("b").is_some());
    }

    /// Slots of a working source that is alone: two are taken, and one call waits.
    fn full() -> (Slots, Vec<Slot>, Ticket) {
        let slots = Slots::new(3, ["well", "other"]);
        slots.mark("well", true);
        let mut taken = Vec::new();
        let mut waiting = None;
        for reserved in slots.reserve("well", 64) {
            match reserved {
                Reserved::Slot(slot) => taken.push(slot),
                Reserved::Ticket(awaited) => waiting = Some(awaited),
            }
        }
        (slots, taken, waiting.unwrap())
    }

    #[tokio::test]
    async fn a_call_that_waits_has_the_next_place_of_its_source_and_nobody_else() {
        let (slots, mut taken, waiting) = full();
        assert_eq!(taken.len(), 2, "one is kept for the other source");
        assert!(!slots.has_room("well"));
        taken.pop();
        assert!(slots.try_take("well").is_none());
        assert!(waiting.slot().await.is_some());
        taken.clear();
        let all = slots.reserve("well", 64);
        assert!(matches!(all[..], [Reserved::Slot(_), Reserved::Slot(_), Reserved::Ticket(_)]), "{all:?}");
    }

    #[tokio::test]
    async fn places_that_no_call_needs_wake_nothing_and_are_free_again() {
        let slots = Slots::new(8, ["well"]);
        slots.mark("well", true);
        let reserved = slots.reserve("well", 64);
        assert!(reserved.iter().any(|reserved| matches!(reserved, Reserved::Ticket(_))), "{reserved:?}");
        drop(reserved);
        assert!(slots.call_ended().now_or_never().is_none());
        assert_eq!(taken(&slots, "well").len(), 8);
    }

    #[tokio::test]
    async fn the_end_of_each_call_is_told_also_of_one_that_waited() {
        let (slots, mut reserved, waiting) = full();
        reserved.clear();
        assert!(slots.call_ended().now_or_never().is_none(), "none had begun");
        let slot = waiting.slot().await;
        drop(slot.unwrap());
        assert!(slots.call_ended().now_or_never().is_some());
    }

    #[tokio::test]
    async fn no_waiting_call_goes_out_once_another_has_failed_or_the_process_stops() {
        let (slots, taken, waiting) = full();
        slots.mark("well", false);
        drop(taken);
        assert!(waiting.slot().await.is_none());
        let (slots, taken, waiting) = full();
        slots.close();
        drop(taken);
        assert!(waiting.slot().await.is_none());
    }

    #[tokio::test]
    async fn nobody_waits_beside_another_source_at_work_and_second_calls_go_first() {
        let (slots, taken, waiting) = full();
        drop(waiting);
        let other = slots.try_take("other");
        assert!(other.is_some());
        assert!(slots.reserve("well", 64).is_empty());
        let (slots, mut taken_again, waiting) = full();
        let mut second = Box::pin(slots.take("well"));
        assert!((&mut second).now_or_never().is_none());
        taken_again.pop();
        assert!(second.await.source == "well");
        taken_again.pop();
        assert!(waiting.slot().await.is_some());
        drop(taken);
    }

    #[tokio::test]
    async fn the_last_place_of_a_source_goes_to_its_own_call_though_another_waits() {
        let slots = Slots::new(2, ["well", "other"]);
        slots.mark("well", true);
        slots.mark("other", true);
        let [Reserved::Slot(slot), Reserved::Ticket(waiting)] =
            <[_; 2]>::try_from(slots.reserve("well", 64)).unwrap()
        else {
            panic!("one slot is kept for the other source, and one call waits");
        };
        let first = slots.try_take("other");
        assert!(first.is_some());
        let mut second = Box::pin(slots.take("other"));
        assert!((&mut second).now_or_never().is_none());
        drop(slot);
        let last = waiting.slot().now_or_never().flatten();
        assert!(last.is_some(), "no other call of its source would wake it");
        drop(first);
        assert!(second.now_or_never().is_some());
    }
}
