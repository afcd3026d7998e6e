//! Scans JSON text by its bytes: its size, and its values.

use serde_json::{Map, Value};

use crate::domain::replaced::replaced;

/// The size of a JSON text, measured without building or validating it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct JsonSize {
    /// The number of its values, including the outermost.
    pub(super) values: usize,
    /// The maximum nesting of its lists and objects.
    pub(super) depth: usize,
}

pub(super) fn size(text: &[u8]) -> JsonSize {
    let (mut size, mut at, mut depth) = (JsonSize::default(), 0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                size.values += usize::from(text.get(skip_blanks(text, at)) != Some(&b':'));
                continue;
            }
            b'[' | b'{' => {
                size.values += 1;
                depth += 1;
                size.depth = size.depth.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            byte if is_between(*byte) => {}
            _ => {
                size.values += 1;
                at = scalar_end(text, at);
                continue;
            }
        }
        at += 1;
    }
    size
}

/// The value of a text that is valid JSON except inside its strings, and that nests within the limit. Builds
/// all values of an object, or only those with one of `names`; in that case lists are left empty.
pub(super) fn built(text: &[u8], names: Option<&[&str]>) -> Value {
    Scan { text, at: 0, names }.value()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    names: Option<&'a [&'a str]>,
}

impl Scan<'_> {
    fn value(&mut self) -> Value {
        match self.next() {
            Some(b'{') => Value::Object(self.object()),
            Some(b'[') if self.names.is_some() => {
                self.skip();
                Value::Array(Vec::new())
            }
            Some(b'[') => Value::Array(self.list()),
            Some(b'"') => {
                let literal = self.string();
                serde_json::from_slice(literal).map_or_else(|_| replaced(readable(literal)), Value::String)
            }
            _ => {
                let end = scalar_end(self.text, self.at);
                let value = serde_json::from_slice(self.text.get(self.at..end).unwrap_or_default());
                self.at = end;
                value.unwrap_or_default()
            }
        }
    }

    fn object(&mut self) -> Map<String, Value> {
        let mut object = Map::new();
        self.at += 1;
        while let Some(b'"') = self.next_of_many() {
            let literal = self.string();
            let name: String = serde_json::from_slice(literal).unwrap_or_else(|_| readable(literal));
            self.next();
            self.at += 1;
            if self.names.is_none_or(|names| names.contains(&name.as_str())) {
                let value = self.value();
                object.insert(name, value);
            } else {
                self.skip();
            }
        }
        self.at += 1;
        object
    }

    fn list(&mut self) -> Vec<Value> {
        let mut list = Vec::new();
        self.at += 1;
        while self.next_of_many().is_some_and(|byte| byte != b']') {
            list.push(self.value());
        }
        self.at += 1;
        list
    }

    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.next() {
            match byte {
                b'"' => self.at = string_end(self.text, self.at),
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => self.at = scalar_end(self.text, self.at),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips a string; returns its literal with the quotes.
    fn string(&mut self) -> &[u8] {
        let (start, end) = (self.at, string_end(self.text, self.at));
        self.at = end;
        self.text.get(start..end).unwrap_or_default()
    }

    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        self.at = skip_blanks(self.text, self.at);
        self.text.get(self.at).copied()
    }

    /// The same after a comma.
    fn next_of_many(&mut self) -> Option<u8> {
        if self.next() == Some(b',') {
            self.at += 1;
        }
        self.next()
    }
}

/// The text of a string's literal, with unreadable parts replaced.
fn readable(literal: &[u8]) -> String {
    let literal = String::from_utf8_lossy(literal);
    let paired = without_lone_surrogates(&literal);
    serde_json::from_str(&paired).unwrap_or_else(|_| literal.trim_matches('"').to_owned())
}

/// A literal with U+FFFD in place of each escape of an unpaired surrogate.
fn without_lone_surrogates(literal: &str) -> String {
    let mut paired = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        paired.push_str(before);
        let unit = |at: usize| {
            let digits = escape.get(at..)?.strip_prefix("\\u")?.get(..4)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let length = match (unit(0), unit(6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => 0,
            _ => 2,
        };
        let (kept, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        paired.push_str(kept);
        rest = if length == 0 { escape.get(6..).unwrap_or_default() } else { after };
        if length == 0 {
            paired.push(char::REPLACEMENT_CHARACTER);
        }
    }
    paired + rest
}

/// The position after the string that begins at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The position after the number or word that begins at `start`.
fn scalar_end(text: &[u8], start: usize) -> usize {
    let rest = text.get(start + 1..).unwrap_or_default();
    let ends = |byte: &u8| is_between(*byte) || matches!(byte, b'"' | b'[' | b']' | b'{' | b'}');
    rest.iter().position(ends).map_or(text.len(), |length| start + 1 + length)
}

fn skip_blanks(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.iter().position(|byte| !is_blank(*byte)).map_or(text.len(), |blanks| start + blanks)
}

fn is_between(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b':')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
