//! Claims: what a notification says, in parsed form.

use ring::digest;
use serde_json::{Map, Value};

use super::replaced;
use super::time::Timestamp;
use super::verdict::{Reason, State};

/// The name of [`Claim::before`] in the `claim` column; no provider asserts a value with this name.
const BEFORE: &str = "before";

/// The kind of a claim's subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectKind {
    /// An order, or a payment transaction.
    Order,
    /// A product in the catalogue.
    Product,
}

impl SubjectKind {
    /// The text in the column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Product => "product",
        }
    }

    /// Parses the text in the column.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Order, Self::Product].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The order or product of a claim, by the notified id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    pub kind: SubjectKind,
    /// The id as notified.
    pub id: String,
}

/// When the event happened, according to the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventTime {
    /// The text as sent; equal in repeats of one claim.
    pub sent: Option<String>,
    /// The instant; `None` if the text has no zone or is invalid.
    pub instant: Option<Timestamp>,
    /// The time that orders two claims of one source: the instant, or a zoneless time read as UTC.
    pub order: Option<Timestamp>,
}

/// A notification in parsed form.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The provider's name for the event.
    pub event: String,
    pub subject: Subject,
    /// The API call to make. Pending claims of one source with the same question share a call.
    pub question: String,
    /// The kind of call. An API may allow one kind and deny another.
    pub call_kind: String,
    /// The values that verification compares, spelled and nested as by the provider.
    pub asserted: Map<String, Value>,
    /// The values before the event, as the sender states them; the API is not asked about them. Everything
    /// else that a notification says is in its body alone.
    pub before: Map<String, Value>,
    /// The sender's time of the event.
    pub event_time: EventTime,
    /// The sender's id of the event, if it has one.
    pub event_id: Option<String>,
}

/// Two notifications of one source with equal keys make the same claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey(String);

impl ClaimKey {
    /// The key as stored: 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a key from the store.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl Claim {
    /// The key of this claim: a digest of event, subject, asserted values, event time as sent and event id.
    /// `asserted` must hold one spelling per value (texts of equal amounts differ): its provider sees to that.
    #[must_use]
    pub fn key(&self) -> ClaimKey {
        let said = serde_json::json!([
            self.event,
            self.subject.kind.as_str(),
            self.subject.id,
            sorted(&Value::Object(self.asserted.clone())),
            self.event_time.sent,
            self.event_id,
        ]);
        let digest = digest::digest(&digest::SHA256, said.to_string().as_bytes());
        ClaimKey(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The `claim` column: the asserted values, and the values before the event under `before`, if there are
    /// any.
    #[must_use]
    pub fn to_stored_json(&self) -> String {
        let mut object = self.asserted.clone();
        if !self.before.is_empty() {
            object.insert(BEFORE.to_owned(), Value::Object(self.before.clone()));
        }
        Value::Object(object).to_string()
    }

    /// Splits a stored `claim` column into the asserted values and those before the event.
    #[must_use]
    pub fn split_stored_json(json: &str) -> Option<(Map<String, Value>, Map<String, Value>)> {
        let Ok(Value::Object(mut asserted)) = serde_json::from_str(json) else { return None };
        match asserted.shift_remove(BEFORE) {
            Some(Value::Object(before)) => Some((asserted, before)),
            None => Some((asserted, Map::new())),
            Some(_) => None,
        }
    }

    /// The path of an asserted value that could not be read completely: it equals nothing that an API may
    /// say.
    #[must_use]
    pub fn unreadable_value(&self) -> Option<String> {
        self.asserted.iter().find_map(|(name, value)| {
            if replaced::is_replaced(value) {
                Some(name.clone())
            } else {
                replaced::find(value).map(|rest| format!("{name}.{rest}"))
            }
        })
    }

    /// An asserted text at a path of names, e.g. `["transaction", "id"]`.
    #[must_use]
    pub fn asserted_text(&self, path: &[&str]) -> Option<&str> {
        text_at(&self.asserted, path)
    }

    /// The same for a value before the event.
    #[must_use]
    pub fn text_before(&self, path: &[&str]) -> Option<&str> {
        text_at(&self.before, path)
    }
}

/// The same JSON with sorted names in every object, so that equal values have equal texts.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<_> = object.iter().collect();
            pairs.sort_by_key(|(name, _)| name.as_str());
            Value::Object(pairs.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn text_at<'a>(object: &'a Map<String, Value>, path: &[&str]) -> Option<&'a str> {
    let (first, rest) = path.split_first()?;
    let mut value = object.get(*first)?;
    for name in rest {
        value = value.get(name)?;
    }
    value.as_str()
}

/// The result of parsing a notification.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A claim to verify.
    Claim(Box<Claim>),
    /// Nothing to verify: settled as `ignored` for one of [`Unasked`]'s reasons.
    Unasked(Box<Unasked>),
}

/// A notification that needs no verification, with the parts that could be parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Unasked {
    /// `malformed`, `unsupported` or `wrong_store`.
    pub reason: Reason,
    /// Which field and why, without the body.
    pub detail: String,
    /// The event, if it could be parsed.
    pub event: Option<String>,
    /// The subject, if it could be parsed.
    pub subject: Option<Subject>,
    /// The sender's time of the event.
    pub event_time: EventTime,
    /// The claim, if it could be parsed completely (for example another store's).
    pub claim: Option<Box<Claim>>,
}

impl Unasked {
    /// The state of every notification that needs no verification.
    pub const STATE: State = State::Ignored;

    /// A notification that could not be parsed at all.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::because(Reason::Malformed, detail)
    }

    /// One with this reason and nothing else known.
    #[must_use]
    pub fn because(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            event: None,
            subject: None,
            event_time: EventTime::default(),
            claim: None,
        }
    }

    /// A claim that was understood but names another store.
    #[must_use]
    pub fn wrong_store(claim: Claim, detail: impl Into<String>) -> Self {
        Self {
            event: Some(claim.event.clone()),
            subject: Some(claim.subject.clone()),
            event_time: claim.event_time.clone(),
            claim: Some(Box::new(claim)),
            ..Self::because(Reason::WrongStore, detail)
        }
    }
}

impl From<Unasked> for Reading {
    fn from(unasked: Unasked) -> Self {
        Self::Unasked(Box::new(unasked))
    }
}

impl From<Claim> for Reading {
    fn from(claim: Claim) -> Self {
        Self::Claim(Box::new(claim))
    }
}
