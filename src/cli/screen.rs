//! Standard output. Whatever a stranger sent is shown in characters that a terminal does not obey.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use serde::Serialize;

use super::CommandError;
use crate::domain::visible::json as visible_json;
pub(super) use crate::domain::visible::visible;

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

    /// Prints a script of our own making as it is.
    pub(super) fn script(&mut self, script: &[u8]) -> Result<(), CommandError> {
        self.0.write_all(script).map_err(CommandError::Output)
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
