//! Parses a notification. A webhook names its event in the header `X-Event-Name`; the event of a postback
//! follows from the id in its body. The rest is the same for both. If a JSON object repeats a name, the last
//! value counts.

use serde_json::{Map, Value};

use super::{COMPLETED, dates, fields};
use crate::domain::replaced::is_replaced;
use crate::domain::{
    Claim, EventTime, Headers, RawNotification, Reading, Reason, Subject, SubjectKind, Unasked,
};
use crate::providers::foreign;
use crate::providers::ids::{unaskable_id, unaskable_word};

/// The header that names a webhook's event.
const EVENT_HEADER: &str = "x-event-name";

/// All field names of a body that are read.
const NAMES: [&str; 6] = ["kinguinId", "productId", "orderId", "orderExternalId", "status", "updatedAt"];

/// An event that this version verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    ProductUpdate,
    OrderStatus,
    OrderComplete,
}

impl Event {
    const ALL: [Self; 3] = [Self::ProductUpdate, Self::OrderStatus, Self::OrderComplete];

    fn word(self) -> &'static str {
        match self {
            Self::ProductUpdate => "product.update",
            Self::OrderStatus => "order.status",
            Self::OrderComplete => "order.complete",
        }
    }

    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }
}

/// The parts of a notification that are known before all of it is understood.
struct Draft {
    event: Event,
    subject: Option<Subject>,
    event_time: EventTime,
}

impl Draft {
    fn malformed(&self, detail: impl Into<String>) -> Box<Unasked> {
        Box::new(Unasked {
            event: Some(self.event.word().to_owned()),
            subject: self.subject.clone(),
            event_time: self.event_time.clone(),
            ..Unasked::malformed(detail)
        })
    }
}

/// Parses a webhook. It never falls back to the rules of postbacks.
pub(super) fn read_webhook(notification: &RawNotification) -> Reading {
    let word = match event_word(&notification.headers) {
        Ok(word) => word,
        Err(detail) => return Unasked::malformed(detail).into(),
    };
    let Some(event) = Event::named(word) else {
        let word = fields::shown(word);
        let detail = format!("this version does not verify the event {word}");
        return Unasked { event: Some(word), ..Unasked::because(Reason::Unsupported, detail) }.into();
    };
    let draft = Draft { event, subject: None, event_time: EventTime::default() };
    reading(match foreign::object(&notification.body, &NAMES) {
        Ok(sent) => understand(draft, &sent),
        Err(unreadable) => Err(draft.malformed(unreadable)),
    })
}

/// Parses a postback: `kinguinId` makes it a product's, `orderId` a completed order's.
pub(super) fn read_postback(notification: &RawNotification) -> Reading {
    let sent = match foreign::object(&notification.body, &NAMES) {
        Ok(sent) => sent,
        Err(unreadable) => return Unasked::malformed(unreadable).into(),
    };
    let names = |name| !matches!(fields::id(sent.get(name)), Ok(None));
    let event = match (names("kinguinId"), names("orderId")) {
        (true, false) => Event::ProductUpdate,
        (false, true) => Event::OrderComplete,
        (true, true) => return Unasked::malformed("kinguinId and orderId are both there").into(),
        (false, false) => return Unasked::malformed("kinguinId and orderId are both missing").into(),
    };
    reading(understand(Draft { event, subject: None, event_time: EventTime::default() }, &sent))
}

fn reading(result: Result<Claim, Box<Unasked>>) -> Reading {
    match result {
        Ok(claim) => claim.into(),
        Err(unasked) => Reading::Unasked(unasked),
    }
}

fn event_word(headers: &Headers) -> Result<&str, &'static str> {
    match headers.get(EVENT_HEADER) {
        _ if headers.repeats(EVENT_HEADER) => Err("X-Event-Name is sent more than once"),
        None | Some("") => Err("X-Event-Name is missing"),
        Some(word) => Ok(word),
    }
}

fn understand(mut draft: Draft, sent: &Map<String, Value>) -> Result<Claim, Box<Unasked>> {
    let (kind, id_name) = match draft.event {
        Event::ProductUpdate => (SubjectKind::Product, "kinguinId"),
        Event::OrderStatus | Event::OrderComplete => (SubjectKind::Order, "orderId"),
    };
    let id = subject_id(kind, id_name, sent).map_err(|detail| draft.malformed(detail))?;
    draft.subject = Some(Subject { kind, id: id.clone() });
    draft.event_time = updated_at(sent).map_err(|detail| draft.malformed(detail))?;

    let mut asserted = Map::new();
    asserted.insert(id_name.to_owned(), Value::String(id.clone()));
    let second = if kind == SubjectKind::Product { "productId" } else { "orderExternalId" };
    let second_id = fields::id(sent.get(second)).map_err(|why| draft.malformed(format!("{second} {why}")))?;
    if let Some(second_id) = second_id {
        asserted.insert(second.to_owned(), Value::String(second_id));
    }
    match draft.event {
        // The API gives an order no updatedAt, and a zone's name gives no instant: both remain the sender's
        // statement.
        Event::ProductUpdate if draft.event_time.instant.is_some() => {
            asserted.extend(sent.get("updatedAt").map(|time| ("updatedAt".to_owned(), time.clone())));
        }
        Event::ProductUpdate => {}
        Event::OrderStatus => {
            let status = status(sent).map_err(|detail| draft.malformed(detail))?;
            asserted.insert("status".to_owned(), status);
        }
        // The event's name is the assertion; a status beside it is an unknown extra field.
        Event::OrderComplete => {
            asserted.insert("status".to_owned(), Value::String(COMPLETED.to_owned()));
        }
    }
    let (call, call_kind) =
        if kind == SubjectKind::Product { ("product", "products") } else { ("order", "orders") };
    Ok(Claim {
        event: draft.event.word().to_owned(),
        subject: Subject { kind, id: id.clone() },
        question: format!("{call} {id}"),
        call_kind: call_kind.to_owned(),
        asserted,
        before: Map::new(),
        event_time: draft.event_time,
        event_id: None,
    })
}

fn subject_id(kind: SubjectKind, name: &str, sent: &Map<String, Value>) -> Result<String, String> {
    let id = fields::id(sent.get(name)).map_err(|why| format!("{name} {why}"))?;
    let id = id.ok_or_else(|| format!("{name} is missing"))?;
    let unaskable = if kind == SubjectKind::Order { unaskable_word(&id) } else { unaskable_id(&id) };
    if let Some(why) = unaskable {
        return Err(format!("{name} {why}"));
    }
    let is_integer = id.bytes().all(|b| b.is_ascii_digit()) && id.parse::<u64>().is_ok();
    if kind == SubjectKind::Product && !is_integer {
        return Err(format!("{name} is not a whole number: {}", fields::shown(&id)));
    }
    Ok(id)
}

fn updated_at(sent: &Map<String, Value>) -> Result<EventTime, String> {
    match sent.get("updatedAt") {
        None | Some(Value::Null) => Err("updatedAt is missing".to_owned()),
        Some(Value::String(text)) if text.is_empty() => Err("updatedAt is missing".to_owned()),
        Some(Value::String(text)) => dates::read(text)
            .ok_or_else(|| format!("updatedAt is not a date and time: {}", fields::shown(text))),
        Some(_) => Err("updatedAt is not text".to_owned()),
    }
}

fn status(sent: &Map<String, Value>) -> Result<Value, &'static str> {
    match sent.get("status") {
        None | Some(Value::Null) => Err("status is missing"),
        Some(Value::String(text)) if text.is_empty() => Err("status is missing"),
        Some(text) if text.is_string() || is_replaced(text) => Ok(text.clone()),
        Some(_) => Err("status is not text"),
    }
}
