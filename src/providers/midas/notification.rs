//! Parses a notification of `HandleWebhook` into a claim. MidasPay's public page lists `settings`,
//! `purchase`, `transaction` and `payment_details` after an otherwise empty `billing` without stating the
//! nesting, so both are accepted.

use serde_json::Value;

use crate::domain::{Claim, EventTime, Reading, Reason, Subject, SubjectKind, Timestamp, Unasked, decimal};
use crate::providers::foreign;
use crate::providers::ids::unaskable_id;

use super::fields::{self, Object, SHOWN, cut};

/// The `notification_type` of a payment.
pub(super) const PAID: &str = "OrderPaid";
/// The `notification_type` of a cancelled payment.
pub(super) const CANCELLED: &str = "OrderCancelled";

/// The one kind of call of this provider.
const CALL_KIND: &str = "transactions";

/// The objects that are compared and may be under `billing` or at top level.
const MOVABLE: [&str; 3] = ["settings", "transaction", "payment_details"];

/// All field names of a notification that are read, at any level.
const NAMES: [&str; 18] = [
    "notification_type",
    "event_type",
    "resource",
    "billing",
    "order",
    "status",
    "settings",
    "merchant_id",
    "project_id",
    "transaction",
    "external_id",
    "id",
    "payment_date",
    "payment_details",
    "payment",
    "amount",
    "currency",
    "user",
];

/// The type of a value.
#[derive(Clone, Copy)]
enum Shape {
    Id,
    Text,
    Amount,
}

/// The values that verification compares; everything else stays in the body.
const COMPARED: [(&[&str], Shape); 7] = [
    (&["settings", "merchant_id"], Shape::Id),
    (&["settings", "project_id"], Shape::Id),
    (&["transaction", "external_id"], Shape::Id),
    (&["transaction", "id"], Shape::Id),
    (&["user", "external_id"], Shape::Id),
    (&["payment_details", "payment", "amount"], Shape::Amount),
    (&["payment_details", "payment", "currency"], Shape::Text),
];

/// Parses a body for the merchant and the project of the source.
pub(super) fn read(body: &[u8], merchant_id: &str, project_id: &str) -> Reading {
    let object = match foreign::object(body, &NAMES) {
        Ok(object) => object,
        Err(unreadable) => return Unasked::malformed(unreadable).into(),
    };
    let event = match fields::text(&object, &["notification_type"]) {
        Ok(Some(event)) => event,
        Ok(None) => return without_type(&object),
        Err(detail) => return Unasked::malformed(detail).into(),
    };
    let object = match lifted(object) {
        Ok(object) => object,
        Err(detail) => return Unasked { event: Some(known(&event)), ..Unasked::malformed(detail) }.into(),
    };
    let event_time = event_time(&object);
    let told = |reason, detail: String| Unasked {
        event: Some(known(&event)),
        subject: subject(&object),
        event_time: event_time.clone(),
        ..Unasked::because(reason, detail)
    };
    if event != PAID && event != CANCELLED {
        let detail = format!("{} is not a notification_type that the API can confirm", cut(&event, SHOWN));
        return told(Reason::Unsupported, detail).into();
    }
    match claim(&event, &object, event_time.clone()) {
        Err(detail) => told(Reason::Malformed, detail).into(),
        Ok(claim) => match elsewhere(&claim, merchant_id, project_id) {
            Some(detail) => Unasked::wrong_store(claim, detail).into(),
            None => claim.into(),
        },
    }
}

/// The envelope of the platform's other products is recognised, but this API knows nothing about it.
fn without_type(object: &Object) -> Reading {
    if !object.contains_key("resource") {
        return Unasked::malformed("notification_type is missing").into();
    }
    let event = fields::text(object, &["event_type"]).ok().flatten();
    let detail = "an envelope (event_type, resource) of another Midas product, not a payment notification";
    Unasked { event: event.map(|event| known(&event)), ..Unasked::because(Reason::Unsupported, detail) }
        .into()
}

/// The event for the store; a known word stays as it is.
fn known(event: &str) -> String {
    cut(event, 60)
}

/// The body with everything under `billing` moved to top level.
fn lifted(mut object: Object) -> Result<Object, String> {
    let mut billing = match object.shift_remove("billing") {
        None | Some(Value::Null) => return Ok(object),
        Some(Value::String(text)) if text.is_empty() => return Ok(object),
        Some(Value::Object(billing)) => billing,
        Some(_) => return Err("billing is not an object".to_owned()),
    };
    for name in MOVABLE {
        if let Some(below) = billing.shift_remove(name) {
            let above = object.shift_remove(name).unwrap_or(Value::Null);
            let whole = fields::merge(name, below, above)?;
            object.insert(name.to_owned(), whole);
        }
    }
    if !billing.is_empty() {
        object.insert("billing".to_owned(), Value::Object(billing));
    }
    Ok(object)
}

fn subject(object: &Object) -> Option<Subject> {
    let id = fields::id(object, &["transaction", "external_id"]).ok().flatten()?;
    unaskable_id(&id).is_none().then_some(Subject { kind: SubjectKind::Order, id })
}

/// `transaction.payment_date`: the payment's time, also in the notification of its cancellation.
fn event_time(object: &Object) -> EventTime {
    let Some(sent) = fields::text(object, &["transaction", "payment_date"]).ok().flatten() else {
        return EventTime::default();
    };
    let instant = Timestamp::parse_rfc3339(&sent);
    let zoneless = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .into_iter()
            .find_map(|format| Timestamp::parse_naive(&sent, format))
    };
    EventTime { order: instant.or_else(zoneless), instant, sent: Some(sent) }
}

fn claim(event: &str, sent: &Object, event_time: EventTime) -> Result<Claim, String> {
    let id = fields::id(sent, &["transaction", "external_id"])?;
    let id = id.ok_or("transaction.external_id is missing")?;
    if let Some(why) = unaskable_id(&id) {
        return Err(format!("transaction.external_id {why}"));
    }
    let order_status = fields::text(sent, &["order", "status"])?;
    if let (PAID, Some("Cancelled")) | (CANCELLED, Some("Paid")) = (event, order_status.as_deref()) {
        let status = order_status.unwrap_or_default();
        return Err(format!("order.status is {status}, which contradicts notification_type {event}"));
    }
    let mut asserted = Object::new();
    fields::put(&mut asserted, &["notification_type"], Value::from(event));
    for (path, shape) in COMPARED {
        let value = match shape {
            Shape::Id => fields::id(sent, path)?.map(Value::String),
            Shape::Text => fields::text_value(sent, path)?,
            Shape::Amount => fields::sent_amount(sent, path)?
                .and_then(|written| decimal::canonical(&written))
                .map(Value::String),
        };
        if let Some(value) = value {
            fields::put(&mut asserted, path, value);
        }
    }
    Ok(Claim {
        event: event.to_owned(),
        question: format!("transaction {id}"),
        call_kind: CALL_KIND.to_owned(),
        subject: Subject { kind: SubjectKind::Order, id },
        asserted,
        before: Object::new(),
        event_time,
        event_id: None,
    })
}

/// Why the claim is about another merchant's or another project's payment.
fn elsewhere(claim: &Claim, merchant_id: &str, project_id: &str) -> Option<String> {
    [("merchant_id", merchant_id), ("project_id", project_id)].into_iter().find_map(|(name, ours)| {
        let named = claim.asserted_text(&["settings", name])?;
        (named != ours).then(|| format!("settings.{name} is {}, not {}", cut(named, SHOWN), cut(ours, SHOWN)))
    })
}
