//! The report of any window: the parts of the HTML report, inside the page's frame.

use std::time::Duration;

use askama::Template;

use super::filter::{Choice, Parameters, choices};
use super::frame::Frame;
use super::{Shown, Trouble};
use crate::admin::Admin;
use crate::domain::{Report, Window};
use crate::report::{Basis, Document, embedded};
use crate::rules::health;
use crate::store::Reported;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Template)]
#[template(path = "admin/page/report.html")]
struct View {
    frame: Frame,
    sources: Vec<Choice>,
    from: String,
    to: String,
    body: String,
}

pub(super) async fn show(admin: &Admin, asked: &Parameters) -> Shown {
    let now = admin.clock.now();
    let to = asked.time("to", now).map_err(Trouble::Nonsense)?.unwrap_or(now);
    let from = asked.time("from", now).map_err(Trouble::Nonsense)?.unwrap_or_else(|| to.minus(DAY));
    if from >= to {
        return Err(Trouble::Nonsense(format!("the window from {from} to {to} is empty")));
    }
    let reader = admin.store.reader();
    let mut reported = admin.sources.clone();
    for (name, provider) in reader.known_sources().await? {
        if !reported.iter().any(|source| source.name == name) {
            reported.push(Reported { name, provider, expect_every: None });
        }
    }
    let names: Vec<String> = reported.iter().map(|source| source.name.clone()).collect();
    let only = asked.get("source");
    reported.retain(|source| only.is_none_or(|only| source.name == only));
    let window = Window { from, to };
    let (_, healths) = reader.health(reported.clone(), now).await?;
    let warnings = health::of_report(healths, to, now);
    let (sources, statistics) = reader.account(reported, window, now).await?.into_iter().unzip();
    let report = Report { generated_at: now, from, to, sources };
    let view = View {
        frame: Frame::new(admin, "/report"),
        sources: choices(names, only),
        from: asked.get("from").unwrap_or("24h").to_owned(),
        to: asked.get("to").unwrap_or_default().to_owned(),
        body: embedded(&Document { basis: Basis::Store, report, statistics, warnings })?,
    };
    Ok(view.render()?)
}
