//! The findings about one source's orders: a limited number per kind, the rest counted.

use std::collections::BTreeMap;

use crate::domain::report::MOST_FINDINGS;
use crate::domain::{Finding, FindingKind, SourceReport};

#[derive(Debug, Default)]
pub(super) struct OrderFindings {
    findings: Vec<Finding>,
    counts: BTreeMap<FindingKind, u64>,
}

impl OrderFindings {
    pub(super) fn add(&mut self, finding: Finding) {
        let count = self.counts.entry(finding.kind).or_default();
        *count += 1;
        if usize::try_from(*count).is_ok_and(|count| count <= MOST_FINDINGS) {
            self.findings.push(finding);
        }
    }

    /// Puts them before the findings of a report, by kind in the contract's order.
    pub(super) fn put_into(self, report: &mut SourceReport) {
        report.findings.extend(self.findings);
        report.findings.sort_by_key(|finding| finding.kind);
        for (kind, count) in self.counts {
            let more = count.saturating_sub(u64::try_from(MOST_FINDINGS).unwrap_or(u64::MAX));
            if more > 0 {
                report.omitted.insert(kind.as_str(), more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Counts;

    fn finding(kind: FindingKind) -> Finding {
        Finding { kind, subject_id: None, ours: None, shop: None, notification_id: None, detail: None }
    }

    #[test]
    fn what_is_over_the_hundred_of_a_kind_is_counted() {
        let mut findings = OrderFindings::default();
        (0..103).for_each(|_| findings.add(finding(FindingKind::Drift)));
        findings.add(finding(FindingKind::Missed));
        let mut report = SourceReport {
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            complete: true,
            listed: 0,
            counts: Counts::default(),
            findings: vec![finding(FindingKind::Fake); 100],
            omitted: BTreeMap::from([("fake", 4900)]),
        };
        findings.put_into(&mut report);
        assert_eq!(report.findings.len(), 201);
        assert_eq!(report.findings[0].kind, FindingKind::Missed);
        assert_eq!(report.omitted, BTreeMap::from([("drift", 3), ("fake", 4900)]));
    }
}
