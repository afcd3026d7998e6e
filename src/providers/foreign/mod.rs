//! Makes bytes of strangers and shops readable, in one place before every parser. Content that is never
//! compared never makes a message unreadable: a byte order mark before it and NULs after it are skipped, and
//! text that is not UTF-8 or contains lone surrogates is read as [`replaced`] text, which equals nothing.
//! Signatures are checked over the bytes as received.
//!
//! The memory for a notification is bounded by its bytes: only the values that a format names are built from
//! its JSON, and none inside a list. An answer is built completely, and therefore bounded by
//! [`ANSWER_VALUES`].

use std::fmt;

use percent_encoding::percent_decode;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::domain::replaced::{any_text, replaced};

mod scan;

/// Maximum number of values in a notification's JSON; no documented one has a hundred.
pub(super) const NOTIFICATION_VALUES: usize = 20_000;

/// Maximum nesting of a notification's values; real ones nest a few levels.
pub(super) const NOTIFICATION_DEPTH: usize = 32;

/// Maximum number of values in an answer. In memory a value takes up to about 500 bytes, so
/// [`super::http::ANSWER_CAP`] alone would let a short answer take gigabytes. Documented answers have 20
/// bytes per value: this is a page of 5 MB, and a larger page is requested again in halves.
pub(super) const ANSWER_VALUES: usize = 250_000;

/// The nesting limit of the JSON parser.
const ANSWER_DEPTH: usize = 127;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a body is not a JSON object that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Nothing but white space.
    Empty,
    /// It has more than [`NOTIFICATION_VALUES`] values.
    TooMany,
    /// It nests deeper than [`NOTIFICATION_DEPTH`].
    TooDeep,
    /// Not JSON, from this line and column on.
    NoJson(usize, usize),
    /// JSON, but not an object.
    NoObject,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty"),
            Self::TooMany => f.write_str("the body holds more than 20,000 values"),
            Self::TooDeep => write!(f, "a value nests deeper than {NOTIFICATION_DEPTH} levels"),
            Self::NoJson(line, column) => {
                write!(f, "the body cannot be read as JSON (line {line}, column {column})")
            }
            Self::NoObject => f.write_str("the body is not a JSON object"),
        }
    }
}

impl From<Unreadable> for String {
    fn from(unreadable: Unreadable) -> Self {
        unreadable.to_string()
    }
}

/// A body without the byte order mark before it and the NULs and white space after it.
pub(super) fn content(body: &[u8]) -> &[u8] {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let is_padding = |byte: u8| byte == 0 || byte.is_ascii_whitespace();
    let end = body.iter().rposition(|byte| !is_padding(*byte)).map_or(0, |last| last + 1);
    let (content, padding) = body.split_at(end);
    if padding.contains(&0) { content } else { body }
}

/// The values of a notification's JSON object whose names are among `names`, at any depth. Objects on the way
/// to them stay, lists are left empty. If an object repeats a name, the last value counts.
pub(super) fn object(body: &[u8], names: &[&str]) -> Result<Map<String, Value>, Unreadable> {
    let content = content(body);
    if content.trim_ascii().is_empty() {
        return Err(Unreadable::Empty);
    }
    let json = serde_json::from_slice::<IgnoredAny>(content);
    json.map_err(|error| Unreadable::NoJson(error.line(), error.column()))?;
    let size = scan::size(content);
    if size.values > NOTIFICATION_VALUES {
        return Err(Unreadable::TooMany);
    }
    if size.depth > NOTIFICATION_DEPTH + 1 {
        return Err(Unreadable::TooDeep);
    }
    match scan::built(content, Some(names)) {
        Value::Object(object) => Ok(object),
        _ => Err(Unreadable::NoObject),
    }
}

/// The JSON of an answer, complete; `None` if it is not JSON.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    let content = content(body);
    if has_too_many_values(content) {
        return None;
    }
    if let Ok(value) = serde_json::from_slice(content) {
        return Some(value);
    }
    let is_json = serde_json::from_slice::<IgnoredAny>(content).is_ok();
    let is_readable = is_json && scan::size(content).depth <= ANSWER_DEPTH;
    is_readable.then(|| scan::built(content, None))
}

/// Whether an answer has more values than [`ANSWER_VALUES`]; they are counted without being built.
pub(super) fn has_too_many_values(body: &[u8]) -> bool {
    body.len() > ANSWER_VALUES && scan::size(body).values > ANSWER_VALUES
}

/// The fields of a form whose names are among `names`, in the order of arrival, each a text or a [`replaced`]
/// one.
///
/// # Errors
/// The name of a field that is sent more than once with different values.
pub(super) fn form(body: &[u8], names: &[&str]) -> Result<Map<String, Value>, String> {
    let mut fields = Map::new();
    for piece in content(body).trim_ascii().split(|b| *b == b'&').filter(|piece| !piece.is_empty()) {
        let at = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
        let name = decoded(&piece[..at]);
        let Some(name) = name.as_str().filter(|name| names.contains(name)) else { continue };
        let value = decoded(piece.get(at + 1..).unwrap_or_default());
        match fields.get(name) {
            None => drop(fields.insert(name.to_owned(), value)),
            Some(first) if value.is_string() && *first == value => {}
            Some(_) => return Err(name.to_owned()),
        }
    }
    Ok(fields)
}

/// One name or value of a form.
fn decoded(encoded: &[u8]) -> Value {
    let spaced: Vec<u8> = encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    match String::from_utf8(bytes) {
        Ok(text) => Value::String(text),
        Err(error) => replaced(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Why a value is not an id, if it is neither text nor a number.
pub(super) fn no_id(value: &Value) -> &'static str {
    match any_text(value) {
        Some(_) => "holds bytes that are not text",
        None => "is neither text nor a whole number",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Value {
        replaced(text.to_owned())
    }

    #[test]
    fn what_stands_around_a_body_is_skipped() {
        for body in [&b"\xef\xbb\xbf{\"a\":1}"[..], b"{\"a\":1}\0", b"\xef\xbb\xbf {\"a\":1}\r\n\0\0\n"] {
            assert_eq!(Value::Object(object(body, &["a"]).unwrap()), json!({"a": 1}), "{body:?}");
            assert_eq!(json(body), Some(json!({"a": 1})), "{body:?}");
        }
        for body in [&b""[..], b" \n", b"\xef\xbb\xbf", b"\0\0"] {
            assert_eq!(object(body, &[]), Err(Unreadable::Empty), "{body:?}");
        }
        let fields =
            form(b"\xef\xbb\xbfa=1+2%203&b=%C3%A9&c&=x&&d=e=f\r\n\0", &["a", "b", "c", "d"]).unwrap();
        assert_eq!(Value::Object(fields), json!({"a": "1 2 3", "b": "é", "c": "", "d": "e=f"}));
    }

    #[test]
    fn what_is_no_text_is_replaced_and_marked() {
        for (json_text, expected) in [
            (&b"{\"a\":\"J\xfcrgen\"}"[..], json!({"a": text("J\u{fffd}rgen")})),
            (br#"{"a":"x \ud83d"}"#, json!({"a": text("x \u{fffd}")})),
            (br#"{"a":"\ud83d\u0041\\u\n"}"#, json!({"a": text("\u{fffd}A\\u\n")})),
            (br#"{"a":"\ude00\ud83d\ude00"}"#, json!({"a": text("\u{fffd}\u{1f600}")})),
            (
                b"{\"a\":{\"b\":\"\xff\"},\"c\":[\"\xfe\"]}",
                json!({"a": {"b": text("\u{fffd}")}, "c": [text("\u{fffd}")]}),
            ),
            (
                b"{\"a\xff\":1,\"a\":\"\xef\xbf\xbd\",\"c\":\"\xff\"}",
                json!({"a\u{fffd}": 1, "a": "\u{fffd}", "c": text("\u{fffd}")}),
            ),
        ] {
            let shown = String::from_utf8_lossy(json_text);
            assert_eq!(json(json_text), Some(expected), "{shown}");
        }
        assert_eq!(json(br#"{"a":"\ud83d\ude00\u0000"}"#), Some(json!({"a": "\u{1f600}\u{0}"})));
        let fields = form(b"a=%FC&b=\xfc&c=%EF%BF%BD", &["a", "b", "c"]).unwrap();
        let expected = json!({"a": text("\u{fffd}"), "b": text("\u{fffd}"), "c": "\u{fffd}"});
        assert_eq!(Value::Object(fields), expected);
    }

    #[test]
    fn a_field_of_a_form_may_repeat_itself_but_not_contradict_itself() {
        assert_eq!(form(b"id=1&id=2", &["id"]), Err("id".to_owned()));
        assert!(form(b"id=1&id=1&x=1&x=2", &["id"]).is_ok());
        assert_eq!(form(b"id=%FF&id=%FF", &["id"]), Err("id".to_owned()), "it equals not even itself");
    }

    #[test]
    fn only_what_is_named_is_built() {
        let body = br#"{"x":[1,{"a":1}],"a":1,"b":{"a":"t","y":{"z":2}},"\u0061":null,"c":[1],"a":-2.50}"#;
        let built = Value::Object(object(body, &["a", "b", "c"]).unwrap());
        assert_eq!(built.to_string(), r#"{"a":-2.50,"b":{"a":"t"},"c":[]}"#);
    }

    #[test]
    fn values_are_counted_before_they_are_built() {
        let list = |values: usize| format!("{{\"a\":[{}]}}", vec!["0"; values].join(","));
        assert!(object(list(NOTIFICATION_VALUES - 2).as_bytes(), &[]).is_ok());
        assert_eq!(object(list(NOTIFICATION_VALUES - 1).as_bytes(), &[]), Err(Unreadable::TooMany));
        assert!(json(list(ANSWER_VALUES - 2).as_bytes()).is_some());
        assert!(json(list(ANSWER_VALUES - 1).as_bytes()).is_none());
        let nested = |depth: usize| format!("{{\"a\":{}0{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(NOTIFICATION_DEPTH).as_bytes(), &[]).is_ok());
        assert_eq!(object(nested(NOTIFICATION_DEPTH + 1).as_bytes(), &[]), Err(Unreadable::TooDeep));
    }

    proptest! {
        /// Reads everything that the strict reader accepts in the same way.
        #[test]
        fn readable_json_is_built_as_the_json_reader_does(
            text in r#"[{}\[\],:"a1 \\\\ué]{0,12}|\{"a":("[a\\\\\pL]{0,4}"|[0-9.eE-]{1,6}|\[[a-z,]{0,9}\])\}"#,
        ) {
            let strict: Option<Value> = serde_json::from_str(&text).ok();
            if let Some(strict) = strict {
                prop_assert_eq!(scan::built(text.as_bytes(), None), strict);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\\'), Just(b'{')], 0..40)) {
            let _ = (json(&bytes), object(&bytes, &["a"]), form(&bytes, &["a"]), scan::size(&bytes));
        }
    }
}
