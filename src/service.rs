//! Builds one running service from its settings: the store, the listeners, the worker. `serve`, the demo and every test
//! through the front door start the same one.
//!
//! | file | its one job |
//! |---|---|
//! | [`assembly`] | what each room is made of, out of the settings |
//! | [`sources`] | the configured sources and the store: names, leftovers, pauses |
//! | [`listeners`] | where the service listens, and the servers behind that |
//! | [`disk`], [`keeping`] | what is looked after beside: free space, the rules of `[store]` |

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::config::Settings;
use crate::domain::Clock;
use crate::metrics::Metrics;
use crate::store::{self, Moved, ServeLock, Store};
use crate::worker::Worker;

mod assembly;
mod disk;
mod keeping;
mod listeners;
mod sources;

use assembly::Common;
pub use assembly::worker_parts;
use listeners::Listeners;
pub use sources::{NameTaken, introduce};

/// What `serve` may be told beside its settings.
#[derive(Debug, Default)]
pub struct Options {
    /// Store and acknowledge only; nothing is asked.
    pub no_worker: bool,
    /// Told of every notification that moves.
    pub moves: Option<mpsc::UnboundedSender<Moved>>,
}

/// A running service.
pub struct Service {
    /// Where notifications come in.
    pub intake_addr: SocketAddr,
    /// Where health and metrics are served.
    pub admin_addr: SocketAddr,
    store: Store,
    drain: Duration,
    stop: Arc<Notify>,
    stop_keeping: Arc<Notify>,
    servers: Vec<ServerHandle>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    disk_check: JoinHandle<()>,
    _lock: ServeLock,
}

impl Service {
    /// Starts everything; notifications are taken as soon as this returns.
    ///
    /// # Errors
    /// Another `serve` holds the store, an address is in use, the store cannot be opened, or a source's name is taken
    /// ([`NameTaken`]).
    pub async fn start(settings: &Settings, options: Options) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let path = &settings.store.path;
        let listeners = Listeners::bind(&settings.server)?;
        store::create(path)?;
        let lock = ServeLock::take(path, clock.now())?;
        let store = Store::open(path)?;
        introduce(&store, settings, &clock).await?;
        sources::clear_up(&store, settings, &clock).await?;
        let metrics = Metrics::new()?;
        for source in &settings.sources {
            metrics.introduce(&source.name);
        }
        let common = Common {
            store: store.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            wake: Arc::new(Notify::new()),
            has_room: Arc::new(AtomicBool::new(disk::has_room(path, settings.store.min_free))),
        };
        let stop = Arc::new(Notify::new());
        let mut tasks = Vec::new();
        let last_turn = if options.no_worker {
            None
        } else {
            let wake = Arc::clone(&common.wake);
            let worker =
                Worker::new(worker_parts(settings, &store, &clock, &metrics, "serve", wake, options.moves)?);
            let last_turn = worker.last_turn();
            tasks.push(("worker", tokio::spawn(worker.run(Arc::clone(&stop), settings.server.drain))));
            Some(last_turn)
        };
        let stop_keeping = Arc::new(Notify::new());
        let rules = assembly::keep(settings);
        let keeping = keeping::run(store.clone(), rules, clock.clone(), Arc::clone(&stop_keeping));
        tasks.push(("keeping of the store's rules", tokio::spawn(keeping)));
        let admin = Admin {
            store: store.clone(),
            metrics,
            clock,
            sources: settings.sources.iter().map(|source| source.name.clone()).collect(),
            min_free: settings.store.min_free,
            heartbeat: last_turn,
        };
        let (intake_addr, admin_addr) = listeners.addresses()?;
        let intake = Data::new(assembly::intake(settings, &common));
        let (intake_server, admin_server) =
            listeners.serve(intake, Data::new(admin), settings.server.drain)?;
        let servers = vec![intake_server.handle(), admin_server.handle()];
        tasks.push(("intake listener", served("intake listener", intake_server)));
        tasks.push(("admin listener", served("admin listener", admin_server)));
        let disk_check = tokio::spawn(disk::watch(path.clone(), settings.store.min_free, common.has_room));
        Ok(Self {
            intake_addr,
            admin_addr,
            store,
            drain: settings.server.drain,
            stop,
            stop_keeping,
            servers,
            tasks,
            disk_check,
            _lock: lock,
        })
    }

    /// The store that it writes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Waits until one of its tasks ends by itself, which none should; names it.
    pub async fn broken(&mut self) -> &'static str {
        let ends = self.tasks.iter_mut().map(|(name, task)| {
            let name: &'static str = name;
            Box::pin(async move {
                if let Err(error) = task.await {
                    log::error!("the {name} ended: {error}");
                }
                name
            })
        });
        futures_util::future::select_all(ends).await.0
    }

    /// Stops: answers the requests under way, lets the questions under way end, gives back the rest, writes everything
    /// that is queued. Takes no longer than `server.drain`.
    pub async fn stop(self) {
        self.stop.notify_one();
        self.stop_keeping.notify_one();
        let stopping = async {
            let stops = self.servers.iter().map(|server| server.stop(true));
            futures_util::future::join_all(stops).await;
            for (_, task) in self.tasks {
                if !task.is_finished() {
                    drop(task.await);
                }
            }
        };
        if tokio::time::timeout(self.drain + Duration::from_secs(1), stopping).await.is_err() {
            log::warn!("stopped after {} s without waiting for the rest", self.drain.as_secs());
        }
        self.disk_check.abort();
        self.store.close();
    }
}

fn served(name: &'static str, server: Server) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            log::error!("the {name} failed: {error}");
        }
    })
}
