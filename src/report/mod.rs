//! The formats of a report: text for a mail, JSON, CSV, and one page of HTML. Each is a pure function of a
//! [`Document`], and each escapes what strangers sent.

use anyhow::Context as _;

use crate::domain::health::Warning;
use crate::domain::{Report, SourceStatistics};

mod csv;
mod html;
mod json;
mod layout;
mod summary;
mod text;

pub use csv::cell;
pub use html::{PARTS_CSS, days_chart, embedded};

#[cfg(test)]
mod samples;

/// A report with its statistics and warnings.
#[derive(Clone, Debug)]
pub struct Document {
    pub basis: Basis,
    /// The counts and findings.
    pub report: Report,
    /// The statistics of the same sources in the same order; empty if there are none.
    pub statistics: Vec<SourceStatistics>,
    /// The current warnings about these sources; shown in text and HTML only.
    pub warnings: Vec<Warning>,
}

/// The basis of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// From the store alone: `report`.
    Store,
    /// The shops' lists as well: `reconcile`.
    Shops,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For mail or a terminal.
    Text,
    /// One object, on one line.
    Json,
    /// One line per finding, after a header line.
    Csv,
    /// One page without scripts or external links.
    Html,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Csv, Self::Html];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// Parses the name on the command line.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// The line width of a mail.
pub const MAIL_WIDTH: usize = 80;

/// Renders the document, ending with a line break; text is wrapped at `width` columns.
///
/// # Errors
/// A failure of the format's writer.
pub fn render(document: &Document, format: Format, width: usize) -> anyhow::Result<String> {
    match format {
        Format::Text => Ok(text::render(document, width)),
        Format::Json => json::render(document).context("cannot write the report as JSON"),
        Format::Csv => csv::render(document).context("cannot write the report as CSV"),
        Format::Html => html::render(document).context("cannot write the report as HTML"),
    }
}
