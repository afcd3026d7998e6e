//! `serve`: receives and verifies until it is told to stop.

use std::path::Path;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, Exit, logging, misused, settings};
use crate::service::{NameTaken, Options, Service};

/// Options of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stops at SIGTERM or SIGINT: answers the requests under way, waits for the shops' answers under way, gives the rest back \
and ends with 0, all within server.drain. An interrupt (Ctrl-C) meanwhile ends it at once with 1; what was acknowledged \
is not lost by that either.

Example: countersign --config /etc/countersign/countersign.toml serve")]
pub(super) struct Args {
    /// Receives and stores only; nothing is asked.
    #[arg(long)]
    no_worker: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Info);
    // Unheard, this signal would end the process: so a file that may not grow is an error of the write alone.
    let _unheard = listen_to(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let settings = settings(config)?;
    let options = Options { no_worker: args.no_worker, ..Options::default() };
    let mut service = Service::start(&settings, options).await.map_err(misused::<NameTaken>)?;
    let (mut term, mut int) = (listen_to(SignalKind::terminate())?, listen_to(SignalKind::interrupt())?);
    log::info!("listening intake=http://{} admin=http://{}", service.intake_addr, service.admin_addr);
    let broken = tokio::select! {
        _ = term.recv() => None,
        _ = int.recv() => None,
        name = service.broken() => Some(name),
    };
    log::info!("stopping: what is under way is finished");
    let is_cut_short = tokio::select! {
        () = service.stop() => false,
        // Whoever manages services may repeat a TERM without being in a hurry.
        _ = int.recv() => true,
    };
    if is_cut_short {
        return Err(anyhow::anyhow!(
            "ended at once by an interrupt; the next serve asks again what was being asked"
        )
        .into());
    }
    match broken {
        None => {
            log::info!("stopped");
            Ok(Exit::Fine)
        }
        Some(name) => Err(anyhow::anyhow!("the {name} ended by itself; see the log, and start again").into()),
    }
}

fn listen_to(kind: SignalKind) -> anyhow::Result<tokio::signal::unix::Signal> {
    use anyhow::Context as _;
    signal(kind).context("cannot listen to signals")
}
