//! Builds a running service from its settings: the store, the listeners, the worker. `serve`, the demo and the
//! end-to-end tests start the same one.
//!
//! | file | its one job |
//! |---|---|
//! | [`wiring`] | builds each room from the settings |
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
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use crate::actions::http::Clients;
use crate::admin::page::ViewPermits;
use crate::admin::{self, Reach};
use crate::config::Settings;
use crate::deliverer::Deliverer;
use crate::domain::Clock;
use crate::metrics::Metrics;
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
use wiring::Common;
pub use wiring::{deliverer_parts, subscriptions, worker_parts};
use worker::WorkerSupervisor;

/// The share of `server.drain` for requests and calls under way; the rest is for writing their results.
const FOR_WHAT_IS_UNDER_WAY: f64 = 0.7;

/// The share of `server.drain` after which the stop waits for nothing more.
const FOR_EVERYTHING: f64 = 0.85;

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
    /// `None` with `--no-worker`.
    worker: Option<WorkerSupervisor>,
    servers: Servers,
    stop: Arc<Notify>,
    stop_keeping: Arc<Notify>,
    stop_delivering: Arc<Notify>,
    stop_shipping: Arc<Notify>,
    tasks: Vec<NamedTask>,
    /// Tasks that need no orderly stop.
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
        let last_sign = store.reader().last_write_at().await?;
        let beginning = Startup::new(store.clone(), settings.clone(), clock.clone());
        beginning.or_locked(&store).await?;
        let metrics = Metrics::new()?;
        for source in &settings.sources {
            metrics.introduce(&source.name);
        }
        for action in &settings.actions {
            metrics.introduce_action(&action.name);
        }
        let has_room = Arc::new(AtomicBool::new(disk::has_room(path, settings.store.min_free)));
        let wake = store.stored();
        let common = Common {
            store: store.clone(),
            clock: clock.clone(),
            metrics,
            wake,
            has_room,
            overfull: Arc::default(),
            stopping: watch::Sender::new(false),
            turns: ViewPermits::default(),
        };
        let heart = (!options.no_worker).then(|| Arc::new(AtomicI64::new(clock.now().millis())));
        let ((intake_addr, admin_addr), chose_addresses) =
            (listeners.addresses()?, listeners.are_configured());
        let reach = if admin_addr.ip().is_loopback() { Reach::Loopback } else { Reach::Beyond };
        let live = Live::new(settings, &common, heart.clone(), reach);
        let stop = Arc::new(Notify::new());
        let mut tasks = Vec::new();
        let mut worker = None;
        let stop_delivering = Arc::new(Notify::new());
        let findings = watch::Sender::new(None);
        // Shared, because each reads the system's certificates.
        let clients = Clients::new()?;
        let mut watches: Vec<NamedTask> = Vec::new();
        if let Some(heart) = &heart {
            let (heart, heart_of_worker, stop) = (Arc::clone(heart), Arc::clone(heart), Arc::clone(&stop));
            let (opened, work) =
                WorkerSupervisor::open(settings, &common, options.moves, heart, Arc::clone(&stop))?;
            worker = Some(opened);
            tasks.push(("worker", tokio::spawn(beginning.clone().then(stop, work))));
            let in_force = live.actions.subscribe();
            let parts = deliverer_parts(&store, &clock, &common.metrics, "serve", clients.clone(), in_force);
            let deliverer = Deliverer::new(parts);
            let heartbeat = heartbeat::HeartbeatParts {
                store: store.clone(),
                clock: clock.clone(),
                clients: clients.clone(),
                findings: findings.subscribe(),
                in_force: live.alerts.subscribe(),
                intake: intake_addr,
                turns: [("worker", heart_of_worker), ("deliverer", deliverer.last_turn())],
            };
            watches.push(("heartbeat", tokio::spawn(heartbeat::run(heartbeat))));
            let deliverer = deliverer.run(Arc::clone(&stop_delivering));
            tasks.push((
                "deliverer",
                tokio::spawn(beginning.clone().then(Arc::clone(&stop_delivering), deliverer)),
            ));
        }
        let alerting = alerts::AlertParts {
            store: store.clone(),
            clock: clock.clone(),
            clients,
            findings: findings.subscribe(),
            in_force: live.alerts.subscribe(),
            stopping: common.stopping.subscribe(),
        };
        tasks.push(("alerts", tokio::spawn(alerts::run(alerting))));
        let (emptied, stop_shipping) = (watch::Sender::new(None), Arc::new(Notify::new()));
        let in_force = live.ledger.subscribe();
        let shipping = ledger::run(common.clone(), in_force, emptied.subscribe(), Arc::clone(&stop_shipping));
        let shipping = beginning.clone().then(Arc::clone(&stop_shipping), shipping);
        tasks.push(("shipper to the ledger", tokio::spawn(shipping)));
        let stop_keeping = Arc::new(Notify::new());
        let rules = live.keep.subscribe();
        let (overfull, stopped) = (Arc::clone(&common.overfull), Arc::clone(&stop_keeping));
        let keeping = retention::run(store.clone(), rules, clock, last_sign, overfull, emptied, stopped);
        let keeping = beginning.then(Arc::clone(&stop_keeping), keeping);
        tasks.push(("keeping of the store's rules", tokio::spawn(keeping)));
        let (servers, serving) = listeners.serve(Arc::clone(&live.intake), Arc::clone(&live.admin))?;
        tasks.extend(serving);
        let (min_free, has_room) = (Arc::clone(&live.min_free), Arc::clone(&common.has_room));
        let lock = Arc::new(Mutex::new(lock));
        let health = admin::monitor(Arc::clone(&live.admin), Arc::clone(&lock), findings);
        watches.push(("watch over the disk", tokio::spawn(disk::watch(path.clone(), min_free, has_room))));
        watches.push(("watch over health", tokio::spawn(health)));
        watches.extend(options.watchdog.map(|limit| {
            let watchdog = watchdog::run(limit, store.clone(), heart, supervisor::alive);
            ("watchdog", tokio::spawn(watchdog))
        }));
        Ok(Self {
            intake_addr,
            admin_addr,
            chose_addresses,
            in_force: settings.clone(),
            common,
            live,
            worker,
            servers,
            stop,
            stop_keeping,
            stop_delivering,
            stop_shipping,
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

    /// Stops: answers the requests under way, lets calls under way end, releases the other leases, and writes
    /// everything that is queued. Takes at most `server.drain`.
    pub async fn stop(self) {
        let Self { in_force, common, live, worker, servers, mut tasks, watches, .. } = self;
        servers.tell_to_close();
        log::info!("stopping: finishing requests and calls under way");
        self.stop.notify_one();
        self.stop_keeping.notify_one();
        self.stop_delivering.notify_one();
        self.stop_shipping.notify_one();
        common.stopping.send_replace(true);
        let drain = in_force.server.drain;
        let stopping = async {
            servers.stop(under_way(&in_force)).await;
            for (_, task) in &mut tasks {
                if !task.is_finished() {
                    drop(task.await);
                }
            }
        };
        if tokio::time::timeout(drain.mul_f64(FOR_EVERYTHING), stopping).await.is_err() {
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

/// How long a stop, or the end of a worker, waits for work under way.
fn under_way(settings: &Settings) -> Duration {
    settings.server.drain.mul_f64(FOR_WHAT_IS_UNDER_WAY)
}
