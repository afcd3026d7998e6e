//! `countersign backup`: a checked copy of the store, beside whatever uses it.

use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, Exit, screen, settings};
use crate::store::{BackedUp, Backup};

/// How often the progress bar looks at the file.
const LOOK: Duration = Duration::from_millis(200);

/// Where to write the copy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: countersign backup /var/backups/countersign.db\nWorks beside a running serve. The copy \
                        is opened and checked before the command says so. To restore it: stop serve, put the file in \
                        the place of [store] path, remove the -wal and -shm files beside it, start serve."
)]
pub(super) struct Args {
    /// The copy; only you will be able to read it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file where there is one, once the new copy is checked.
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    // It takes a processor for a while; whoever takes notifications goes first. Where that is refused it is no loss.
    let _ = rustix::process::nice(10);
    let backup = Backup::prepare(&settings.store.path, &args.file, args.force, settings.store.min_free)?;
    let BackedUp { size, rows } = watched(backup).await?;
    let rows: Vec<String> = rows.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let kibibytes = size.div_ceil(1024);
    screen::line(&format!(
        "wrote {} ({kibibytes} KiB), opened and checked it: {}",
        args.file.display(),
        rows.join(", ")
    ))?;
    Ok(Exit::Fine)
}

/// Runs it on a thread that may block, shows how far it is, and ends it on SIGINT and SIGTERM.
async fn watched(backup: Backup) -> anyhow::Result<BackedUp> {
    let bar = progress_bar(backup.expected());
    let (partial, stopper) = (backup.partial().to_path_buf(), backup.stopper());
    let mut int = signal(SignalKind::interrupt()).context("cannot listen to signals")?;
    let mut term = signal(SignalKind::terminate()).context("cannot listen to signals")?;
    let mut looks = tokio::time::interval(LOOK);
    let running = tokio::task::spawn_blocking(move || backup.run());
    tokio::pin!(running);
    let done = loop {
        tokio::select! {
            done = &mut running => break done,
            _ = int.recv() => stopper.stop(),
            _ = term.recv() => stopper.stop(),
            _ = looks.tick() => bar.set_position(std::fs::metadata(&partial).map_or(0, |meta| meta.len())),
        }
    };
    bar.finish_and_clear();
    done.context("the backup ended by itself")?
}

fn progress_bar(expected: u64) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} copied, then checked  {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
