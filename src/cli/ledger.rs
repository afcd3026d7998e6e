//! `countersign ledger`: print the ledger's schema, or take over a node from another file.

use std::io::{IsTerminal as _, stdin};
use std::path::Path;

use anyhow::anyhow;

use super::terminal::{self, Terminal};
use super::{CommandError, Exit, settings};
use crate::config::Settings;
use crate::ledger::{self, TakeOver};
use crate::service::ledger_settings;
use crate::store::Reader;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign ledger schema | psql shop")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the SQL that creates the ledger's tables, to be run by hand
    #[command(
        after_help = "serve creates the tables by itself if its role may. Otherwise run this SQL as the owner of the \
                            database, and grant the role what its first lines say.\n\nExample:\n  \
                            countersign ledger schema | psql shop"
    )]
    Schema,
    /// Replace the rows that another file shipped under this node's name with the rows of this file
    #[command(
        after_help = "For a restored backup, or a new file that continues under an old name. The other file's rows of \
                            this node are removed from the ledger; a running serve then fills it from this file. The role \
                            needs DELETE.\n\nExample:\n  countersign ledger take-over --yes"
    )]
    TakeOver {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    let settings = settings(config)?;
    let Some(ledger) = ledger_settings(&settings) else {
        return Err(anyhow!("no ledger is configured; add a [ledger] table to {}", config.display()).into());
    };
    match args.what {
        What::Schema => {
            let mut terminal = Terminal::new();
            terminal.lines(ledger::script(&ledger.schema).trim_end())?;
            terminal.flush()?;
            Ok(Exit::Fine)
        }
        What::TakeOver { yes } => take_over(&settings, &ledger, yes).await,
    }
}

async fn take_over(
    settings: &Settings,
    ledger: &ledger::LedgerSettings,
    yes: bool,
) -> Result<Exit, CommandError> {
    let node = &ledger.node;
    let Some(file) = Reader::open(&settings.store.path)?.file_id().await? else {
        return Err(anyhow!(
            "no serve has opened this file yet, so it has no id; start countersign serve first"
        )
        .into());
    };
    let failed = |failure: ledger::ShipError| anyhow!("ledger: {failure}");
    let Some(take_over) = TakeOver::prepare(ledger, &file).await.map_err(failed)? else {
        terminal::line(&format!("node {node} already belongs to this file, or has no rows yet"))?;
        return Ok(Exit::Fine);
    };
    let question = format!(
        "node {node} of the ledger belongs to the file {}; all of its rows there will be removed",
        take_over.other_file()
    );
    if !yes && !stdin().is_terminal() {
        return Err(anyhow!("{question}; to do that, add --yes").into());
    }
    if !yes && !terminal::is_agreed(&question)? {
        return Ok(Exit::Failed);
    }
    let mut removed = 0;
    take_over.run(|rows| removed += rows).await.map_err(failed)?;
    terminal::line(&format!(
        "removed {removed} rows; node {node} now belongs to this file, and serve fills it"
    ))?;
    Ok(Exit::Fine)
}
