//! The newest fakes, grouped by sender.

use std::collections::BTreeMap;

use askama::Template;

use super::filter::{Parameters, query};
use super::frame::{Frame, LIST, When, cell_text, fitting, weight};
use super::{ViewError, ViewResult};
use crate::admin::Admin;

/// Number of fakes that one view reads.
const LOOKS: usize = 3_000;

/// Maximum number of senders in one view.
const SENDERS: usize = 100;

#[derive(Template)]
#[template(path = "admin/page/fakes.html")]
struct View {
    frame: Frame,
    summary: String,
    senders: Vec<Sender>,
    older: Option<String>,
}

struct Sender {
    name: String,
    href: String,
    count: u64,
    sources: String,
    reasons: String,
    latest: When,
}

impl Sender {
    /// Maximum size of the rows, in bytes of HTML.
    fn weight(&self) -> usize {
        let texts = [&self.name, &self.href, &self.sources, &self.reasons];
        ROW + texts.into_iter().map(|text| weight(text)).sum::<usize>()
    }
}

/// The marks and the time of a sender's row.
const ROW: usize = 500;

pub(super) async fn show(admin: &Admin, asked: &Parameters) -> ViewResult {
    let now = admin.clock.now();
    let before = asked.number("before").map_err(ViewError::BadRequest)?;
    let found = admin.store.reader().fakes_by_sender(before, LOOKS).await?;
    let mut summary = match &found.oldest_at {
        Some(oldest) => format!("{} fakes, the oldest from {}", found.looked_at, When::text(oldest, now)),
        None => "No fakes".to_owned(),
    };
    let addresses = found.senders.len();
    let senders = found.senders.into_iter().take(SENDERS).map(|sender| {
        let name = sender.remote_addr.as_deref();
        let pairs =
            name.map(|name| ("sender", name.to_owned())).into_iter().chain([("state", "ignored".to_owned())]);
        Sender {
            href: format!("/notifications{}", query(pairs)),
            name: name.map_or_else(|| "emptied".to_owned(), cell_text),
            count: sender.count,
            sources: counts(&sender.sources),
            reasons: counts(&sender.reasons),
            latest: When::new(&sender.latest_at, now),
        }
    });
    let (senders, _) = fitting(senders.collect(), LIST, Sender::weight);
    if addresses > senders.len() {
        summary += &format!(", from {addresses} addresses: the first {} are shown", senders.len());
    }
    let view = View {
        frame: Frame::new(admin, "/fakes"),
        summary: summary + ".",
        senders,
        older: found.continue_before.map(|before| format!("/fakes?before={before}")),
    };
    Ok(view.render()?)
}

/// `not_found 12, mismatch 3`, the most frequent first.
fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
