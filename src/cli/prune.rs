//! `countersign prune`: remove old settled notifications.

use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::selection::number_of_notifications;
use super::{CommandError, Exit, args, settings, terminal};
use crate::domain::Clock;
use crate::store::{Reader, SettledCount, Store, StoreError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  countersign prune --older-than 90d --dry-run\n  \
                        countersign prune --older-than 90d\nWorks while serve runs. Pending and undecided \
                        notifications stay; duplicates are removed with their original. Removed \
                        notifications still count in the view daily, and orders and products stay. The file \
                        does not shrink, but its free space is reused. What a [ledger] does not have yet stays \
                        for 30 days, unless the disk is nearly full.")]
pub(super) struct Args {
    /// Remove settled notifications older than this (36h, 90d)
    #[arg(long, value_name = "90d", value_parser = args::length)]
    older_than: Duration,
    /// Show what would be removed, without removing it
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let path = &settings.store.path;
    let (now, min_free) = (Clock::system().now(), settings.store.min_free);
    let before = now.minus(args.older_than);
    if args.dry_run {
        let count = Reader::open(path)?.count_expired(before, min_free, now).await?;
        terminal::line(&format!("would remove {}", describe(count)))?;
        return Ok(Exit::Fine);
    }
    let store = Store::open(path)?;
    let bar = progress_bar(async || store.reader().count_expired(before, min_free, now).await).await?;
    let gone = store.prune(before, min_free, now, |step| bar.inc(step)).await?;
    bar.finish_and_clear();
    store.close();
    terminal::line(&format!("removed {}", describe(gone)))?;
    Ok(Exit::Fine)
}

fn describe(count: SettledCount) -> String {
    let SettledCount { confirmed, ignored, duplicates } = count;
    let mut said = number_of_notifications(count.total());
    if count.total() > 0 {
        said += &format!(": {confirmed} confirmed, {} ignored", ignored + duplicates);
    }
    if duplicates > 0 {
        said += &format!(" ({duplicates} of them duplicates)");
    }
    said
}

/// Counting takes a while in a large store, so it is done only for a terminal.
async fn progress_bar(
    count: impl AsyncFnOnce() -> Result<SettledCount, StoreError>,
) -> Result<ProgressBar, CommandError> {
    if !stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let total = count().await?.total();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} removed  {per_sec}  {eta} left");
    Ok(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
}
