//! `countersign man`: write one manual page per command from its `--help`. The package installs these pages.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::terminal;
use super::{Cli, CommandError, Exit};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign man ~/.local/share/man/man1")]
pub(super) struct Args {
    /// Folder to write to; it is created if missing
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let folder = args.folder.as_path();
    let shown = folder.display();
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder))
        .with_context(|| {
            format!("cannot write the manual pages to {shown}; name a folder that you may write to")
        })?;
    terminal::line(&format!(
        "wrote the manual pages to {shown}; read them with: man -l {shown}/countersign.1"
    ))?;
    Ok(Exit::Fine)
}
