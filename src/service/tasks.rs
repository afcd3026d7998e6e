//! Starts the tasks of a service, and rings each when it is to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use super::listeners::NamedTask;
use super::reload::Live;
use super::retention::RetentionParts;
use super::startup::Startup;
use super::wiring::{Common, deliverer_parts};
use super::worker::WorkerSupervisor;
use super::{alerts, disk, heartbeat, ledger, retention, supervisor, watchdog};
use crate::actions::http::Clients;
use crate::admin::{self, HealthFindings};
use crate::config::Settings;
use crate::deliverer::Deliverer;
use crate::domain::{LastTurn, Timestamp};
use crate::store::{ServeLock, StateChange};

/// Rung to end the tasks that clean up after themselves.
#[derive(Default)]
pub(super) struct Stops {
    worker: Arc<Notify>,
    deliverer: Arc<Notify>,
    shipper: Arc<Notify>,
    retention: Arc<Notify>,
}

impl Stops {
    pub(super) fn ring(&self) {
        for stop in [&self.worker, &self.retention, &self.deliverer, &self.shipper] {
            stop.notify_one();
        }
    }
}

/// The tasks of one service, while they are started.
pub(super) struct Tasks<'a> {
    settings: &'a Settings,
    common: &'a Common,
    live: &'a Live,
    startup: Startup,
    /// Shared, because each pair reads the system's certificates.
    clients: Clients,
    /// The results of the health checks.
    findings: watch::Sender<Option<HealthFindings>>,
    pub(super) stops: Stops,
    /// Tasks that a stop waits for.
    pub(super) tasks: Vec<NamedTask>,
    /// Tasks that a stop only aborts.
    pub(super) watches: Vec<NamedTask>,
}

impl<'a> Tasks<'a> {
    /// Nothing started yet.
    ///
    /// # Errors
    /// The HTTP clients cannot be set up.
    pub(super) fn new(
        settings: &'a Settings,
        common: &'a Common,
        live: &'a Live,
        startup: Startup,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            settings,
            common,
            live,
            startup,
            clients: Clients::new()?,
            findings: watch::Sender::new(None),
            stops: Stops::default(),
            tasks: Vec::new(),
            watches: Vec::new(),
        })
    }

    /// Starts a task that works after the first writes, unless `stop` is rung before.
    fn start(
        &mut self,
        name: &'static str,
        stop: Arc<Notify>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tasks.push((name, tokio::spawn(self.startup.clone().then(stop, work))));
    }

    /// Starts the worker, which records its turns in `last_turn`.
    ///
    /// # Errors
    /// The HTTP client cannot be set up.
    pub(super) fn start_worker(
        &mut self,
        moves: Option<mpsc::UnboundedSender<StateChange>>,
        last_turn: &LastTurn,
    ) -> anyhow::Result<WorkerSupervisor> {
        let stop = Arc::clone(&self.stops.worker);
        let (last_turn, stop_worker) = (last_turn.clone(), Arc::clone(&stop));
        let (supervisor, work) =
            WorkerSupervisor::open(self.settings, self.common, moves, last_turn, stop_worker)?;
        self.start("worker", stop, work);
        Ok(supervisor)
    }

    /// Starts the deliverer, and the heartbeat to the owner's monitor, which depends on the progress of both.
    pub(super) fn start_deliverer(&mut self, last_turn: &LastTurn, intake: SocketAddr) {
        let Common { store, clock, metrics, .. } = self.common;
        let (clients, in_force) = (self.clients.clone(), self.live.actions.subscribe());
        let deliverer = Deliverer::new(deliverer_parts(store, clock, metrics, "serve", clients, in_force));
        let heartbeat = heartbeat::HeartbeatParts {
            store: store.clone(),
            clock: clock.clone(),
            clients: self.clients.clone(),
            findings: self.findings.subscribe(),
            in_force: self.live.alerts.subscribe(),
            intake,
            turns: [("worker", last_turn.clone()), ("deliverer", deliverer.last_turn())],
        };
        self.watches.push(("heartbeat", tokio::spawn(heartbeat::run(heartbeat))));
        let stop = Arc::clone(&self.stops.deliverer);
        self.start("deliverer", Arc::clone(&stop), deliverer.run(stop));
    }

    /// Starts the alerts, which report problems even before the first writes.
    pub(super) fn start_alerts(&mut self) {
        let parts = alerts::AlertParts {
            store: self.common.store.clone(),
            clock: self.common.clock.clone(),
            clients: self.clients.clone(),
            findings: self.findings.subscribe(),
            in_force: self.live.alerts.subscribe(),
            stopping: self.common.stopping.subscribe(),
        };
        self.tasks.push(("alerts", tokio::spawn(alerts::run(parts))));
    }

    /// Starts the retention rules, and the shipper to the ledger, which empties what they have emptied. `last_write_at`
    /// is the last time in the store at the start.
    pub(super) fn start_shipper_and_retention(&mut self, last_write_at: Option<Timestamp>) {
        let emptied = watch::Sender::new(None);
        let stop = Arc::clone(&self.stops.shipper);
        let in_force = self.live.ledger.subscribe();
        let shipper = ledger::run(self.common.clone(), in_force, emptied.subscribe(), Arc::clone(&stop));
        self.start("ledger shipper", stop, shipper);
        let parts = RetentionParts {
            store: self.common.store.clone(),
            clock: self.common.clock.clone(),
            rules: self.live.retention.subscribe(),
            last_write_at,
            overfull: Arc::clone(&self.common.overfull),
            emptied,
        };
        let stop = Arc::clone(&self.stops.retention);
        self.start("retention", Arc::clone(&stop), retention::run(parts, stop));
    }

    /// Starts the checks of disk and health, and the pings of the service manager's `watchdog`, if it has one.
    pub(super) fn start_watches(
        &mut self,
        path: PathBuf,
        lock: Arc<Mutex<ServeLock>>,
        watchdog: Option<Duration>,
        last_turn: Option<LastTurn>,
    ) {
        let (min_free, has_room) = (Arc::clone(&self.live.min_free), Arc::clone(&self.common.has_room));
        self.watches.push(("disk watch", tokio::spawn(disk::watch(path, min_free, has_room))));
        let monitor = admin::monitor(Arc::clone(&self.live.admin), lock, self.findings.clone());
        self.watches.push(("health monitor", tokio::spawn(monitor)));
        if let Some(limit) = watchdog {
            let store = self.common.store.clone();
            let watchdog = watchdog::run(limit, store, last_turn, supervisor::alive);
            self.watches.push(("watchdog", tokio::spawn(watchdog)));
        }
    }
}
