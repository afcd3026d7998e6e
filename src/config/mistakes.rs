//! The mistakes in a configuration, one line each. Only wrong words and paths are quoted, never other values: a
//! secret pasted into the wrong key must not reach a log.

use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line in the file, from 1; `None` if there is none (a missing file, an environment variable).
    pub line: Option<usize>,
    /// The key's full name, like `sources.shop.token`; empty if the mistake is not about a key.
    pub key: String,
    /// What is wrong, what to do, and an example.
    pub message: String,
}

/// All mistakes in one file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    file: PathBuf,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// Sorts the mistakes in `file` by line, those without a line last.
    pub(super) fn new(file: &Path, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
        Self { file: file.to_owned(), list }
    }

    /// The mistakes, at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.list.iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file.display())?;
            if let Some(line) = mistake.line {
                write!(f, ":{line}")?;
            }
            if !mistake.key.is_empty() {
                write!(f, ": {}", mistake.key)?;
            }
            write!(f, ": {}", mistake.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A key as a message shows it. Anything but a bare key is quoted, so that the message stays on one line.
pub(super) fn shown(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain { key.to_owned() } else { format!("{key:?}") }
}

/// The word that `given` most likely means: at most two letters off, fewer in short words.
pub(super) fn closest<'a>(given: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    words
        .into_iter()
        .map(|word| (distance(&given, &word.replace('-', "_")), word))
        .filter(|(off, word)| *off <= 2 && off * 3 <= word.len())
        .min_by_key(|(off, _)| *off)
        .map(|(_, word)| word)
}

/// The edit distance (Levenshtein) between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for ((to, &above), &diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            left = (diagonal + usize::from(from != *to)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let words = ["listen", "admin_listen", "max_body", "drain", "keep", "keep_personal"];
        for (given, meant) in [
            ("listn", Some("listen")),
            ("lisetn", Some("listen")),
            ("max-body", Some("max_body")),
            ("Drain", Some("drain")),
            ("kep", Some("keep")),
            ("keeps_personal", Some("keep_personal")),
            ("ke", None),
            ("port", None),
            ("", None),
        ] {
            assert_eq!(closest(given, words), meant, "{given}");
        }
    }

    #[test]
    fn a_key_never_breaks_the_line_of_its_message() {
        assert_eq!(shown("max_body"), "max_body");
        assert_eq!(shown("a\nb"), r#""a\nb""#);
        assert_eq!(shown(""), r#""""#);
    }
}
