//! `countersign reconcile`: ask the shops what happened and compare it with the notifications received.

use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::exit::{print_error, unless_locked};
use super::output::OutputArgs;
use super::report::{select_sources, warnings};
use super::window::WindowArgs;
use super::{CommandError, Exit, args, logging, settings, usage_error};
use crate::config::Settings;
use crate::domain::{Clock, Report};
use crate::reconcile::{self, Plan, Progress};
use crate::report::{Basis, Document};
use crate::service::{self, NamesTaken};
use crate::store::Store;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without a window and a source: everything since the last complete run; the first run begins at the \
                        first serve.\nExit codes: 0 no differences, 3 differences found, 1 a shop could not be read \
                        completely.\n\nExamples:\n  countersign reconcile --recover --mail=findings\n  \
                        countersign reconcile --since 7d --source shop --format json"
)]
pub(super) struct Args {
    #[command(flatten)]
    window: WindowArgs,
    /// Only this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// How far before the window to look again for orders that may still change (shops that list by creation date
    /// only)
    #[arg(long, value_name = "30d", default_value = "30d", value_parser = args::length)]
    recheck: Duration,
    /// Store each missed and drifted order as a confirmed notification
    #[arg(long)]
    recover: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Error);
    let settings = settings(config)?;
    args.output.check(&settings)?;
    let (from, to) = args.window.ends()?;
    let plan = Plan { from, to, only: args.source, recheck: args.recheck, recovers: args.recover };
    check_source(&settings, plan.only.as_deref())?;
    let document = match compare(&plan, &settings).await {
        Ok(document) => document,
        Err(error) => return Err(args.output.mail_failure("reconcile", error, &settings).await),
    };
    args.output.write_and_mail(&document, &settings).await?;
    Ok(exit_of(&document.report))
}

async fn compare(plan: &Plan, settings: &Settings) -> Result<Document, CommandError> {
    let store = Store::open(&settings.store.path)?;
    store.subscribe(service::subscriptions(settings));
    let clock = Clock::system();
    service::introduce(&store, settings, &clock).await.map_err(usage_error::<NamesTaken>)?;
    let bar = progress_bar();
    let watch = |progress| match progress {
        Progress::ToAsk(more) => {
            bar.set_style(style(ASKING));
            bar.inc_length(more);
        }
        Progress::Asked => bar.inc(1),
    };
    let run = async { Ok(reconcile::run(&store, settings, plan, &clock, &watch).await?) };
    let outcome = unless_locked(&store, run).await?;
    bar.finish_and_clear();
    let selected = select_sources(settings, Vec::new(), plan.only.as_deref())?;
    let warnings = warnings(store.reader(), &selected, outcome.report.to, clock.now()).await?;
    store.close();
    for failure in &outcome.failures {
        print_error(failure);
    }
    let (report, statistics) = (outcome.report, outcome.statistics);
    Ok(Document { basis: Basis::Shops, report, statistics, warnings })
}

/// An incomplete report is a failure, even if it found differences.
fn exit_of(report: &Report) -> Exit {
    let differs = |source: &crate::domain::SourceReport| {
        source.findings.iter().any(|finding| finding.kind.is_difference())
    };
    if report.sources.iter().any(|source| !source.complete) {
        Exit::Failed
    } else if report.sources.iter().any(differs) {
        Exit::Differences
    } else {
        Exit::Fine
    }
}

fn check_source(settings: &Settings, named: Option<&str>) -> Result<(), CommandError> {
    let names: Vec<&str> = settings.sources.iter().map(|source| source.name.as_str()).collect();
    match named {
        Some(named) if !names.contains(&named) => {
            let line = format!("no source {named}; choose one of: {}", names.join(", "));
            Err(CommandError::Usage(vec![line]))
        }
        _ => Ok(()),
    }
}

/// Shown while the number of orders to ask about is unknown.
const LISTING: &str = "{spinner} reading the shops' lists of orders  {elapsed}";

const ASKING: &str = "{spinner} {bar:30} {pos}/{len} orders asked about  {elapsed}";

fn progress_bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(style(LISTING))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
