//! The prose of a report: its summary, the findings by kind, and the facts about a source.

use std::collections::BTreeMap;

use super::{Basis, Document};
use crate::domain::escape::escape_and_truncate;
use crate::domain::format::{instant, length, number, pluralize};
use crate::domain::statistics::{DayCounts, FakeSenders, Wait};
use crate::domain::{Counts, Finding, FindingKind, SourceReport, SourceStatistics};

/// The note on an incomplete source.
pub(super) const INCOMPLETE: &str = "the shop could not be read completely; what is missing is unknown";

/// The findings of one kind.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) kind: FindingKind,
    pub(super) findings: Vec<&'a Finding>,
    /// The total, including those not listed.
    pub(super) total: u64,
}

/// A source's findings by kind, in the contract's order.
pub(super) fn groups(source: &SourceReport) -> Vec<Group<'_>> {
    let of_kind = |kind: FindingKind| {
        let findings: Vec<&Finding> = source.findings.iter().filter(|found| found.kind == kind).collect();
        let omitted = source.omitted.get(kind.as_str()).copied().unwrap_or(0);
        let total = u64::try_from(findings.len()).unwrap_or(u64::MAX).saturating_add(omitted);
        Group { kind, findings, total }
    };
    FindingKind::ALL.iter().map(|kind| of_kind(*kind)).filter(|group| group.total > 0).collect()
}

/// The number of findings of each kind, over all sources.
pub(super) fn totals(document: &Document) -> Vec<(FindingKind, u64)> {
    let needs_shops =
        |kind: FindingKind| matches!(kind, FindingKind::Missed | FindingKind::Drift | FindingKind::Vanished);
    let is_looked_for = |kind: &FindingKind| document.basis == Basis::Shops || !needs_shops(*kind);
    let groups: Vec<Group<'_>> = document.report.sources.iter().flat_map(groups).collect();
    let total = |kind| groups.iter().filter(|group| group.kind == kind).map(|group| group.total).sum();
    FindingKind::ALL.iter().copied().filter(is_looked_for).map(|kind| (kind, total(kind))).collect()
}

/// A window of more days than this is shown by month.
const MOST_DAYS: usize = 31;

/// The days, or the months if there are many days.
pub(super) fn by_period(days: &[DayCounts]) -> Vec<DayCounts> {
    let length = if days.len() > MOST_DAYS { 7 } else { 10 };
    let mut periods: Vec<DayCounts> = Vec::new();
    for DayCounts { day, counts, reasons } in days {
        let period = day.get(..length).unwrap_or(day);
        if periods.last().is_none_or(|last| last.day != period) {
            periods.push(DayCounts { day: period.to_owned(), ..DayCounts::default() });
        }
        if let Some(last) = periods.last_mut() {
            last.counts.merge(*counts);
            reasons.iter().for_each(|(reason, n)| *last.reasons.entry(reason.clone()).or_default() += n);
        }
    }
    periods
}

/// The unit of the periods: `day` or `month`.
pub(super) fn period_of(periods: &[DayCounts]) -> &'static str {
    if periods.iter().all(|period| period.day.len() == 7) { "month" } else { "day" }
}

/// Counts by word, for one line: `not_found 3, duplicate 1`.
pub(super) fn by_word(counts: &BTreeMap<String, u64>) -> String {
    let texts = counts.iter().map(|(word, n)| format!("{word} {}", number(*n)));
    texts.collect::<Vec<_>>().join(", ")
}

/// The sum of all sources.
pub(super) fn counts(document: &Document) -> Counts {
    let mut all = Counts::default();
    document.report.sources.iter().for_each(|source| all.merge(source.counts));
    all
}

/// Whether the document reports anything that needs attention.
pub(super) fn needs_attention(document: &Document) -> bool {
    !document.warnings.is_empty()
        || document.report.sources.iter().any(|source| !source.complete)
        || totals(document).into_iter().any(|(kind, n)| kind.is_difference() && n > 0)
}

/// The summary of the document, in a few sentences.
pub(super) fn summary(document: &Document) -> Vec<String> {
    let mut sentences = vec![received(counts(document))];
    let unread: Vec<&str> = document
        .report
        .sources
        .iter()
        .filter(|source| !source.complete)
        .map(|source| source.source.as_str())
        .collect();
    if !unread.is_empty() {
        sentences.push(format!(
            "INCOMPLETE: the shop could not be read completely for {}; what is missing there is unknown.",
            unread.join(", ")
        ));
    }
    let found: Vec<String> = totals(document)
        .into_iter()
        .filter(|(kind, n)| kind.is_difference() && *n > 0)
        .map(|(kind, n)| in_short(kind, n))
        .collect();
    for warning in &document.warnings {
        let source = warning.source.as_deref().unwrap_or_default();
        sentences.push(format!("Source {source}: {}. To do: {}.", warning.in_words(), warning.remedy));
    }
    if !found.is_empty() {
        sentences.push(format!("Needs attention: {}.", found.join("; ")));
    } else if unread.is_empty() && document.warnings.is_empty() {
        sentences.push("Nothing needs attention.".to_owned());
    }
    if document.basis == Basis::Store {
        let hint = "This report is from the store alone; `countersign reconcile` also finds orders without a \
                notification.";
        sentences.push(hint.to_owned());
    }
    sentences
}

fn received(counts: Counts) -> String {
    let Counts { received, confirmed, ignored, fakes, duplicates, pending, undecided } = counts;
    if received == 0 {
        return "No notifications received.".to_owned();
    }
    let mut parts = vec![format!("{} confirmed", number(confirmed))];
    let of_these: Vec<String> = [(fakes, "fake"), (duplicates, "duplicate")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| pluralize(n, word))
        .collect();
    parts.push(match of_these.is_empty() {
        true => format!("{} ignored", number(ignored)),
        false => format!("{} ignored ({})", number(ignored), of_these.join(", ")),
    });
    parts.extend((pending > 0).then(|| format!("{} pending", number(pending))));
    parts.extend((undecided > 0).then(|| format!("{} undecided", number(undecided))));
    format!("{} received: {}.", pluralize(received, "notification"), parts.join(", "))
}

fn in_short(kind: FindingKind, n: u64) -> String {
    match kind {
        FindingKind::Missed => format!("{} without a notification", pluralize(n, "order")),
        FindingKind::Drift => format!("{} with another status at the shop", pluralize(n, "order")),
        FindingKind::Vanished => {
            format!("{} that the shop no longer shows", pluralize(n, "confirmed order"))
        }
        FindingKind::Open => format!("{} open for too long", pluralize(n, "notification")),
        FindingKind::Silent => format!("{} silent for too long", pluralize(n, "source")),
        FindingKind::Undelivered => format!("{} not delivered", pluralize(n, "news item")),
        FindingKind::Fake => pluralize(n, "fake"),
    }
}

/// The heading for a kind of finding.
pub(super) fn heading(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Missed => "the shop has it, but no notification of it was confirmed",
        FindingKind::Drift => "the shop now says something else",
        FindingKind::Vanished => "confirmed, but the shop no longer shows it",
        FindingKind::Open => "pending for longer than an hour, or undecided",
        FindingKind::Silent => "nothing received for longer than expected",
        FindingKind::Undelivered => "true, and an action was not told",
        FindingKind::Fake => "claimed, but the shop does not say so",
    }
}

/// The facts about a source, each with a label.
pub(super) fn facts(statistics: &SourceStatistics) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut tell = |label, fact: String| {
        if !fact.is_empty() {
            facts.push((label, fact));
        }
    };
    tell("ignored", by_word(&statistics.ignored));
    if let Some(waits) = statistics.time_to_verdict {
        let (half, most) = (length(waits.median_ms), length(waits.p95_ms));
        let sample = sample(waits.one_in, "verdict");
        tell("verdicts", format!("half within {half} of receipt, 95 of 100 within {most}{sample}"));
    }
    let of_sample =
        statistics.time_to_verdict.map(|waits| sample(waits.one_in, "verdict")).unwrap_or_default();
    tell("slowest", format!("{}{of_sample}", waits(&statistics.slowest)));
    tell("open longest", waits(&statistics.longest_open));
    let api = &statistics.api;
    if api.calls > 0 {
        let failed: u64 = api.failures.values().sum();
        let causes = by_word(&api.failures);
        let failures = if failed == 0 { "none failed".to_owned() } else { format!("failed: {causes}") };
        let sample = sample(api.one_in, "call");
        tell("API", format!("{}, {failures}{sample}", pluralize(api.calls, "call")));
    }
    let refused = statistics.refusals.iter().map(|refusals| {
        let last = instant(refusals.last_at);
        let from = refusals
            .last_remote_addr
            .as_deref()
            .map(|addr| format!(" from {}", escape_and_truncate(addr, 45)));
        format!(
            "{} {} (last {last}{})",
            escape_and_truncate(&refusals.cause, 40),
            number(refusals.count),
            from.unwrap_or_default()
        )
    });
    tell("refused", refused.collect::<Vec<_>>().join(", "));
    tell("fakes from", senders(&statistics.fake_senders));
    facts
}

fn sample(one_in: u64, word: &str) -> String {
    if one_in > 1 { format!(" (estimated from one {word} in {})", number(one_in)) } else { String::new() }
}

fn waits(waits: &[Wait]) -> String {
    let texts = waits.iter().map(|wait| {
        let about = wait
            .subject_id
            .as_deref()
            .map(|id| format!(" {}", escape_and_truncate(id, 30)))
            .unwrap_or_default();
        let reason = wait.reason.as_deref().unwrap_or(wait.state.as_str());
        format!("#{}{about} {} ({reason})", wait.notification_id, length(wait.waited_ms))
    });
    texts.collect::<Vec<_>>().join(", ")
}

fn senders(senders: &FakeSenders) -> String {
    let texts = senders.most.iter().map(|sender| {
        let address = sender
            .remote_addr
            .as_deref()
            .map_or("an unknown address".to_owned(), |a| escape_and_truncate(a, 45));
        format!("{address} ({})", number(sender.count))
    });
    let texts = texts.collect::<Vec<_>>().join(", ");
    let named = senders.most.iter().filter(|sender| sender.remote_addr.is_some()).count();
    let more = senders.addresses.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX));
    let more = if more > 0 { format!(", and {} more", number(more)) } else { String::new() };
    format!("{texts}{more}{}", sample(senders.one_in, "fake"))
}
