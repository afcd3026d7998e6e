//! Standard output. Control characters that a stranger sent are escaped, so that a terminal does not obey
//! them.

use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Stdout, Write as _, stdin};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;

use super::CommandError;
use super::exit::print_error;
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
        let stdout = self.0.get_ref();
        let width = || rustix::termios::tcgetwinsize(stdout).map_or(0, |size| size.ws_col);
        stdout.is_terminal().then(width).map(|width| if width > 0 { width } else { NARROWEST })
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

/// Asks on standard error whether to continue, and reads the answer; `true` only for a yes.
pub(super) fn is_agreed(question: &str) -> Result<bool, CommandError> {
    print_error(&format!("{question}. Continue? [y/N]"));
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).map_err(CommandError::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A table fitted to `width` columns, of which those in `unbroken` do not wrap; without a width, each row is one line.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    unbroken: &[usize],
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    match width {
        None => table.set_content_arrangement(ContentArrangement::Disabled),
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
    };
    for index in unbroken.iter().filter(|_| width.is_some()) {
        if let Some(column) = table.column_mut(*index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 8] = ["id", "received", "source", "event", "subject", "state", "reason", "detail"];

    fn sample(detail: &str) -> [String; 8] {
        ["7", "2026-01-02 03:04:05Z", "shop", "order.updated", "SALE-1", "ignored", "mismatch", detail]
            .map(str::to_owned)
    }

    #[test]
    fn a_table_fits_the_terminal_and_keeps_ids_and_times_whole() {
        let detail = "the order's payment status is AWAITING_PAYMENT, the notification says PAID";
        for width in [80, 100, 200] {
            let drawn = table(HEADER, [sample(detail)], &[0, 1, 5], Some(width));
            assert!(drawn.lines().all(|line| line.chars().count() <= usize::from(width)), "{drawn}");
            assert!(drawn.contains("2026-01-02 03:04:05Z"), "{drawn}");
        }
    }

    #[test]
    fn without_a_terminal_each_notification_is_one_line() {
        let drawn = table(HEADER, [sample(&"long ".repeat(100)), sample("short")], &[], None);
        assert_eq!(drawn.lines().count(), 3);
        assert!(drawn.starts_with("id  received"), "{drawn}");
        assert!(drawn.lines().all(|line| line.trim_end() == line), "{drawn}");
    }
}
