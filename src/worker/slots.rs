//! Places for API calls under way at once, shared so that no shop keeps another waiting: shops whose last call failed
//! together hold at most half of them, and a busy shop leaves a few, at least one, to those that hold none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All places of one process; clones share them.
#[derive(Clone, Debug)]
pub struct Slots {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    concurrency: usize,
    sources: Mutex<BTreeMap<String, Standing>>,
    freed: Notify,
    /// Rung once for whoever starts questions when a call has ended.
    ended: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    in_use: usize,
    /// Whether its last call succeeded; `None` for a source that was never asked.
    is_well: Option<bool>,
}

impl Standing {
    fn has_succeeded(self) -> bool {
        self.is_well == Some(true)
    }

    /// Nobody knows yet whether it works: its first question must not wait for the time-outs of others.
    fn is_first_question(self) -> bool {
        self.is_well.is_none() && self.in_use == 0
    }
}

impl Slots {
    /// `concurrency` places for these sources.
    pub fn new<'a>(concurrency: usize, sources: impl IntoIterator<Item = &'a str>) -> Self {
        let sources = sources.into_iter().map(|name| (name.to_owned(), Standing::default())).collect();
        Self {
            inner: Arc::new(Inner {
                concurrency: concurrency.max(1),
                sources: Mutex::new(sources),
                freed: Notify::new(),
                ended: Notify::new(),
            }),
        }
    }

    /// A place for a call of `source`, if it may have one now.
    #[must_use]
    pub fn try_take(&self, source: &str) -> Option<Slot> {
        let mut sources = self.lock();
        if !may_take(&sources, source, self.inner.concurrency) {
            return None;
        }
        sources.entry(source.to_owned()).or_default().in_use += 1;
        Some(Slot { slots: self.clone(), source: source.to_owned(), is_used: false })
    }

    /// Whether [`Slots::try_take`] would give a place now.
    #[must_use]
    pub fn has_place(&self, source: &str) -> bool {
        may_take(&self.lock(), source, self.inner.concurrency)
    }

    /// Waits until a call has ended since the last time; one may wait at a time.
    pub async fn call_ended(&self) {
        self.inner.ended.notified().await;
    }

    /// Waits for a place.
    pub async fn take(&self, source: &str) -> Slot {
        loop {
            let freed = self.inner.freed.notified();
            if let Some(slot) = self.try_take(source) {
                return slot;
            }
            freed.await;
        }
    }

    /// Remembers how the last call of a source went.
    pub fn mark(&self, source: &str, is_well: bool) {
        self.lock().entry(source.to_owned()).or_default().is_well = Some(is_well);
        self.inner.freed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Standing>> {
        self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_take(sources: &BTreeMap<String, Standing>, source: &str, concurrency: usize) -> bool {
    let in_use: usize = sources.values().map(|standing| standing.in_use).sum();
    let free = concurrency.saturating_sub(in_use);
    let own = sources.get(source).copied().unwrap_or_default();
    let failing: usize =
        sources.values().filter(|standing| !standing.has_succeeded()).map(|standing| standing.in_use).sum();
    let is_kept_out = !own.has_succeeded() && !own.is_first_question() && failing >= concurrency.div_ceil(2);
    if free == 0 || is_kept_out {
        return false;
    }
    let idle =
        sources.iter().filter(|(name, standing)| name.as_str() != source && standing.in_use == 0).count();
    let kept = if own.in_use == 0 { 0 } else { idle.min((concurrency / 4).max(1)) };
    free > kept
}

/// A place; free again when dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    source: String,
    is_used: bool,
}

impl Slot {
    /// A call is begun in it, whose end [`Slots::call_ended`] waits for.
    #[must_use]
    pub fn used(mut self) -> Self {
        self.is_used = true;
        self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(standing) = self.slots.lock().get_mut(&self.source) {
            standing.in_use = standing.in_use.saturating_sub(1);
        }
        self.slots.inner.freed.notify_waiters();
        if self.is_used {
            self.slots.inner.ended.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn a_single_source_may_use_every_place_once_it_is_well_and_one_place_serves_all_in_turn() {
        let slots = Slots::new(128, ["only"]);
        slots.mark("only", true);
        assert_eq!(taken(&slots, "only").len(), 128);
        let slots = Slots::new(1, ["a", "b"]);
        let first = slots.try_take("a");
        assert!(first.is_some() && slots.try_take("b").is_none());
        drop(first);
        assert!(slots.try_take("b").is_some());
    }
}
