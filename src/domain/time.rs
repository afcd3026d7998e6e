//! Timestamps, and the program's only clock.

use std::fmt;

use super::number::whole;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// An instant in UTC, in whole milliseconds since 1970. Its text is RFC 3339 with milliseconds and `Z`, of constant
/// width until the year 9999, so that texts order as instants do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last instant whose text has the constant width: 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// An instant from milliseconds since 1970, clamped to the years 0 to 9999.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(-62_167_219_200_000, LAST_MS))
    }

    /// An instant from whole seconds since 1970.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Self {
        Self::from_millis(seconds.saturating_mul(1000))
    }

    /// The instant in milliseconds since 1970; negative before.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses RFC 3339 with any offset, also with a space instead of the `T`.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self::from_millis(t.timestamp_millis()))
    }

    /// Parses a date and time without a zone as UTC.
    #[must_use]
    pub fn parse_naive(text: &str, format: &str) -> Option<Self> {
        NaiveDateTime::parse_from_str(text, format)
            .ok()
            .map(|t| Self::from_millis(t.and_utc().timestamp_millis()))
    }

    /// Parses the `Date` header of an HTTP answer (RFC 2822).
    #[must_use]
    pub fn parse_http_date(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc2822(text).ok().map(|t| Self::from_millis(t.timestamp_millis()))
    }

    /// This instant `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(whole(by.as_millis())))
    }

    /// This instant `by` earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(whole(by.as_millis())))
    }

    /// The time since `earlier`; zero if this is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The UTC day, `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// The UTC hour, `YYYY-MM-DDTHH`.
    #[must_use]
    pub fn hour(self) -> String {
        self.to_string().chars().take(13).collect()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant: DateTime<Utc> = DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH);
        f.write_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Smaller steps come from NTP, or from a process that had to wait for the processor.
const LEAST_STEP_MS: i64 = 1000;

/// The source of the time: the system, or a test.
#[derive(Clone, Debug)]
pub struct Clock(Hands);

#[derive(Clone, Debug)]
enum Hands {
    System,
    /// How far it is ahead of the monotonic time, in milliseconds.
    Followed(Arc<AtomicI64>),
    Set(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self(Hands::System)
    }

    /// The system's clock, except that it follows a step of that clock only when [`Clock::follow`] is called, so that
    /// schedules can be moved first. Clones follow together.
    #[must_use]
    pub fn followed() -> Self {
        Self(Hands::Followed(Arc::new(AtomicI64::new(system_millis().saturating_sub(steady_millis())))))
    }

    /// The step of the system's clock that is not followed yet, in milliseconds; negative if it was set back. Small
    /// steps, as by NTP, are followed at once.
    #[must_use]
    pub fn set_by(&self) -> Option<i64> {
        let Hands::Followed(_) = &self.0 else { return None };
        let step = system_millis().saturating_sub(self.now().millis());
        if step.saturating_abs() >= LEAST_STEP_MS {
            return Some(step);
        }
        self.follow(step);
        None
    }

    /// Follows a step of the system's clock.
    pub fn follow(&self, by_ms: i64) {
        if let Hands::Followed(ahead) = &self.0 {
            ahead.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// A clock that stands at `at` until [`Clock::set`] moves it. Clones move together.
    #[must_use]
    pub fn standing_at(at: Timestamp) -> Self {
        Self(Hands::Set(Arc::new(AtomicI64::new(at.millis()))))
    }

    /// Moves a standing clock, forward or backward; does nothing to the system's clock.
    pub fn set(&self, to: Timestamp) {
        if let Hands::Set(hand) = &self.0 {
            hand.store(to.millis(), Ordering::SeqCst);
        }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Hands::System => Timestamp::from_millis(system_millis()),
            Hands::Followed(ahead) => {
                Timestamp::from_millis(steady_millis().saturating_add(ahead.load(Ordering::SeqCst)))
            }
            Hands::Set(hand) => Timestamp::from_millis(hand.load(Ordering::SeqCst)),
        }
    }

    /// Monotonic milliseconds since some moment, unaffected by steps of the system's clock. A standing clock returns
    /// its own time.
    #[must_use]
    pub fn steady_millis(&self) -> i64 {
        match &self.0 {
            Hands::System | Hands::Followed(_) => steady_millis(),
            Hands::Set(hand) => hand.load(Ordering::SeqCst),
        }
    }
}

fn system_millis() -> i64 {
    Utc::now().timestamp_millis()
}

fn steady_millis() -> i64 {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    whole(BEGINNING.elapsed().as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_and_z() {
        let instant = Timestamp::parse_rfc3339("2025-03-04T10:15:09.120+02:00").unwrap();
        assert_eq!(instant.to_string(), "2025-03-04T08:15:09.120Z");
        assert_eq!(instant.day(), "2025-03-04");
        assert_eq!(Timestamp::from_seconds(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn no_number_of_milliseconds_panics() {
        for ms in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(Timestamp::from_millis(ms).to_string().len(), 24);
        }
        assert_eq!(
            Timestamp::from_millis(i64::MAX).plus(Duration::MAX).to_string(),
            "9999-12-31T23:59:59.999Z"
        );
    }
}
