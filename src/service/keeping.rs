//! Keeps the `[store]` rules while the service runs: at its start, every hour, and whenever they change. A flood does not
//! wait for the hour: what `store.max_unproven` bounds is looked at every few seconds, and when the intake finds too much of
//! it.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::domain::{Clock, Timestamp};
use crate::store::{Keep, Kept, Store};

/// From one beginning to the next.
const EVERY: Duration = Duration::from_secs(3600);

/// How often the store is looked at for what a flood left that has been settled since.
const FLOOD_CHECK: Duration = Duration::from_secs(10);

/// A clock that was set ahead by more makes what is young look old: what it would remove is gone for good.
const DOUBTFUL_STEP_MS: i64 = 3_600_000;

/// So long a clock that was set ahead must have stood before anything is removed by its word: enough for somebody to set
/// it right again.
const DOUBT_MS: i64 = 24 * 3_600_000;

/// Whether the clock may be believed.
struct Doubt {
    /// How far the clock is ahead of the steady time.
    ahead_ms: i64,
    until_ms: i64,
}

impl Doubt {
    /// The clock was set before as well, while no serve ran: it is held against the last time in the store. The machine
    /// has been up for as long as `up` says, and that long it may have had nothing to store.
    fn new(clock: &Clock, last_sign: Option<Timestamp>, up: Duration) -> Self {
        let silence_ms = last_sign.map_or(0, |last| clock.now().millis().saturating_sub(last.millis()));
        let up_ms = i64::try_from(up.as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = ahead_ms(clock);
        let mut doubt = Self {
            ahead_ms: ahead_ms.saturating_sub(silence_ms.saturating_sub(up_ms).max(0)),
            until_ms: i64::MIN,
        };
        doubt.look(ahead_ms, clock.steady_millis());
        doubt
    }

    fn is_doubtful(&mut self, clock: &Clock) -> bool {
        self.look(ahead_ms(clock), clock.steady_millis())
    }

    fn look(&mut self, ahead_ms: i64, steady_ms: i64) -> bool {
        let step_ms = ahead_ms.saturating_sub(self.ahead_ms);
        self.ahead_ms = ahead_ms;
        if step_ms > DOUBTFUL_STEP_MS {
            self.until_ms = steady_ms.saturating_add(DOUBT_MS);
        } else if step_ms < -DOUBTFUL_STEP_MS {
            self.until_ms = i64::MIN;
        }
        steady_ms < self.until_ms
    }
}

/// How long the machine has been up, also while it slept.
fn up() -> Duration {
    let up = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(up.tv_sec).unwrap_or(0), 0)
}

fn ahead_ms(clock: &Clock) -> i64 {
    clock.now().millis().saturating_sub(clock.steady_millis())
}

/// Keeps the rules until `stop` is rung, and then ends at once: every step of it stands alone.
/// `last_sign` is the last time that the store told of at the start.
pub(super) async fn run(
    store: Store,
    mut rules: watch::Receiver<Keep>,
    clock: Clock,
    last_sign: Option<Timestamp>,
    overfull: Arc<Notify>,
    stop: Arc<Notify>,
) {
    let work = async {
        let mut doubt = Doubt::new(&clock, last_sign, up());
        let mut hours = tokio::time::interval(EVERY);
        let mut checks = tokio::time::interval(FLOOD_CHECK);
        for ticks in [&mut hours, &mut checks] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let is_flood = tokio::select! {
                biased;
                _ = hours.tick() => false,
                Ok(()) = rules.changed() => false,
                () = overfull.notified() => true,
                _ = checks.tick() => true,
            };
            let in_force = rules.borrow_and_update().clone();
            let kept = if is_flood {
                // It goes by what came first, not by any clock.
                store.keep_flood(&in_force).await
            } else if doubt.is_doubtful(&clock) {
                log::warn!(
                    "the clock was set ahead, or the machine was off for long: for a day store.keep and its like wait"
                );
                continue;
            } else {
                store.keep(&in_force, clock.now()).await
            };
            match kept {
                Ok(kept) if kept == Kept::default() => {}
                Ok(Kept { expired, emptied, unproven }) => log::info!(
                    "kept within bounds: {expired} notifications removed by store.keep, {emptied} rows emptied by \
                     store.keep_personal, {unproven} notifications removed by store.max_unproven"
                ),
                Err(error) => log::warn!("store.keep and its like are kept later: {error}"),
            }
        }
    };
    tokio::select! {
        () = stop.notified() => {}
        () = work => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_ahead_by_hours_is_believed_after_a_day_or_when_it_is_set_back() {
        const HOUR: i64 = 3_600_000;
        let mut doubt = Doubt { ahead_ms: 0, until_ms: i64::MIN };
        assert!(!doubt.look(0, 0));
        assert!(!doubt.look(HOUR, HOUR), "the summer time of a careless clock");
        assert!(doubt.look(365 * 24 * HOUR, 2 * HOUR));
        assert!(doubt.look(365 * 24 * HOUR, 25 * HOUR));
        assert!(!doubt.look(365 * 24 * HOUR, 26 * HOUR));
        assert!(doubt.look(366 * 24 * HOUR, 30 * HOUR));
        assert!(!doubt.look(365 * 24 * HOUR, 31 * HOUR));
    }

    #[test]
    fn at_the_start_the_clock_is_held_against_the_store_and_the_time_that_the_machine_is_up() {
        const DAY: u64 = 24 * 3600;
        let doubts = |silent: Option<u64>, up: u64| {
            let clock = Clock::standing_at(Timestamp::from_seconds(1_750_000_000));
            let last = silent.map(|seconds| clock.now().minus(Duration::from_secs(seconds)));
            Doubt::new(&clock, last, Duration::from_secs(up)).is_doubtful(&clock)
        };
        assert!(!doubts(None, 60), "a new store");
        assert!(!doubts(Some(3000), 60), "a machine that was started again");
        assert!(!doubts(Some(3 * DAY), 3 * DAY), "a serve that was");
        assert!(doubts(Some(500 * DAY), 60));
        assert!(doubts(Some(500 * DAY), 3 * DAY));
    }
}
