//! Builds one running service from its settings: the store, the listeners, the worker. `serve`, the demo and every test
//! through the front door start the same one.
//!
//! | file | its one job |
//! |---|---|
//! | [`assembly`] | what each room is made of, out of the settings |
//! | [`sources`] | the configured sources and the store: names, leftovers, pauses |
//! | [`beginning`] | what is done with these first, if need be after the store is unlocked |
//! | [`listeners`], [`limits`] | where the service listens, the servers behind that, and how many they serve |
//! | [`inherited`] | the sockets that the service manager opened for us |
//! | [`traffic`] | what goes on on the connections, so that a stop cuts nobody off |
//! | [`actions`] | the configured actions and the store |
//! | [`asking`] | one worker at a time, the next with new settings |
//! | [`reload`] | new settings for a running service |
//! | [`supervisor`], [`watchdog`] | what the service manager is told, and when |
//! | [`disk`], [`keeping`] | what is looked after beside: free space, the rules of `[store]` |

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use crate::admin::page::Turns;
use crate::admin::{self, Reach};
use crate::config::Settings;
use crate::deliverer::Deliverer;
use crate::domain::Clock;
use crate::metrics::Metrics;
use crate::store::{self, Moved, ServeLock, Store};

mod actions;
mod asking;
mod assembly;
mod beginning;
mod disk;
mod inherited;
mod keeping;
mod limits;
mod listeners;
mod reload;
mod sources;
pub mod supervisor;
#[cfg(test)]
mod tests;
mod traffic;
mod watchdog;

use asking::Desk;
use assembly::Common;
pub use assembly::{deliverer_parts, subscriptions, worker_parts};
use beginning::Beginning;
pub use inherited::{Inherited, WrongSockets};
use listeners::{Listeners, Servers, Task};
use reload::Live;
pub use sources::{NamesTaken, introduce, join_verify};

/// Of `server.drain`, what is left to the requests and questions under way; the rest is for writing what they brought.
const FOR_WHAT_IS_UNDER_WAY: f64 = 0.7;

/// Of `server.drain`, when nothing more is waited for.
const FOR_EVERYTHING: f64 = 0.85;

/// What `serve` may be told beside its settings.
#[derive(Debug, Default)]
pub struct Options {
    /// Store and acknowledge only; nothing is asked.
    pub no_worker: bool,
    /// Told of every notification that moves.
    pub moves: Option<mpsc::UnboundedSender<Moved>>,
    /// Listening sockets that were passed to this process.
    pub sockets: Inherited,
    /// How long the service manager waits for a sign of life; `None`: it does not.
    pub watchdog: Option<Duration>,
}

/// A running service.
pub struct Service {
    /// Where notifications come in.
    pub intake_addr: SocketAddr,
    /// Where health and metrics are served.
    pub admin_addr: SocketAddr,
    /// Whether the configuration chose them: intake, admin.
    chose_addresses: (bool, bool),
    in_force: Settings,
    common: Common,
    live: Live,
    /// `None` without a worker.
    desk: Option<Desk>,
    servers: Servers,
    stop: Arc<Notify>,
    stop_keeping: Arc<Notify>,
    stop_delivering: Arc<Notify>,
    tasks: Vec<Task>,
    /// These need no stop.
    watches: Vec<Task>,
    _lock: Arc<Mutex<ServeLock>>,
}

impl Service {
    /// Starts everything; notifications are taken as soon as this returns, or answered 503 while another program holds the
    /// store's lock: what has to be written first waits until it is free, and the worker with it.
    ///
    /// # Errors
    /// Another `serve` holds the store, an address is in use, the store cannot be opened, or names of sources are taken
    /// ([`NamesTaken`]).
    pub async fn start(settings: &Settings, options: Options) -> anyhow::Result<Self> {
        // Only a worker plans, and moves its plans along.
        let clock = if options.no_worker { Clock::system() } else { Clock::followed() };
        let path = &settings.store.path;
        limits::forbid_cores();
        let listeners = Listeners::open(&settings.server, options.sockets)?;
        store::create(path)?;
        let lock = ServeLock::take(path, clock.now())?;
        store::bring_up_to_date(path, &lock, settings.store.min_free, clock.now())?;
        let store = Store::open_to_serve(path)?;
        sources::refuse_taken_names(&store, settings).await?;
        let last_sign = store.reader().last_sign().await?;
        let beginning = Beginning::new(store.clone(), settings.clone(), clock.clone());
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
            turns: Turns::default(),
        };
        let heart = (!options.no_worker).then(|| Arc::new(AtomicI64::new(clock.now().millis())));
        let ((intake_addr, admin_addr), chose_addresses) =
            (listeners.addresses()?, listeners.are_configured());
        let reach = if admin_addr.ip().is_loopback() { Reach::Loopback } else { Reach::Beyond };
        let live = Live::new(settings, &common, heart.clone(), reach);
        let stop = Arc::new(Notify::new());
        let mut tasks = Vec::new();
        let mut desk = None;
        let stop_delivering = Arc::new(Notify::new());
        if let Some(heart) = &heart {
            let (heart, stop) = (Arc::clone(heart), Arc::clone(&stop));
            let (opened, work) = Desk::open(settings, &common, options.moves, heart, Arc::clone(&stop))?;
            desk = Some(opened);
            tasks.push(("worker", tokio::spawn(beginning.clone().then(stop, work))));
            let in_force = live.actions.subscribe();
            let parts = deliverer_parts(&common.store, &common.clock, &common.metrics, "serve", in_force)?;
            let deliverer = Deliverer::new(parts).run(Arc::clone(&stop_delivering));
            tasks.push((
                "deliverer",
                tokio::spawn(beginning.clone().then(Arc::clone(&stop_delivering), deliverer)),
            ));
        }
        let stop_keeping = Arc::new(Notify::new());
        let rules = live.keep.subscribe();
        let (overfull, stopped) = (Arc::clone(&common.overfull), Arc::clone(&stop_keeping));
        let keeping = keeping::run(store.clone(), rules, clock, last_sign, overfull, stopped);
        let keeping = beginning.then(Arc::clone(&stop_keeping), keeping);
        tasks.push(("keeping of the store's rules", tokio::spawn(keeping)));
        let (servers, serving) = listeners.serve(Arc::clone(&live.intake), Arc::clone(&live.admin))?;
        tasks.extend(serving);
        let (min_free, has_room) = (Arc::clone(&live.min_free), Arc::clone(&common.has_room));
        let lock = Arc::new(Mutex::new(lock));
        let mut watches = vec![
            ("watch over the disk", tokio::spawn(disk::watch(path.clone(), min_free, has_room))),
            ("watch over health", tokio::spawn(admin::watch(Arc::clone(&live.admin), Arc::clone(&lock)))),
        ];
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
            desk,
            servers,
            stop,
            stop_keeping,
            stop_delivering,
            tasks,
            watches,
            _lock: lock,
        })
    }

    /// The store that it writes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.common.store
    }

    /// Waits until one of its tasks, or the store's writer, ends by itself, which none should; names it.
    pub async fn broken(&mut self) -> &'static str {
        let ends = self.tasks.iter_mut().chain(&mut self.watches).map(|(name, task)| {
            let name: &'static str = name;
            Box::pin(async move {
                if let Err(error) = task.await {
                    log::error!("the {name} ended: {error}");
                }
                name
            })
        });
        tokio::select! {
            (name, ..) = futures_util::future::select_all(ends) => name,
            () = self.common.store.writer_ended() => "writer of the store",
        }
    }

    /// Stops: answers the requests under way, lets the questions under way end, gives back the rest, writes everything
    /// that is queued. Takes no longer than `server.drain`.
    pub async fn stop(self) {
        let Self { in_force, common, live, desk, servers, mut tasks, watches, .. } = self;
        servers.tell_to_close();
        log::info!("stopping: what is under way is finished");
        self.stop.notify_one();
        self.stop_keeping.notify_one();
        self.stop_delivering.notify_one();
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
            log::warn!("some requests are cut off: server.drain is over");
        }
        for (_, task) in tasks.into_iter().chain(watches) {
            task.abort();
            if !task.is_finished() {
                drop(task.await);
            }
        }
        // The store is closed when nobody holds it any more.
        drop((live, desk));
        let Common { store, .. } = common;
        store.close();
    }
}

/// How long a stop, or the end of a worker, waits for what is under way.
fn under_way(settings: &Settings) -> Duration {
    settings.server.drain.mul_f64(FOR_WHAT_IS_UNDER_WAY)
}
