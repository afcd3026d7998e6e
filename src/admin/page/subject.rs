//! One order or product: the shop's latest answer, and its history, newest first.

use askama::Template;
use serde_json::Value;

use super::filter::{Parameters, query};
use super::frame::{Frame, LIST, NotificationEntry, When, cell_text, fitting, preformatted, weight};
use super::{ViewError, ViewResult};
use crate::admin::Admin;
use crate::domain::{News, SubjectKind, Timestamp};
use crate::store::{AttemptRow, DeliveryRow, Filter, NotificationLine, RowFilter};

/// Maximum number of entries on a page.
const PAGE: usize = 100;

#[derive(Template)]
#[template(path = "admin/page/subject.html")]
struct View {
    frame: Frame,
    kind: String,
    kind_word: &'static str,
    id: String,
    source: String,
    truth: Vec<(String, String)>,
    /// The API's JSON as escaped HTML.
    raw: String,
    raw_note: Option<String>,
    timeline: Vec<Moment>,
    older: Option<String>,
}

/// An entry of the history.
struct Moment {
    at: When,
    what: String,
    href: Option<String>,
    state: String,
    reason: Option<String>,
    detail: String,
}

/// A delivery to an action.
fn delivered(made: &DeliveryRow, attempts: &[AttemptRow], now: Timestamp) -> Moment {
    let last = attempts.last().map(|attempt| &attempt.at);
    let at = made.decided_at.as_ref().or(last).or(made.next_attempt_at.as_ref());
    Moment {
        at: When::new(at.map_or("", String::as_str), now),
        what: format!(
            "{} told of news {} (delivery {}, {})",
            cell_text(&made.action),
            made.seq,
            made.id,
            if made.attempts == 1 { "1 try".to_owned() } else { format!("{} tries", made.attempts) }
        ),
        href: Some(format!(
            "/deliveries{}",
            query([("subject", made.subject_id.clone()), ("action", made.action.clone())])
        )),
        state: made.state.clone(),
        reason: None,
        detail: made.detail.as_deref().map(cell_text).unwrap_or_default(),
    }
}

/// The change that a notification's news reports.
fn changed(news: &News, now: Timestamp) -> Moment {
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(cell_text(text)),
        Some(other) => Some(cell_text(&other.to_string())),
    };
    // The time of the change stands beside it.
    let values = news.current.iter().filter(|(name, _)| *name != "updated_at");
    let changed = values.filter_map(|(name, value)| {
        let before = news.previous.as_ref().and_then(|previous| text(previous.get(name)));
        match (before, text(Some(value))) {
            (before, now) if before == now => None,
            (Some(before), now) => {
                Some(format!("{name}: {before} → {}", now.as_deref().unwrap_or("nothing")))
            }
            (None, now) => Some(format!("{name}: {}", now?)),
        }
    });
    let changed: Vec<String> = changed.collect();
    Moment {
        at: When::new(&news.at.to_string(), now),
        what: format!("News {}: {}", news.seq, news.kind.as_str()),
        href: Some(format!("/notifications/{}", news.notification_id)),
        state: String::new(),
        reason: None,
        detail: changed.join(", "),
    }
}

/// The entries of these notifications, each with its news and deliveries, newest first, as many as the view
/// has room for. If some are left out, the id below which they begin.
async fn timeline(
    admin: &Admin,
    lines: &[NotificationLine],
    now: Timestamp,
) -> Result<(Vec<Moment>, Option<i64>), ViewError> {
    let reader = admin.store.reader();
    let mut timeline: Vec<Moment> = Vec::new();
    let mut room = LIST / 2;
    let mut last = None;
    for line in lines {
        let mut moments = Vec::new();
        if line.news == 1 {
            for (made, attempts) in reader.deliveries_of(line.id).await?.iter().rev() {
                moments.push(delivered(made, attempts, now));
            }
            moments.extend(reader.news_of(line.id).await?.map(|news| changed(&news, now)));
        }
        moments.push(received(line, now));
        let (mut moments, left_out) = fitting(moments, room, Moment::weight);
        if left_out > 0 && !timeline.is_empty() {
            return Ok((timeline, last));
        }
        room -= moments.iter().map(Moment::weight).sum::<usize>();
        timeline.append(&mut moments);
        last = Some(line.id);
    }
    Ok((timeline, None))
}

fn received(line: &NotificationLine, now: Timestamp) -> Moment {
    let shown = NotificationEntry::new(line, now);
    Moment {
        at: shown.received,
        what: format!("Notification {}: {}", shown.id, shown.event),
        href: Some(format!("/notifications/{}", shown.id)),
        state: shown.state,
        reason: shown.reason,
        detail: shown.detail,
    }
}

impl Moment {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        350 + weight(&self.what) + weight(&self.detail) + self.href.as_deref().map_or(0, weight)
    }
}

pub(super) async fn show(admin: &Admin, kind: &str, asked: &Parameters) -> ViewResult {
    let now = admin.clock.now();
    let (Some(kind), Some(source), Some(id)) =
        (SubjectKind::parse(kind), asked.get("source"), asked.get("id"))
    else {
        return Err(ViewError::BadRequest("source or id is missing".to_owned()));
    };
    let before = asked.number("before").map_err(ViewError::BadRequest)?;
    let reader = admin.store.reader();
    let truth = reader.truth(source.to_owned(), kind, id.to_owned()).await?;
    let filter = Filter {
        source: Some(source.to_owned()),
        subject: Some(id.to_owned()),
        before_id: before,
        limit: PAGE,
        ..Filter::default()
    };
    let about = reader.lines(filter, RowFilter::default(), PAGE).await?;
    let (timeline, cut_at) = timeline(admin, &about.lines, now).await?;
    let continue_before = cut_at.or(about.continue_before);
    let column = |(name, value): &(String, String)| {
        let shown = if name.ends_with("_at") { When::text(value, now) } else { cell_text(value) };
        (name.clone(), shown)
    };
    let columns = truth.columns.iter().map(column).collect();
    let (columns, _) = fitting(columns, LIST / 4, |(name, value)| 60 + weight(name) + weight(value));
    let raw = truth.raw.as_deref().unwrap_or_default();
    let (shown, shown_bytes) = preformatted(raw, raw.len(), LIST / 4);
    let is_cut = truth.is_cut || shown_bytes < raw.len();
    let older = continue_before.map(|before| {
        let pairs = [("source", source.to_owned()), ("id", id.to_owned()), ("before", before.to_string())];
        format!("/{}{}", kind.as_str(), query(pairs))
    });
    let view = View {
        frame: Frame::new(admin, ""),
        kind: kind.as_str().to_owned(),
        kind_word: match kind {
            SubjectKind::Order => "Order",
            SubjectKind::Product => "Product",
        },
        id: cell_text(id),
        source: cell_text(source),
        truth: columns,
        raw: shown,
        raw_note: is_cut.then(|| format!("the first {shown_bytes} bytes")),
        timeline,
        older,
    };
    Ok(view.render()?)
}
