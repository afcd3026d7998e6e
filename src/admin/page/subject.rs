//! One order or product: what the shop said last, and everything that happened, newest first.

use askama::Template;

use super::filter::{Parameters, query};
use super::frame::{Frame, Line, When, clipped};
use super::{Shown, Trouble};
use crate::admin::Admin;
use crate::domain::visible::visible;
use crate::domain::{SubjectKind, Timestamp};
use crate::store::{AttemptRow, Beyond, DeliveryRow, Filter};

/// Moments of a page.
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
    raw: String,
    raw_note: Option<&'static str>,
    timeline: Vec<Moment>,
    older: Option<String>,
}

/// Something that happened.
struct Moment {
    at: When,
    what: String,
    href: Option<String>,
    state: String,
    reason: Option<String>,
    detail: String,
}

/// What an action did with it.
fn told(made: &DeliveryRow, attempts: &[AttemptRow], now: Timestamp) -> Moment {
    let last = attempts.last().map(|attempt| &attempt.at);
    let at = made.decided_at.as_ref().or(last).or(made.next_attempt_at.as_ref());
    Moment {
        at: When::new(at.map_or("", String::as_str), now),
        what: format!(
            "{} told of news {} (delivery {}, {})",
            clipped(&made.action),
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
        detail: made.detail.as_deref().map(clipped).unwrap_or_default(),
    }
}

pub(super) async fn show(admin: &Admin, kind: &str, asked: &Parameters) -> Shown {
    let now = admin.clock.now();
    let (Some(kind), Some(source), Some(id)) =
        (SubjectKind::parse(kind), asked.get("source"), asked.get("id"))
    else {
        return Err(Trouble::Nonsense("source and id have to be given".to_owned()));
    };
    let before = asked.number("before").map_err(Trouble::Nonsense)?;
    let reader = admin.store.reader();
    let truth = reader.truth(source.to_owned(), kind, id.to_owned()).await?;
    let filter = Filter {
        source: Some(source.to_owned()),
        subject: Some(id.to_owned()),
        before_id: before,
        limit: PAGE,
        ..Filter::default()
    };
    let about = reader.lines(filter, Beyond::default(), PAGE).await?;
    let moment = |line: &crate::store::NotificationLine| {
        let shown = Line::new(line, now);
        Moment {
            at: shown.received,
            what: format!("Notification {}: {}", shown.id, shown.event),
            href: Some(format!("/notifications/{}", shown.id)),
            state: shown.state,
            reason: shown.reason,
            detail: shown.detail,
        }
    };
    let mut timeline = Vec::new();
    for line in &about.lines {
        if line.news == 1 {
            for (made, attempts) in reader.deliveries_of(line.id).await?.iter().rev() {
                timeline.push(told(made, attempts, now));
            }
        }
        timeline.push(moment(line));
    }
    let older = about.continue_before.map(|before| {
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
        id: clipped(id),
        source: clipped(source),
        truth: truth.columns.iter().map(|(name, value)| (name.clone(), clipped(value))).collect(),
        raw: truth.raw.as_deref().map(visible).unwrap_or_default().into_owned(),
        raw_note: truth.is_cut.then_some("the first 64 KiB"),
        timeline,
        older,
    };
    Ok(view.render()?)
}
