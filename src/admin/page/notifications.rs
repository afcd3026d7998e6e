//! The list of notifications: a filter, a page of rows, and a link to older ones.

use askama::Template;

use super::filter::{Choice, NotificationsFilter, Parameters, choices, query};
use super::frame::{Frame, LIST, NotificationEntry, When, fitting};
use super::{ViewError, ViewResult};
use crate::admin::Admin;
use crate::domain::{Reason, State};
use crate::store::Filter;

/// Rows of a page.
pub(super) const PAGE: usize = 50;

/// Maximum number of rows that a filter without an index reads for one page.
pub(super) const LOOKS: usize = 10_000;

#[derive(Template)]
#[template(path = "admin/page/notifications.html")]
struct View {
    frame: Frame,
    filter: Form,
    lines: Vec<NotificationEntry>,
    summary: String,
    empty: &'static str,
    query: String,
    tail_href: Option<String>,
    newest: Option<String>,
    older: Option<String>,
    older_words: &'static str,
    bulk: Vec<Bulk>,
}

struct Form {
    sources: Vec<Choice>,
    states: Vec<Choice>,
    reasons: Vec<Choice>,
    subject: String,
    sender: String,
    from: String,
    to: String,
    is_set: bool,
}

/// A link to the confirmation of a bulk change.
pub(super) struct Bulk {
    pub(super) href: String,
    pub(super) name: &'static str,
}

pub(super) async fn show(admin: &Admin, asked: &Parameters) -> ViewResult {
    let now = admin.clock.now();
    let filter = NotificationsFilter::read(asked, now).map_err(ViewError::BadRequest)?;
    let (of_store, row_filter) = filter.of_store(PAGE);
    let reader = admin.store.reader();
    let newest = reader.ids(Filter { limit: 1, ..Filter::default() }).await?;
    let found = reader.lines(of_store, row_filter, LOOKS).await?;
    let pairs = filter.pairs();
    let address = query(pairs.clone());
    let is_newest = filter.before.is_none();
    let lines = found.lines.iter().map(|line| NotificationEntry::new(line, now)).collect();
    let (lines, left_out) = fitting(lines, LIST, NotificationEntry::weight);
    let last = lines.last().map(|line| line.id).filter(|_| left_out > 0);
    let looked_back_to = found.looked_back_to.filter(|_| left_out == 0);
    let older = last.or(found.continue_before).map(|before| {
        format!("/notifications{}", query(pairs.clone().into_iter().chain([("before", before.to_string())])))
    });
    let summary = match &looked_back_to {
        Some(until) => {
            format!("The filter looked at {LOOKS} notifications, back to {}.", When::text(until, now))
        }
        None if is_newest => format!("The newest {} that pass the filter.", lines.len()),
        None => format!("{} older ones.", lines.len()),
    };
    let view = View {
        frame: Frame::new(admin, "/notifications"),
        filter: form(admin, &filter).await?,
        lines,
        summary,
        empty: if pairs.is_empty() {
            "No notification has been received yet."
        } else if looked_back_to.is_some() {
            "None of these passes the filter; look further back."
        } else {
            "No notification passes this filter."
        },
        tail_href: is_newest.then(|| {
            let from = [("after", newest.first().copied().unwrap_or(0).to_string()), ("at", now.to_string())];
            format!("/tail{}", query(pairs.clone().into_iter().chain(from)))
        }),
        newest: (!is_newest).then(|| format!("/notifications{address}")),
        older_words: if looked_back_to.is_some() { "Look further back" } else { "Older" },
        older,
        bulk: bulk(&filter, &address),
        query: address,
    };
    Ok(view.render()?)
}

async fn form(admin: &Admin, filter: &NotificationsFilter) -> Result<Form, ViewError> {
    let known = admin.store.reader().known_sources().await?;
    let written = |at: &Option<(String, _)>| at.as_ref().map(|(text, _)| text.clone()).unwrap_or_default();
    Ok(Form {
        sources: choices(known.into_iter().map(|(name, _)| name), filter.source.as_deref()),
        states: choices(
            words(State::ALL.iter().map(|state| state.as_str())),
            filter.state.map(State::as_str),
        ),
        reasons: choices(
            words(Reason::ALL.iter().map(|reason| reason.as_str())),
            filter.reason.map(Reason::as_str),
        ),
        subject: filter.subject.clone().unwrap_or_default(),
        sender: filter.sender.clone().unwrap_or_default(),
        from: written(&filter.from),
        to: written(&filter.to),
        is_set: !filter.pairs().is_empty(),
    })
}

fn words(words: impl Iterator<Item = &'static str>) -> impl Iterator<Item = String> {
    words.map(str::to_owned)
}

/// The bulk changes that are possible: unconfirmed ones can be retried, undecided ones dismissed.
fn bulk(filter: &NotificationsFilter, address: &str) -> Vec<Bulk> {
    let mut bulk = Vec::new();
    if matches!(filter.state, Some(State::Ignored | State::Undecided)) {
        bulk.push(Bulk { href: format!("/notifications/retry{address}"), name: "Retry all …" });
    }
    if filter.state == Some(State::Undecided) {
        bulk.push(Bulk { href: format!("/notifications/dismiss{address}"), name: "Dismiss all …" });
    }
    bulk
}
