//! Escapes a stranger's text, so that a terminal, a page or a spreadsheet does not obey it.

use std::borrow::Cow;

/// Whether to escape a character: control characters, and those that change the direction or the lines of text.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Escapes such characters as in Rust: `\n`, `\u{1b}`.
#[must_use]
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => shown.extend(c.escape_default()),
            c if is_obeyed(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A stranger's text, escaped and cut to `most` characters; `…` stands for the rest.
#[must_use]
pub fn escape_and_truncate(text: &str, most: usize) -> String {
    let shown = escape_controls(text);
    match shown.char_indices().nth(most) {
        None => shown.into_owned(),
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
    }
}

/// Escapes such characters in JSON text, which keeps its meaning: they appear only inside strings, because JSON
/// escapes ASCII's control characters anyway.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_obeyed) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_obeyed(c) {
            // All such characters have four digits.
            shown += &format!("\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown_as_it_is() {
        assert_eq!(escape_controls("SALE-1 für Œuvre 商店"), "SALE-1 für Œuvre 商店");
        assert_eq!(
            escape_controls("a\u{1b}[2Jb\u{9b}1m\u{202e}c\nd\u{7f}"),
            r"a\u{1b}[2Jb\u{9b}1m\u{202e}c\nd\u{7f}"
        );
    }

    #[test]
    fn a_long_text_is_cut_after_its_escapes() {
        assert_eq!(escape_and_truncate("abcd", 4), "abcd");
        assert_eq!(escape_and_truncate("abcde", 4), "abcd…");
        assert_eq!(escape_and_truncate("a\u{1b}b", 20), r"a\u{1b}b");
        assert_eq!(escape_and_truncate(&"é".repeat(1000), 300).chars().count(), 301);
    }

    #[test]
    fn json_says_the_same_with_and_without_escapes() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{7f}\"\\\n";
        let text_json = serde_json::to_string(text).unwrap();
        let shown = escape_json(&text_json);
        assert!(!shown.contains(is_obeyed), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
