//! What the store alone can tell about a window, beyond counts and findings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::Counts;
use super::time::Timestamp;
use super::verdict::{Reason, State};

/// The upper bounds, in milliseconds, of the classes in which times to verdict are counted; one more class has none.
pub const WAIT_BOUNDS_MS: [u64; 7] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000];

/// One source's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SourceStatistics {
    /// The source.
    pub source: String,
    /// Each UTC day on which something came in, oldest first; of the first and the last only what is in the window.
    pub days: Vec<DayCounts>,
    /// The ignored ones by reason.
    pub ignored: BTreeMap<String, u64>,
    /// How long verdicts took; `None` where nothing was settled by an answer.
    pub time_to_verdict: Option<Waits>,
    /// The five that took longest, of those that [`Waits`] looked at.
    pub slowest: Vec<Wait>,
    /// The five that have been open for longest.
    pub longest_open: Vec<Wait>,
    /// Who sent the fakes.
    pub fake_senders: FakeSenders,
    /// Requests that were not stored; whole days, as they are counted by day.
    pub refusals: Vec<Refusals>,
    /// Questions to the shop's API.
    pub api: ApiCalls,
}

/// One day's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayCounts {
    /// The UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// What came in on it.
    #[serde(flatten)]
    pub counts: Counts,
    /// The ignored ones by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// Times from receipt to verdict, of what an answer of the shop's API settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// How many were looked at.
    pub sampled: u64,
    /// One in so many was looked at; 1: all.
    pub one_in: u64,
    /// Half took no longer.
    pub median_ms: u64,
    /// 95 of 100 took no longer.
    pub p95_ms: u64,
    /// How many took up to each of [`WAIT_BOUNDS_MS`], and more than the last.
    pub classes: [u64; WAIT_BOUNDS_MS.len() + 1],
}

/// A notification that took long, or still does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The notification.
    pub notification_id: i64,
    /// The order or product, as notified.
    pub subject_id: Option<String>,
    /// Its state now.
    #[serde(serialize_with = "as_word")]
    pub state: State,
    /// Its reason now.
    pub reason: Option<String>,
    /// When it came in.
    pub received_at: Timestamp,
    /// To the verdict, or until now.
    pub waited_ms: u64,
}

/// The addresses that fakes came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FakeSenders {
    /// One in so many fakes was looked at; 1: all. The counts are multiplied by it.
    pub one_in: u64,
    /// How many addresses there are.
    pub addresses: u64,
    /// The ten that sent most.
    pub most: Vec<FakeSender>,
}

/// One address that fakes came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FakeSender {
    /// The address; `None` where it is no longer kept.
    pub remote_addr: Option<String>,
    /// How many fakes.
    pub count: u64,
}

/// Requests that were not stored, of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusals {
    /// Why.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// The last one.
    pub last_at: Timestamp,
    /// Its sender.
    pub last_remote_addr: Option<String>,
}

/// Questions to a shop's API, as the verifications that are still kept tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApiCalls {
    /// One in so many was looked at; 1: all. The counts are multiplied by it.
    pub one_in: u64,
    /// How many.
    pub calls: u64,
    /// Of these, those that brought no answer, by cause.
    pub failures: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts `n` more notifications in this state for this reason.
    pub fn add(&mut self, state: State, reason: Option<Reason>, n: u64) {
        self.received += n;
        match state {
            State::Pending => self.pending += n,
            State::Confirmed => self.confirmed += n,
            State::Undecided => self.undecided += n,
            State::Ignored => {
                self.ignored += n;
                match reason {
                    Some(reason) if reason.is_fake() => self.fakes += n,
                    Some(Reason::Duplicate) => self.duplicates += n,
                    _ => {}
                }
            }
        }
    }

    /// Counts what `other` counts as well.
    pub fn merge(&mut self, other: Self) {
        self.received += other.received;
        self.confirmed += other.confirmed;
        self.ignored += other.ignored;
        self.fakes += other.fakes;
        self.duplicates += other.duplicates;
        self.pending += other.pending;
        self.undecided += other.undecided;
    }
}

impl Waits {
    /// Sums up times in milliseconds, of which one in `one_in` was looked at; `None` where there are none.
    #[must_use]
    pub fn of(mut times_ms: Vec<u64>, one_in: u64) -> Option<Self> {
        times_ms.sort_unstable();
        let at_most = |percent: usize| {
            let rank = (times_ms.len() * percent).div_ceil(100).max(1);
            times_ms.get(rank - 1).copied()
        };
        let (median_ms, p95_ms) = (at_most(50)?, at_most(95)?);
        let mut classes = [0; WAIT_BOUNDS_MS.len() + 1];
        for time in &times_ms {
            let class = WAIT_BOUNDS_MS.partition_point(|bound| bound < time);
            if let Some(count) = classes.get_mut(class) {
                *count += 1;
            }
        }
        let sampled = u64::try_from(times_ms.len()).unwrap_or(u64::MAX);
        Some(Self { sampled, one_in, median_ms, p95_ms, classes })
    }
}

fn as_word<S: serde::Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(state.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_summed_up_by_rank() {
        let waits = Waits::of((1..=100).rev().map(|n| n * 100).collect(), 1).unwrap();
        assert_eq!((waits.sampled, waits.median_ms, waits.p95_ms), (100, 5_000, 9_500));
        assert_eq!(waits.classes, [10, 40, 50, 0, 0, 0, 0, 0]);
        let one = Waits::of(vec![90_000_000], 3).unwrap();
        assert_eq!((one.median_ms, one.p95_ms, one.classes[7], one.one_in), (90_000_000, 90_000_000, 1, 3));
        assert_eq!(Waits::of(Vec::new(), 1), None);
    }
}
