//! Builds one running service from its settings: the store, the listeners, the worker. `serve`, the demo and every test
//! through the front door start the same one.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::admin::{self, Admin};
use crate::config::Settings;
use crate::domain::Clock;
use crate::metrics::Metrics;
use crate::providers::Api;
use crate::providers::http::{Client, OpenGate};
use crate::receiver::{self, Intake, IntakeParts, IntakeSource};
use crate::store::{self, Keep, Moved, ServeLock, Store};
use crate::worker::{Parts, Worker, WorkerSource};

mod keeping;

/// How often the free space of the disk is looked at.
const DISK_CHECK: Duration = Duration::from_secs(1);

/// A sender that needs longer for the head of its request is cut off.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// How long the answer to a body that was not read to its end lingers: closed at once, its sender might see a reset
/// connection instead of the answer.
const LINGER: Duration = Duration::from_secs(5);

/// A source's name belonged to another provider when the store was written.
#[derive(Debug, thiserror::Error)]
#[error(
    "sources.{source_name}: this name belongs to provider {before} in the store, not {now}; give the new source another \
     name"
)]
pub struct NameTaken {
    /// The source.
    pub source_name: String,
    /// The provider in the store.
    pub before: String,
    /// The provider in the configuration.
    pub now: String,
}

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
        let intake_listener = bind(settings.server.listen, "server.listen")?;
        let admin_listener = bind(settings.server.admin_listen, "server.admin_listen")?;
        store::create(path)?;
        let lock = ServeLock::take(path, clock.now())?;
        let store = Store::open(path)?;
        introduce(&store, settings, &clock).await?;
        let freed = store.free_leases("serve-".to_owned()).await?;
        if freed > 0 {
            log::info!(
                "{freed} notifications were being asked about when the last serve ended; they are asked again"
            );
        }
        for source in &settings.sources {
            store.end_dead_calls(source.name.clone(), source.rate_limit, clock.now()).await?;
            store.resume(source.name.clone(), clock.now()).await?;
        }
        let metrics = Metrics::new()?;
        for source in &settings.sources {
            metrics.introduce(&source.name);
        }
        let has_room = Arc::new(AtomicBool::new(has_room(path, settings.store.min_free)));
        let wake = store.stored();
        let stop = Arc::new(Notify::new());
        let mut tasks = Vec::new();
        let last_turn = if options.no_worker {
            None
        } else {
            let parts = worker_parts(settings, &store, &clock, &metrics, "serve", wake, options.moves)?;
            let worker = Worker::new(parts);
            let last_turn = worker.last_turn();
            tasks.push(("worker", tokio::spawn(worker.run(Arc::clone(&stop), settings.server.drain))));
            Some(last_turn)
        };
        let stop_keeping = Arc::new(Notify::new());
        let keeping = keeping::run(store.clone(), keep(settings), clock.clone(), Arc::clone(&stop_keeping));
        tasks.push(("keeping of the store's rules", tokio::spawn(keeping)));
        let intake = Data::new(intake(settings, &store, &metrics, &clock, Arc::clone(&has_room)));
        let admin = Data::new(Admin {
            store: store.clone(),
            metrics,
            clock,
            sources: settings.sources.iter().map(|source| source.name.clone()).collect(),
            min_free: settings.store.min_free,
            heartbeat: last_turn,
        });
        let (intake_addr, admin_addr) = (intake_listener.local_addr()?, admin_listener.local_addr()?);
        let intake_server = HttpServer::new(move || App::new().configure(receiver::routes(intake.clone())))
            .client_request_timeout(SLOW_HEAD)
            .client_disconnect_timeout(LINGER)
            .keep_alive(Duration::from_secs(75))
            .shutdown_timeout(settings.server.drain.as_secs().max(1))
            .disable_signals()
            .listen(intake_listener)
            .context("serve on server.listen")?
            .run();
        let admin_server = HttpServer::new(move || App::new().configure(admin::routes(admin.clone())))
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .listen(admin_listener)
            .context("serve on server.admin_listen")?
            .run();
        let servers = vec![intake_server.handle(), admin_server.handle()];
        for (name, server) in [("intake listener", intake_server), ("admin listener", admin_server)] {
            let task = tokio::spawn(async move {
                if let Err(error) = server.await {
                    log::error!("the {name} failed: {error}");
                }
            });
            tasks.push((name, task));
        }
        let disk_check = tokio::spawn(watch_disk(path.clone(), settings.store.min_free, has_room));
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

fn intake(
    settings: &Settings,
    store: &Store,
    metrics: &Metrics,
    clock: &Clock,
    has_room: Arc<AtomicBool>,
) -> Intake {
    let sources = settings.sources.iter().map(|source| {
        let known = IntakeSource {
            name: source.name.clone(),
            provider: Arc::clone(&source.provider),
            provider_word: source.kind.word,
            path_token: source.path_token.clone(),
            counters: metrics.intake(&source.name),
        };
        (source.name.clone(), known)
    });
    Intake::new(IntakeParts {
        store: store.clone(),
        sources: sources.collect(),
        metrics: metrics.clone(),
        clock: clock.clone(),
        trusted_proxies: settings.server.trusted_proxies.clone(),
        max_body: settings.server.max_body,
        body_time: receiver::BODY_TIME,
        per_address_limit: settings.server.per_address_limit,
        has_room,
    })
}

fn keep(settings: &Settings) -> Keep {
    let config = &settings.store;
    Keep { keep: config.keep, keep_personal: config.keep_personal, max_unproven: config.max_unproven }
}

fn bind(addr: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(addr)
        .with_context(|| format!("cannot listen on {addr}; is another program using it? Change {key}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Remembers the configured sources in the store.
///
/// # Errors
/// A name belongs to another provider ([`NameTaken`]), or the store failed.
pub async fn introduce(store: &Store, settings: &Settings, clock: &Clock) -> anyhow::Result<()> {
    let sources = settings.sources.iter().map(|source| (source.name.clone(), source.kind.word)).collect();
    let taken = store.introduce_sources(sources, clock.now()).await.context("remember the sources")?;
    match taken.into_iter().next() {
        None => Ok(()),
        Some((source_name, before)) => {
            let now = settings.sources.iter().find(|source| source.name == source_name);
            let now = now.map_or_else(String::new, |source| source.kind.word.to_owned());
            Err(NameTaken { source_name, before, now }.into())
        }
    }
}

/// What a worker of this process is made of; `role` begins the name of its leases.
///
/// # Errors
/// The HTTP client cannot be set up.
pub fn worker_parts(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
    metrics: &Metrics,
    role: &str,
    wake: Arc<Notify>,
    moves: Option<mpsc::UnboundedSender<Moved>>,
) -> anyhow::Result<Parts> {
    let client = Client::new(settings.verify.timeout, metrics.clone(), clock.clone())?;
    let sources: BTreeMap<String, WorkerSource> = settings
        .sources
        .iter()
        .map(|source| {
            let api = Api::new(client.clone(), &source.name, &source.api_base, Arc::new(OpenGate));
            let provider = Arc::clone(&source.provider);
            (source.name.clone(), WorkerSource { provider, api, rate: source.rate_limit })
        })
        .collect();
    Ok(Parts {
        store: store.clone(),
        sources,
        policy: settings.verify.policy.clone(),
        concurrency: settings.verify.concurrency,
        clock: clock.clone(),
        metrics: metrics.clone(),
        owner: format!("{role}-{}-{}", std::process::id(), clock.now().millis()),
        wake,
        moves,
    })
}

fn has_room(path: &Path, min_free: u64) -> bool {
    store::free_disk(path).is_none_or(|free| free >= min_free)
}

async fn watch_disk(path: std::path::PathBuf, min_free: u64, has_room_now: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(DISK_CHECK);
    loop {
        ticks.tick().await;
        let now = has_room(&path, min_free);
        if has_room_now.swap(now, Ordering::Relaxed) != now {
            if now {
                log::info!("there is free disk again; notifications are taken");
            } else {
                log::error!(
                    "less free disk than store.min_free; notifications are answered 503 until there is more"
                );
            }
        }
    }
}
