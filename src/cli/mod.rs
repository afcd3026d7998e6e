//! The command line: every command with its options, one file a command. A command reads its arguments, calls the
//! rooms that do the work, prints, and says how it ended ([`Exit`]); only this room prints.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::Settings;

mod backup;
mod chosen;
mod completions;
mod config;
mod deliveries;
mod demo;
mod dismiss;
mod doctor;
mod exit;
mod init;
mod list;
pub mod logging;
mod man;
mod news;
mod output;
mod place;
mod prune;
mod reconcile;
mod redeliver;
mod report;
mod retry;
mod screen;
mod send_test;
mod serve;
mod show;
mod simulate;
mod status;
mod verify;
mod window;
mod words;

pub use exit::{CommandError, Exit};

use exit::misused;

/// Receives shop notifications, keeps each one as it came, and believes none of them until the shop's own API
/// countersigns it.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 ran fine and found \
                        differences.\nTo begin: countersign init")]
struct Cli {
    /// The configuration; without it countersign.toml in this folder, else /etc/countersign/countersign.toml.
    #[arg(long, global = true, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receives and verifies notifications until SIGTERM or SIGINT.
    Serve(serve::Args),
    /// Settles everything that is due now, in the foreground.
    Verify(verify::Args),
    /// Says in words whether all is well, and what to do where it is not.
    Status(status::Args),
    /// Lists notifications, newest first.
    List(list::Args),
    /// Shows one notification: request, claim, verdict, and every question to the shop.
    Show(show::Args),
    /// Starts notifications afresh: parses and judges them again under the present configuration.
    Retry(retry::Args),
    /// Settles undecided notifications by a person's decision: ignored, dismissed.
    Dismiss(dismiss::Args),
    /// Prints the news: what confirmed notifications changed, oldest first.
    News(news::Args),
    /// Lists deliveries of news to actions, newest first.
    Deliveries(deliveries::Args),
    /// Delivers news again, or for the first time to an action that was configured later.
    Redeliver(redeliver::Args),
    /// Decides against deliveries: they are not tried any more.
    Skip(redeliver::SkipArgs),
    /// Sends a test event to an action, and prints what came back.
    SendTest(send_test::Args),
    /// Removes settled notifications that are old enough.
    Prune(prune::Args),
    /// Writes a consistent, checked copy of the store while it is in use.
    Backup(backup::Args),
    /// Reports what was received and settled, from the store alone.
    Report(report::Args),
    /// Asks the shops what happened and compares it with what they told us.
    Reconcile(reconcile::Args),
    /// Checks the configuration, the store, the clock and each shop's API; prints the intake URLs.
    Doctor(doctor::Args),
    /// Shows which settings are in force and where they came from, or what is wrong with them.
    Config(config::Args),
    /// Writes a commented configuration.
    Init(init::Args),
    /// Serves simulated shops (Ecwid, Kinguin, Midas) on loopback, to try everything without an account.
    Simulate(simulate::Args),
    /// Shows the whole thing on simulated shops: needs no account, no configuration, nothing installed.
    Demo(demo::Args),
    /// Prints what a shell needs to complete commands and options.
    Completions(completions::Args),
    /// Writes the manual's pages.
    Man(man::Args),
}

/// Runs the command line `arguments`, the program's name first, and says how it ended. Errors are on standard error by
/// then, a line each; whoever closed our standard output has read enough, which is no error.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version come this way too; if nobody reads them any more there is nobody to tell.
            drop(usage.print());
            return if usage.use_stderr() { Exit::Misused } else { Exit::Fine };
        }
    };
    dispatch(cli).unwrap_or_else(|error| error.report())
}

fn dispatch(cli: Cli) -> Result<Exit, CommandError> {
    let config = match cli.command {
        Command::Init(_) => place::of_init(cli.config),
        _ => place::of_a_command(cli.config),
    };
    let config = config.as_path();
    match cli.command {
        Command::Serve(args) => serve::run(args, config),
        Command::Verify(args) => served(verify::run(args, config)),
        Command::Status(args) => waited_for(status::run(args, config)),
        Command::List(args) => waited_for(list::run(args, config)),
        Command::Show(args) => waited_for(show::run(args, config)),
        Command::Retry(args) => waited_for(retry::run(args, config)),
        Command::Dismiss(args) => waited_for(dismiss::run(args, config)),
        Command::News(args) => waited_for(news::run(args, config)),
        Command::Deliveries(args) => waited_for(deliveries::run(args, config)),
        Command::Redeliver(args) => waited_for(redeliver::run(args, config)),
        Command::Skip(args) => waited_for(redeliver::skip(args, config)),
        Command::SendTest(args) => waited_for(send_test::run(args, config)),
        Command::Prune(args) => waited_for(prune::run(args, config)),
        Command::Backup(args) => waited_for(backup::run(args, config)),
        Command::Report(args) => waited_for(report::run(args, config)),
        Command::Reconcile(args) => served(reconcile::run(args, config)),
        Command::Doctor(args) => waited_for(doctor::run(args, config)),
        Command::Config(args) => config::run(&args, config),
        Command::Init(args) => init::run(args, config),
        Command::Simulate(args) => waited_for(simulate::run(args)),
        Command::Demo(args) => served(demo::run(args)),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// Runs a short command on this thread; what it logs are only the troubles that it cannot tell otherwise.
fn waited_for(work: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start; the system gives no more threads or files")?;
    runtime.block_on(work)
}

/// The settings in force.
fn settings(config: &Path) -> Result<Settings, CommandError> {
    Ok(Settings::load(config, |name| std::env::var(name).ok())?)
}

/// Runs a service, or work on many questions, on all cores.
fn served(work: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start; the system gives no more threads or files")?;
    runtime.block_on(work)
}
