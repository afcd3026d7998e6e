//! `countersign report`: report what was received and settled, from the store alone.

use std::path::Path;

use super::output::OutputArgs;
use super::window::WindowArgs;
use super::{CommandError, Exit, settings};
use crate::config::{Settings, Source};
use crate::domain::health::Warning;
use crate::domain::{Clock, Report, ReportedSource, Timestamp, Window};
use crate::report::{Basis, Document};
use crate::rules::health;
use crate::store::{Detail, Reader};

#[derive(Debug, clap::Args)]
#[command(after_help = "Without a window: the last 24 hours.\n\nExamples:\n  \
                        countersign report --since 7d\n  \
                        countersign report --from 2026-01-01 --to 2026-02-01 --format html --output january.html\n\n\
                        `reconcile` asks the shops as well, and finds orders without a notification.")]
pub(super) struct Args {
    #[command(flatten)]
    window: WindowArgs,
    /// Only this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let now = Clock::system().now();
    let window = args.window.window(now)?;
    let settings = settings(config)?;
    args.output.check(&settings)?;
    let document = match document(args.source.as_deref(), window, &settings, now).await {
        Ok(document) => document,
        Err(error) => return Err(args.output.mail_failure("report", error, &settings).await),
    };
    args.output.write_and_mail(&document, &settings).await?;
    Ok(Exit::Fine)
}

async fn document(
    source: Option<&str>,
    window: Window,
    settings: &Settings,
    now: Timestamp,
) -> Result<Document, CommandError> {
    let reader = Reader::open(&settings.store.path)?;
    let sources = select_sources(settings, reader.known_sources().await?, source)?;
    let warnings = warnings(&reader, &sources, window.to, now).await?;
    let (sources, statistics) =
        reader.account(sources, window, Detail::Report, now).await?.into_iter().unzip();
    let report = Report { generated_at: now, from: window.from, to: window.to, sources };
    Ok(Document { basis: Basis::Store, report, statistics, warnings })
}

/// The warnings that no finding covers, about sources whose report ends within the last day.
pub(super) async fn warnings(
    reader: &Reader,
    sources: &[ReportedSource],
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<Warning>, CommandError> {
    let (_, sources) = reader.health(sources.to_vec(), now).await?;
    Ok(health::of_report(sources, to, now))
}

/// The configured sources, then those that only the store knows; or the named one of all these.
pub(super) fn select_sources(
    settings: &Settings,
    known: Vec<(String, String)>,
    named: Option<&str>,
) -> Result<Vec<ReportedSource>, CommandError> {
    let configured = settings.sources.iter().map(Source::reported).collect();
    let mut sources = ReportedSource::with_known(configured, known);
    let Some(named) = named else { return Ok(sources) };
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    sources.retain(|source| source.name == named);
    if sources.is_empty() {
        let line = format!("no source {named}; choose one of: {}", names.join(", "));
        return Err(CommandError::Usage(vec![line]));
    }
    Ok(sources)
}
