//! The body of an Instant Order Notification as named values. Its encoding is not documented: form fields are
//! presumed, and a JSON object with the same names is taken too.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

/// The fields of a body, in the order of arrival: texts of a form, any values of a JSON object (of a name that it
/// repeats, the last). A form's field that repeats with other values becomes a list, except that no name of `single`
/// may.
///
/// # Errors
/// In plain words, what cannot be read.
pub(super) fn fields(body: &[u8], single: &[&str]) -> Result<Map<String, Value>, String> {
    if body.trim_ascii_start().starts_with(b"{") {
        return match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) | Err(_) => {
                Err("the body is neither form fields nor a JSON object that can be read".to_owned())
            }
        };
    }
    let mut fields = Map::new();
    for piece in body.trim_ascii().split(|b| *b == b'&').filter(|piece| !piece.is_empty()) {
        let at = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
        let (name, value) = (text(&piece[..at])?, text(piece.get(at + 1..).unwrap_or_default())?);
        match fields.get_mut(&name) {
            None => {
                fields.insert(name, Value::String(value));
            }
            Some(Value::String(first)) if *first == value => {}
            Some(_) if single.contains(&name.as_str()) => {
                return Err(format!("{name} is sent more than once with different values"));
            }
            Some(Value::Array(list)) => list.push(Value::String(value)),
            Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
        }
    }
    Ok(fields)
}

/// One name or value, decoded strictly: a lossy reading could make an id of what is none.
fn text(encoded: &[u8]) -> Result<String, String> {
    let spaced: Vec<u8> = encoded.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let decoded: Cow<'_, [u8]> = percent_decode(&spaced).into();
    String::from_utf8(decoded.into_owned()).map_err(|_| "the body is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_decodes_plus_and_percent() {
        let fields = fields(b"a=1+2%203&b=%C3%A9&c&=x&&d=e=f", &[]).unwrap();
        assert_eq!(Value::Object(fields).to_string(), r#"{"a":"1 2 3","b":"é","c":"","":"x","d":"e=f"}"#);
    }

    #[test]
    fn a_repeated_field_is_an_error_only_when_it_matters_and_differs() {
        assert!(fields(b"id=1&id=2", &["id"]).unwrap_err().contains("more than once"));
        assert!(fields(b"id=1&id=1", &["id"]).is_ok());
        let listed = fields(b"x=1&x=2&x=3", &["id"]).unwrap();
        assert_eq!(Value::Object(listed).to_string(), r#"{"x":["1","2","3"]}"#);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for body in [&b"a=%FF"[..], b"\xfe\xff=1", b"{\"a\":", b"{]"] {
            assert!(fields(body, &[]).is_err(), "{body:?}");
        }
    }
}
