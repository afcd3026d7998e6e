//! The list of deliveries.

use askama::Template;

use super::filter::{Choice, DeliveriesFilter, Parameters, choices, query};
use super::frame::{Frame, LIST, When, cell_text, fitting, subject_href, weight};
use super::notifications::{Bulk, LOOKS, PAGE};
use super::selection::Change;
use super::{ViewError, ViewResult};
use crate::admin::Admin;
use crate::domain::{DeliveryState, Timestamp};
use crate::store::{DeliveryQuery, DeliveryRow};

#[derive(Template)]
#[template(path = "admin/page/deliveries.html")]
struct View {
    frame: Frame,
    filter: Form,
    lines: Vec<DeliveryEntry>,
    summary: String,
    empty: &'static str,
    query: String,
    older: Option<String>,
    bulk: Vec<Bulk>,
}

struct Form {
    actions: Vec<Choice>,
    states: Vec<Choice>,
    subject: String,
    from: String,
    to: String,
    is_set: bool,
}

/// The marks, times and buttons of a delivery's row.
const ROW: usize = 1_000;

/// A delivery as a row.
pub(super) struct DeliveryEntry {
    pub(super) id: i64,
    pub(super) action: String,
    pub(super) seq: i64,
    pub(super) source: String,
    pub(super) subject: String,
    pub(super) subject_href: String,
    pub(super) state: String,
    pub(super) attempts: i64,
    pub(super) when: Option<When>,
    pub(super) detail: String,
    pub(super) can_redeliver: bool,
    pub(super) can_skip: bool,
}

impl DeliveryEntry {
    /// The row of a delivery.
    pub(super) fn new(row: &DeliveryRow, now: Timestamp) -> Self {
        let when = row.next_attempt_at.as_ref().or(row.decided_at.as_ref());
        let is = |state: DeliveryState| row.state == state.as_str();
        Self {
            id: row.id,
            action: cell_text(&row.action),
            seq: row.seq,
            source: row.source.clone(),
            subject: cell_text(&row.subject_id),
            subject_href: subject_href(&row.subject_kind, &row.source, &row.subject_id),
            state: row.state.clone(),
            attempts: row.attempts,
            when: when.map(|at| When::new(at, now)),
            detail: row.detail.as_deref().map(cell_text).unwrap_or_default(),
            can_redeliver: !is(DeliveryState::Waiting),
            can_skip: is(DeliveryState::Waiting) || is(DeliveryState::Dead),
        }
    }

    /// Maximum size of the rows, in bytes of HTML.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.action, &self.source, &self.subject, &self.subject_href, &self.detail];
        ROW + texts.into_iter().map(|text| weight(text)).sum::<usize>()
    }
}

pub(super) async fn show(admin: &Admin, asked: &Parameters) -> ViewResult {
    let now = admin.clock.now();
    let filter = DeliveriesFilter::read(asked, now).map_err(ViewError::BadRequest)?;
    let before_id = asked.number("before").map_err(ViewError::BadRequest)?;
    let wanted = DeliveryQuery { before_id, ..filter.of_store(PAGE) };
    let found = admin.store.reader().delivery_page(wanted, LOOKS).await?;
    let pairs = filter.pairs();
    let address = query(pairs.clone());
    let (lines, left_out) = fitting(
        found.rows.iter().map(|row| DeliveryEntry::new(row, now)).collect(),
        LIST,
        DeliveryEntry::weight,
    );
    let last = lines.last().map(|line| line.id).filter(|_| left_out > 0);
    let looked_back_to = found.looked_back_to.filter(|_| left_out == 0);
    let older = last.or(found.continue_from).map(|before| {
        format!("/deliveries{}", query(pairs.clone().into_iter().chain([("before", before.to_string())])))
    });
    let view = View {
        frame: Frame::new(admin, "/deliveries"),
        summary: match &looked_back_to {
            Some(until) => {
                format!(
                    "The filter looked at {LOOKS} deliveries, back to news of {}.",
                    When::text(until, now)
                )
            }
            None if before_id.is_none() => format!("The newest {} that pass the filter.", lines.len()),
            None => format!("{} older ones.", lines.len()),
        },
        empty: if looked_back_to.is_some() {
            "None of these passes the filter; look further back."
        } else if pairs.is_empty() && admin.settings.actions.is_empty() {
            "No action is configured. Add an [actions.NAME] to the configuration to send news to your programs."
        } else if pairs.is_empty() {
            "No news has been delivered yet."
        } else {
            "No delivery passes this filter."
        },
        filter: form(admin, &filter),
        lines,
        older,
        bulk: bulk(&filter, &address),
        query: address,
    };
    Ok(view.render()?)
}

fn form(admin: &Admin, filter: &DeliveriesFilter) -> Form {
    let mut actions: Vec<String> = admin.settings.actions.iter().map(|action| action.name.clone()).collect();
    actions.extend(filter.action.clone().filter(|action| !actions.contains(action)));
    let states = DeliveryState::ALL.iter().map(|state| state.as_str().to_owned());
    let written =
        |at: &Option<(String, Timestamp)>| at.as_ref().map(|(text, _)| text.clone()).unwrap_or_default();
    Form {
        actions: choices(actions, filter.action.as_deref()),
        states: choices(states, filter.state.map(DeliveryState::as_str)),
        subject: filter.subject.clone().unwrap_or_default(),
        from: written(&filter.from),
        to: written(&filter.to),
        is_set: !filter.pairs().is_empty(),
    }
}

/// The bulk changes that are possible for this filter.
fn bulk(filter: &DeliveriesFilter, address: &str) -> Vec<Bulk> {
    let all = [(Change::Redeliver, "Redeliver all …"), (Change::Skip, "Skip all …")];
    let suits = all.into_iter().filter(|(change, _)| change.suits_deliveries(filter.state));
    let bulk = |(change, name): (Change, &'static str)| Bulk {
        href: format!("/deliveries/{}{address}", change.word()),
        name,
    };
    suits.map(bulk).collect()
}
