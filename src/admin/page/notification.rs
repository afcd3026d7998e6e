//! One notification: the request, the claim beside the API's answer, every question, and the possible
//! changes.

use askama::Template;
use serde_json::{Map, Value};

use super::comparison::{Compared, compared};
use super::deliveries;
use super::frame::{
    Frame, HEAVIEST, LIST, NotificationEntry, When, cell_text, fitting, preformatted, weight,
};
use super::meaning::meaning;
use super::{ViewError, ViewResult};
use crate::admin::Admin;
use crate::domain::{News, Timestamp};
use crate::store::{AttemptRow, DeliveryRow, NotificationLine, VerificationRow};

/// Maximum number of bytes shown of a body; the download has the rest.
const LONGEST_BODY: usize = 64 * 1024;

/// Maximum number of bytes shown of an answer.
const LONGEST_ANSWER: usize = 8 * 1024;

/// Maximum size of each part of the view except the body, in bytes of HTML: the comparison, the headers, the
/// deliveries and the questions, of which each answer gets a part.
const PART: usize = LIST / 5;

/// Maximum number of questions shown, the newest.
const QUESTIONS: usize = 50;

/// Maximum number of tries shown per delivery, the newest.
const TRIES: usize = 20;

#[derive(Template)]
#[template(path = "admin/page/notification.html")]
struct View {
    frame: Frame,
    line: NotificationEntry,
    meaning: String,
    provider: String,
    facts: Vec<(&'static str, String)>,
    duplicate_of: Option<i64>,
    can_retry: bool,
    can_dismiss: bool,
    compared: Vec<Compared>,
    compared_left_out: usize,
    no_claim: &'static str,
    news: Option<NewsView>,
    deliveries: Vec<DeliveryView>,
    questions: Vec<Question>,
    questions_left_out: usize,
    no_questions: &'static str,
    headers: Vec<(String, String)>,
    headers_left_out: usize,
    /// Escaped HTML.
    body: String,
    body_note: Option<String>,
    emptied: Option<&'static str>,
}

struct Question {
    at: When,
    outcome: String,
    http_status: String,
    latency: String,
    detail: String,
    /// Escaped HTML.
    answer: String,
}

/// The change that a notification's news reports.
struct NewsView {
    seq: i64,
    kind: &'static str,
    at: When,
    /// Name, previous value, current value.
    values: Vec<(String, String, String)>,
}

/// A delivery and its tries.
struct DeliveryView {
    line: deliveries::DeliveryEntry,
    tries: Vec<Try>,
    tries_left_out: usize,
}

struct Try {
    at: When,
    outcome: String,
    latency: String,
    code: String,
    answer: String,
}

pub(super) async fn show(admin: &Admin, id: i64) -> ViewResult {
    let now = admin.clock.now();
    let reader = admin.store.reader();
    let (known, verifications) = reader.show(id).await?.ok_or(ViewError::NotFound)?;
    let (line, is_emptied) = (&known.line, known.headers.is_none());
    let answered = verifications.iter().rev().find(|asked| asked.answer.is_some());
    let mut left_out = verifications.len().saturating_sub(QUESTIONS);
    let mut questions: Vec<Question> =
        verifications.iter().skip(left_out).map(|asked| question(asked, PART / 2, now)).collect();
    // If they are too large together, the oldest are left out.
    while questions.iter().map(Question::weight).sum::<usize>() > PART && questions.len() > 1 {
        questions.remove(0);
        left_out += 1;
    }
    let frame = Frame::new(admin, "/notifications");
    let compared = line.claim.as_ref().map(|claim| compared(claim, answered)).unwrap_or_default();
    let (compared, compared_left_out) = fitting(compared, PART, Compared::weight);
    let headers = known.headers.as_ref().and_then(Value::as_object).map(headers).unwrap_or_default();
    let (headers, headers_left_out) =
        fitting(headers, PART, |(name, value)| 60 + weight(name) + weight(value));
    let made = reader.deliveries_of(id).await?;
    let (deliveries, _) =
        fitting(made.iter().map(|made| delivery(made, now)).collect(), PART, DeliveryView::weight);
    let mut view = View {
        meaning: meaning(&line.state, line.reason.as_deref(), frame.can_change),
        frame,
        line: NotificationEntry::new(line, now),
        provider: line.provider.clone(),
        facts: facts(line, now),
        duplicate_of: line.duplicate_of,
        can_retry: !is_emptied && matches!(line.state.as_str(), "ignored" | "undecided"),
        can_dismiss: line.state == "undecided",
        compared,
        compared_left_out,
        no_claim: "Nothing in it could be compared.",
        news: reader.news_of(id).await?.map(|news| described(&news, now)),
        deliveries,
        questions,
        questions_left_out: left_out,
        no_questions: if line.state == "pending" {
            "The shop was not asked yet."
        } else {
            "The shop was not asked about it."
        },
        headers,
        headers_left_out,
        body: String::new(),
        body_note: None,
        emptied: is_emptied.then_some(if line.origin == "reconcile" {
            "There was none: reconcile recovered this order from the shop."
        } else {
            "The request was emptied by store.keep_personal; the verdict stays."
        }),
    };
    // The body gets the space that the rest of the view leaves.
    let room = HEAVIEST.saturating_sub(view.render()?.len() + BODY_NOTE);
    (view.body, view.body_note) = shown_body(known.body.as_deref(), known.body_base64.is_some(), room);
    Ok(view.render()?)
}

/// The note beside a cut body.
const BODY_NOTE: usize = 100;

/// The exact bytes of a body.
pub(super) async fn body(admin: &Admin, id: i64) -> Result<Vec<u8>, ViewError> {
    let delivery = admin.store.reader().raw_notification(id).await?.ok_or(ViewError::NotFound)?;
    Ok(delivery.body)
}

fn facts(line: &NotificationLine, now: Timestamp) -> Vec<(&'static str, String)> {
    let time = |at: &Option<String>| at.as_deref().map(|at| When::text(at, now));
    let resolved = line.resolved_id.as_ref().filter(|id| Some(*id) != line.subject_id.as_ref());
    let all = [
        ("Shop's id", resolved.cloned()),
        ("Event time", time(&line.event_time)),
        ("Decided", time(&line.decided_at)),
        ("Next question", time(&line.next_attempt_at)),
        ("Questions", Some(line.attempts.to_string())),
        ("News", (line.news == 1).then(|| "yes: it changed what the shop says".to_owned())),
        ("Origin", (line.origin == "reconcile").then(|| "recovered by reconcile".to_owned())),
        ("Content type", line.content_type.as_deref().map(cell_text)),
    ];
    all.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

fn described(news: &News, now: Timestamp) -> NewsView {
    let text = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cell_text(text),
        Some(other) => cell_text(&other.to_string()),
    };
    let before = |name: &String| news.previous.as_ref().and_then(|previous| previous.get(name));
    let shown = |name: &str, value: Option<&Value>| match value {
        Some(Value::String(at)) if name.ends_with("_at") => When::text(at, now),
        value => text(value),
    };
    let values = news
        .current
        .iter()
        .map(|(name, value)| (cell_text(name), shown(name, before(name)), shown(name, Some(value))));
    NewsView {
        seq: news.seq,
        kind: news.kind.as_str(),
        at: When::new(&news.at.to_string(), now),
        values: values.collect(),
    }
}

fn delivery((row, attempts): &(DeliveryRow, Vec<AttemptRow>), now: Timestamp) -> DeliveryView {
    let left_out = attempts.len().saturating_sub(TRIES);
    let attempt = |attempt: &AttemptRow| Try {
        at: When::new(&attempt.at, now),
        outcome: attempt.outcome.clone(),
        latency: format!("{} ms", attempt.latency_ms),
        code: match (attempt.http_status, attempt.exit_code) {
            (Some(status), _) => status.to_string(),
            (None, Some(code)) => format!("exit {code}"),
            (None, None) => String::new(),
        },
        answer: attempt.answer.as_deref().map(cell_text).unwrap_or_default(),
    };
    DeliveryView {
        line: deliveries::DeliveryEntry::new(row, now),
        tries: attempts.iter().skip(left_out).map(attempt).collect(),
        tries_left_out: left_out,
    }
}

fn question(asked: &VerificationRow, room: usize, now: Timestamp) -> Question {
    Question {
        at: When::new(&asked.at, now),
        outcome: asked.outcome.clone(),
        http_status: asked.http_status.map(|status| status.to_string()).unwrap_or_default(),
        latency: format!("{} ms", asked.latency_ms),
        detail: asked.detail.as_deref().map(cell_text).unwrap_or_default(),
        answer: asked
            .answer
            .as_ref()
            .map(|answer| preformatted(&pretty(answer), LONGEST_ANSWER, room).0)
            .unwrap_or_default(),
    }
}

fn headers(headers: &Map<String, Value>) -> Vec<(String, String)> {
    let several = headers.iter().flat_map(|(name, value)| {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.iter().map(move |value| (cell_text(name), cell_text(value.as_str().unwrap_or_default())))
    });
    several.collect()
}

/// The body as HTML of at most `room` bytes, and a note if it is cut.
fn shown_body(text: Option<&str>, is_binary: bool, room: usize) -> (String, Option<String>) {
    match text {
        None if is_binary => (String::new(), Some("not text; download it".to_owned())),
        None => (String::new(), None),
        Some(text) => match preformatted(text, LONGEST_BODY, room) {
            (html, shown) if shown == text.len() => (html, None),
            (html, shown) => (html, Some(format!("the first {shown} of {} bytes", text.len()))),
        },
    }
}

impl Question {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        420 + weight(&self.detail) + self.answer.len()
    }
}

impl DeliveryView {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        let tries = self.tries.iter().map(|attempt| 350 + weight(&attempt.answer));
        self.line.weight() + tries.sum::<usize>()
    }
}

fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_else(|_| json.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_at_64_kib_and_where_the_view_has_no_room() {
        let (shown, note) = shown_body(Some(&"é".repeat(40_000)), false, HEAVIEST);
        assert_eq!(shown.len(), LONGEST_BODY);
        assert_eq!(note.unwrap(), "the first 65536 of 80000 bytes");
        let (shown, note) = shown_body(Some(&"<".repeat(1000)), false, 50);
        assert_eq!((shown, note.unwrap().as_str()), ("&#60;".repeat(10), "the first 10 of 1000 bytes"));
        assert_eq!(shown_body(Some("a\u{1b}\nb"), false, 99), ("a\\u{1b}\nb".to_owned(), None));
    }
}
