//! The findings of one source: at most so many of a kind, the rest counted.

use std::collections::BTreeMap;

use crate::domain::report::MOST_FINDINGS;
use crate::domain::{Finding, FindingKind};

/// Findings as they come.
#[derive(Debug, Default)]
pub(super) struct Collected {
    findings: Vec<Finding>,
    counts: BTreeMap<FindingKind, u64>,
}

impl Collected {
    /// Adds one.
    pub(super) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.kind).or_default();
        *count += 1;
        if usize::try_from(*count).is_ok_and(|count| count <= MOST_FINDINGS) {
            self.findings.push(finding);
        }
    }

    /// Adds the first few of `total` of one kind.
    pub(super) fn add_some(&mut self, kind: FindingKind, some: Vec<Finding>, total: u64) {
        let added = u64::try_from(some.len()).unwrap_or(u64::MAX);
        some.into_iter().for_each(|finding| self.add(finding));
        *self.counts.entry(kind).or_default() += total.saturating_sub(added);
    }

    /// The findings, kind by kind, and how many more there are of each.
    pub(super) fn finish(mut self) -> (Vec<Finding>, BTreeMap<&'static str, u64>) {
        self.findings.sort_by_key(|finding| finding.kind);
        let omitted = self.counts.into_iter().filter_map(|(kind, count)| {
            let more = count.saturating_sub(u64::try_from(MOST_FINDINGS).unwrap_or(u64::MAX));
            (more > 0 || kind == FindingKind::Fake).then_some((kind.as_str(), more))
        });
        (self.findings, omitted.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: FindingKind) -> Finding {
        Finding { kind, subject_id: None, ours: None, shop: None, notification_id: None, detail: None }
    }

    #[test]
    fn what_is_over_the_hundred_of_a_kind_is_counted() {
        let mut collected = Collected::default();
        (0..103).for_each(|_| collected.add(finding(FindingKind::Drift)));
        collected.add_some(FindingKind::Fake, vec![finding(FindingKind::Fake); 100], 5000);
        collected.add(finding(FindingKind::Missed));
        let (findings, omitted) = collected.finish();
        assert_eq!(findings.len(), 201);
        assert_eq!(findings[0].kind, FindingKind::Missed);
        assert_eq!(omitted, BTreeMap::from([("drift", 3), ("fake", 4900)]));
    }
}
