//! The data of `report` and `reconcile`, the same for every format.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::time::Timestamp;
use super::verdict::words;

words! {
    /// The kinds of findings.
    FindingKind {
        /// The shop has this order, but no notification named it.
        Missed = "missed",
        /// The last confirmed status differs from the shop's.
        Drift = "drift",
        /// Confirmed in the window, but the shop's answer says that it does not exist.
        Vanished = "vanished",
        /// Pending for longer than an hour, or undecided.
        Open = "open",
        /// Nothing received for longer than expected.
        Silent = "silent",
        /// A delivery is dead, or has been waiting for longer than an hour.
        Undelivered = "undelivered",
        /// Ignored as not_found, mismatch or wrong_store in the window.
        Fake = "fake",
    }
}

impl FindingKind {
    /// Whether a run with such a finding exits with 3.
    #[must_use]
    pub fn is_difference(self) -> bool {
        self != Self::Fake
    }
}

impl Serialize for FindingKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A source in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedSource {
    pub name: String,
    pub provider: String,
    /// A longer silence is a finding, if set.
    pub expect_every: Option<Duration>,
}

impl ReportedSource {
    /// The configured sources, then those that only the store knows (name, provider).
    #[must_use]
    pub fn with_known(mut configured: Vec<Self>, known: Vec<(String, String)>) -> Vec<Self> {
        for (name, provider) in known {
            if !configured.iter().any(|source| source.name == name) {
                configured.push(Self { name, provider, expect_every: None });
            }
        }
        configured
    }
}

/// Maximum number of listed findings per kind and source; the rest is counted in [`SourceReport::omitted`].
pub const MOST_FINDINGS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// The order or product, if any.
    pub subject_id: Option<String>,
    /// The difference in words, from the store or a notification.
    pub ours: Option<String>,
    pub shop: Option<String>,
    /// The notification, if any.
    pub notification_id: Option<i64>,
    pub detail: Option<String>,
}

/// The number of notifications of a window in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub received: u64,
    pub confirmed: u64,
    pub ignored: u64,
    /// Ignored as not_found, mismatch or wrong_store.
    pub fakes: u64,
    pub duplicates: u64,
    pub pending: u64,
    pub undecided: u64,
}

/// The report about one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    pub source: String,
    pub provider: String,
    /// Whether the shop could be read completely; a report from the store alone is always complete.
    pub complete: bool,
    /// The number of orders that the shop listed.
    pub listed: u64,
    pub counts: Counts,
    /// At most [`MOST_FINDINGS`] of a kind.
    pub findings: Vec<Finding>,
    /// The number of findings that are not listed, by kind.
    pub omitted: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub generated_at: Timestamp,
    /// Start of the window, inclusive.
    pub from: Timestamp,
    /// End of the window, exclusive.
    pub to: Timestamp,
    pub sources: Vec<SourceReport>,
}
