//! Builds a running service from its settings: the store, the listeners, the worker. `serve`, the demo and the
//! end-to-end tests start the same one.
//!
//! | file | its one job |
//! |---|---|
//! | [`wiring`] | builds each room from the settings |
//! | [`tasks`] | starts the tasks, and rings each when it is to end |
//! | [`sources`] | checks the configured sources against the store, and cleans up after a process that died |
//! | [`startup`] | prepares the sources at start, if necessary after the store is unlocked |
//! | [`listeners`], [`limits`] | the sockets, their servers, and their connection limits |
//! | [`socket_activation`] | the listening sockets from the service manager |
//! | [`drain`] | tracks connections, so that a stop cuts no request off |
//! | [`actions`] | wakes resting actions at a start or reload |
//! | [`alerts`], [`heartbeat`] | reports problems to the owner; calls a monitor while all is well |
//! | [`ledger`] | runs the task that ships to the ledger |
//! | [`worker`] | runs one worker at a time; a reload replaces it |
//! | [`reload`] | puts new settings in force |
//! | [`supervisor`], [`watchdog`] | messages to the service manager |
//! | [`disk`], [`retention`] | free disk space, and the retention rules of `[store]` |

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::admin::Reach;
use crate::config::Settings;
use crate::domain::{Clock, LastTurn};
use crate::store::{self, ServeLock, StateChange, Store};

mod actions;
mod alerts;
mod disk;
mod drain;
mod heartbeat;
mod ledger;
mod limits;
mod listeners;
mod reload;
mod retention;
mod socket_activation;
mod sources;
mod startup;
pub mod supervisor;
mod tasks;
#[cfg(test)]
mod tests;
mod watchdog;
mod wiring;
mod worker;

pub use ledger::ledger_settings;
use listeners::{Listeners, NamedTask, Servers};
use reload::Live;
pub use socket_activation::{Inherited, WrongSockets};
pub use sources::{NamesTaken, introduce, join_verify};
use startup::Startup;
use tasks::{Stops, Tasks};
use wiring::Common;
pub use wiring::{deliverer_parts, subscriptions, worker_parts};
use worker::WorkerSupervisor;

/// The share of `server.drain` for requests and calls in flight; the rest is for writing their results.
const SHARE_IN_FLIGHT: f64 = 0.7;

/// The share of `server.drain` after which the stop waits for nothing more.
const SHARE_BEFORE_CUT: f64 = 0.85;

/// Options of `serve` besides its settings.
#[derive(Debug, Default)]
pub struct ServiceOptions {
    /// Store and acknowledge only; make no calls.
    pub no_worker: bool,
    /// Called for every notification that changes its state.
    pub moves: Option<mpsc::UnboundedSender<StateChange>>,
    /// Listening sockets passed to this process.
    pub sockets: Inherited,
    /// The service manager's watchdog interval, if it has one.
    pub watchdog: Option<Duration>,
}

pub struct Service {
    /// The address of the intake listener.
    pub intake_addr: SocketAddr,
    /// The address of the admin listener.
    pub admin_addr: SocketAddr,
    /// Whether the configuration chose the addresses: intake, admin.
    chose_addresses: (bool, bool),
    in_force: Settings,
    common: Common,
    live: Live,
    /// Replaces the worker at a reload; `None` with `--no-worker`.
    worker: Option<WorkerSupervisor>,
    servers: Servers,
    stops: Stops,
    /// Tasks that a stop waits for.
    tasks: Vec<NamedTask>,
    /// Tasks that a stop only aborts.
    watches: Vec<NamedTask>,
    _lock: Arc<Mutex<ServeLock>>,
}

impl Service {
    /// Starts everything. Intake works as soon as this returns. While another program holds the store's lock, intake
    /// answers 503, and the first writes and the worker wait until it is free.
    ///
    /// # Errors
    /// Another `serve` holds the store, an address is in use, the store cannot be opened, or names of sources are taken
    /// ([`NamesTaken`]).
    pub async fn start(settings: &Settings, options: ServiceOptions) -> anyhow::Result<Self> {
        // Only a worker schedules, and reschedules after a clock step.
        let clock = if options.no_worker { Clock::system() } else { Clock::followed() };
        let path = &settings.store.path;
        limits::forbid_cores();
        let listeners = Listeners::open(&settings.server, options.sockets)?;
        store::create(path)?;
        let lock = ServeLock::take(path, clock.now())?;
        store::bring_up_to_date(path, &lock, settings.store.min_free, clock.now())?;
        let store = Store::open_to_serve(path)?;
        sources::refuse_taken_names(&store, settings).await?;
        let last_write_at = store.reader().last_write_at().await?;
        let startup = Startup::new(store.clone(), settings.clone(), clock.clone());
        startup.or_locked(&store).await?;
        let common = Common::new(settings, store, clock)?;
        let last_turn = (!options.no_worker).then(|| LastTurn::new(&common.clock));
        let ((intake_addr, admin_addr), chose_addresses) =
            (listeners.addresses()?, listeners.are_configured());
        let reach = if admin_addr.ip().is_loopback() { Reach::Loopback } else { Reach::Beyond };
        let live = Live::new(settings, &common, last_turn.clone(), reach);
        let lock = Arc::new(Mutex::new(lock));
        let mut starting = Tasks::new(settings, &common, &live, startup)?;
        let mut worker = None;
        if let Some(last_turn) = &last_turn {
            worker = Some(starting.start_worker(options.moves, last_turn)?);
            starting.start_deliverer(last_turn, intake_addr);
        }
        starting.start_alerts();
        starting.start_shipper_and_retention(last_write_at);
        let (servers, serving) = listeners.serve(Arc::clone(&live.intake), Arc::clone(&live.admin))?;
        starting.tasks.extend(serving);
        starting.start_watches(path.clone(), Arc::clone(&lock), options.watchdog, last_turn);
        let Tasks { stops, tasks, watches, .. } = starting;
        Ok(Self {
            intake_addr,
            admin_addr,
            chose_addresses,
            in_force: settings.clone(),
            common,
            live,
            worker,
            servers,
            stops,
            tasks,
            watches,
            _lock: lock,
        })
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.common.store
    }

    /// Waits until a task or the store's writer ends unexpectedly, and returns its name.
    pub async fn broken(&mut self) -> &'static str {
        let ends = self.tasks.iter_mut().chain(&mut self.watches).map(|(name, task)| {
            let name: &'static str = name;
            Box::pin(async move {
                if let Err(error) = task.await {
                    log::error!("the {name} failed: {error}");
                }
                name
            })
        });
        tokio::select! {
            (name, ..) = futures_util::future::select_all(ends) => name,
            () = self.common.store.writer_ended() => "writer of the store",
        }
    }

    /// Stops: answers the requests in flight, lets calls in flight end, releases the other leases, and writes
    /// everything that is queued. Takes at most `server.drain`.
    pub async fn stop(self) {
        let Self { in_force, common, live, worker, servers, mut tasks, watches, .. } = self;
        servers.tell_to_close();
        log::info!("stopping: finishing requests and calls in flight");
        self.stops.ring();
        common.stopping.send_replace(true);
        let drain = in_force.server.drain;
        let stopping = async {
            servers.stop(drain_in_flight(&in_force)).await;
            for (_, task) in &mut tasks {
                if !task.is_finished() {
                    drop(task.await);
                }
            }
        };
        if tokio::time::timeout(drain.mul_f64(SHARE_BEFORE_CUT), stopping).await.is_err() {
            log::warn!("server.drain is over; some requests are cut off");
        }
        for (_, task) in tasks.into_iter().chain(watches) {
            task.abort();
            if !task.is_finished() {
                drop(task.await);
            }
        }
        // The store closes when its last handle is dropped.
        drop((live, worker));
        let Common { store, .. } = common;
        store.close();
    }
}

/// How long a stop, or the end of a worker, waits for work in flight.
fn drain_in_flight(settings: &Settings) -> Duration {
    settings.server.drain.mul_f64(SHARE_IN_FLIGHT)
}
