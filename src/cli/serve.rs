//! `serve`: receives and verifies until it is told to stop; reads its configuration again on SIGHUP.

use std::path::Path;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{CommandError, Exit, logging, misused, served, settings};
use crate::config::Settings;
use crate::service::{Inherited, NamesTaken, Options, Service, WrongSockets, supervisor};

/// Options of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stops at SIGTERM or SIGINT: answers the requests under way, waits for the shops' answers under way, gives the rest back \
and ends with 0, all within server.drain. An interrupt (Ctrl-C) meanwhile ends it at once with 1; what was acknowledged \
is not lost by that either.
Reads the configuration again at SIGHUP, without dropping a request; if it has mistakes the old one stays in force.

Example: countersign --config /etc/countersign/countersign.toml serve")]
pub(super) struct Args {
    /// Receives and stores only; nothing is asked.
    #[arg(long)]
    no_worker: bool,
}

/// The signals that it listens to, from before anything is started: SIGHUP would end a process that does not.
struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

/// Why the service does not go on as it is.
enum Event {
    Stop,
    Reload,
    Broken(&'static str),
}

pub(super) fn run(args: Args, config: &Path) -> Result<Exit, CommandError> {
    logging::start(log::LevelFilter::Info);
    // Before there is a second thread.
    let sockets = Inherited::take(|name| std::env::var(name).ok())
        .map_err(|wrong| misused::<WrongSockets>(wrong.into()))?;
    served(serve(args, config, sockets))
}

async fn serve(args: Args, config: &Path, sockets: Inherited) -> Result<Exit, CommandError> {
    let mut signals = Signals::listen()?;
    // Unheard, this signal would end the process: so a file that may not grow is an error of the write alone.
    let _unheard = listen_to(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
    let settings = settings(config)?;
    supervisor::status("opens the store and the listeners");
    let watchdog = supervisor::watchdog();
    let options = Options { no_worker: args.no_worker, sockets, watchdog, ..Options::default() };
    let mut service = Service::start(&settings, options).await.map_err(misused::<NamesTaken>)?;
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
        // Whoever manages services may repeat a TERM without being in a hurry.
        _ = signals.int.recv() => true,
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

/// Reads the configuration again and puts it in force, or keeps the old one and says in the log why, a line for each
/// mistake. Returns what the service manager shows.
async fn reload(service: &mut Service, config: &Path) -> String {
    log::info!("reading {} again", config.display());
    let path = config.to_path_buf();
    let read = tokio::task::spawn_blocking(move || Settings::load(&path, |name| std::env::var(name).ok()));
    let mistakes = match read.await {
        Ok(Ok(settings)) => {
            let count = settings.sources.len();
            match service.reload(settings).await {
                Ok(()) => {
                    log::info!("reloaded: the configuration is in force");
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
    "works under the old configuration: the new one has mistakes, see the log".to_owned()
}

fn listen_to(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot listen to signals")
}

fn works(sources: usize) -> String {
    format!("takes and verifies notifications of {sources} source{}", if sources == 1 { "" } else { "s" })
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

    /// A stop; reloads that are asked for meanwhile wait.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}
