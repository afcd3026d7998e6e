//! The command line, one file per command. A command reads its arguments, calls the rooms that do the work, prints
//! the result and returns an [`Exit`]. Only this room prints.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::Settings;

mod args;
mod backup;
mod completions;
mod config;
mod config_path;
mod deliveries;
mod demo;
mod dismiss;
mod doctor;
mod exit;
mod init;
mod ledger;
mod list;
pub mod logging;
mod man;
mod news;
mod output;
mod prune;
mod reconcile;
mod redeliver;
mod report;
mod retry;
mod selection;
mod send_test;
mod serve;
mod show;
mod simulate;
mod status;
mod terminal;
mod verify;
mod window;

pub use exit::{CommandError, Exit};

use exit::usage_error;

/// Receive shop notifications, store each one as received, and believe none of them until the shop's own API
/// countersigns it.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 success, 1 failure, 2 wrong usage or configuration, 3 success, but \
    differences were found.\nTo begin: countersign init")]
struct Cli {
    /// Configuration file [default: countersign.toml in this folder, otherwise /etc/countersign/countersign.toml]
    #[arg(long, global = true, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive and verify notifications until SIGTERM or SIGINT
    Serve(serve::Args),
    /// Verify every notification that is due now, in the foreground
    Verify(verify::Args),
    /// Show whether anything needs attention, and what to do about it
    Status(status::Args),
    /// List notifications, newest first
    List(list::Args),
    /// Show one notification: request, claim, verdict and every verification
    Show(show::Args),
    /// Parse and verify notifications again with the current configuration
    Retry(retry::Args),
    /// Settle undecided notifications by hand, as ignored (dismissed)
    Dismiss(dismiss::Args),
    /// Print the news: what confirmed notifications changed, oldest first
    News(news::Args),
    /// List deliveries of news to actions, newest first
    Deliveries(deliveries::Args),
    /// Deliver news again, or for the first time to an action that was configured later
    Redeliver(redeliver::Args),
    /// Skip deliveries, so that they are not tried again
    Skip(redeliver::SkipArgs),
    /// Send a test event to an action, and print the answer
    SendTest(send_test::Args),
    /// Remove old settled notifications
    Prune(prune::Args),
    /// Write a consistent, checked copy of the store while it is in use
    Backup(backup::Args),
    /// Report what was received and settled, from the store alone
    Report(report::Args),
    /// Ask the shops what happened and compare it with the notifications received
    Reconcile(reconcile::Args),
    /// Check the configuration, the store, the clock and each shop's API, and print the intake URLs
    Doctor(doctor::Args),
    /// Print the ledger's schema, or take over one of its nodes
    Ledger(ledger::Args),
    /// Show the settings in force and where each comes from, or what is wrong with them
    Config(config::Args),
    /// Write a commented configuration
    Init(init::Args),
    /// Serve simulated shops (Ecwid, Kinguin, Midas) on loopback, to try everything without an account
    Simulate(simulate::Args),
    /// Demonstrate countersign on simulated shops, without an account or configuration
    Demo(demo::Args),
    /// Print a shell completion script
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
}

/// Runs the command line `arguments` (the first is the program's name). Errors have been printed to standard error,
/// one line each, when it returns. A closed standard output is not an error.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version come this way too. If their output is closed, there is nowhere to report it.
            drop(usage.print());
            return if usage.use_stderr() { Exit::Usage } else { Exit::Fine };
        }
    };
    dispatch(cli).unwrap_or_else(|error| error.report())
}

fn dispatch(cli: Cli) -> Result<Exit, CommandError> {
    let config = match cli.command {
        Command::Init(_) => config_path::of_init(cli.config),
        _ => config_path::of_a_command(cli.config),
    };
    let config = config.as_path();
    match cli.command {
        Command::Serve(args) => serve::run(args, config),
        Command::Verify(args) => block_on_pool(verify::run(args, config)),
        Command::Status(args) => block_on_here(status::run(args, config)),
        Command::List(args) => block_on_here(list::run(args, config)),
        Command::Show(args) => block_on_here(show::run(args, config)),
        Command::Retry(args) => block_on_here(retry::run(args, config)),
        Command::Dismiss(args) => block_on_here(dismiss::run(args, config)),
        Command::News(args) => block_on_here(news::run(args, config)),
        Command::Deliveries(args) => block_on_here(deliveries::run(args, config)),
        Command::Redeliver(args) => block_on_here(redeliver::run(args, config)),
        Command::Skip(args) => block_on_here(redeliver::skip(args, config)),
        Command::SendTest(args) => block_on_here(send_test::run(args, config)),
        Command::Prune(args) => block_on_here(prune::run(args, config)),
        Command::Backup(args) => block_on_here(backup::run(args, config)),
        Command::Report(args) => block_on_here(report::run(args, config)),
        Command::Reconcile(args) => block_on_pool(reconcile::run(args, config)),
        Command::Doctor(args) => block_on_here(doctor::run(args, config)),
        Command::Ledger(args) => block_on_here(ledger::run(args, config)),
        Command::Config(args) => config::run(&args, config),
        Command::Init(args) => init::run(args, config),
        Command::Simulate(args) => block_on_here(simulate::run(args)),
        Command::Demo(args) => block_on_pool(demo::run(args)),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Runs a short command on this thread. It logs errors only, for failures that it cannot return.
fn block_on_here(work: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime: out of threads or file descriptors")?;
    runtime.block_on(work)
}

fn settings(config: &Path) -> Result<Settings, CommandError> {
    Ok(Settings::load(config, |name| std::env::var(name).ok())?)
}

/// Runs a service, or many verifications, on all cores.
fn block_on_pool(work: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime: out of threads or file descriptors")?;
    runtime.block_on(work)
}
