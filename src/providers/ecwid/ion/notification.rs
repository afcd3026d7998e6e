//! Parses Instant Order Notifications: form fields, or a JSON object with the same names.

use serde_json::{Map, Value};

use crate::domain::replaced::{any_text, is_replaced};
use crate::domain::{
    Claim, EventTime, RawNotification, Reading, Reason, Subject, SubjectKind, Timestamp, Unasked,
};
use crate::providers::foreign;
use crate::providers::ids::unaskable_id;

use crate::providers::ecwid::errors::excerpt;
use crate::providers::ecwid::object;

const ASSERTED: [&str; 4] = ["owner_id", "order_id", "payment_status", "fulfillment_status"];

const BEFORE: [&str; 2] = ["old_payment_status", "old_fulfillment_status"];

/// The fields that are read; none may appear twice with different values.
const NAMES: [&str; 8] = [
    "owner_id",
    "order_id",
    "payment_status",
    "fulfillment_status",
    "event_type",
    "date",
    "old_payment_status",
    "old_fulfillment_status",
];

/// Parses a notification. Its assertions become the claim; the rest of the body stays with the notification alone.
pub(super) fn read(store_id: &str, notification: &RawNotification) -> Reading {
    claim(store_id, &notification.body).map_or_else(|unasked| unasked, Reading::from)
}

fn claim(store_id: &str, body: &[u8]) -> Result<Claim, Reading> {
    let fields = fields(body).map_err(Unasked::malformed)?;
    let event = required(&fields, "event_type").map_err(Unasked::malformed)?;
    let event_time = event_time(&fields);
    let unasked = |reason, detail| Unasked {
        event: Some(event.clone()),
        event_time: event_time.clone(),
        ..Unasked::because(reason, detail)
    };
    if !matches!(event.as_str(), "new_order" | "order_status_change") {
        let detail = format!("event_type is {}: not an event that is verified", excerpt(&event));
        return Err(unasked(Reason::Unsupported, detail).into());
    }
    let mut asserted = Map::new();
    for name in ASSERTED {
        let value = if name.ends_with("_status") {
            word(&fields, name)
        } else {
            required(&fields, name).map(Value::String)
        };
        let value = value.map_err(|detail| unasked(Reason::Malformed, detail))?;
        asserted.insert(name.to_owned(), value);
    }
    let said =
        |name: &&str| fields.get(*name).is_some_and(|value| !matches!(any_text(value), None | Some("")));
    let before = BEFORE.into_iter().filter(said).map(|name| (name.to_owned(), fields[name].clone()));
    let text = |name: &str| asserted.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (owner_id, order_id) = (text("owner_id"), text("order_id"));
    if let Some(why) = unaskable_id(&order_id) {
        return Err(unasked(Reason::Malformed, format!("order_id {why}")).into());
    }
    let claim = Claim {
        subject: Subject { kind: SubjectKind::Order, id: order_id.clone() },
        question: format!("order {order_id}"),
        call_kind: "orders".to_owned(),
        asserted,
        before: before.collect(),
        event_id: None,
        event,
        event_time,
    };
    if owner_id != store_id {
        let detail = format!("owner_id is {}, not {store_id}", excerpt(&owner_id));
        return Err(Unasked::wrong_store(claim, detail).into());
    }
    Ok(claim)
}

/// A field that every notification carries, as text; numbers of a JSON body in their digits.
fn required(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Err(format!("{name} is missing")),
        Some(Value::String(text)) if text.is_empty() => Err(format!("{name} is empty")),
        Some(value) => object::id_text(value).ok_or_else(|| format!("{name} {}", foreign::no_id(value))),
    }
}

/// A status: such a field, or a [`crate::domain::replaced`] one.
fn word(fields: &Map<String, Value>, name: &str) -> Result<Value, String> {
    match fields.get(name) {
        Some(value) if is_replaced(value) => Ok(value.clone()),
        _ => required(fields, name).map(Value::String),
    }
}

/// The fields of a body that are read. The encoding is not documented: form fields are assumed, and a JSON object with
/// the same names is accepted, too.
fn fields(body: &[u8]) -> Result<Map<String, Value>, String> {
    if foreign::content(body).trim_ascii_start().starts_with(b"{") {
        return Ok(foreign::object(body, &NAMES)?);
    }
    let contradicts = |name| format!("{name} is sent more than once with different values");
    foreign::form(body, &NAMES).map_err(contradicts)
}

/// Ecwid's documentation leaves the zone of `date` open: without a zone it orders claims but is no instant. It is never a
/// reason to refuse a notification.
fn event_time(fields: &Map<String, Value>) -> EventTime {
    let Some(sent) = fields.get("date").and_then(object::id_text) else { return EventTime::default() };
    let instant = object::date_with_offset(&sent);
    let order = instant.or_else(|| Timestamp::parse_naive(&sent, "%Y-%m-%d %H:%M:%S"));
    EventTime { sent: Some(sent), instant, order }
}
