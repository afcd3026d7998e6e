//! Fields of a Midas JSON object by their path. The provider's pages promise no field, so `null`, `""` and
//! absent are the same everywhere. A value of a wrong type is an error that names the field, never its value.

use serde_json::{Map, Value};

use crate::domain::decimal;
use crate::domain::replaced::is_replaced;
use crate::providers::foreign;

pub(super) type Object = Map<String, Value>;

/// Maximum length of a stranger's text in a message, in characters.
pub(super) const SHOWN: usize = 40;

/// `text` for a message: at most `most` characters, with unprintable ones escaped.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == most {
            shown.push('…');
            break;
        }
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// The value at `path`; an error if a parent is not an object.
pub(super) fn find<'a>(object: &'a Object, path: &[&str]) -> Result<Option<&'a Value>, String> {
    let Some((last, parents)) = path.split_last() else { return Ok(None) };
    let mut here = object;
    for (depth, name) in parents.iter().enumerate() {
        match here.get(*name).filter(|value| !is_absent(value)) {
            None => return Ok(None),
            Some(Value::Object(inner)) => here = inner,
            Some(_) => return Err(format!("{} is not an object", path[..=depth].join("."))),
        }
    }
    Ok(here.get(*last).filter(|value| !is_absent(value)))
}

/// An id: text, or a number in plain digits.
pub(super) fn id(object: &Object, path: &[&str]) -> Result<Option<String>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) => {
            let digits = number.to_string();
            if digits.bytes().all(|b| b.is_ascii_digit()) {
                Ok(Some(digits))
            } else {
                Err(format!("{} is a number, but not a whole one in plain digits", path.join(".")))
            }
        }
        Some(value) => Err(format!("{} {}", path.join("."), foreign::no_id(value))),
    }
}

pub(super) fn text(object: &Object, path: &[&str]) -> Result<Option<String>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{} is not text", path.join("."))),
    }
}

/// A text, also one with replacements.
pub(super) fn text_value(object: &Object, path: &[&str]) -> Result<Option<Value>, String> {
    match find(object, path)? {
        Some(value) if is_replaced(value) => Ok(Some(value.clone())),
        _ => Ok(text(object, path)?.map(Value::String)),
    }
}

/// An amount as written: a plain decimal in quotes (documented), or a JSON number in the same form.
pub(super) fn amount(object: &Object, path: &[&str]) -> Result<Option<String>, String> {
    let written = match find(object, path)? {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("{} is neither a number nor text", path.join("."))),
    };
    if decimal::is_decimal(&written) {
        Ok(Some(written))
    } else {
        Err(format!("{} is not a plain decimal: {}", path.join("."), cut(&written, SHOWN)))
    }
}

/// An amount of a notification; an empty one is not an amount.
pub(super) fn sent_amount(object: &Object, path: &[&str]) -> Result<Option<String>, String> {
    let parent = path.split_last().map(|(last, parents)| (last, find(object, parents)));
    match parent {
        Some((last, Ok(Some(parent)))) if parent.get(*last).and_then(Value::as_str) == Some("") => {
            Err(format!("{} is empty", path.join(".")))
        }
        _ => amount(object, path),
    }
}

/// Puts `value` at `path`, creating the objects on the way.
pub(super) fn put(object: &mut Object, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            object.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let inner = object.entry(*name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Merges values from two places that may both have them; an error names the first field in which they
/// differ.
pub(super) fn merge(name: &str, one: Value, other: Value) -> Result<Value, String> {
    match (one, other) {
        (one, other) if is_absent(&other) => Ok(one),
        (one, other) if is_absent(&one) => Ok(other),
        (Value::Object(mut whole), Value::Object(more)) => {
            for (inner, value) in more {
                match whole.get_mut(&inner) {
                    None => {
                        whole.insert(inner, value);
                    }
                    Some(mine) => {
                        *mine = merge(&inner, mine.take(), value)
                            .map_err(|deeper| format!("{}.{deeper}", cut(name, SHOWN)))?;
                    }
                }
            }
            Ok(Value::Object(whole))
        }
        (one, other) if is_same(name, &one, &other) => Ok(one),
        _ => Err(format!("{} is given in two places that differ", cut(name, SHOWN))),
    }
}

fn is_same(name: &str, one: &Value, other: &Value) -> bool {
    if is_replaced(one) || is_replaced(other) {
        return false;
    }
    match (scalar(one), scalar(other)) {
        (Some(one), Some(other)) => {
            one == other || (name.ends_with("amount") && decimal::same_amount(&one, &other))
        }
        _ => one == other,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Object {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn ids_keep_their_text_and_numbers_must_be_plain_digits() {
        let cases = [
            (r#"{"id":"TX-1"}"#, Ok(Some("TX-1"))),
            (r#"{"id":"007"}"#, Ok(Some("007"))),
            (r#"{"id":12345678901234567890123}"#, Ok(Some("12345678901234567890123"))),
            (r#"{"id":null}"#, Ok(None)),
            (r#"{"id":""}"#, Ok(None)),
            (r#"{}"#, Ok(None)),
            (r#"{"id":1e3}"#, Err("id is a number, but not a whole one in plain digits")),
            (r#"{"id":-1}"#, Err("id is a number, but not a whole one in plain digits")),
            (r#"{"id":1.5}"#, Err("id is a number, but not a whole one in plain digits")),
            (r#"{"id":[1]}"#, Err("id is neither text nor a whole number")),
        ];
        for (json, expected) in cases {
            let read = id(&object(json), &["id"]);
            let read = read.as_ref().map(|found| found.as_deref()).map_err(String::as_str);
            assert_eq!(read, expected, "{json}");
        }
    }

    #[test]
    fn amounts_are_plain_decimals_quoted_or_not() {
        for (json, expected) in [
            (r#"{"a":"8.98"}"#, Some("8.98")),
            (r#"{"a":8.980}"#, Some("8.980")),
            (r#"{"a":".5"}"#, Some(".5")),
            (r#"{"a":"1."}"#, None),
            (r#"{"a":1e3}"#, None),
            (r#"{"a":true}"#, None),
        ] {
            assert_eq!(amount(&object(json), &["a"]).ok().flatten().as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn two_places_may_complete_but_not_contradict_each_other() {
        let merged = |one: &str, other: &str| {
            merge("t", serde_json::from_str(one).unwrap(), serde_json::from_str(other).unwrap())
        };
        let whole = merged(r#"{"id":"1","x":{"a":1}}"#, r#"{"id":1,"x":{"b":2},"y":null}"#).unwrap();
        assert_eq!(whole.to_string(), r#"{"id":"1","x":{"a":1,"b":2},"y":null}"#);
        assert!(merged(r#"{"amount":"10"}"#, r#"{"amount":"10.00"}"#).is_ok());
        assert_eq!(
            merged(r#"{"x":{"id":"7"}}"#, r#"{"x":{"id":"007"}}"#).unwrap_err(),
            "t.x.id is given in two places that differ"
        );
    }

    #[test]
    fn what_cannot_be_printed_is_escaped_and_long_texts_are_cut() {
        assert_eq!(cut("it's \"\\\"\n\u{202e}", SHOWN), "it's \"\\\"\\n\\u{202e}");
        assert_eq!(cut("abcdef", 3), "abc…");
    }
}
