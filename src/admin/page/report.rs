//! The report of any window: the parts of the HTML report, inside the page's frame.

use std::time::Duration;

use askama::Template;

use super::filter::{Choice, Parameters, choices};
use super::frame::{Frame, LIST};
use super::{ViewError, ViewResult};
use crate::admin::Admin;
use crate::domain::{Report, ReportedSource, Window};
use crate::report::{Basis, Document, embedded};
use crate::rules::health;
use crate::store::Detail;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Whole days have stored counts; parts of a day are counted notification by notification. If the days at the
/// ends of a window have more notifications than this, the view shows whole days.
const COUNTED: u64 = 20_000;

#[derive(Template)]
#[template(path = "admin/page/report.html")]
struct View {
    frame: Frame,
    sources: Vec<Choice>,
    from: String,
    to: String,
    rounded: Option<String>,
    body: String,
}

pub(super) async fn show(admin: &Admin, asked: &Parameters) -> ViewResult {
    let now = admin.clock.now();
    let to = asked.time("to", now).map_err(ViewError::BadRequest)?.unwrap_or(now);
    let from = asked.time("from", now).map_err(ViewError::BadRequest)?.unwrap_or_else(|| to.minus(DAY));
    if from >= to {
        return Err(ViewError::BadRequest(format!("the window from {from} to {to} is empty")));
    }
    let reader = admin.store.reader();
    let mut reported = ReportedSource::with_known(admin.sources.clone(), reader.known_sources().await?);
    let names: Vec<String> = reported.iter().map(|source| source.name.clone()).collect();
    let only = asked.get("source");
    reported.retain(|source| only.is_none_or(|only| source.name == only));
    let asked_for = Window { from, to };
    let days = reader.days(from).await?;
    let at_an_end = |edge: Window| days.iter().filter(move |day| day.day == edge.from.day());
    let ends = asked_for.parts().edges.into_iter().flatten().flat_map(at_an_end);
    let is_large = ends.map(|day| day.counts.received).sum::<u64>() > COUNTED;
    let window = if is_large { asked_for.whole_days() } else { asked_for };
    let (_, healths) = reader.health(reported.clone(), now).await?;
    let warnings = health::of_report(healths, to, now);
    let (sources, statistics) =
        reader.account(reported, window, Detail::View, now).await?.into_iter().unzip();
    let report = Report { generated_at: now, from: window.from, to: window.to, sources };
    let document = Document { basis: Basis::Store, report, statistics, warnings };
    let view = View {
        frame: Frame::new(admin, "/report"),
        sources: choices(names, only),
        from: asked.get("from").unwrap_or("24h").to_owned(),
        to: asked.get("to").unwrap_or_default().to_owned(),
        rounded: is_large.then(|| {
            format!(
                "Whole days, from {} to {}: more than {COUNTED} notifications came in on the days at the ends of the window. \
                 countersign report counts them one by one.",
                window.from, window.to
            )
        }),
        body: embedded(&document, LIST)?,
    };
    Ok(view.render()?)
}
