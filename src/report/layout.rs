//! Cuts and wraps texts for people.

use crate::domain::escape::escape_controls;

/// A stranger's text, escaped and cut to `most` characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    let shown = escape_controls(text);
    match shown.char_indices().nth(most) {
        None => shown.into_owned(),
        Some(_) => shown.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Wraps `text` at `width` columns; every line but the first is indented by `indent` spaces.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let least = indent + 10;
    let width = width.max(least);
    let mut lines = String::with_capacity(text.len() + 16);
    let mut column = 0;
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > width && column > indent {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if index > 0 {
            lines.push(' ');
            column += 1;
        }
        for c in word.chars() {
            if column >= width {
                lines.push('\n');
                lines.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            }
            lines.push(c);
            column += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_asked_for_whatever_is_in_them() {
        let text = format!("a {} b é{} end", "x".repeat(200), "ü".repeat(90));
        for width in [20, 80] {
            let lines = wrapped(&text, width, 4);
            assert!(lines.lines().all(|line| line.chars().count() <= width), "{lines}");
            assert!(lines.lines().skip(1).all(|line| line.starts_with("    ")), "{lines}");
        }
        assert_eq!(wrapped("one two three", 80, 2), "one two three");
        assert_eq!(clipped("abcdef", 4), "abc…");
        assert_eq!(clipped("a\u{1b}b", 20), r"a\u{1b}b");
    }
}
