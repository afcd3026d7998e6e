//! The retry schedule of verifications: delays, pauses of a failing source, and when retries end.

use std::time::Duration;

use crate::domain::settlement::{Policy, Waiting};
use crate::domain::{Cause, Timestamp};

/// Maximum delay while the API lags behind the claim.
pub const BEHIND_CAP: Duration = Duration::from_secs(6 * 3600);

/// Maximum pause of a source that rejects the credentials.
pub const DENIED_CAP: Duration = Duration::from_secs(3600);

/// The pause if a shop asks for one without a length.
const DEFAULT_PAUSE: Duration = Duration::from_secs(10);

/// Minimum number of tries before giving up.
pub const LEAST_ATTEMPTS: u32 = 8;

/// This many refusals of only this subject end the retries, once the grace time is over.
pub const MOST_OWN_REFUSALS: u32 = 5;

/// Whether patience with a row is over: asked late enough after receipt or the last retry, and often enough.
pub(super) fn out_of_patience(row: &Waiting, asked_at: Timestamp, policy: &Policy) -> bool {
    asked_at > row.patience_since().plus(policy.give_up_after) && row.attempts + 1 >= LEAST_ATTEMPTS
}

/// Exponential backoff: the delay after try number `attempts` (from 1) is `base`, doubled each time up to `cap`.
/// `jitter` (0 to 1) removes up to half of it, so that simultaneous failures are not retried at the same time.
#[must_use]
pub fn backoff(base: Duration, cap: Duration, attempts: u32, jitter: f64) -> Duration {
    let doubled = doubled(base, attempts).min(cap);
    doubled.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
}

/// The pause of a source that failed as a whole `failures` times in a row (from 1).
#[must_use]
pub fn source_pause(
    cause: Cause,
    failures: u32,
    retry_after: Option<Duration>,
    policy: &Policy,
    jitter: f64,
) -> Duration {
    match cause {
        Cause::ApiRateLimited => retry_after.unwrap_or(DEFAULT_PAUSE),
        Cause::ApiDenied => doubled(policy.denied_pause, failures).min(DENIED_CAP.max(policy.denied_pause)),
        Cause::ApiUnreachable | Cause::ApiError => {
            backoff(policy.retry_base, policy.retry_cap, failures, jitter)
        }
    }
}

fn doubled(base: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX);
    base.saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_jitter_only_shortens_them() {
        let (base, cap) = (Duration::from_secs(2), Duration::from_secs(900));
        let seconds = |attempts, jitter| backoff(base, cap, attempts, jitter).as_secs_f64();
        assert_eq!(
            [1, 2, 3, 9, 10, 40, u32::MAX].map(|n| seconds(n, 0.0)),
            [2.0, 4.0, 8.0, 512.0, 900.0, 900.0, 900.0]
        );
        assert!((seconds(3, 1.0) - 4.0).abs() < 1e-9);
    }
}
