//! The two listeners and their HTTP servers.

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

use super::drain::{SETTLE, Traffic};
use super::limits;
use super::socket_activation::Inherited;
use crate::admin::{self, Admin};
use crate::config::ServerSettings;
use crate::receiver::{self, Intake};

/// The time limit for the head of a request.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// Minimum size of a connection's receive buffer. It is a sixteenth of `server.max_body` if that is more, so
/// that large bodies are not slowed down.
const LEAST_AHEAD: usize = 16 * 1024;

/// From this size on, the system's own sizing applies.
const MOST_AHEAD: usize = 1024 * 1024;

/// How long a connection stays open after an answer to an unread body. Closed at once, its sender might see a reset
/// instead of the answer.
const LINGER: Duration = Duration::from_secs(5);

/// Maximum idle time between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Maximum wait of a connection to the admin listener for its first request. A browser opens spare
/// connections and drops them after a minute; a 408 at that moment would pass for the answer to its request.
const SPARE: Duration = Duration::from_secs(75);

/// The longest possible `server.drain`, in seconds. The current setting is applied when a server is stopped.
const LONGEST_DRAIN: u64 = 3600;

/// A task that should not end by itself, with its name.
pub(super) type NamedTask = (&'static str, JoinHandle<()>);

/// One listening socket. Clients wait in its queue until it is served.
pub(super) struct Listener {
    socket: TcpListener,
    /// Whether it belongs to the service manager and outlives this process.
    is_inherited: bool,
}

impl Listener {
    /// The passed socket, otherwise a new one on `addr`, which `key` configures.
    ///
    /// # Errors
    /// The address is in use, or not an address of this machine.
    fn open(inherited: Option<TcpListener>, addr: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let is_inherited = inherited.is_some();
        let socket = match inherited {
            Some(socket) => {
                log::info!("using the service manager's socket; {key} is ignored");
                socket
            }
            None => TcpListener::bind(addr).with_context(|| {
                format!("cannot listen on {addr}; stop the program that uses it, or change {key}")
            })?,
        };
        socket.set_nonblocking(true)?;
        Ok(Self { socket, is_inherited })
    }

    /// Limits the receive buffer of each connection. The server reads on for a body that it does not take, as
    /// much as has arrived, and holds that memory until the connection ends.
    fn read_little_ahead(&self, max_body: usize) {
        let bytes = (max_body / 16).max(LEAST_AHEAD);
        if bytes <= MOST_AHEAD
            && let Err(error) = set_socket_recv_buffer_size(&self.socket, bytes)
        {
            log::debug!("cannot limit the receive buffer of connections: {error}");
        }
    }
}

pub(super) struct Listeners {
    intake: Listener,
    admin: Listener,
}

impl Listeners {
    /// Opens both listeners.
    ///
    /// # Errors
    /// An address is in use, or not an address of this machine.
    pub(super) fn open(server: &ServerSettings, inherited: Inherited) -> anyhow::Result<Self> {
        let intake = Listener::open(inherited.intake, server.listen, "server.listen")?;
        let admin = Listener::open(inherited.admin, server.admin_listen, "server.admin_listen")?;
        intake.read_little_ahead(server.max_body);
        Ok(Self { intake, admin })
    }

    /// The addresses: intake, admin.
    ///
    /// # Errors
    /// The system does not report an address.
    pub(super) fn addresses(&self) -> anyhow::Result<(SocketAddr, SocketAddr)> {
        Ok((self.intake.socket.local_addr()?, self.admin.socket.local_addr()?))
    }

    /// Whether the configuration chose the addresses: intake, admin.
    pub(super) fn are_configured(&self) -> (bool, bool) {
        (!self.intake.is_inherited, !self.admin.is_inherited)
    }

    /// Starts both servers.
    ///
    /// # Errors
    /// The system refuses a thread or socket.
    pub(super) fn serve(
        self,
        intake: Arc<ArcSwap<Intake>>,
        admin: Arc<ArcSwap<Admin>>,
    ) -> anyhow::Result<(Servers, [NamedTask; 2])> {
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
        // Otherwise a process with fewer file descriptors than twice its threads would serve no connection.
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
        .client_request_timeout(SPARE)
        .keep_alive(KEEP_ALIVE)
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

pub(super) struct Servers {
    handles: Vec<ServerHandle>,
    running: Vec<AbortHandle>,
    traffic: Traffic,
    /// The sockets that belong to this process.
    own: Vec<TcpListener>,
}

impl Servers {
    /// Adds `Connection: close` to every answer from now on.
    pub(super) fn tell_to_close(&self) {
        self.traffic.tell_to_close();
    }

    /// Stops accepting connections, answers the requests that were sent, and closes. Clients of an inherited socket
    /// wait for the next process; clients of an own socket are refused. Requests that take longer than `patience` are
    /// cut off.
    pub(super) async fn stop(self, patience: Duration) {
        let running = self.running.clone();
        if tokio::time::timeout(patience, self.finish()).await.is_err() {
            running.iter().for_each(AbortHandle::abort);
        }
    }

    async fn finish(self) {
        join_all(self.handles.iter().map(ServerHandle::pause)).await;
        let close_own = async {
            // No server accepts connections on them now.
            tokio::time::sleep(SETTLE).await;
            for socket in self.own {
                // A server that failed has closed its socket already.
                let _ = rustix::net::shutdown(&socket, Shutdown::Read);
            }
        };
        join(self.traffic.quieten(), close_own).await;
        join_all(self.handles.iter().map(|server| server.stop(true))).await;
    }
}
