//! Converts JSON and numbers to what PostgreSQL's types can hold.

use serde::de::IgnoredAny;

/// Maximum nesting: PostgreSQL parses JSON recursively.
const DEEPEST: usize = 256;

/// Maximum exponent. PostgreSQL writes numbers out, so a few bytes must not become thousands of digits.
const LARGEST_EXPONENT: i64 = 400;

/// Maximum number of digits: PostgreSQL's limit after the decimal point.
const MOST_DIGITS: usize = 16_000;

/// Whether `text` is a decimal number, with or without an exponent, that a `numeric` can hold: `-3.10`, `.5`,
/// `1e3`.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_mantissa = are_digits(whole)
        && are_digits(fraction)
        && (!whole.is_empty() || !fraction.is_empty())
        && !digits.ends_with('.')
        && digits.len() <= MOST_DIGITS;
    let is_exponent = exponent.is_none_or(|exponent| {
        let unsigned = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let is_whole = !unsigned.is_empty() && are_digits(unsigned);
        is_whole && exponent.parse::<i64>().is_ok_and(|exponent| exponent.abs() <= LARGEST_EXPONENT)
    });
    is_mantissa && is_exponent
}

/// The same JSON, with U+FFFD for each NUL and each lone surrogate in its strings; `None` if a `jsonb` cannot
/// hold it.
pub(super) fn fit(text: &str) -> Option<String> {
    let fitted = replace_escapes(text)?;
    serde_json::from_str::<IgnoredAny>(&fitted).is_ok().then_some(fitted)
}

/// Copies `text` and replaces escapes in its strings; `None` if it nests too deeply or a number is too large.
/// Invalid JSON is left for the parser to find.
fn replace_escapes(text: &str) -> Option<String> {
    let mut fitted = String::with_capacity(text.len());
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(first) = rest.bytes().next() {
        let taken = match first {
            b'"' => {
                let length = string_length(rest)?;
                push_string(&mut fitted, &rest[..length]);
                rest = &rest[length..];
                continue;
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                1
            }
            b'-' | b'0'..=b'9' => {
                let is_of_number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = rest.bytes().take_while(|byte| is_of_number(byte)).count();
                if !is_number(&rest[..length]) {
                    return None;
                }
                length
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        fitted.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Some(fitted)
}

/// The length of the string at the start of `text`, including its quotes.
fn string_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn push_string(fitted: &mut String, string: &str) {
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        fitted.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match escaped_unit(rest) {
            None => 2.min(rest.len()),
            Some(0) => {
                fitted.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(0xd800..=0xdbff) if matches!(escaped_unit(&rest[6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                fitted.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
        };
        // An escape is ASCII. A backslash before anything else is invalid JSON, and the parser finds it.
        let length = (length..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        fitted.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    fitted.push_str(rest);
}

/// The UTF-16 code unit of the escape at the start of `text`; `None` if there is no escape.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_kept_but_for_what_no_jsonb_holds() {
        for (text, wanted) in [
            (
                r#"{"a": [1, -2.5e3, true, null, "x\\u0000\n"]}"#,
                Some(r#"{"a": [1, -2.5e3, true, null, "x\\u0000\n"]}"#),
            ),
            (r#""\u0000""#, Some(r#""\ufffd""#)),
            (r#""\ud83d\ude00""#, Some(r#""\ud83d\ude00""#)),
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\ude00\ud83dx""#, Some(r#""\ufffd\ufffdx""#)),
            (r#"{"\u0000": 1}"#, Some(r#"{"\ufffd": 1}"#)),
            (r#""\\\u0000""#, Some(r#""\\\ufffd""#)),
            ("\"\0\"", None),
            ("1e999", None),
            ("[1e400]", Some("[1e400]")),
            ("NaN", None),
            ("", None),
            ("{}{}", None),
            ("{", None),
            ("\"", None),
            ("\"\\", None),
            ("\"\\é\"", None),
            ("\"\\u12\"", None),
            ("[1.]", None),
            ("[.5]", None),
            ("01", None),
        ] {
            assert_eq!(fit(text).as_deref(), wanted, "{text:?}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(fit(&nested(DEEPEST)).is_some() && fit(&nested(DEEPEST + 1)).is_none());
        assert_eq!(fit(&"9".repeat(MOST_DIGITS + 1)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_kept_or_left_out(text in any::<String>()) {
            fit(&text);
        }

        #[test]
        fn what_looks_like_escapes_is_kept_or_left_out(text in "[\"\\\\u0dDf89{}\\[\\]:,eé-]{0,60}") {
            if let Some(fitted) = fit(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&fitted).is_ok(), "{}", fitted);
            }
        }
    }
}
