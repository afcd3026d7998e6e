//! `countersign serve`: receive and verify until told to stop; reload the configuration on SIGHUP.

use std::path::Path;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{CommandError, Exit, block_on_pool, logging, settings, usage_error};
use crate::config::Settings;
use crate::domain::format::pluralize;
use crate::service::{Inherited, NamesTaken, Service, ServiceOptions, WrongSockets, supervisor};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
On SIGTERM or SIGINT it finishes the requests and API calls in flight, releases the leases of the rest and exits with 0, \
all within server.drain. Ctrl-C meanwhile ends it at once with 1. Neither loses an acknowledged notification.
On SIGHUP it reads the configuration again without dropping a request; if the file has mistakes, the old settings stay \
in force.

Example: countersign --config /etc/countersign/countersign.toml serve")]
pub(super) struct Args {
    /// Receive and store only; do not call the shops
    #[arg(long)]
    no_worker: bool,
}

/// The signals to handle, from before anything starts: an unhandled SIGHUP would end the process.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

/// Why the main loop wakes.
enum Event {
    Stop,
    Reload,
    Broken(&'static str),
}

pub(super) fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Info);
    // This must happen before there is a second thread.
    let sockets = Inherited::take(|name| std::env::var(name).ok())
        .map_err(|wrong| usage_error::<WrongSockets>(wrong.into()))?;
    block_on_pool(serve(args, config, sockets))
}

async fn serve(args: Args, config: &Path, sockets: Inherited) -> Result<Exit, CommandError> {
    let mut signals = Signals::listen()?;
    // Unhandled, SIGXFSZ would end the process. Handled, a file at its size limit only fails the write.
    let _unheard = listen_to(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
    let settings = settings(config)?;
    supervisor::status("opening the store and the listeners");
    let watchdog = supervisor::watchdog();
    let options =
        ServiceOptions { no_worker: args.no_worker, sockets, watchdog, ..ServiceOptions::default() };
    let mut service = Service::start(&settings, options).await.map_err(usage_error::<NamesTaken>)?;
    log::info!("listening intake=http://{} admin=http://{}", service.intake_addr, service.admin_addr);
    supervisor::ready(&works(settings.sources.len()));
    let broken = loop {
        let event = tokio::select! {
            event = signals.next() => event,
            name = service.broken() => Event::Broken(name),
        };
        match event {
            Event::Stop => break None,
            Event::Broken(name) => break Some(name),
            Event::Reload => {
                supervisor::reloading();
                tokio::select! {
                    status = reload(&mut service, config) => supervisor::ready(&status),
                    () = signals.stop() => break None,
                }
            }
        }
    };
    supervisor::stopping();
    let is_cut_short = tokio::select! {
        () = service.stop() => false,
        // A service manager may repeat SIGTERM without being in a hurry, so only SIGINT ends the drain.
        _ = signals.int.recv() => true,
    };
    if is_cut_short {
        return Err(anyhow::anyhow!(
            "interrupted while draining; the next serve repeats the calls that were in flight"
        )
        .into());
    }
    match broken {
        None => {
            log::info!("stopped");
            Ok(Exit::Fine)
        }
        Some(name) => Err(anyhow::anyhow!("the {name} ended unexpectedly; see the log and restart").into()),
    }
}

/// Reloads the configuration, or keeps the old one and logs each mistake. Returns the status text for the service
/// manager.
async fn reload(service: &mut Service, config: &Path) -> String {
    log::info!("reloading the configuration file={}", config.display());
    let path = config.to_path_buf();
    let read = tokio::task::spawn_blocking(move || Settings::load(&path, |name| std::env::var(name).ok()));
    let mistakes = match read.await {
        Ok(Ok(settings)) => {
            let count = settings.sources.len();
            match service.reload(settings).await {
                Ok(()) => {
                    log::info!("reloaded the configuration");
                    return works(count);
                }
                Err(error) => format!("{error:#}"),
            }
        }
        Ok(Err(mistakes)) => mistakes.to_string(),
        Err(error) => error.to_string(),
    };
    for line in mistakes.lines() {
        log::error!("not reloaded: {line}");
    }
    log::error!("not reloaded: the old configuration stays in force");
    "running with the old configuration: the new one has mistakes, see the log".to_owned()
}

fn listen_to(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot handle signals")
}

fn works(sources: usize) -> String {
    format!("receiving and verifying for {}", pluralize(sources, "source"))
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            term: listen_to(SignalKind::terminate())?,
            int: listen_to(SignalKind::interrupt())?,
            hup: listen_to(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Event {
        tokio::select! {
            _ = self.term.recv() => Event::Stop,
            _ = self.int.recv() => Event::Stop,
            _ = self.hup.recv() => Event::Reload,
        }
    }

    /// Waits for a stop. Reloads requested meanwhile stay queued.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
