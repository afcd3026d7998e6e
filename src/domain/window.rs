//! The window of time of a report.

use std::time::Duration;

use super::number::whole;
use super::time::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A half-open interval of time: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A window, split at UTC midnights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowParts {
    /// The partial days: at most the first and the last.
    pub edges: [Option<Window>; 2],
    /// The whole days between, if any.
    pub days: Option<Window>,
}

impl Window {
    /// Its length; zero if the end is not after the start.
    #[must_use]
    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    /// Splits it into its whole days and the partial days around them.
    #[must_use]
    pub fn parts(self) -> WindowParts {
        let (first, last) = (midnight_from(self.from), midnight_until(self.to));
        if first >= last {
            return WindowParts { edges: [self.unless_empty(), None], days: None };
        }
        WindowParts {
            edges: [
                Self { from: self.from, to: first }.unless_empty(),
                Self { from: last, to: self.to }.unless_empty(),
            ],
            days: Some(Self { from: first, to: last }),
        }
    }

    /// The whole days that it touches.
    #[must_use]
    pub fn whole_days(self) -> Self {
        Self { from: midnight_until(self.from), to: midnight_from(self.to) }
    }

    fn unless_empty(self) -> Option<Self> {
        (self.from < self.to).then_some(self)
    }
}

/// The first midnight that is not before `instant`.
fn midnight_from(instant: Timestamp) -> Timestamp {
    let before = midnight_until(instant);
    if before == instant { before } else { before.plus(DAY) }
}

/// The last midnight that is not after `instant`.
fn midnight_until(instant: Timestamp) -> Timestamp {
    let day_ms = whole(DAY.as_millis());
    Timestamp::from_millis(instant.millis().div_euclid(day_ms).saturating_mul(day_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, to: &str) -> Window {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        Window { from: at(from), to: at(to) }
    }

    #[test]
    fn edges_and_whole_days_make_up_the_window() {
        let three = window("2026-01-01T06:00:00Z", "2026-01-03T12:00:00Z");
        assert_eq!(
            three.parts(),
            WindowParts {
                edges: [
                    Some(window("2026-01-01T06:00:00Z", "2026-01-02T00:00:00Z")),
                    Some(window("2026-01-03T00:00:00Z", "2026-01-03T12:00:00Z"))
                ],
                days: Some(window("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")),
            }
        );
        let whole = window("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        assert_eq!(whole.parts(), WindowParts { edges: [None, None], days: Some(whole) });
        let within = window("2026-01-01T23:00:00Z", "2026-01-02T01:00:00Z");
        let parts = within.parts();
        assert_eq!((parts.edges[0], parts.days), (Some(within), None));
    }

    #[test]
    fn a_window_without_length_has_no_parts() {
        let none = window("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z");
        assert_eq!(none.parts(), WindowParts { edges: [None, None], days: None });
        assert_eq!(none.length(), Duration::ZERO);
    }
}
