//! An action that is a mailbox: one plain-text mail per news row, short enough for a lock screen.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::Address;
use serde_json::{Map, Value};

use super::smtp::{Letter, MailServer};
use super::{Message, SendResult, Stop, Target, ended};
use crate::domain::escape::escape_and_truncate;
use crate::domain::{News, NewsType, SubjectKind, Timestamp};

/// Maximum length of a value in a subject, in characters.
const IN_SUBJECT: usize = 60;

/// Maximum length of a value in the text, in characters.
const IN_TEXT: usize = 255;

/// A mail server, and the addresses of one action.
#[derive(Clone, Debug)]
pub struct MailTarget {
    server: MailServer,
    to: Vec<Address>,
}

impl MailTarget {
    /// Each mail goes to all of `to` at once.
    #[must_use]
    pub fn new(server: MailServer, to: Vec<Address>) -> Self {
        Self { server, to }
    }
}

impl Target for MailTarget {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        now: Timestamp,
        timeout: Duration,
        stop: Stop,
    ) -> BoxFuture<'a, Option<SendResult>> {
        Box::pin(async move {
            let letter = letter(message, now);
            tokio::select! {
                biased;
                result = self.server.send(&letter, &self.to, timeout) => Some(result),
                () = ended(stop) => None,
            }
        })
    }

    fn check(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async move { self.server.check().await.err().into_iter().collect() })
    }
}

fn letter(message: &Message, now: Timestamp) -> Letter {
    let (subject, text) = match &message.news {
        Some(news) => (subject(news), text(news, message)),
        None => (
            format!("countersign: test of {}", message.action),
            format!("This is a test of the action {}. Nothing happened.\n", message.action),
        ),
    };
    let id = format!("{}.{}", message.id, message.action);
    let at = message.news.as_ref().map_or(now, |news| news.at);
    Letter { id, subject, text, html: None, at }
}

/// A value on one line, without control characters; `None` if it is unknown.
fn value(values: &Map<String, Value>, key: &str, longest: usize) -> Option<String> {
    let text = match values.get(key)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then(|| escape_and_truncate(&text, longest))
}

/// An amount with its currency, if that is known: `99.00 EUR`.
fn amount(values: &Map<String, Value>, key: &str, longest: usize) -> Option<String> {
    let amount = value(values, key, longest)?;
    Some(match value(values, "currency", longest) {
        Some(currency) => format!("{amount} {currency}"),
        None => amount,
    })
}

/// The shop's statement about the subject, in a few words.
fn summary(kind: SubjectKind, values: &Map<String, Value>, longest: usize) -> Vec<String> {
    let parts = match kind {
        SubjectKind::Order => [value(values, "status", longest), amount(values, "total", longest)],
        SubjectKind::Product => [value(values, "name", longest), amount(values, "price", longest)],
    };
    parts.into_iter().flatten().collect()
}

/// The word for a subject that is gone; it replaces the values.
fn end(kind: NewsType) -> Option<&'static str> {
    match kind {
        NewsType::OrderDeleted | NewsType::ProductDeleted => Some("deleted"),
        NewsType::ProductUnavailable => Some("unavailable"),
        NewsType::OrderChanged | NewsType::ProductChanged | NewsType::Test => None,
    }
}

/// The subject of the mail: `SALE-H4K9P: PAID, 99.00 EUR (shop)`.
fn subject(news: &News) -> String {
    let id = escape_and_truncate(&news.subject_id, IN_SUBJECT);
    let parts = match end(news.kind) {
        Some(end) => vec![end.to_owned()],
        None => summary(news.subject_kind, &news.current, IN_SUBJECT),
    };
    match parts.is_empty() {
        true => format!("{id} ({})", news.source),
        false => format!("{id}: {} ({})", parts.join(", "), news.source),
    }
}

/// All values that a mail names, in the order of the feed.
const NAMED: [(&str, &str); 9] = [
    ("name", "name"),
    ("status", "status"),
    ("fulfillment_status", "fulfilment"),
    ("total", "total"),
    ("price", "price"),
    ("currency", "currency"),
    ("qty", "quantity"),
    ("available", "available"),
    ("updated_at", "updated at"),
];

/// One line per value, with the previous one if it differs.
fn values(news: &News) -> String {
    let none = Map::new();
    let before = news.previous.as_ref().unwrap_or(&none);
    let mut lines = String::new();
    for (key, word) in NAMED {
        let (now, then) = (value(&news.current, key, IN_TEXT), value(before, key, IN_TEXT));
        let line = match (now, then) {
            (Some(now), Some(then)) if now != then => format!("{word}: {now} (before: {then})\n"),
            (Some(now), None) if news.previous.is_some() => format!("{word}: {now} (before: not known)\n"),
            (Some(now), _) => format!("{word}: {now}\n"),
            (None, Some(then)) => format!("{word}: not known (before: {then})\n"),
            (None, None) => continue,
        };
        lines += &line;
    }
    lines
}

fn text(news: &News, message: &Message) -> String {
    let (kind, id, source) =
        (news.subject_kind, escape_and_truncate(&news.subject_id, IN_TEXT), &news.source);
    let word = kind.as_str();
    let what = match end(news.kind) {
        Some(end) => format!("{end} at the shop"),
        None => summary(kind, &news.current, IN_TEXT).join(", "),
    };
    let before = match &news.previous {
        None => "nothing; this is the first that the shop confirmed about it".to_owned(),
        Some(previous) => match summary(kind, previous, IN_TEXT).join(", ") {
            known if known.is_empty() => "not known".to_owned(),
            known => known,
        },
    };
    let buyer = serde_json::from_str::<Value>(&message.body)
        .ok()
        .and_then(|body| {
            Some(format!("buyer: {}\n", escape_and_truncate(body["data"]["email"].as_str()?, IN_TEXT)))
        })
        .unwrap_or_default();
    format!(
        "{word} {id} of {source}: {what}\nBefore: {before}\nConfirmed by the shop's API: {}\n\n{}{buyer}\nLook closer: \
         countersign show {}\n\nNews {} for the action {}\n",
        news.at,
        values(news),
        news.notification_id,
        news.seq,
        message.action
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn news(kind: NewsType, current: &Value, previous: Option<&Value>) -> News {
        let is_order = matches!(kind, NewsType::OrderChanged | NewsType::OrderDeleted);
        News {
            seq: 4711,
            kind,
            at: Timestamp::parse_rfc3339("2026-11-28T12:00:00.123Z").unwrap(),
            notification_id: 17,
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            event: Some("order.updated".to_owned()),
            origin: "intake".to_owned(),
            subject_kind: if is_order { SubjectKind::Order } else { SubjectKind::Product },
            subject_id: "SALE-H4K9P".to_owned(),
            current: current.as_object().unwrap().clone(),
            previous: previous.map(|values| values.as_object().unwrap().clone()),
        }
    }

    fn message(news: News) -> Message {
        let body = news.line(&Map::new());
        Message {
            id: "news_ab_4711".to_owned(),
            action: "tell".to_owned(),
            attempt: 1,
            news: Some(news),
            body,
        }
    }

    #[test]
    fn a_subject_says_what_is_known_and_leaves_out_the_rest() {
        let paid = json!({"status": "PAID", "total": "99.00", "currency": "EUR"});
        let mug = json!({"name": "Mug", "price": "12.50", "currency": "EUR", "qty": 3});
        for (kind, current, expected) in [
            (NewsType::OrderChanged, &paid, "SALE-H4K9P: PAID, 99.00 EUR (shop)"),
            (NewsType::OrderChanged, &json!({"status": "PAID", "total": null}), "SALE-H4K9P: PAID (shop)"),
            (NewsType::OrderChanged, &json!({"total": "99.00"}), "SALE-H4K9P: 99.00 (shop)"),
            (NewsType::OrderChanged, &json!({}), "SALE-H4K9P (shop)"),
            (NewsType::OrderDeleted, &paid, "SALE-H4K9P: deleted (shop)"),
            (NewsType::ProductChanged, &mug, "SALE-H4K9P: Mug, 12.50 EUR (shop)"),
            (NewsType::ProductUnavailable, &mug, "SALE-H4K9P: unavailable (shop)"),
        ] {
            assert_eq!(subject(&news(kind, current, None)), expected);
        }
    }

    #[test]
    fn a_text_says_what_it_was_before_when_and_how_to_look_closer() {
        let current =
            json!({"status": "PAID", "fulfillment_status": "NEW", "total": "99.00", "currency": "EUR"});
        let previous = json!({"status": "AWAITING_PAYMENT", "fulfillment_status": "NEW", "total": "99.00", "currency": "EUR"});
        let message = message(news(NewsType::OrderChanged, &current, Some(&previous)));
        assert_eq!(
            letter(&message, Timestamp::from_seconds(0)).text,
            "order SALE-H4K9P of shop: PAID, 99.00 EUR\nBefore: AWAITING_PAYMENT, 99.00 EUR\nConfirmed by the shop's API: \
             2026-11-28T12:00:00.123Z\n\nstatus: PAID (before: AWAITING_PAYMENT)\nfulfilment: NEW\ntotal: 99.00\ncurrency: \
             EUR\n\nLook closer: countersign show 17\n\nNews 4711 for the action tell\n"
        );
    }

    #[test]
    fn values_that_a_reader_would_obey_are_shown_and_cut() {
        let hostile = json!({"status": "PAID\r\nBcc: x@example.com\u{202e}", "total": "9".repeat(500)});
        let mut news = news(NewsType::OrderChanged, &hostile, None);
        news.subject_id = "a".repeat(255);
        let subject = subject(&news);
        assert!(subject.chars().count() < 200 && !subject.contains(char::is_control), "{subject}");
        assert!(subject.contains(r"PAID\r\nBcc: x@example.com\u{202e}"), "{subject}");
        let letter = letter(&message(news), Timestamp::from_seconds(0));
        assert!(letter.text.lines().all(|line| !line.starts_with("Bcc")), "{}", letter.text);
    }
}
