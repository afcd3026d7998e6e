//! Retries of a call after a passing failure. The worker does not use this: its retries wait in the store.

use std::time::Duration;

use crate::domain::{Cause, Failure};

/// A caller's retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallRetries {
    /// Maximum number of tries.
    pub tries: u32,
    /// Delay after the first try, doubled each time.
    pub first_pause: Duration,
    /// Maximum delay. If a shop asks for a longer one, the call fails.
    pub longest_pause: Duration,
}

impl CallRetries {
    pub const NONE: Self = Self { tries: 1, first_pause: Duration::ZERO, longest_pause: Duration::ZERO };

    /// The delay before the call is repeated after its `tries`-th failure (from 1); `None` if that was the
    /// last try.
    #[must_use]
    pub fn pause_after(&self, failure: &Failure, tries: u32) -> Option<Duration> {
        if tries >= self.tries || !is_for_the_moment(failure) {
            return None;
        }
        match failure.retry_after {
            Some(asked) => (asked <= self.longest_pause).then_some(asked),
            None => {
                let doubled =
                    1_u32.checked_shl(tries - 1).map(|factor| self.first_pause.saturating_mul(factor));
                Some(doubled.unwrap_or(self.longest_pause).min(self.longest_pause))
            }
        }
    }
}

/// Whether the same call may succeed a little later: no connection, a timeout, a pause, or a 5xx.
fn is_for_the_moment(failure: &Failure) -> bool {
    match failure.cause {
        Cause::ApiUnreachable | Cause::ApiRateLimited => true,
        Cause::ApiError => matches!(failure.http_status, Some(500..=599)),
        Cause::ApiDenied => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_until_the_tries_are_spent_and_a_shops_own_pause_is_kept() {
        let retries = CallRetries { tries: 4, first_pause: SECOND, longest_pause: 3 * SECOND };
        let down = Failure::new(Cause::ApiUnreachable, "down");
        let pauses: Vec<_> = (1..=4).map(|tries| retries.pause_after(&down, tries)).collect();
        assert_eq!(pauses, [Some(SECOND), Some(2 * SECOND), Some(3 * SECOND), None]);
        let told = |seconds| Failure {
            retry_after: Some(seconds * SECOND),
            ..Failure::new(Cause::ApiRateLimited, "wait").with_status(429)
        };
        assert_eq!(retries.pause_after(&told(3), 1), Some(3 * SECOND));
        assert_eq!(retries.pause_after(&told(4), 1), None);
    }

    #[test]
    fn a_refusal_is_final() {
        let retries = CallRetries { tries: 4, first_pause: SECOND, longest_pause: SECOND };
        for (failure, again) in [
            (Failure::new(Cause::ApiDenied, "").with_status(403), false),
            (Failure::new(Cause::ApiError, "").with_status(400), false),
            (Failure::new(Cause::ApiError, "").with_status(200), false),
            (Failure::new(Cause::ApiError, "").with_status(502), true),
        ] {
            assert_eq!(retries.pause_after(&failure, 1).is_some(), again, "{failure:?}");
        }
        assert_eq!(CallRetries::NONE.pause_after(&Failure::new(Cause::ApiUnreachable, ""), 1), None);
    }
}
