//! The body of a webhook, read into a claim. Ecwid sends many events; those of orders and products are verified.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::{Claim, Delivery, EventTime, Reading, Reason, Subject, SubjectKind, Timestamp, Unasked};
use crate::providers::unaskable_id;

use super::errors::clipped;
use super::shown;

/// How long before its receipt a deletion may have happened: Ecwid repeats a webhook for a day, and a receiver that was
/// down gets a week more.
const DELETED_WITHIN: Duration = Duration::from_secs(8 * DAY);

const DAY: u64 = 24 * 60 * 60;

/// The statuses of `data` that the API can say again.
const STATUSES: [&str; 2] = ["newPaymentStatus", "newFulfillmentStatus"];

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
    /// The event that a word names; `None` for all that this version does not verify.
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
    fn lane(self) -> &'static str {
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

/// What a delivery to the source of `store_id` says. Of a name that a JSON object repeats, the last value counts.
pub(super) fn read(store_id: &str, delivery: &Delivery) -> Reading {
    claim(store_id, delivery).map_or_else(|unasked| unasked, Reading::from)
}

/// `eventCreated` and `eventId` as the sender wrote them, which the signature covers.
pub(super) fn signed_fields(body: &[u8]) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some((shown::id_text(body.get("eventCreated")?)?, shown::id_text(body.get("eventId")?)?))
}

fn claim(store_id: &str, delivery: &Delivery) -> Result<Claim, Reading> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&delivery.body) else {
        return Err(Unasked::malformed("the body is not a JSON object that can be read").into());
    };
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
        let detail = format!("eventType is {}: not an event that is verified", clipped(&word));
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
    let mut asserted = Map::new();
    asserted.insert("storeId".to_owned(), Value::String(claimed_store.clone()));
    asserted.insert("entityId".to_owned(), Value::String(entity_id.clone()));
    let order_id = match event.subject_kind() {
        SubjectKind::Order => assert_data(&mut fields, event, &mut asserted).map_err(malformed)?,
        SubjectKind::Product if entity_id.bytes().all(|b| b.is_ascii_digit()) => None,
        SubjectKind::Product => return Err(malformed("entityId is not a product's number".to_owned())),
    };
    fields.retain(|name, _| !matches!(name.as_str(), "storeId" | "entityId"));
    let since = if event.is_deletion() {
        format!(" since {}", deleted_since(delivery.received_at))
    } else {
        String::new()
    };
    let claim = Claim {
        subject: Subject {
            kind: event.subject_kind(),
            id: order_id.clone().unwrap_or_else(|| entity_id.clone()),
        },
        question: format!("{} {}{since}", event.lane(), json!([order_id, entity_id])),
        lane: event.lane().to_owned(),
        asserted,
        unverified: fields,
        event_id: Some(event_id),
        event: word.clone(),
        event_time: event_time.clone(),
    };
    if claimed_store != store_id {
        let detail = format!("storeId is {}, not {store_id}", clipped(&claimed_store));
        return Err(Unasked::wrong_store(claim, detail).into());
    }
    Ok(claim)
}

/// Moves what the API can say again from `data` to the asserted values; the order's id where it is sent.
fn assert_data(
    fields: &mut Map<String, Value>,
    event: Event,
    asserted: &mut Map<String, Value>,
) -> Result<Option<String>, String> {
    let data = match fields.get_mut("data") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(data)) => data,
        Some(_) => return Err("data is not an object".to_owned()),
    };
    let mut moved = Map::new();
    let order_id = match data.get("orderId") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(value) => {
            let id = shown::id_text(value).ok_or("data.orderId is neither text nor a whole number")?;
            if let Some(why) = unaskable_id(&id) {
                return Err(format!("data.orderId {why}"));
            }
            Some(id)
        }
    };
    if let Some(id) = &order_id {
        moved.insert("orderId".to_owned(), Value::String(id.clone()));
    }
    let statuses: &[&str] = if event == Event::Order { &STATUSES } else { &[] };
    for name in statuses {
        match data.get(*name) {
            None | Some(Value::Null) => {}
            Some(Value::String(word)) if word.is_empty() => {}
            Some(Value::String(word)) => {
                moved.insert((*name).to_owned(), Value::String(word.clone()));
            }
            Some(_) => return Err(format!("data.{name} is not a word")),
        }
    }
    data.retain(|name, _| !moved.contains_key(name));
    if data.is_empty() {
        fields.remove("data");
    }
    if !moved.is_empty() {
        asserted.insert("data".to_owned(), Value::Object(moved));
    }
    Ok(order_id)
}

/// A field that every webhook carries, as text, quoted or not.
fn required(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Err(format!("{name} is missing")),
        Some(Value::String(text)) if text.is_empty() => Err(format!("{name} is empty")),
        Some(value) => {
            shown::id_text(value).ok_or_else(|| format!("{name} is neither text nor a whole number"))
        }
    }
}

/// `eventCreated`, unix seconds; what lies beyond any calendar is its end.
fn event_time(fields: &Map<String, Value>) -> EventTime {
    let digits = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(sent) = fields.get("eventCreated").and_then(shown::id_text).filter(digits) else {
        return EventTime::default();
    };
    let instant = Timestamp::from_seconds(sent.parse().unwrap_or(i64::MAX));
    EventTime { sent: Some(sent), instant: Some(instant), order: Some(instant) }
}

/// From when on deletions are listed for a notification of `received_at`, in unix seconds: the start of a UTC day, so
/// that the copies of one notification ask the same.
fn deleted_since(received_at: Timestamp) -> i64 {
    let seconds = received_at.minus(DELETED_WITHIN).seconds();
    let day = i64::try_from(DAY).unwrap_or(i64::MAX);
    seconds - seconds.rem_euclid(day)
}

/// From when on deletions are listed for a claim: as its question says. A claim that came by no delivery says nothing;
/// then eight days before it was sent, or before `now` where it claims to come from the future.
pub(super) fn since(claim: &Claim, now: Timestamp) -> i64 {
    let said = claim.question.rsplit_once(" since ").and_then(|(_, seconds)| seconds.parse().ok());
    said.unwrap_or_else(|| deleted_since(claim.event_time.instant.map_or(now, |sent| sent.min(now))))
}
