//! Statistics of a window, from the store alone, beyond counts and findings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::Counts;
use super::time::Timestamp;
use super::verdict::{Reason, State};

/// The upper bounds of the classes of times to verdict, in milliseconds; a last class has no bound.
pub const WAIT_BOUNDS_MS: [u64; 7] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000];

/// The statistics of one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SourceStatistics {
    pub source: String,
    /// Each UTC day with notifications, oldest first; the first and the last only as far as they are in the window.
    pub days: Vec<DayCounts>,
    /// Ignored notifications by reason.
    pub ignored: BTreeMap<String, u64>,
    /// Times to verdict; `None` if nothing was settled by an answer.
    pub time_to_verdict: Option<Waits>,
    /// The five that took longest, of those in the sample of [`Waits`].
    pub slowest: Vec<Wait>,
    /// The five that have been open for longest.
    pub longest_open: Vec<Wait>,
    /// The senders of fakes.
    pub fake_senders: FakeSenders,
    /// Refused requests, of whole days.
    pub refusals: Vec<Refusals>,
    /// Calls to the shop's API.
    pub api: ApiCalls,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayCounts {
    /// The UTC day, `YYYY-MM-DD`.
    pub day: String,
    #[serde(flatten)]
    pub counts: Counts,
    /// Ignored notifications by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// Times from receipt to verdict, of notifications that an answer settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// Size of the sample.
    pub sampled: u64,
    /// The sample is one in this many; 1 means all.
    pub one_in: u64,
    pub median_ms: u64,
    pub p95_ms: u64,
    /// The number in each class of [`WAIT_BOUNDS_MS`], and above the last bound.
    pub classes: [u64; WAIT_BOUNDS_MS.len() + 1],
}

/// A notification that took or takes long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    pub notification_id: i64,
    /// The order or product, as notified.
    pub subject_id: Option<String>,
    #[serde(serialize_with = "as_word")]
    pub state: State,
    pub reason: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The time to the verdict, or until now.
    pub waited_ms: u64,
}

/// The addresses that fakes came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FakeSenders {
    /// The sample is one in this many fakes; 1 means all. The counts are multiplied by it.
    pub one_in: u64,
    /// The number of addresses.
    pub addresses: u64,
    /// The ten addresses with the most fakes.
    pub most: Vec<FakeSender>,
}

/// One address that fakes came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FakeSender {
    /// The address; `None` if it is no longer stored.
    pub remote_addr: Option<String>,
    pub count: u64,
}

/// Refused requests with one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusals {
    pub cause: String,
    pub count: u64,
    /// When the last one was refused.
    pub last_at: Timestamp,
    /// The sender of the last one.
    pub last_remote_addr: Option<String>,
}

/// Calls to a shop's API, from the verifications that are still stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ApiCalls {
    /// The sample is one in this many; 1 means all. The counts are multiplied by it.
    pub one_in: u64,
    pub calls: u64,
    /// Calls without an answer, by cause.
    pub failures: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts `n` more notifications with this state and reason.
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

    /// Adds the counts of `other`.
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
    /// Summarises times in milliseconds of a sample of one in `one_in`; `None` if there are none.
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
