//! What `report` and `reconcile` tell: one shape for every format.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::time::Timestamp;
use super::verdict::words;

words! {
    /// What a comparison of the store with the shops, or of the store with its own clock, found.
    FindingKind {
        /// The shop has this order, and nothing of ours ever told it.
        Missed = "missed",
        /// Our latest confirmed status differs from the shop's.
        Drift = "drift",
        /// Confirmed in the window, and the shop's own answer says it is not there.
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
    /// Whether a run that found one exits with 3.
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

/// At most so many findings of a kind and source are listed; the rest is counted in [`SourceReport::omitted`].
pub const MOST_FINDINGS: usize = 100;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which sort.
    pub kind: FindingKind,
    /// The order or product, where it is about one.
    pub subject_id: Option<String>,
    /// What we hold or were told.
    pub ours: Option<String>,
    /// What the shop says.
    pub shop: Option<String>,
    /// The notification that it is about.
    pub notification_id: Option<i64>,
    /// In plain words.
    pub detail: Option<String>,
}

/// How many notifications of a window are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that came in.
    pub received: u64,
    /// Confirmed.
    pub confirmed: u64,
    /// Ignored, for any reason.
    pub ignored: u64,
    /// Of these: not_found, mismatch, wrong_store.
    pub fakes: u64,
    /// Of these: duplicates.
    pub duplicates: u64,
    /// Not settled yet.
    pub pending: u64,
    /// A person decides.
    pub undecided: u64,
}

/// One source's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// The source.
    pub source: String,
    /// Its provider's word.
    pub provider: String,
    /// Whether everything that had to be read was read; a report from the store alone is always complete.
    pub complete: bool,
    /// Orders that the shop listed.
    pub listed: u64,
    /// What came in.
    pub counts: Counts,
    /// At most [`MOST_FINDINGS`] of a kind.
    pub findings: Vec<Finding>,
    /// How many more there are, by kind.
    pub omitted: BTreeMap<&'static str, u64>,
}

/// The whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// When it was made.
    pub generated_at: Timestamp,
    /// The beginning of the window, inclusive.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
    /// Each source.
    pub sources: Vec<SourceReport>,
}
