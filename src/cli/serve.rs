//! `serve`: receives and verifies until it is told to stop.

use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, Exit, logging, misused, settings};
use crate::service::{NameTaken, Options, Service};

/// Options of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign --config /etc/countersign/countersign.toml serve")]
pub(super) struct Args {
    /// Receives and stores only; nothing is asked.
    #[arg(long)]
    no_worker: bool,
}

pub(super) async fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Info);
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
    service.stop().await;
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
