//! The overview: problems, the last days, each source, the last reconciliation, the latest notifications.

use std::time::Duration;

use askama::Template;
use serde_json::Value;

use super::ViewResult;
use super::filter::query;
use super::frame::{Frame, LIST, NotificationEntry, When, cell_text, fitting, subject_href, weight};
use crate::admin::{Admin, snapshot};
use crate::domain::format::span;
use crate::domain::health::{SourceHealth, Warning, WarningKind};
use crate::domain::{Timestamp, Window};
use crate::report::days_chart;
use crate::rules::health;
use crate::store::{Filter, RowFilter};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Days in the chart.
const DAYS: u32 = 30;

/// Maximum number of notifications shown.
const LATEST: usize = 10;

/// Maximum number of findings shown of the last reconciliation.
const FINDINGS: usize = 50;

#[derive(Template)]
#[template(path = "admin/page/overview.html")]
struct View {
    frame: Frame,
    needs_heading: String,
    needs: Vec<Need>,
    needs_left_out: usize,
    tiles: Vec<Tile>,
    charts: Vec<String>,
    sources: Vec<Source>,
    sources_left_out: usize,
    reconciled: Option<Reconciled>,
    lines: Vec<NotificationEntry>,
}

/// A problem that needs the owner.
struct Need {
    about: Option<String>,
    what: String,
    remedy: String,
    /// The view to solve it in, with the link's text.
    link: Option<(String, &'static str)>,
}

impl Source {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        600 + 2 * weight(&self.name) + weight(&self.api)
    }
}

impl Found {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        let texts = [&self.kind, &self.source, &self.subject, &self.detail];
        200 + texts.into_iter().map(|text| weight(text)).sum::<usize>()
            + self.href.as_deref().map_or(0, weight)
    }
}

impl Need {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        let texts = [self.about.as_deref().unwrap_or_default(), &self.what, &self.remedy];
        300 + texts.into_iter().map(weight).sum::<usize>()
    }

    fn new(warning: Warning) -> Self {
        Self {
            what: cell_text(&warning.in_words()),
            link: link(&warning),
            about: warning.source.or(warning.action),
            remedy: warning.remedy,
        }
    }
}

/// The words of links to pending notifications.
const PENDING: &str = "Show the pending ones";

/// The view that shows the rows behind a warning.
fn link(warning: &Warning) -> Option<(String, &'static str)> {
    let notifications = |filter: Option<(&'static str, &str)>, words| {
        let of = warning.source.clone().map(|source| ("source", source));
        let pairs = of.into_iter().chain(filter.map(|(name, value)| (name, value.to_owned())));
        Some((format!("/notifications{}", query(pairs)), words))
    };
    let deliveries = |state: &str, words| {
        let of = warning.action.clone().map(|action| ("action", action));
        Some((format!("/deliveries{}", query(of.into_iter().chain([("state", state.to_owned())]))), words))
    };
    match warning.kind {
        WarningKind::Undecided => notifications(Some(("state", "undecided")), "Show them, and decide"),
        WarningKind::PendingLong
        | WarningKind::ApiDenied
        | WarningKind::ApiFailing
        | WarningKind::Unconfigured => notifications(Some(("state", "pending")), PENDING),
        WarningKind::UnprovenFull => {
            Some((format!("/notifications{}", query([("state", "pending".to_owned())])), PENDING))
        }
        WarningKind::ManyMalformed => notifications(Some(("reason", "malformed")), "Show the malformed ones"),
        WarningKind::NoneConfirmed | WarningKind::Silent => notifications(None, "Show its notifications"),
        WarningKind::ManyFakes => Some(("/fakes".to_owned(), "Show who sends them")),
        WarningKind::WrongSecret | WarningKind::WrongPath => {
            let of = warning.source.clone().map(|source| ("source", source));
            Some((format!("/report{}", query(of)), "Show what was refused"))
        }
        WarningKind::DeliveryDead => deliveries("dead", "Show them, and redeliver"),
        WarningKind::ActionFailing | WarningKind::ActionGone | WarningKind::ActionUnconfigured => {
            deliveries("waiting", "Show the waiting ones")
        }
        _ => None,
    }
}

struct Tile {
    label: &'static str,
    number: u64,
    href: String,
}

struct Source {
    name: String,
    last: String,
    today: u64,
    confirmed: u64,
    fakes: u64,
    pending: u64,
    api: String,
}

struct Reconciled {
    made: When,
    complete: bool,
    findings: Vec<Found>,
    omitted: u64,
}

struct Found {
    kind: String,
    source: String,
    subject: String,
    href: Option<String>,
    detail: String,
}

pub(super) async fn show(admin: &Admin) -> ViewResult {
    let now = admin.clock.now();
    let reader = admin.store.reader();
    let seen = snapshot::take(admin, snapshot::WriteCheck::None).await;
    let needs = health::warnings(&seen);
    let since = now.minus(DAY * (DAYS - 1));
    let days = reader.days(since).await?;
    let window = Window { from: since, to: now };
    let filter = Filter { limit: LATEST, ..Filter::default() };
    let latest = reader.lines(filter, RowFilter::default(), LATEST).await?;
    let last = reader.last_reconcile().await?;
    // Each list without a limit may take a quarter of the view.
    let most = LIST / 4;
    let needs_heading = match needs.len() {
        1 => "1 thing needs attention".to_owned(),
        more => format!("{more} things need attention"),
    };
    let (needs, needs_left_out) = fitting(needs.into_iter().map(Need::new).collect(), most, Need::weight);
    let sources = seen.sources.iter().map(|source| described(source, now)).collect();
    let (sources, sources_left_out) = fitting(sources, most, Source::weight);
    let lines = latest.lines.iter().map(|line| NotificationEntry::new(line, now)).collect();
    let view = View {
        frame: Frame::new(admin, "/"),
        needs_heading,
        needs,
        needs_left_out,
        tiles: tiles(&seen.sources, now),
        charts: days_chart(&days, window)?.into_iter().collect(),
        sources,
        sources_left_out,
        reconciled: last.map(|(made_at, report)| reconciled(&made_at, &report, now)),
        lines: fitting(lines, most, NotificationEntry::weight).0,
    };
    Ok(view.render()?)
}

/// Today's counts, each with a link to its notifications.
fn tiles(sources: &[SourceHealth], now: Timestamp) -> Vec<Tile> {
    let sum = |of: fn(&SourceHealth) -> u64| sources.iter().map(of).sum();
    let today = now.day();
    let tile = |label, number, filter: &str| Tile { label, number, href: format!("/notifications?{filter}") };
    vec![
        tile("received today", sum(|source| source.today.received), &format!("from={today}")),
        tile(
            "confirmed today",
            sum(|source| source.today.confirmed),
            &format!("state=confirmed&from={today}"),
        ),
        Tile { label: "fakes today", number: sum(|source| source.today.fakes), href: "/fakes".to_owned() },
        tile("pending", sum(|source| source.pending), "state=pending"),
        tile("undecided", sum(|source| source.undecided), "state=undecided"),
    ]
}

fn described(source: &SourceHealth, now: Timestamp) -> Source {
    Source {
        name: source.source.clone(),
        last: source
            .last_received
            .map_or_else(|| "none yet".to_owned(), |at| format!("{} ago", span(now.since(at)))),
        today: source.today.received,
        confirmed: source.today.confirmed,
        fakes: source.today.fakes,
        pending: source.pending,
        api: cell_text(&health::api(source)),
    }
}

/// The last reconciliation, from its stored JSON.
fn reconciled(made_at: &str, report: &Value, now: Timestamp) -> Reconciled {
    let sources = report["sources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut shown = Reconciled {
        made: When::new(made_at, now),
        complete: sources.iter().all(|source| source["complete"] == Value::Bool(true)),
        findings: Vec::new(),
        omitted: 0,
    };
    for source in sources {
        let name = source["source"].as_str().unwrap_or_default();
        let omitted = source["omitted"].as_object().into_iter().flat_map(|omitted| omitted.iter());
        let omitted = omitted.filter(|(kind, _)| *kind != "fake").filter_map(|(_, count)| count.as_u64());
        shown.omitted += omitted.sum::<u64>();
        for finding in source["findings"].as_array().map(Vec::as_slice).unwrap_or_default() {
            // Fakes have a view of their own.
            if finding["kind"] == "fake" {
                continue;
            }
            if shown.findings.len() == FINDINGS {
                shown.omitted += 1;
                continue;
            }
            shown.findings.push(found(name, finding));
        }
    }
    let (findings, left_out) = fitting(std::mem::take(&mut shown.findings), LIST / 4, Found::weight);
    shown.findings = findings;
    shown.omitted += u64::try_from(left_out).unwrap_or(u64::MAX);
    shown
}

fn found(source: &str, finding: &Value) -> Found {
    let text = |name: &str| finding[name].as_str().map(cell_text).unwrap_or_default();
    let subject = finding["subject_id"].as_str();
    let href = match (finding["notification_id"].as_i64(), subject) {
        (Some(id), _) => Some(format!("/notifications/{id}")),
        (None, Some(subject)) => Some(subject_href("order", source, subject)),
        (None, None) => None,
    };
    Found {
        kind: text("kind"),
        source: source.to_owned(),
        subject: text("subject_id"),
        href,
        detail: text("detail"),
    }
}
