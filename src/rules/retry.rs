//! When to ask again.

use std::time::Duration;

use crate::domain::ledger::{Policy, Waiting};
use crate::domain::{Cause, Timestamp};

/// The longest pause while an answer has not caught up with the claim.
pub const BEHIND_CAP: Duration = Duration::from_secs(6 * 3600);

/// The longest pause of a source that does not let us in.
pub const DENIED_CAP: Duration = Duration::from_secs(3600);

/// A pause that a shop asked for without saying how long.
const UNTOLD_PAUSE: Duration = Duration::from_secs(10);

/// Fewer questions than these are no reason to give up.
pub const LEAST_ATTEMPTS: u32 = 8;

/// So many refusals of a subject's own are, once grace is over.
pub const MOST_OWN_REFUSALS: u32 = 5;

/// Whether patience with a row is over: asked late enough after receipt or the last retry, and often enough.
pub(super) fn out_of_patience(row: &Waiting, asked_at: Timestamp, policy: &Policy) -> bool {
    asked_at > row.patience_since().plus(policy.give_up_after) && row.attempts + 1 >= LEAST_ATTEMPTS
}

/// The pause after the `attempts`-th question (from 1): `base` doubled each time up to `cap`, of which `jitter` (0 to 1)
/// takes away up to a half, so that those who failed together do not come back together.
#[must_use]
pub fn backoff(base: Duration, cap: Duration, attempts: u32, jitter: f64) -> Duration {
    let doubled = doubled(base, attempts).min(cap);
    doubled.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
}

/// How long nobody asks a source that failed as a whole `failures` times in a row (from 1).
#[must_use]
pub fn source_pause(
    cause: Cause,
    failures: u32,
    retry_after: Option<Duration>,
    policy: &Policy,
    jitter: f64,
) -> Duration {
    match cause {
        Cause::ApiRateLimited => retry_after.unwrap_or(UNTOLD_PAUSE),
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
