//! The two listeners: where they listen, and the HTTP servers behind them.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{ServerHandle, Service as _};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use futures_util::future::{join, join_all};
use rustix::net::Shutdown;
use rustix::net::sockopt::set_socket_recv_buffer_size;
use tokio::task::{AbortHandle, JoinHandle};

use super::inherited::Inherited;
use super::limits;
use super::traffic::{SETTLE, Traffic};
use crate::admin::{self, Admin};
use crate::config::Server as ServerSettings;
use crate::receiver::{self, Intake};

/// A sender that needs longer for the head of its request is cut off.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// What the system keeps for a connection, unless that would slow down bodies of the greatest length: a sixteenth of one, and no
/// less than this.
const LEAST_AHEAD: usize = 16 * 1024;

/// From so much on the system decides itself.
const MOST_AHEAD: usize = 1024 * 1024;

/// How long the answer to a body that was not read to its end lingers: closed at once, its sender might see a reset
/// connection instead of the answer.
const LINGER: Duration = Duration::from_secs(5);

/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// The longest `server.drain`, in seconds; what is in force decides who stops a server.
const LONGEST_DRAIN: u64 = 3600;

/// A task that should not end by itself, and what it does.
pub(super) type Task = (&'static str, JoinHandle<()>);

/// One listening socket; whoever connects waits until it is served.
pub(super) struct Listener {
    socket: TcpListener,
    /// It is the service manager's, and serves the next process too.
    is_inherited: bool,
}

impl Listener {
    /// The socket that was passed, else one on `addr`, which `key` configures.
    ///
    /// # Errors
    /// The address is in use or not this machine's.
    fn open(inherited: Option<TcpListener>, addr: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let is_inherited = inherited.is_some();
        let socket = match inherited {
            Some(socket) => {
                log::info!("listening on a socket of the service manager's; {key} is not used");
                socket
            }
            None => TcpListener::bind(addr).with_context(|| {
                format!("cannot listen on {addr}; is another program using it? Change {key}")
            })?,
        };
        socket.set_nonblocking(true)?;
        Ok(Self { socket, is_inherited })
    }

    /// Lets the system keep little for each connection: the server reads on for a body that it does not take, as much as has
    /// arrived, and keeps that room until the connection ends.
    fn read_little_ahead(&self, max_body: usize) {
        let bytes = (max_body / 16).max(LEAST_AHEAD);
        if bytes <= MOST_AHEAD
            && let Err(error) = set_socket_recv_buffer_size(&self.socket, bytes)
        {
            log::debug!("the system keeps as much as it likes for each connection: {error}");
        }
    }
}

/// Both.
pub(super) struct Listeners {
    intake: Listener,
    admin: Listener,
}

impl Listeners {
    /// Opens both.
    ///
    /// # Errors
    /// An address is in use or not this machine's.
    pub(super) fn open(server: &ServerSettings, inherited: Inherited) -> anyhow::Result<Self> {
        let intake = Listener::open(inherited.intake, server.listen, "server.listen")?;
        let admin = Listener::open(inherited.admin, server.admin_listen, "server.admin_listen")?;
        intake.read_little_ahead(server.max_body);
        Ok(Self { intake, admin })
    }

    /// Where they listen: intake, admin.
    ///
    /// # Errors
    /// The system does not tell.
    pub(super) fn addresses(&self) -> anyhow::Result<(SocketAddr, SocketAddr)> {
        Ok((self.intake.socket.local_addr()?, self.admin.socket.local_addr()?))
    }

    /// Whether the configuration chose the addresses: intake, admin.
    pub(super) fn are_configured(&self) -> (bool, bool) {
        (!self.intake.is_inherited, !self.admin.is_inherited)
    }

    /// Serves both.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn serve(
        self,
        intake: Arc<ArcSwap<Intake>>,
        admin: Arc<ArcSwap<Admin>>,
    ) -> anyhow::Result<(Servers, [Task; 2])> {
        let own = [&self.intake, &self.admin].into_iter().filter(|listener| !listener.is_inherited);
        let own = own.map(|listener| listener.socket.try_clone()).collect::<Result<_, _>>()?;
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let traffic = Traffic::new();
        let (requests, connections) = (traffic.clone(), traffic.clone());
        let intake = Data::from(intake);
        let intake_server = HttpServer::new(move || {
            let requests = requests.clone();
            App::new()
                .configure(receiver::routes(intake.clone()))
                .wrap_fn(move |request, app| requests.follow(app.call(request)))
        })
        .on_connect(move |_, data| drop(data.insert(connections.connected())))
        .client_request_timeout(SLOW_HEAD)
        .client_disconnect_timeout(LINGER)
        .keep_alive(KEEP_ALIVE)
        .workers(threads)
        // A process with fewer files than twice its threads would otherwise serve no one.
        .max_connections((limits::connections() / threads).max(1))
        .shutdown_timeout(LONGEST_DRAIN)
        .disable_signals()
        .listen(self.intake.socket)
        .context("serve on server.listen")?
        .run();
        let (requests, connections) = (traffic.clone(), traffic.clone());
        let admin = Data::from(admin);
        let admin_server = HttpServer::new(move || {
            let requests = requests.clone();
            App::new()
                .configure(admin::routes(admin.clone()))
                .wrap_fn(move |request, app| requests.follow(app.call(request)))
        })
        .on_connect(move |_, data| drop(data.insert(connections.connected())))
        .workers(1)
        .max_connections(limits::ADMIN_CONNECTIONS)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(self.admin.socket)
        .context("serve on server.admin_listen")?
        .run();
        let handles = vec![intake_server.handle(), admin_server.handle()];
        let tasks =
            [("intake listener", intake_server), ("admin listener", admin_server)].map(|(name, server)| {
                let task = tokio::spawn(async move {
                    if let Err(error) = server.await {
                        log::error!("the {name} failed: {error}");
                    }
                });
                (name, task)
            });
        let running = tasks.iter().map(|(_, task)| task.abort_handle()).collect();
        Ok((Servers { handles, running, traffic, own }, tasks))
    }
}

/// The running servers.
pub(super) struct Servers {
    handles: Vec<ServerHandle>,
    running: Vec<AbortHandle>,
    traffic: Traffic,
    /// The sockets that end with this process.
    own: Vec<TcpListener>,
}

impl Servers {
    /// From now on every answer says `Connection: close`.
    pub(super) fn tell_to_close(&self) {
        self.traffic.tell_to_close();
    }

    /// Accepts nobody any more, answers what was sent, and closes. Who connects to an inherited socket waits for the
    /// next process; who connects to one of ours is refused. Requests that take longer than `patience` are cut off.
    pub(super) async fn stop(self, patience: Duration) {
        let running = self.running.clone();
        if tokio::time::timeout(patience, self.finish()).await.is_err() {
            running.iter().for_each(AbortHandle::abort);
        }
    }

    async fn finish(self) {
        join_all(self.handles.iter().map(ServerHandle::pause)).await;
        let close_own = async {
            // By then nobody accepts on them any more.
            tokio::time::sleep(SETTLE).await;
            for socket in self.own {
                // Closed already where a server gave up by itself.
                let _ = rustix::net::shutdown(&socket, Shutdown::Read);
            }
        };
        join(self.traffic.quieten(), close_own).await;
        join_all(self.handles.iter().map(|server| server.stop(true))).await;
    }
}
