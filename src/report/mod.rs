//! How a report looks: text for a mail, JSON, CSV, and one page of HTML. Each is a function of a [`Document`]; nothing is
//! read here, and whatever a stranger sent is shown so that nothing obeys it.

use anyhow::Context as _;

use crate::domain::health::Warning;
use crate::domain::{Report, SourceStatistics};

mod csv;
mod html;
mod json;
mod story;
mod text;
mod words;

pub use csv::cell;
pub use html::{PARTS_CSS, drawn_days, embedded};

#[cfg(test)]
mod samples;

/// A report, and what else is known about its window.
#[derive(Clone, Debug)]
pub struct Document {
    /// Where it comes from.
    pub basis: Basis,
    /// Counts and findings.
    pub report: Report,
    /// The same sources in the same order; empty where nothing more is known.
    pub statistics: Vec<SourceStatistics>,
    /// What else the owner should look at in these sources now; in the text and the page alone.
    pub warnings: Vec<Warning>,
}

/// Where a report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// From the store alone: `report`.
    Store,
    /// The shops were asked: `reconcile`.
    Shops,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a mail or a terminal.
    Text,
    /// One object, on one line.
    Json,
    /// A line for each finding, after a line with the columns' names.
    Csv,
    /// One page without scripts or outside links.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Csv, Self::Html];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// The format of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
}

/// The columns that a mail has.
pub const MAIL_WIDTH: usize = 80;

/// The document in a format, with a line break at its end; text in lines of at most `width` columns.
///
/// # Errors
/// The format's writer failed.
pub fn render(document: &Document, format: Format, width: usize) -> anyhow::Result<String> {
    match format {
        Format::Text => Ok(text::render(document, width)),
        Format::Json => json::render(document).context("cannot write the report as JSON"),
        Format::Csv => csv::render(document).context("cannot write the report as CSV"),
        Format::Html => html::render(document).context("cannot write the report as HTML"),
    }
}
