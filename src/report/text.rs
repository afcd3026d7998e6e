//! Plain text for a mail or a terminal.

use std::fmt::Write as _;

use super::layout::wrap;
use super::{Document, summary};
use crate::domain::escape::escape_and_truncate;
use crate::domain::format::{instant, number};
use crate::domain::{Counts, Finding, FindingKind, SourceReport, SourceStatistics};

/// Maximum number of findings listed per kind and source, to keep the mail readable.
const MOST_LISTED: usize = 25;

/// Maximum number of fakes listed per source. They need no action.
const MOST_FAKES_LISTED: usize = 5;

/// The width of names and labels.
const LABEL: usize = 14;

/// If large numbers leave less room than this for names, the columns move closer together.
const SHORTEST_NAME: usize = 10;

pub(super) fn render(document: &Document, width: usize) -> String {
    let report = &document.report;
    let mut text = format!(
        "countersign, {} to {} UTC\n\n{}\n\n",
        instant(report.from),
        instant(report.to),
        wrap(&summary::summary(document).join(" "), width, 0)
    );
    let rows = report.sources.iter().map(|source| (source.source.clone(), source.counts));
    table(&mut text, "source", &rows.collect::<Vec<_>>(), width);
    for (index, source) in report.sources.iter().enumerate() {
        section(&mut text, source, document.statistics.get(index), width);
    }
    let _ = writeln!(text, "\ngenerated {} UTC", instant(report.generated_at));
    text
}

const HEADER: [&str; 6] = ["received", "confirmed", "ignored", "fakes", "pending", "undecided"];

fn table(text: &mut String, first: &str, rows: &[(String, Counts)], width: usize) {
    let numbers = |counts: &Counts| {
        let Counts { received, confirmed, ignored, fakes, duplicates: _, pending, undecided } = *counts;
        [received, confirmed, ignored, fakes, pending, undecided].map(number)
    };
    let mut widths = HEADER.map(str::len);
    for (_, counts) in rows {
        for (width, number) in widths.iter_mut().zip(numbers(counts)) {
            *width = number.len().max(*width);
        }
    }
    let of_numbers: usize = widths.iter().sum();
    let gap = if of_numbers + 2 * widths.len() + SHORTEST_NAME <= width { 2 } else { 1 };
    let room = width.saturating_sub(of_numbers + gap * widths.len());
    let longest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let name_width = longest.max(LABEL).min(room);
    let mut line = |name: &str, cells: [&str; 6]| {
        // A name too long for its column gets its own line.
        if name.chars().count() > name_width {
            let _ = write!(text, "{name}\n{:name_width$}", "");
        } else {
            let _ = write!(text, "{name:name_width$}");
        }
        for (cell, width) in cells.into_iter().zip(widths) {
            let _ = write!(text, "{:gap$}{cell:>width$}", "");
        }
        text.push('\n');
    };
    line(first, HEADER);
    for (name, counts) in rows {
        line(name, numbers(counts).each_ref().map(String::as_str));
    }
}

fn section(text: &mut String, source: &SourceReport, statistics: Option<&SourceStatistics>, width: usize) {
    let groups = summary::groups(source);
    let facts = statistics.map(summary::facts).unwrap_or_default();
    let days = statistics.map(|statistics| summary::by_period(&statistics.days)).unwrap_or_default();
    if groups.is_empty() && facts.is_empty() && source.complete && source.listed == 0 {
        return;
    }
    let title = format!("{} ({})", source.source, source.provider);
    let _ = writeln!(text, "\n{title}\n{}", "-".repeat(title.chars().count()));
    if !source.complete {
        text.push_str("  INCOMPLETE: the shop could not be read completely\n");
    }
    if source.listed > 0 {
        fact(text, "listed", &format!("{} by the shop", number(source.listed)), width);
    }
    for group in groups {
        let most = if group.kind == FindingKind::Fake { MOST_FAKES_LISTED } else { MOST_LISTED };
        let _ = writeln!(
            text,
            "  {} {}: {}",
            number(group.total),
            group.kind.as_str(),
            summary::heading(group.kind)
        );
        for found in group.findings.iter().take(most) {
            finding(text, found, width);
        }
        let listed = group.findings.len().min(most);
        let more = group.total.saturating_sub(u64::try_from(listed).unwrap_or(u64::MAX));
        if more > 0 {
            let _ = writeln!(text, "    … and {} more", number(more));
        }
    }
    if !facts.is_empty() {
        text.push('\n');
    }
    for (label, value) in &facts {
        fact(text, label, value, width);
    }
    if days.len() > 1 {
        text.push('\n');
        let rows: Vec<_> = days.iter().map(|period| (period.day.clone(), period.counts)).collect();
        table(text, summary::period_of(&days), &rows, width);
    }
}

fn fact(text: &mut String, label: &str, value: &str, width: usize) {
    let _ = writeln!(text, "{}", wrap(&format!("  {label:12}  {value}"), width, LABEL + 2));
}

fn finding(text: &mut String, found: &Finding, width: usize) {
    let mut about = Vec::new();
    about.extend(found.notification_id.map(|id| format!("#{id}")));
    about.extend(found.subject_id.as_deref().map(|id| escape_and_truncate(id, 60)));
    let detail = found.detail.as_deref().map(|detail| escape_and_truncate(detail, 400)).unwrap_or_default();
    let about = about.join(" ");
    let first = if about.is_empty() { detail } else { format!("{about}: {detail}") };
    let _ = writeln!(text, "    {}", wrap(first.trim_end_matches(": "), width.saturating_sub(4), 8));
    for (label, side) in [("ours", &found.ours), ("shop", &found.shop)] {
        if let Some(side) = side {
            let line = format!("        {label}: {}", escape_and_truncate(side, 300));
            let _ = writeln!(text, "{}", wrap(&line, width, 14));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MAIL_WIDTH, samples};
    use super::*;

    #[test]
    fn a_hundred_thousand_fakes_make_a_short_mail_of_80_columns() {
        let text = render(&samples::trade(), MAIL_WIDTH);
        assert!(text.lines().all(|line| line.chars().count() <= MAIL_WIDTH), "{text}");
        assert!(text.lines().count() < 120, "{text}");
        assert!(text.contains("100,001 notifications received"), "{text}");
        assert!(text.contains("… and 99,996 more"), "{text}");
    }

    #[test]
    fn what_is_wrong_stands_in_the_first_sentences() {
        let text = render(&samples::trade(), MAIL_WIDTH);
        let start = text.split("\n\n").nth(1).unwrap().replace('\n', " ");
        for said in ["INCOMPLETE", "for keys", "1 order without a notification", "Needs attention"] {
            assert!(start.contains(said), "{start}");
        }
    }

    #[test]
    fn nothing_of_a_stranger_is_obeyed() {
        let text = render(&samples::hostile(), MAIL_WIDTH);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\t']), "{text}");
    }

    #[test]
    fn the_largest_store_and_the_longest_names_stay_in_80_columns() {
        let mut document = samples::trade();
        let many = 123_456_789;
        for source in &mut document.report.sources {
            source.source = "a-source-with-the-longest-name-1".to_owned();
            source.counts =
                Counts { received: many, confirmed: many, ignored: many, fakes: many, ..source.counts };
            source.counts.pending = many;
            source.counts.undecided = many;
            source.findings.iter_mut().for_each(|found| found.subject_id = Some("0123456789".repeat(25)));
        }
        let text = render(&document, MAIL_WIDTH);
        assert!(text.lines().all(|line| line.chars().count() <= MAIL_WIDTH), "{text}");
        assert!(text.contains("123,456,789 123,456,789"), "{text}");
    }
}
