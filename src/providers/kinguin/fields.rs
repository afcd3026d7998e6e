//! Reads single fields of Kinguin's JSON. Notifications and answers differ in how they spell the same value: ids come
//! as numbers or text, prices as numbers or text, and an absent value may be missing, `null` or `""`.

use serde_json::Value;

use crate::domain::decimal;
use crate::domain::replaced::any_text;
use crate::providers::foreign;

/// Maximum length of a stranger's value in a message, in characters.
const SHOWN: usize = 40;

/// An id as text: text as it is, a number in plain digits. `None` if it is missing, `null` or `""`.
///
/// # Errors
/// Why the value is not an id, in words that follow the field's name.
pub(super) fn id(value: Option<&Value>) -> Result<Option<String>, &'static str> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => {
            let digits = number.to_string();
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            if plain { Ok(Some(digits)) } else { Err("is a number, but no integer in plain digits") }
        }
        Some(value) => Err(foreign::no_id(value)),
    }
}

/// An id of an answer; `None` also for a value that is not an id.
pub(super) fn id_of(object: &Value, name: &str) -> Option<String> {
    id(object.get(name)).ok().flatten()
}

/// A text that is not empty.
pub(super) fn text_of<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The same for text that is stored and never compared: also text with replacements.
pub(super) fn any_text_of<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(any_text).filter(|text| !text.is_empty())
}

/// An amount's decimal text, from a number or from text.
pub(super) fn decimal_of(object: &Value, name: &str) -> Option<String> {
    let text = match object.get(name)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    decimal::is_decimal(&text).then_some(text)
}

/// A count, from a number or from text.
pub(super) fn count_of(object: &Value, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A stranger's text for a message: escaped and cut.
pub(super) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN).flat_map(char::escape_debug).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_text_or_a_number_in_plain_digits() {
        for (json, text) in [
            ("70123", "70123"),
            (r#""70123""#, "70123"),
            (r#""QZ7T2RMN4WB""#, "QZ7T2RMN4WB"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(id(Some(&value)), Ok(Some(text.to_owned())), "{json}");
        }
        for json in ["1e3", "1.5", "1.0", "-1", "-0", "true", "[]", "{}"] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert!(id(Some(&value)).is_err(), "{json}");
        }
        for absent in [None, Some(&Value::Null), Some(&json!(""))] {
            assert_eq!(id(absent), Ok(None));
        }
    }

    #[test]
    fn an_amount_keeps_its_decimal_text() {
        let answer: Value =
            serde_json::from_str(r#"{"a":6.20,"b":"12.10","c":1e3,"d":"free","e":null}"#).unwrap();
        assert_eq!(decimal_of(&answer, "a").as_deref(), Some("6.20"));
        assert_eq!(decimal_of(&answer, "b").as_deref(), Some("12.10"));
        for name in ["c", "d", "e", "f"] {
            assert_eq!(decimal_of(&answer, name), None, "{name}");
        }
    }

    #[test]
    fn a_hostile_value_is_shown_short_and_escaped() {
        assert_eq!(shown("a\n\u{1b}[31m"), r"a\n\u{1b}[31m");
        assert!(shown(&"\u{1b}".repeat(1000)).chars().count() <= SHOWN + 1);
    }
}
