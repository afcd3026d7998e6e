//! The options that choose how a report is written and where to: `--format`, `--json`, `--output`.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::CommandError;
use super::screen::Screen;
use crate::report::{self, Document, Format, MAIL_WIDTH};

/// How a report is written, and where to.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// For a mail (text), a program (json), a spreadsheet (csv: a row a finding, and rows of kind `incomplete` and
    /// `omitted` for what is not in them), or a browser and the printer (html).
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = format())]
    format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Writes a file, readable by its owner alone, in place of standard output; an older one is replaced whole.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .try_map(|word| Format::parse(&word).ok_or_else(|| format!("{word} is no format")))
}

impl OutputArgs {
    /// Writes the document as it was asked for.
    pub(super) fn write(&self, document: &Document) -> Result<(), CommandError> {
        let format = if self.json { Format::Json } else { self.format };
        match &self.output {
            Some(file) => {
                let text = report::render(document, format, MAIL_WIDTH)?;
                replace(file, &text).with_context(|| {
                    format!(
                        "cannot write {}; choose a file in a folder that this user may write",
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

/// Puts a file with this text in place: whoever opens it sees the old one or the new one, never a part.
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
