//! `countersign completions`: print a shell completion script. The package installs these scripts.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::terminal::Terminal;
use super::{Cli, CommandError, Exit};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  countersign completions bash > \
                        ~/.local/share/bash-completion/completions/countersign")]
pub(super) struct Args {
    /// Shell to complete for
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "countersign", &mut script);
    let mut terminal = Terminal::new();
    terminal.script(&script)?;
    terminal.flush()?;
    Ok(Exit::Fine)
}
