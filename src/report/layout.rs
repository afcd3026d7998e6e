//! Wraps texts for people.

/// Wraps `text` at `width` columns; every line but the first is indented by `indent` spaces.
pub(super) fn wrap(text: &str, width: usize, indent: usize) -> String {
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
            let lines = wrap(&text, width, 4);
            assert!(lines.lines().all(|line| line.chars().count() <= width), "{lines}");
            assert!(lines.lines().skip(1).all(|line| line.starts_with("    ")), "{lines}");
        }
        assert_eq!(wrap("one two three", 80, 2), "one two three");
    }
}
