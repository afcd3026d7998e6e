//! Standard output. Control characters that a stranger sent are escaped, so that a terminal does not obey
//! them.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use serde::Serialize;

use super::CommandError;
pub(super) use crate::domain::escape::escape_controls;
use crate::domain::escape::escape_json;

/// Prints to standard output. An error, such as a closed output, ends the command.
#[derive(Debug)]
pub(super) struct Terminal(BufWriter<Stdout>);

/// The colour of a part of a line, by meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Green,
    /// A fake that was detected.
    Yellow,
    /// A failure or a refusal.
    Red,
    /// Still pending.
    Cyan,
}

impl Paint {
    /// The ANSI colour code.
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

impl Terminal {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// The columns of the terminal; `None` if standard output is not a terminal.
    pub(super) fn width(&self) -> Option<u16> {
        /// The width to assume if the terminal does not tell.
        const NARROWEST: u16 = 80;
        let is_terminal = self.0.get_ref().is_terminal();
        is_terminal.then(|| comfy_table::Table::new().width().filter(|width| *width > 0).unwrap_or(NARROWEST))
    }

    pub(super) fn line(&mut self, text: &str) -> Result<(), CommandError> {
        writeln!(self.0, "{}", escape_controls(text)).map_err(CommandError::Output)
    }

    /// Prints one line of several parts, in colours if standard output is a terminal and `NO_COLOR` is unset.
    pub(super) fn painted(&mut self, parts: &[(Paint, &str)]) -> Result<(), CommandError> {
        let is_painted = self.0.get_ref().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut line = String::new();
        for (paint, text) in parts {
            match paint.code().filter(|_| is_painted) {
                Some(code) => line += &format!("\u{1b}[{code}m{}\u{1b}[0m", escape_controls(text)),
                None => line += &escape_controls(text),
            }
        }
        writeln!(self.0, "{line}").map_err(CommandError::Output)
    }

    /// Prints every line of `text`. Its line breaks must be countersign's own, never a stranger's.
    pub(super) fn lines(&mut self, text: &str) -> Result<(), CommandError> {
        text.lines().try_for_each(|line| self.line(line))
    }

    /// Prints a script unescaped; it must be countersign's own.
    pub(super) fn script(&mut self, script: &[u8]) -> Result<(), CommandError> {
        self.0.write_all(script).map_err(CommandError::Output)
    }

    /// Prints a value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string(value).map_err(|error| CommandError::Failed(error.into()))?;
        writeln!(self.0, "{}", escape_json(&text)).map_err(CommandError::Output)
    }

    /// Writes out everything printed so far.
    pub(super) fn flush(&mut self) -> Result<(), CommandError> {
        self.0.flush().map_err(CommandError::Output)
    }
}

/// Prints one line and flushes it, for commands that print no more than that.
pub(super) fn line(text: &str) -> Result<(), CommandError> {
    let mut terminal = Terminal::new();
    terminal.line(text)?;
    terminal.flush()
}
