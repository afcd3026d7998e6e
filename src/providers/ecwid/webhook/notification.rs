//! Parses the body of a webhook into a claim. Ecwid sends many events; those of orders and products are verified.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::number::whole;
use crate::domain::replaced::is_replaced;
use crate::domain::{
    Claim, EventTime, RawNotification, Reading, Reason, Subject, SubjectKind, Timestamp, Unasked,
};
use crate::providers::foreign;
use crate::providers::ids::unaskable_id;

use crate::providers::ecwid::errors::excerpt;
use crate::providers::ecwid::object;

/// How long before its receipt a deletion may have happened: Ecwid repeats a webhook for a day, and a receiver that was
/// down gets a week more.
const DELETED_WITHIN: Duration = Duration::from_secs(8 * DAY);

const DAY: u64 = 24 * 60 * 60;

/// The statuses in `data` that the API can confirm.
const STATUSES: [&str; 2] = ["newPaymentStatus", "newFulfillmentStatus"];

/// The previous statuses in `data`.
const OLD_STATUSES: [&str; 2] = ["oldPaymentStatus", "oldFulfillmentStatus"];

/// All field names of a webhook that are read.
const NAMES: [&str; 11] = [
    "eventType",
    "eventId",
    "eventCreated",
    "storeId",
    "entityId",
    "data",
    "orderId",
    "newPaymentStatus",
    "newFulfillmentStatus",
    "oldPaymentStatus",
    "oldFulfillmentStatus",
];

/// The events that are verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// `order.created`, `order.updated`.
    Order,
    /// `order.deleted`.
    OrderDeleted,
    /// `product.created`, `product.updated`.
    Product,
    /// `product.deleted`.
    ProductDeleted,
}

impl Event {
    /// The event of a word; `None` for every event that this version does not verify.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "order.created" | "order.updated" => Some(Self::Order),
            "order.deleted" => Some(Self::OrderDeleted),
            "product.created" | "product.updated" => Some(Self::Product),
            "product.deleted" => Some(Self::ProductDeleted),
            _ => None,
        }
    }

    /// The kind of call that the question needs: Ecwid gives a scope for each.
    fn call_kind(self) -> &'static str {
        match self {
            Self::Order => "orders",
            Self::OrderDeleted => "orders/deleted",
            Self::Product => "products",
            Self::ProductDeleted => "products/deleted",
        }
    }

    fn subject_kind(self) -> SubjectKind {
        match self {
            Self::Order | Self::OrderDeleted => SubjectKind::Order,
            Self::Product | Self::ProductDeleted => SubjectKind::Product,
        }
    }

    fn is_deletion(self) -> bool {
        matches!(self, Self::OrderDeleted | Self::ProductDeleted)
    }
}

/// Parses a notification to the source of `store_id`. If a JSON object repeats a name, the last value counts.
pub(super) fn read(store_id: &str, notification: &RawNotification) -> Reading {
    claim(store_id, notification).map_or_else(|unasked| unasked, Reading::from)
}

/// `eventCreated` and `eventId` as the sender wrote them, because the signature covers them. Replaced text
/// was written differently, so it counts as unsigned.
pub(super) fn signed_fields(body: &[u8]) -> Option<(String, String)> {
    let body = foreign::object(body, &["eventCreated", "eventId"]).ok()?;
    Some((object::id_text(body.get("eventCreated")?)?, object::id_text(body.get("eventId")?)?))
}

fn claim(store_id: &str, notification: &RawNotification) -> Result<Claim, Reading> {
    let fields = foreign::object(&notification.body, &NAMES).map_err(Unasked::malformed)?;
    let word = match fields.get("eventType") {
        None | Some(Value::Null) => return Err(Unasked::malformed("eventType is missing").into()),
        Some(Value::String(word)) if !word.is_empty() => word.clone(),
        Some(_) => return Err(Unasked::malformed("eventType is not a word").into()),
    };
    let event_time = event_time(&fields);
    let unasked = |reason, detail: String| {
        let (event, event_time) = (Some(word.clone()), event_time.clone());
        Reading::from(Unasked { event, event_time, ..Unasked::because(reason, detail) })
    };
    let malformed = |detail: String| unasked(Reason::Malformed, detail);
    let Some(event) = Event::of(&word) else {
        let detail = format!("eventType is {}: not an event that is verified", excerpt(&word));
        return Err(unasked(Reason::Unsupported, detail));
    };
    let event_id = required(&fields, "eventId").map_err(malformed)?;
    let created = required(&fields, "eventCreated").map_err(malformed)?;
    if !created.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed("eventCreated is not a number of seconds".to_owned()));
    }
    let claimed_store = required(&fields, "storeId").map_err(malformed)?;
    let entity_id = required(&fields, "entityId").map_err(malformed)?;
    if let Some(why) = unaskable_id(&entity_id) {
        return Err(malformed(format!("entityId {why}")));
    }
    let (mut asserted, mut before) = (Map::new(), Map::new());
    asserted.insert("storeId".to_owned(), Value::String(claimed_store.clone()));
    asserted.insert("entityId".to_owned(), Value::String(entity_id.clone()));
    let order_id = match event.subject_kind() {
        SubjectKind::Order => read_data(&fields, event, &mut asserted, &mut before).map_err(malformed)?,
        SubjectKind::Product if entity_id.bytes().all(|b| b.is_ascii_digit()) => None,
        SubjectKind::Product => return Err(malformed("entityId is not a product's number".to_owned())),
    };
    let since = if event.is_deletion() {
        format!(" since {}", deleted_since(notification.received_at))
    } else {
        String::new()
    };
    let claim = Claim {
        subject: Subject {
            kind: event.subject_kind(),
            id: order_id.clone().unwrap_or_else(|| entity_id.clone()),
        },
        question: format!("{} {}{since}", event.call_kind(), json!([order_id, entity_id])),
        call_kind: event.call_kind().to_owned(),
        asserted,
        before,
        event_id: Some(event_id),
        event: word.clone(),
        event_time: event_time.clone(),
    };
    if claimed_store != store_id {
        let detail = format!("storeId is {}, not {store_id}", excerpt(&claimed_store));
        return Err(Unasked::wrong_store(claim, detail).into());
    }
    Ok(claim)
}

/// Takes from `data` the statuses that the API can confirm, the previous statuses, and the order's id if it
/// is sent.
fn read_data(
    fields: &Map<String, Value>,
    event: Event,
    asserted: &mut Map<String, Value>,
    before: &mut Map<String, Value>,
) -> Result<Option<String>, String> {
    let data = match fields.get("data") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(data)) => data,
        Some(_) => return Err("data is not an object".to_owned()),
    };
    let (mut new, mut old) = (Map::new(), Map::new());
    let order_id = match data.get("orderId") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => return Err("data.orderId is empty".to_owned()),
        Some(value) => {
            let id =
                object::id_text(value).ok_or_else(|| format!("data.orderId {}", foreign::no_id(value)))?;
            if let Some(why) = unaskable_id(&id) {
                return Err(format!("data.orderId {why}"));
            }
            Some(id)
        }
    };
    if let Some(id) = &order_id {
        new.insert("orderId".to_owned(), Value::String(id.clone()));
    }
    if event == Event::Order {
        for name in STATUSES {
            match data.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(word)) if word.is_empty() => {}
                Some(word) if word.is_string() || is_replaced(word) => {
                    new.insert(name.to_owned(), word.clone());
                }
                Some(_) => return Err(format!("data.{name} is not a word")),
            }
        }
    }
    for name in OLD_STATUSES {
        let said = |value: &&Value| value.as_str().is_some_and(|text| !text.is_empty()) || is_replaced(value);
        if let Some(word) = data.get(name).filter(said) {
            old.insert(name.to_owned(), word.clone());
        }
    }
    for (object, values) in [(asserted, new), (before, old)] {
        if !values.is_empty() {
            object.insert("data".to_owned(), Value::Object(values));
        }
    }
    Ok(order_id)
}

/// A field that every webhook carries, as text, quoted or not.
fn required(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Err(format!("{name} is missing")),
        Some(Value::String(text)) if text.is_empty() => Err(format!("{name} is empty")),
        Some(value) => object::id_text(value).ok_or_else(|| format!("{name} {}", foreign::no_id(value))),
    }
}

/// `eventCreated`, unix seconds, clamped to the calendar.
fn event_time(fields: &Map<String, Value>) -> EventTime {
    let digits = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(sent) = fields.get("eventCreated").and_then(object::id_text).filter(digits) else {
        return EventTime::default();
    };
    let instant = Timestamp::from_seconds(sent.parse().unwrap_or(i64::MAX));
    EventTime { sent: Some(sent), instant: Some(instant), order: Some(instant) }
}

/// The start of the list of deletions for a notification of `received_at`, in unix seconds: the start of a
/// UTC day, so that all copies of a notification ask the same.
fn deleted_since(received_at: Timestamp) -> i64 {
    let seconds = received_at.minus(DELETED_WITHIN).seconds();
    let day = whole(DAY);
    seconds - seconds.rem_euclid(day)
}

/// The start of the list of deletions for a claim, from its question. A claim without a notification has
/// none; then it is eight days before the claim, or before `now` if the claim comes from the future.
pub(super) fn since(claim: &Claim, now: Timestamp) -> i64 {
    let said = claim.question.rsplit_once(" since ").and_then(|(_, seconds)| seconds.parse().ok());
    said.unwrap_or_else(|| deleted_since(claim.event_time.instant.map_or(now, |sent| sent.min(now))))
}
