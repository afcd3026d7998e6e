//! Documents that tests render.

use crate::domain::report::{Counts, Finding, FindingKind, Report, SourceReport};
use crate::domain::statistics::{
    ApiCalls, DayCounts, FakeSender, FakeSenders, Refusals, SourceStatistics, Wait, Waits,
};
use crate::domain::{State, Timestamp};
use crate::report::{Basis, Document};

/// An id that attacks a spreadsheet, a browser and a terminal.
pub(super) const HOSTILE: &str = "=cmd|' /C calc'!A0,<script>alert(1)</script>\u{1b}[2J\u{202e}\n";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn finding(kind: FindingKind, id: i64, subject: &str, detail: &str) -> Finding {
    Finding {
        kind,
        subject_id: Some(subject.to_owned()),
        ours: Some("payment_status PAID, fulfillment_status AWAITING_PROCESSING".to_owned()),
        shop: Some("payment_status REFUNDED".to_owned()),
        notification_id: Some(id),
        detail: Some(detail.to_owned()),
    }
}

fn counts(confirmed: u64, fakes: u64, duplicates: u64) -> Counts {
    Counts {
        received: confirmed + fakes + duplicates + 1,
        confirmed,
        ignored: fakes + duplicates,
        fakes,
        duplicates,
        pending: 1,
        undecided: 0,
    }
}

/// A document of two sources with every kind of finding, a hundred thousand fakes, and a shop that was not read whole.
pub(super) fn trade() -> Document {
    let fakes = (0..4).map(|n| {
        finding(FindingKind::Fake, 100 + n, &format!("FAKE-{n}"), "not_found: the shop has no such order")
    });
    let mut findings = vec![
        finding(FindingKind::Missed, 7, "SALE-7", "the shop has this order since 2026-01-01"),
        finding(FindingKind::Open, 8, "SALE-8", "pending since 2026-01-01T00:00:00.000Z: api_denied"),
    ];
    findings.extend(fakes);
    let shop = SourceReport {
        source: "shop".to_owned(),
        provider: "ecwid".to_owned(),
        complete: true,
        listed: 812,
        counts: counts(0, 100_000, 0),
        findings,
        omitted: [("fake", 99_996), ("open", 0)].into(),
    };
    let silent =
        Finding { subject_id: None, ours: None, shop: None, notification_id: None, ..finding_silent() };
    let keys = SourceReport {
        source: "keys".to_owned(),
        provider: "kinguin".to_owned(),
        complete: false,
        listed: 3,
        counts: Counts::default(),
        findings: vec![silent],
        omitted: [("fake", 0)].into(),
    };
    let report = Report {
        generated_at: at("2026-01-03T06:00:00Z"),
        from: at("2026-01-01T00:00:00Z"),
        to: at("2026-01-03T00:00:00Z"),
        sources: vec![shop, keys],
    };
    let empty = SourceStatistics { source: "keys".to_owned(), ..SourceStatistics::default() };
    Document { basis: Basis::Shops, report, statistics: vec![statistics(), empty], warnings: Vec::new() }
}

fn finding_silent() -> Finding {
    finding(FindingKind::Silent, 0, "", "nothing received since 2025-12-30T00:00:00.000Z")
}

fn day(day: &str, counts: Counts) -> DayCounts {
    let reasons = [("not_found".to_owned(), counts.ignored)].into();
    DayCounts { day: day.to_owned(), counts, reasons }
}

fn statistics() -> SourceStatistics {
    let slow = Wait {
        notification_id: 3,
        subject_id: Some("SALE-3".to_owned()),
        state: State::Confirmed,
        reason: Some("match".to_owned()),
        received_at: at("2026-01-01T01:00:00Z"),
        waited_ms: 185_000,
    };
    SourceStatistics {
        source: "shop".to_owned(),
        days: vec![day("2026-01-01", counts(0, 60_000, 0)), day("2026-01-02", counts(0, 39_999, 0))],
        ignored: [("not_found".to_owned(), 100_000)].into(),
        time_to_verdict: Waits::of(vec![900, 1_100, 2_000, 70_000, 185_000], 20),
        slowest: vec![slow],
        longest_open: Vec::new(),
        fake_senders: FakeSenders {
            one_in: 1,
            addresses: 12,
            most: vec![FakeSender { remote_addr: Some("203.0.113.9".to_owned()), count: 99_000 }],
        },
        refusals: vec![Refusals {
            cause: "wrong_secret".to_owned(),
            count: 17,
            last_at: at("2026-01-02T03:04:05Z"),
            last_remote_addr: Some("203.0.113.10".to_owned()),
        }],
        api: ApiCalls { one_in: 1, calls: 1_234, failures: [("api_error".to_owned(), 12)].into() },
    }
}

/// The same with a stranger's text wherever a stranger's text can be.
pub(super) fn hostile() -> Document {
    let mut document = trade();
    for finding in document.report.sources.iter_mut().flat_map(|source| &mut source.findings) {
        for text in [&mut finding.subject_id, &mut finding.ours, &mut finding.shop, &mut finding.detail] {
            *text = Some(HOSTILE.to_owned());
        }
    }
    for statistics in &mut document.statistics {
        statistics.slowest.iter_mut().for_each(|wait| wait.subject_id = Some(HOSTILE.to_owned()));
        let senders = &mut statistics.fake_senders.most;
        senders.iter_mut().for_each(|sender| sender.remote_addr = Some(HOSTILE.to_owned()));
        let refusals = &mut statistics.refusals;
        refusals.iter_mut().for_each(|refused| refused.last_remote_addr = Some(HOSTILE.to_owned()));
    }
    document
}
