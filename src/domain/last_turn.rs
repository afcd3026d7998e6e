//! When a loop last began a turn: its heartbeat for health checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::Clock;

/// The last turn of a loop; clones share it. It is kept by the monotonic clock: no loop hangs because the clock was set.
#[derive(Clone, Debug)]
pub struct LastTurn {
    clock: Clock,
    /// By [`Clock::steady_millis`].
    began_ms: Arc<AtomicI64>,
}

impl LastTurn {
    /// A turn that begins now.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), began_ms: Arc::new(AtomicI64::new(clock.steady_millis())) }
    }

    /// Records that a turn begins.
    pub fn begin(&self) {
        self.began_ms.store(self.clock.steady_millis(), Ordering::Relaxed);
    }

    /// When it began, by [`Clock::steady_millis`]; another value means that another turn began.
    #[must_use]
    pub fn began_ms(&self) -> i64 {
        self.began_ms.load(Ordering::Relaxed)
    }

    /// How long ago it began.
    #[must_use]
    pub fn ago(&self) -> Duration {
        let millis = self.clock.steady_millis().saturating_sub(self.began_ms());
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_turn_is_as_old_as_the_time_that_passed_since_it_began() {
        let clock = Clock::standing_at(Timestamp::from_seconds(100));
        let last_turn = LastTurn::new(&clock);
        let shared = last_turn.clone();
        assert_eq!(shared.ago(), Duration::ZERO);
        clock.set(Timestamp::from_seconds(161));
        assert_eq!(shared.ago(), Duration::from_secs(61));
        last_turn.begin();
        assert_eq!(shared.ago(), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_was_set_makes_no_turn_older() {
        let clock = Clock::followed();
        let last_turn = LastTurn::new(&clock);
        clock.follow(3_600_000);
        assert!(last_turn.ago() < Duration::from_secs(3600));
        last_turn.begin();
        clock.follow(-7_200_000);
        assert!(last_turn.ago() < Duration::from_secs(3600));
    }
}
