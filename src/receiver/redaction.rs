//! Removes the path token from stored headers. It is a secret, and some proxies forward the URL in a header.

use secrecy::{ExposeSecret, SecretString};

use crate::domain::notification::REDACTED;

/// A token shorter than this may appear in a header by accident, so it is removed only as a whole part of a URL.
const SHORTEST_ANYWHERE: usize = 8;

/// The characters before a part of a URL.
const DELIMITERS: &[u8] = b"/?&=#";

/// Removes a source's path token from values.
pub(super) struct Redaction<'a> {
    token: &'a [u8],
}

impl<'a> Redaction<'a> {
    pub(super) fn of(token: Option<&'a SecretString>) -> Self {
        Self { token: token.map_or(&[], |token| token.expose_secret().as_bytes()) }
    }

    /// Replaces the token in a value, whichever of its characters are percent-encoded, even repeatedly.
    pub(super) fn apply(&self, value: String) -> String {
        let bytes = value.as_bytes();
        let (mut kept, mut copied, mut place) = (String::new(), 0, 0);
        while place < bytes.len() {
            let Some(end) = self.end_of_token(bytes, place) else {
                place += 1;
                continue;
            };
            kept += value.get(copied..place).unwrap_or_default();
            kept += REDACTED;
            (copied, place) = (end, end);
        }
        if copied == 0 {
            return value;
        }
        kept + value.get(copied..).unwrap_or_default()
    }

    /// The end of the token that begins at `place`, if there is one.
    fn end_of_token(&self, bytes: &[u8], place: usize) -> Option<usize> {
        let mut end = place;
        for expected in self.token {
            let (byte, after) = character(bytes, end)?;
            if byte != *expected {
                return None;
            }
            end = after;
        }
        let is_short = self.token.len() < SHORTEST_ANYWHERE;
        let is_there = end > place && (!is_short || is_part(bytes, place, end));
        is_there.then_some(end)
    }
}

/// The character at `place`, percent-encoded or not, and the position after it.
fn character(bytes: &[u8], place: usize) -> Option<(u8, usize)> {
    let first = *bytes.get(place)?;
    let encoded = (first == b'%').then(|| {
        let mut digits = place + 1;
        // A character that was encoded twice begins with an encoded percent sign.
        while bytes.get(digits..digits + 2) == Some(b"25") && byte_of(bytes, digits + 2).is_some() {
            digits += 2;
        }
        byte_of(bytes, digits).map(|byte| (byte, digits + 2))
    });
    encoded.flatten().or(Some((first, place + 1)))
}

/// The byte of the two hexadecimal digits at `place`.
fn byte_of(bytes: &[u8], place: usize) -> Option<u8> {
    let digit = |place: usize| char::from(*bytes.get(place)?).to_digit(16);
    u8::try_from(digit(place)? * 16 + digit(place + 1)?).ok()
}

/// Whether the match is a whole part of a URL.
fn is_part(bytes: &[u8], start: usize, end: usize) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    let ends = character(bytes, end).is_none_or(|(next, _)| !is_of_token(next));
    let before = bytes.get(..start).unwrap_or_default();
    let is_delimited = match before {
        [] => true,
        [.., last] if DELIMITERS.contains(last) => true,
        _ => {
            let code = start.saturating_sub(2);
            let mut prefix = before.get(..code).unwrap_or_default();
            while let Some(shorter) = prefix.strip_suffix(b"25") {
                prefix = shorter;
            }
            prefix.ends_with(b"%") && byte_of(before, code).is_some_and(|byte| DELIMITERS.contains(&byte))
        }
    };
    ends && is_delimited
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(token: &str, value: &str) -> String {
        Redaction::of(Some(&SecretString::from(token))).apply(value.to_owned())
    }

    #[test]
    fn a_long_token_is_taken_out_wherever_it_stands() {
        for (value, kept) in [
            ("/w/Tok3nPathSecret77", "/w/[redacted]"),
            ("https://h.example/in/Tok3nPathSecret77?a=b", "https://h.example/in/[redacted]?a=b"),
            ("a=1;t=xTok3nPathSecret77x,Tok3nPathSecret77", "a=1;t=x[redacted]x,[redacted]"),
            ("/%54ok3nPathSecret7%37/", "/[redacted]/"),
            ("/%2554ok3nPathSecret7%252537é", "/[redacted]é"),
            ("%25Tok3nPathSecret77", "%25[redacted]"),
            ("%%54ok3nPathSecret77", "%[redacted]"),
            ("Tok3nPathSecret7", "Tok3nPathSecret7"),
            ("tok3npathsecret77 %5", "tok3npathsecret77 %5"),
        ] {
            assert_eq!(redacted("Tok3nPathSecret77", value), kept, "{value}");
        }
    }

    #[test]
    fn a_short_token_is_taken_out_where_it_is_a_whole_part_of_a_url() {
        for (value, kept) in [
            ("gzip", "[redacted]"),
            ("/gzip", "/[redacted]"),
            ("/in/gzip/?gzip&t=gzip#gzip", "/in/[redacted]/?[redacted]&t=[redacted]#[redacted]"),
            ("u=%2Fin%2fgzip%3Fa", "u=%2Fin%2f[redacted]%3Fa"),
            ("u=%252Fgz%69p", "u=%252F[redacted]"),
            ("deflate, gzip", "deflate, gzip"),
            ("/gzip-9/agzip/gzip.x/gzip%2E", "/gzip-9/agzip/gzip.x/gzip%2E"),
        ] {
            assert_eq!(redacted("gzip", value), kept, "{value}");
        }
    }

    #[test]
    fn without_a_token_nothing_is_taken_out() {
        assert_eq!(Redaction::of(None).apply("/w/%54".to_owned()), "/w/%54");
    }

    proptest! {
        #[test]
        fn nothing_of_a_long_token_is_left(before in "\\PC{0,9}", after in "\\PC{0,9}", codes in "[012]{12}") {
            let token = "s3cr.t~To-k_";
            let encoded = |(byte, code): (u8, char)| match code {
                '0' => char::from(byte).to_string(),
                '1' => format!("%{byte:02x}"),
                _ => format!("%25{byte:02X}"),
            };
            let sent: String = token.bytes().zip(codes.chars()).map(encoded).collect();
            let kept = redacted(token, &format!("{before}{sent}{after}"));
            prop_assert_eq!(kept, format!("{before}{REDACTED}{after}"));
        }
    }
}
