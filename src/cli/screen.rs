//! Standard output. Whatever a stranger sent is shown in characters that a terminal does not obey.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use serde::Serialize;

use super::CommandError;

/// Where a command prints; closed output ends the command.
#[derive(Debug)]
pub(super) struct Screen(BufWriter<Stdout>);

/// The colour of a part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// As the terminal writes.
    Plain,
    /// What is well.
    Green,
    /// What was seen through.
    Yellow,
    /// What went wrong, or was turned away.
    Red,
    /// What is still to come.
    Cyan,
}

impl Paint {
    /// The number that terminals know it by.
    fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Red => Some(31),
            Self::Green => Some(32),
            Self::Yellow => Some(33),
            Self::Cyan => Some(36),
        }
    }
}

impl Screen {
    /// Standard output.
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// The columns of the terminal; `None` where standard output is none.
    pub(super) fn width(&self) -> Option<u16> {
        /// What every terminal has, where it does not tell.
        const NARROWEST: u16 = 80;
        let is_terminal = self.0.get_ref().is_terminal();
        is_terminal.then(|| comfy_table::Table::new().width().filter(|width| *width > 0).unwrap_or(NARROWEST))
    }

    /// Prints one line.
    pub(super) fn line(&mut self, text: &str) -> Result<(), CommandError> {
        writeln!(self.0, "{}", visible(text)).map_err(CommandError::Output)
    }

    /// Prints one line of several parts, in colours where standard output is a terminal and nobody objects
    /// (`NO_COLOR`).
    pub(super) fn painted(&mut self, parts: &[(Paint, &str)]) -> Result<(), CommandError> {
        let is_painted = self.0.get_ref().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut line = String::new();
        for (paint, text) in parts {
            match paint.code().filter(|_| is_painted) {
                Some(code) => line += &format!("\u{1b}[{code}m{}\u{1b}[0m", visible(text)),
                None => line += &visible(text),
            }
        }
        writeln!(self.0, "{line}").map_err(CommandError::Output)
    }

    /// Prints every line of `text`; its line breaks must be ours.
    pub(super) fn lines(&mut self, text: &str) -> Result<(), CommandError> {
        text.lines().try_for_each(|line| self.line(line))
    }

    /// Prints a value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string(value).map_err(|error| CommandError::Failed(error.into()))?;
        writeln!(self.0, "{}", visible_json(&text)).map_err(CommandError::Output)
    }

    /// Lets everything printed so far be seen.
    pub(super) fn flush(&mut self) -> Result<(), CommandError> {
        self.0.flush().map_err(CommandError::Output)
    }
}

/// Prints one line, all that a command has to say.
pub(super) fn line(text: &str) -> Result<(), CommandError> {
    let mut screen = Screen::new();
    screen.line(text)?;
    screen.flush()
}

/// Whether a terminal may obey a character: control characters, and those that change the direction or the lines of
/// the text around them.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text with such characters in Rust's spelling: `\n`, `\u{1b}`.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
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

/// The same in JSON's spelling, which says the same to a reader of JSON: beside ASCII's control characters, which JSON
/// escapes anyway, such characters stand in texts only.
fn visible_json(json: &str) -> Cow<'_, str> {
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
        assert_eq!(visible("SALE-1 für Œuvre 商店"), "SALE-1 für Œuvre 商店");
        assert_eq!(
            visible("a\u{1b}[2Jb\u{9b}1m\u{202e}c\nd\u{7f}"),
            r"a\u{1b}[2Jb\u{9b}1m\u{202e}c\nd\u{7f}"
        );
    }

    #[test]
    fn json_says_the_same_with_and_without_escapes() {
        let text = "a\u{1b}\u{9b}\u{202e}\u{7f}\"\\\n";
        let json = serde_json::to_string(text).unwrap();
        let shown = visible_json(&json);
        assert!(!shown.contains(is_obeyed), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
