//! One self-contained page of HTML: no scripts, no external resources. The template escapes every value.

use std::time::Duration;

use askama::Template;

use super::{Basis, Document, summary};
use crate::domain::escape::escape_and_truncate;
use crate::domain::format::{instant, number, pluralize};
use crate::domain::statistics::{DayCounts, WAIT_BOUNDS_MS};
use crate::domain::{Counts, Finding, SourceReport, SourceStatistics, Timestamp, Window};

mod charts;

/// Maximum length of a stranger's text on the page, in characters.
const LONGEST: usize = 400;

/// Maximum length of an id, in characters; `countersign show` prints it whole.
const LONGEST_ID: usize = 80;

/// A window of more days than this is drawn from the first to the last day with data.
const LONG_WINDOW: Duration = Duration::from_secs(62 * 24 * 3600);

/// Maximum number of days to draw.
const MOST_DAYS: usize = 4_000;

/// The style of everything inside [`Body`]; colours are variables of the surrounding page.
pub const PARTS_CSS: &str = include_str!("parts.css");

#[derive(Template)]
#[template(path = "report/html/report.html")]
struct Page {
    title: &'static str,
    window: String,
    made: String,
    body: Body,
}

/// The content of a report, without the page around it.
#[derive(Template)]
#[template(path = "report/html/body.html")]
struct Body {
    needs_attention: bool,
    summary: Vec<String>,
    tiles: Vec<Tile>,
    over_time: Option<OverTime>,
    waits: Option<charts::Bars>,
    kinds: Option<charts::Bars>,
    sources: Vec<SourceView>,
    /// The number of sources left out.
    left_out: usize,
}

/// Notifications over time, by state.
#[derive(Template)]
#[template(path = "report/html/over_time.html")]
struct OverTime {
    chart: charts::ColumnChart,
    /// The states in the chart.
    legend: Vec<&'static str>,
}

struct Tile {
    label: &'static str,
    number: String,
}

struct SourceView {
    name: String,
    provider: String,
    complete: bool,
    listed: Option<String>,
    counts: Vec<Tile>,
    facts: Vec<(&'static str, String)>,
    groups: Vec<GroupView>,
    period: &'static str,
    periods: Vec<PeriodView>,
}

struct PeriodView {
    name: String,
    counts: Vec<Tile>,
    reasons: String,
}

struct GroupView {
    kind: &'static str,
    heading: &'static str,
    total: String,
    rows: Vec<Row>,
    left_out: u64,
}

impl GroupView {
    fn more(&self) -> Option<String> {
        (self.left_out > 0).then(|| format!("… and {} more", number(self.left_out)))
    }
}

impl SourceView {
    fn shorten(&mut self, findings: usize, has_days: bool) {
        for group in &mut self.groups {
            let left_out = group.rows.len().saturating_sub(findings);
            group.rows.truncate(findings);
            group.left_out += u64::try_from(left_out).unwrap_or(u64::MAX);
        }
        if !has_days {
            self.periods.clear();
        }
    }
}

struct Row {
    about: Vec<String>,
    detail: String,
    ours: Option<String>,
    shop: Option<String>,
}

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let report = &document.report;
    let page = Page {
        title: match document.basis {
            Basis::Store => "Notifications",
            Basis::Shops => "Reconciliation",
        },
        window: format!("{} to {} UTC", instant(report.from), instant(report.to)),
        made: format!("{} UTC", instant(report.generated_at)),
        body: body(document),
    };
    Ok(format!("{}\n", page.render()?.trim_end()))
}

/// For each step of shortening: how many findings of a kind are left, and whether the days of each source
/// are.
const STEPS: [(usize, bool); 5] = [(30, true), (10, true), (10, false), (3, false), (0, false)];

/// The report without the page around it, for a page that has [`PARTS_CSS`]. To stay within `most` bytes it
/// leaves out findings first, then the days of each source, then sources, and says so.
///
/// # Errors
/// The template could not be filled.
pub fn embedded(document: &Document, most: usize) -> anyhow::Result<String> {
    let mut body = body(document);
    let mut html = body.render()?;
    for (findings, has_days) in STEPS {
        if html.len() <= most {
            return Ok(html);
        }
        body.sources.iter_mut().for_each(|source| source.shorten(findings, has_days));
        html = body.render()?;
    }
    while html.len() > most && body.sources.pop().is_some() {
        body.left_out += 1;
        html = body.render()?;
    }
    Ok(html)
}

/// The chart of the notifications of these days, for a page that has [`PARTS_CSS`]; `None` if there are none.
///
/// # Errors
/// The template could not be filled.
pub fn days_chart(days: &[DayCounts], window: Window) -> anyhow::Result<Option<String>> {
    Ok(over_time(days, window).map(|drawing| drawing.render()).transpose()?)
}

fn body(document: &Document) -> Body {
    let report = &document.report;
    let days: Vec<DayCounts> = document.statistics.iter().flat_map(|source| &source.days).cloned().collect();
    Body {
        needs_attention: summary::needs_attention(document),
        summary: summary::summary(document),
        tiles: tiles(&summary::counts(document)),
        over_time: over_time(&days, Window { from: report.from, to: report.to }),
        waits: waits(&document.statistics),
        kinds: charts::kinds(&summary::totals(document)),
        sources: report
            .sources
            .iter()
            .enumerate()
            .map(|(index, source)| view(source, document.statistics.get(index)))
            .collect(),
        left_out: 0,
    }
}

fn tiles(counts: &Counts) -> Vec<Tile> {
    let Counts { received, confirmed, ignored, fakes, duplicates, pending, undecided } = *counts;
    let all = [
        ("received", received),
        ("confirmed", confirmed),
        ("ignored", ignored),
        ("fakes", fakes),
        ("duplicates", duplicates),
        ("pending", pending),
        ("undecided", undecided),
    ];
    all.into_iter().map(|(label, n)| Tile { label, number: number(n) }).collect()
}

fn view(source: &SourceReport, statistics: Option<&SourceStatistics>) -> SourceView {
    let groups = summary::groups(source).into_iter().map(|group| {
        let listed = u64::try_from(group.findings.len()).unwrap_or(u64::MAX);
        let more = group.total.saturating_sub(listed);
        GroupView {
            kind: group.kind.as_str(),
            heading: summary::heading(group.kind),
            total: number(group.total),
            rows: group.findings.into_iter().map(row).collect(),
            left_out: more,
        }
    });
    let periods = statistics.map(|statistics| summary::by_period(&statistics.days)).unwrap_or_default();
    SourceView {
        name: escape_and_truncate(&source.source, LONGEST),
        provider: escape_and_truncate(&source.provider, LONGEST),
        complete: source.complete,
        listed: (source.listed > 0).then(|| pluralize(source.listed, "order")),
        counts: tiles(&source.counts),
        facts: statistics.map(summary::facts).unwrap_or_default(),
        groups: groups.collect(),
        period: summary::period_of(&periods),
        periods: periods.into_iter().map(period).collect(),
    }
}

fn period(period: DayCounts) -> PeriodView {
    let reasons = summary::by_word(&period.reasons);
    PeriodView { name: period.day, counts: tiles(&period.counts), reasons }
}

fn row(finding: &Finding) -> Row {
    let short = |text: &Option<String>| text.as_deref().map(|text| escape_and_truncate(text, LONGEST));
    let mut about = Vec::new();
    about.extend(finding.subject_id.as_deref().map(|id| escape_and_truncate(id, LONGEST_ID)));
    about.extend(finding.notification_id.map(|id| format!("#{id}")));
    Row {
        about,
        detail: short(&finding.detail).unwrap_or_default(),
        ours: short(&finding.ours),
        shop: short(&finding.shop),
    }
}

fn over_time(days: &[DayCounts], window: Window) -> Option<OverTime> {
    let (periods, period) = charts::periods(days, &every_day(days, window));
    let chart = charts::columns(&periods, period)?;
    let is_drawn = |(_, of): &(&str, charts::Share)| periods.iter().any(|(_, counts)| of(counts) > 0);
    Some(OverTime {
        chart,
        legend: charts::PARTS.into_iter().filter(is_drawn).map(|(class, _)| class).collect(),
    })
}

/// Each day of the window; for a long window, each day from the first to the last with data.
fn every_day(days: &[DayCounts], window: Window) -> Vec<String> {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let midnight = |day: &str| Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z"));
    let Window { mut from, mut to } = window;
    if to.since(from) > LONG_WINDOW {
        let first = days.iter().filter_map(|day| midnight(&day.day)).min();
        let last = days.iter().filter_map(|day| midnight(&day.day)).max();
        from = from.max(first.unwrap_or(from));
        to = to.min(last.map_or(to, |last| last.plus(DAY)));
    }
    let every = std::iter::successors(midnight(&from.day()), |at| Some(at.plus(DAY)));
    every.take_while(|at| *at < to).take(MOST_DAYS).map(Timestamp::day).collect()
}

/// The times to verdict of all sources, by class.
fn waits(statistics: &[SourceStatistics]) -> Option<charts::Bars> {
    let mut classes = [0; WAIT_BOUNDS_MS.len() + 1];
    for waits in statistics.iter().filter_map(|source| source.time_to_verdict) {
        for (sum, n) in classes.iter_mut().zip(waits.classes) {
            *sum += n.saturating_mul(waits.one_in);
        }
    }
    charts::waits(&classes)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_page_stands_alone_and_runs_nothing() {
        for document in [samples::trade(), samples::hostile()] {
            let page = render(&document).unwrap();
            for word in
                ["<script", "<link", "<iframe", "<img", "<object", "@import", "url(", "http://", "https://"]
            {
                assert!(!page.contains(word), "{word} in {page}");
            }
            assert!(page.contains("Content-Security-Policy") && page.contains("default-src 'none'"));
        }
    }

    #[test]
    fn what_a_stranger_sent_is_text() {
        let page = render(&samples::hostile()).unwrap();
        assert!(
            page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"),
            "{page}"
        );
        assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page}");
    }

    #[test]
    fn what_is_embedded_is_no_heavier_than_it_may_be_and_says_what_is_left_out() {
        let mut document = samples::trade();
        let finding =
            document.report.sources.iter().flat_map(|source| &source.findings).next().unwrap().clone();
        for source in &mut document.report.sources {
            source.findings = vec![finding.clone(); 100];
        }
        let whole = embedded(&document, usize::MAX).unwrap();
        assert!(!whole.contains("choose one"));
        for most in [whole.len() / 2, whole.len() / 6] {
            let html = embedded(&document, most).unwrap();
            assert!(html.len() <= most, "{} of {most}", html.len());
            assert!(html.contains("… and "), "{html}");
        }
    }

    #[test]
    fn each_chart_is_drawn_where_there_is_something_to_draw() {
        let page = render(&samples::trade()).unwrap();
        assert_eq!(page.matches("<svg").count(), 3, "{page}");
        let mut empty = samples::trade();
        empty.statistics.clear();
        empty.report.sources.iter_mut().for_each(|source| {
            source.findings.clear();
            source.omitted.clear();
        });
        assert!(!render(&empty).unwrap().contains("<svg"));
    }
}
