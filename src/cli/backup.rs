//! `countersign backup`: write a checked copy of a store that may be in use.

use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, Exit, settings, terminal};
use crate::store::{BackedUp, Backup};

/// How often the progress bar reads the file's size.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: countersign backup /var/backups/countersign.db\nWorks while serve runs. The copy \
        is opened and checked before it counts as written. To restore it: stop serve and its sockets \
        (systemctl stop countersign.socket countersign-admin.socket countersign; while a socket listens, the next \
        request starts serve again), replace the file at [store] path with the copy, remove the -wal and -shm files \
        beside it, start them again."
)]
pub(super) struct Args {
    /// File to write; only you will be able to read it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace an existing file, once the new copy is checked
    #[arg(long)]
    force: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    // The copy takes processor time, and intake goes first. If the system refuses, the backup still works.
    let _ = rustix::process::nice(10);
    let backup = Backup::prepare(&settings.store.path, &args.file, args.force, settings.store.min_free)?;
    let BackedUp { size, rows } = watched(backup).await?;
    let rows: Vec<String> = rows.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let kibibytes = size.div_ceil(1024);
    terminal::line(&format!(
        "wrote {} ({kibibytes} KiB), opened and checked it: {}",
        args.file.display(),
        rows.join(", ")
    ))?;
    Ok(Exit::Fine)
}

/// Runs the backup on a blocking thread, shows its progress, and stops it on SIGINT and SIGTERM.
async fn watched(backup: Backup) -> anyhow::Result<BackedUp> {
    let bar = progress_bar(backup.expected());
    let (partial, stopper) = (backup.partial().to_path_buf(), backup.stopper());
    let mut int = signal(SignalKind::interrupt()).context("cannot handle signals")?;
    let mut term = signal(SignalKind::terminate()).context("cannot handle signals")?;
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
    done.context("the backup thread failed")?
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
