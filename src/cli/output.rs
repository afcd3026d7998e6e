//! The options for a report's format, file and mail: `--format`, `--json`, `--output`, `--mail`.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::CommandError;
use super::exit::print_error;
use super::terminal::{Terminal, escape_controls};
use crate::actions::smtp::{Letter, MailServer};
use crate::config::Settings;
use crate::domain::{AttemptOutcome, Clock, SourceReport, Timestamp};
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
    /// Also mail the report (text, with the HTML page as the other part) to alerts.mail; with =findings only if there is a
    /// finding other than fake, or if the run failed
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always"
    )]
    mail: Option<MailWhen>,
}

/// When a report is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum MailWhen {
    /// Every report
    Always,
    /// Only a report with a finding other than fake, or an incomplete one
    Findings,
}

/// Timeout of mailing a report.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .try_map(|word| Format::parse(&word).ok_or_else(|| format!("{word} is not a format")))
}

impl OutputArgs {
    /// Refuses --mail if no address is configured.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), CommandError> {
        if self.mail.is_some() && settings.alerts.ways.mail.is_none() {
            let line = "--mail needs an address; write mail = [\"…\"] in [alerts], and [mail]";
            return Err(CommandError::Usage(vec![line.to_owned()]));
        }
        Ok(())
    }

    /// Writes the document, and mails it whether or not it could be written.
    pub(super) async fn write_and_mail(
        &self,
        document: &Document,
        settings: &Settings,
    ) -> Result<(), CommandError> {
        let written = self.write(document);
        self.mail(document, settings).await?;
        written
    }

    /// Mails the document if --mail asks for it.
    async fn mail(&self, document: &Document, settings: &Settings) -> Result<(), CommandError> {
        let (Some(when), Some((server, to))) = (self.mail, &settings.alerts.ways.mail) else { return Ok(()) };
        let sources = &document.report.sources;
        let differences: usize = sources.iter().map(differences).sum();
        let is_complete = sources.iter().all(|source| source.complete);
        if when == MailWhen::Findings && differences == 0 && is_complete {
            return Ok(());
        }
        let what = match (is_complete, differences) {
            (false, _) => "INCOMPLETE".to_owned(),
            (true, 0) => "no findings".to_owned(),
            (true, 1) => "1 finding".to_owned(),
            (true, more) => format!("{more} findings"),
        };
        let letter = Letter {
            subject: format!("countersign report until {}: {what}", document.report.to),
            text: report::render(document, Format::Text, MAIL_WIDTH)?,
            html: Some(report::render(document, Format::Html, MAIL_WIDTH)?),
            ..letter(document.report.generated_at)
        };
        send(server, &letter, to).await
    }

    /// Mails why there is no report, if --mail asks for a mail. Returns the error that ends the command.
    pub(super) async fn mail_failure(
        &self,
        command: &str,
        error: CommandError,
        settings: &Settings,
    ) -> CommandError {
        let (Some(_), Some((server, to))) = (self.mail, &settings.alerts.ways.mail) else { return error };
        let causes: Vec<String> =
            error.lines().iter().map(|line| escape_controls(line).into_owned()).collect();
        let letter = Letter {
            subject: format!("countersign {command}: FAILED"),
            text: format!("countersign {command} failed, and there is no report:\n\n{}\n", causes.join("\n")),
            ..letter(Clock::system().now())
        };
        if let Err(unsent) = send(server, &letter, to).await {
            unsent.lines().iter().for_each(|line| print_error(line));
        }
        error
    }

    /// Writes the document in the chosen format, to the chosen file or standard output.
    fn write(&self, document: &Document) -> Result<(), CommandError> {
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
                let mut terminal = Terminal::new();
                let width = terminal.width().map_or(MAIL_WIDTH, usize::from);
                terminal.lines(&report::render(document, format, width)?)?;
                terminal.flush()?;
            }
        }
        Ok(())
    }
}

/// A letter without content.
fn letter(at: Timestamp) -> Letter {
    let id = format!("report_{}_{}", at.millis(), std::process::id());
    Letter { id, subject: String::new(), text: String::new(), html: None, at }
}

async fn send(server: &MailServer, letter: &Letter, to: &[lettre::Address]) -> Result<(), CommandError> {
    let sent = server.send(letter, to, MAIL_TIMEOUT).await;
    if sent.outcome == AttemptOutcome::Delivered {
        return Ok(());
    }
    let why = sent.detail;
    Err(anyhow!("the report could not be mailed: {why}; try: countersign send-test alerts").into())
}

/// Findings other than fakes, listed or not.
fn differences(source: &SourceReport) -> usize {
    source.findings.iter().filter(|finding| finding.kind.is_difference()).count()
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
