//! A record of a shop: a JSON object as its API returns it, and when it becomes visible.

use std::marker::PhantomData;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Number, Value};

/// The JSON object of an order, product or transaction.
pub type Fields = Map<String, Value>;

/// One kind of [`Record`]: how its objects are found and which fields the shop fills in by itself.
pub trait RecordKind: Sized {
    /// The id by which the API returns it.
    fn key(fields: &Fields) -> String;
    /// A second id by which the API finds it too, if it has one.
    fn alias(fields: &Fields) -> Option<String>;
    /// The fields that a new object gets at `now`, if they are not given.
    fn created(now: DateTime<Utc>) -> Vec<(&'static str, Value)>;
    /// The fields that any edit moves to `now`.
    fn updated(now: DateTime<Utc>) -> Vec<(&'static str, Value)>;
    /// An object with defaults for all fields not in `fields`. The error names a missing id.
    fn from_fields(fields: &Fields) -> Result<Record<Self>, String>;
}

/// An order, product or transaction in a simulated shop.
///
/// Every field can be set to any JSON value or left out, so that a test can show what a real API might do.
#[derive(Clone, Debug)]
pub struct Record<K> {
    fields: Fields,
    left_out: Vec<String>,
    hidden: Hidden,
    kind: PhantomData<K>,
}

#[derive(Clone, Copy, Debug)]
enum Hidden {
    No,
    For(Duration),
    Until(DateTime<Utc>),
    Asks(u32),
}

impl<K: RecordKind> Record<K> {
    pub(super) fn with(fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { fields, left_out: Vec::new(), hidden: Hidden::No, kind: PhantomData }
    }

    /// Sets a field to any JSON value, even one that the provider would never send.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value.into());
        self
    }

    /// Sets a nested field, such as `["transaction", "status"]`; other values on the path become objects.
    #[must_use]
    pub fn field_at(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        if let Some((last, outer)) = path.split_last() {
            let mut fields = &mut self.fields;
            for name in outer {
                let inner = fields.entry(*name).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                match inner {
                    Value::Object(inner) => fields = inner,
                    _ => return self,
                }
            }
            fields.insert((*last).to_owned(), value.into());
        }
        self
    }

    /// Removes a field, even one that the shop would fill in itself.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.shift_remove(name);
        self.left_out.push(name.to_owned());
        self
    }

    /// Hides it from every call until this long after it was put into the shop, by the simulator's clock;
    /// `Duration::MAX` hides it for good.
    #[must_use]
    pub fn visible_after(mut self, delay: Duration) -> Self {
        self.hidden = Hidden::For(delay);
        self
    }

    /// Hides it from the first `asks` calls that name it. Listings do not count, and do not show it either.
    #[must_use]
    pub fn visible_after_asks(mut self, asks: u32) -> Self {
        self.hidden = Hidden::Asks(asks);
        self
    }

    /// The object as the API returns it.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// A field as text: a string unchanged, a number in its own digits, anything else empty.
    pub fn text(&self, name: &str) -> String {
        self.fields.get(name).map(text_of).unwrap_or_default()
    }

    /// A nested field as text, like [`Record::text`].
    pub fn text_at(&self, path: &[&str]) -> String {
        let Some((first, rest)) = path.split_first() else { return String::new() };
        let mut value = self.fields.get(*first);
        for name in rest {
            value = value.and_then(|value| value.get(*name));
        }
        value.map(text_of).unwrap_or_default()
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.left_out.retain(|left_out| left_out != name);
        self.fields.insert(name.to_owned(), value);
    }

    pub(super) fn merge(mut self, fields: &Fields) -> Self {
        for (name, value) in fields {
            self.set(name, value.clone());
        }
        self
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// Fills in the shop's own fields, and starts the hiding time.
    pub(super) fn enter(&mut self, now: DateTime<Utc>) {
        for (name, value) in K::created(now).into_iter().chain(K::updated(now)) {
            if !self.fields.contains_key(name) {
                self.stamp(name, value);
            }
        }
        if let Hidden::For(delay) = self.hidden {
            let until = TimeDelta::from_std(delay).ok().and_then(|delay| now.checked_add_signed(delay));
            self.hidden = Hidden::Until(until.unwrap_or(DateTime::<Utc>::MAX_UTC));
        }
    }

    /// This object after `change`; its update time moves unless `change` moved it.
    pub(super) fn edited(self, now: DateTime<Utc>, change: impl FnOnce(Self) -> Self) -> Self {
        let before = self.fields.clone();
        let mut after = change(self);
        let stamps = K::updated(now);
        if stamps.iter().all(|(name, _)| before.get(*name) == after.fields.get(*name)) {
            for (name, value) in stamps {
                after.stamp(name, value);
            }
        }
        after.enter(now);
        after
    }

    fn stamp(&mut self, name: &str, value: Value) {
        if !self.left_out.iter().any(|left_out| left_out == name) {
            self.fields.insert(name.to_owned(), value);
        }
    }

    pub(super) fn is_visible(&self, now: DateTime<Utc>) -> bool {
        match self.hidden {
            Hidden::No | Hidden::Asks(0) => true,
            Hidden::Until(at) => now >= at,
            Hidden::For(_) | Hidden::Asks(_) => false,
        }
    }

    /// Whether a call that names this object sees it. Such a call counts for [`Record::visible_after_asks`].
    pub(super) fn asked(&mut self, now: DateTime<Utc>) -> bool {
        let visible = self.is_visible(now);
        if let Hidden::Asks(left) = &mut self.hidden {
            *left = left.saturating_sub(1);
        }
        visible
    }
}

pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A JSON number in exactly these digits; other text becomes a JSON string.
pub(super) fn decimal(text: &str) -> Value {
    serde_json::from_str::<Number>(text).map_or_else(|_| Value::from(text), Value::Number)
}
