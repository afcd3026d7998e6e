//! Text that could not be read completely: bytes that are not UTF-8, and lone surrogates, are read as U+FFFD.
//! As a JSON value it is not a string but the list `["\ufffd", text]`, so it equals no id, no status and no
//! other such text, even where no code checks for it, in memory and in the store. A U+FFFD that was sent is
//! an ordinary character.

use std::borrow::Cow;

use serde_json::Value;

/// The first element of the list.
const MARK: &str = "\u{fffd}";

/// The value for a text with replacements.
#[must_use]
pub fn replaced(text: String) -> Value {
    Value::Array(vec![Value::from(MARK), Value::String(text)])
}

/// The text of a value that may be [`replaced`], to be shown or stored but never compared; `None` if it is no
/// text.
#[must_use]
pub fn any_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        other => replaced_text(other),
    }
}

/// Whether a value is [`replaced`].
#[must_use]
pub fn is_replaced(value: &Value) -> bool {
    replaced_text(value).is_some()
}

/// The path, with dots, of the first [`replaced`] value within `value`.
#[must_use]
pub fn find(value: &Value) -> Option<String> {
    let Value::Object(object) = value else { return None };
    object.iter().find_map(|(name, value)| {
        if is_replaced(value) { Some(name.clone()) } else { find(value).map(|rest| format!("{name}.{rest}")) }
    })
}

/// The same JSON with a plain string in place of each [`replaced`] one, for readers.
#[must_use]
pub fn plain(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        Value::Array(list) => match <[Value; 2]>::try_from(list) {
            Ok([Value::String(mark), Value::String(text)]) if mark == MARK => Value::String(text),
            Ok(pair) => Value::Array(pair.into_iter().map(plain).collect()),
            Err(list) => Value::Array(list.into_iter().map(plain).collect()),
        },
        other => other,
    }
}

/// The JSON text of [`plain`].
#[must_use]
pub fn plain_json(value: &Value) -> String {
    let value = if holds_any(value) { Cow::Owned(plain(value.clone())) } else { Cow::Borrowed(value) };
    value.to_string()
}

/// Whether any value within `value` is [`replaced`].
#[must_use]
pub fn holds_any(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(holds_any),
        Value::Array(list) => is_replaced(value) || list.iter().any(holds_any),
        _ => false,
    }
}

fn replaced_text(value: &Value) -> Option<&str> {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(mark), Value::String(text)]) if mark == MARK => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_replaced_text_is_no_text_and_is_shown_as_one() {
        let value = json!({"a": {"b": replaced("J\u{fffd}".to_owned())}, "c": ["\u{fffd}", 1]});
        assert_eq!(value["a"]["b"].as_str(), None);
        assert_eq!(any_text(&value["a"]["b"]), Some("J\u{fffd}"));
        assert_eq!(find(&value).as_deref(), Some("a.b"));
        assert_eq!(plain_json(&value), "{\"a\":{\"b\":\"J\u{fffd}\"},\"c\":[\"\u{fffd}\",1]}");
        assert!(!is_replaced(&json!("\u{fffd}")) && !is_replaced(&json!(["\u{fffd}", "a", "b"])));
    }
}
