//! The options for a report's format and file: `--format`, `--json`, `--output`.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::CommandError;
use super::screen::Screen;
use crate::report::{self, Document, Format, MAIL_WIDTH};

#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// Format: text for mail, json for programs, csv for a spreadsheet (a row per finding, and rows of kind
    /// `incomplete` and `omitted` for what is missing), html for a browser or printer
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format())]
    format: Format,
    /// Same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// File to write instead of standard output; only its owner can read it, and an existing one is replaced as a
    /// whole
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .try_map(|word| Format::parse(&word).ok_or_else(|| format!("{word} is not a format")))
}

impl OutputArgs {
    /// Writes the document in the chosen format, to the chosen file or standard output.
    pub(super) fn write(&self, document: &Document) -> Result<(), CommandError> {
        let format = if self.json { Format::Json } else { self.format };
        match &self.output {
            Some(file) => {
                let text = report::render(document, format, MAIL_WIDTH)?;
                replace(file, &text).with_context(|| {
                    format!(
                        "cannot write {}; name a file in a folder that this user may write to",
                        file.display()
                    )
                })?;
            }
            None => {
                let mut screen = Screen::new();
                let width = screen.width().map_or(MAIL_WIDTH, usize::from);
                screen.lines(&report::render(document, format, width)?)?;
                screen.flush()?;
            }
        }
        Ok(())
    }
}

/// Replaces the file atomically: a reader sees the old text or the new text, never a part.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let is_file_name = file.file_name().is_some_and(|name| name != OsStr::new(""));
    if !is_file_name || file.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(".countersign-").tempfile_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(file).map_err(|error| error.error)?;
    Ok(())
}
