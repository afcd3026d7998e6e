//! `countersign init`: write a commented configuration.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use super::terminal::Terminal;
use super::{CommandError, Exit};
use crate::config;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign init /etc/countersign/countersign.toml")]
pub(super) struct Args {
    /// File to write [default: the file of --config, otherwise countersign.toml in this folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let file = args.file.unwrap_or_else(|| config.to_path_buf());
    write_private(&file, config::EXAMPLE, args.force)?;
    let mut terminal = Terminal::new();
    let shown = file.display();
    terminal.line(&format!("wrote {shown}, which only you can read; next:"))?;
    terminal.line("  1. in it, uncomment a source and fill in its credentials")?;
    terminal.line(&format!("  2. countersign --config {shown} serve"))?;
    terminal.line(&format!("  3. in another terminal, countersign --config {shown} doctor"))?;
    terminal.line("     checks all of it and prints the intake URL and where it goes")?;
    terminal.flush()?;
    Ok(Exit::Fine)
}

/// Writes a file that only its owner can read, because it is made to hold secrets.
pub(super) fn write_private(file: &Path, text: &str, overwrite: bool) -> anyhow::Result<()> {
    let shown = file.display();
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut opened = options.open(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            anyhow!("{shown} already exists; name another file, or overwrite it with --force")
        }
        _ => anyhow!(error)
            .context(format!("cannot write {shown}; name a file in a folder that you may write to")),
    })?;
    let cannot = || format!("cannot write {shown}; check the disk");
    if overwrite {
        opened.set_permissions(Permissions::from_mode(0o600)).with_context(cannot)?;
    }
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).with_context(cannot)
}
