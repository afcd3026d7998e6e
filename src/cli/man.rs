//! `countersign man`: the manual's pages, one a command, made of the same words as `--help`. The package installs them
//! already.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::screen;
use super::{Cli, CommandError, Exit};

/// Where to write.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign man ~/.local/share/man/man1")]
pub(super) struct Args {
    /// The folder; it is made where there is none.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let folder = args.folder.as_path();
    let shown = folder.display();
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder))
        .with_context(|| {
            format!("cannot write the manual's pages into {shown}; name a folder where you may write")
        })?;
    screen::line(&format!(
        "wrote the manual's pages into {shown}; read them with: man -l {shown}/countersign.1"
    ))?;
    Ok(Exit::Fine)
}
