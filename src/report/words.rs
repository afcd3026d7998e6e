//! Formats numbers, durations, times and long texts for people.

use crate::domain::Timestamp;
use crate::domain::visible::visible;

/// `12,345`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 order`, `2 orders`: the plural adds an s.
pub(super) fn counted(n: u64, word: &str) -> String {
    format!("{} {word}{}", number(n), if n == 1 { "" } else { "s" })
}

/// A duration in at most two units: `850 ms`, `1.2 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`.
pub(super) fn length(ms: u64) -> String {
    let two = |large: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {smaller}"),
    };
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..10 if !ms.is_multiple_of(1000) => format!("{seconds}.{} s", ms % 1000 / 100),
        1..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A time to the minute: `2026-01-02 03:04`; with seconds unless they are zero.
pub(super) fn instant(at: Timestamp) -> String {
    let text = at.to_string().replace('T', " ");
    let end = if text.get(16..23) == Some(":00.000") { 16 } else { 19 };
    text.get(..end).unwrap_or(&text).to_owned()
}

/// A stranger's text, escaped and cut to `most` characters.
pub(super) fn clipped(text: &str, most: usize) -> String {
    let shown = visible(text);
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
    fn numbers_and_lengths_read_well() {
        for (n, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), shown);
        }
        for (ms, shown) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1_250, "1.2 s"),
            (12_900, "12 s"),
            (185_000, "3 min 5 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000 * 3, "3 d"),
        ] {
            assert_eq!(length(ms), shown);
        }
        let at = |text| instant(Timestamp::parse_rfc3339(text).unwrap());
        assert_eq!(at("2026-01-02T03:04:00Z"), "2026-01-02 03:04");
        assert_eq!(at("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05");
    }

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
