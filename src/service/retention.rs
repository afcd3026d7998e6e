//! Enforces the retention rules of `[store]` while the service runs: at the start, every hour, and whenever
//! they change. `store.max_unproven` is also enforced every few seconds, and when intake finds more rows than
//! it allows.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::domain::number::whole;
use crate::domain::{Clock, Timestamp};
use crate::store::{Removed, RetentionPolicy, Store};

/// The time between two runs.
const EVERY: Duration = Duration::from_secs(3600);

/// How often rows of a flood that were settled since are looked for.
const FLOOD_CHECK: Duration = Duration::from_secs(10);

/// A clock set ahead by more than this makes young rows look old, and removing them cannot be undone.
const DOUBTFUL_STEP_MS: i64 = 3_600_000;

/// How long a clock that was set ahead must stay so before rows are removed by it. This leaves time to correct it.
const DOUBT_MS: i64 = 24 * 3_600_000;

/// Decides whether to trust the clock.
struct Doubt {
    /// How far the clock is ahead of the monotonic clock.
    ahead_ms: i64,
    until_ms: i64,
}

impl Doubt {
    /// The clock may also have been set while no serve ran, so it is compared with the last time in the store. The
    /// machine has been up for `up`, and may have had nothing to store for that long.
    fn new(clock: &Clock, last_write_at: Option<Timestamp>, up: Duration) -> Self {
        let silence_ms = last_write_at.map_or(0, |last| clock.now().millis().saturating_sub(last.millis()));
        let up_ms = whole(up.as_millis());
        let ahead_ms = ahead_ms(clock);
        let mut doubt = Self {
            ahead_ms: ahead_ms.saturating_sub(silence_ms.saturating_sub(up_ms).max(0)),
            until_ms: i64::MIN,
        };
        doubt.update(ahead_ms, clock.steady_millis());
        doubt
    }

    fn is_doubtful(&mut self, clock: &Clock) -> bool {
        self.update(ahead_ms(clock), clock.steady_millis())
    }

    fn update(&mut self, ahead_ms: i64, steady_ms: i64) -> bool {
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

/// The machine's uptime, including sleep.
fn up() -> Duration {
    let up = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(up.tv_sec).unwrap_or(0), 0)
}

fn ahead_ms(clock: &Clock) -> i64 {
    clock.now().millis().saturating_sub(clock.steady_millis())
}

/// The parts of the task.
pub(super) struct RetentionParts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// The rules in force.
    pub(super) rules: watch::Receiver<RetentionPolicy>,
    /// The last time in the store at the start.
    pub(super) last_write_at: Option<Timestamp>,
    /// Rung by intake when more rows of unproven senders are stored than `store.max_unproven` allows.
    pub(super) overfull: Arc<Notify>,
    /// Receives the time before which `store.keep_personal` has emptied everything.
    pub(super) emptied: watch::Sender<Option<Timestamp>>,
}

/// Applies the rules until `stop` is rung, and then ends at once, because every step stands alone.
pub(super) async fn run(parts: RetentionParts, stop: Arc<Notify>) {
    let RetentionParts { store, clock, mut rules, last_write_at, overfull, emptied } = parts;
    let work = async {
        let mut doubt = Doubt::new(&clock, last_write_at, up());
        let mut hours = tokio::time::interval(EVERY);
        let mut checks = tokio::time::interval(FLOOD_CHECK);
        for ticks in [&mut hours, &mut checks] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut was_short = false;
        loop {
            let is_flood = tokio::select! {
                biased;
                _ = hours.tick() => false,
                Ok(()) = rules.changed() => false,
                () = overfull.notified() => true,
                _ = checks.tick() => true,
            };
            let in_force = rules.borrow_and_update().clone();
            // Rows that are kept only for the ledger must not use up the last of the disk.
            let is_short = store.is_short_of_disk(in_force.min_free);
            let is_flood = is_flood && (was_short || !is_short);
            was_short = is_short;
            let removed = if is_flood {
                // This rule goes by the order of ids, not by the clock.
                store.enforce_unproven(&in_force).await
            } else if doubt.is_doubtful(&clock) {
                log::warn!(
                    "the clock was set ahead, or the machine was off for long; the retention rules by age \
                        pause for a day"
                );
                continue;
            } else {
                let now = clock.now();
                let removed = store.retain(&in_force, now).await;
                if removed.is_ok() {
                    emptied.send_replace(in_force.keep_personal.map(|age| now.minus(age)));
                }
                removed
            };
            match removed {
                Ok(removed) if removed == Removed::default() => {}
                Ok(Removed { expired, emptied, unproven }) => log::info!(
                    "retention: {expired} notifications removed by store.keep, {emptied} rows emptied by \
                        store.keep_personal, {unproven} notifications removed by store.max_unproven"
                ),
                Err(error) => log::warn!("the retention rules failed and are tried again later: {error:#}"),
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
        assert!(!doubt.update(0, 0));
        assert!(!doubt.update(HOUR, HOUR), "the summer time of a careless clock");
        assert!(doubt.update(365 * 24 * HOUR, 2 * HOUR));
        assert!(doubt.update(365 * 24 * HOUR, 25 * HOUR));
        assert!(!doubt.update(365 * 24 * HOUR, 26 * HOUR));
        assert!(doubt.update(366 * 24 * HOUR, 30 * HOUR));
        assert!(!doubt.update(365 * 24 * HOUR, 31 * HOUR));
    }

    #[test]
    fn at_start_the_clock_is_compared_with_the_store_and_the_uptime() {
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
