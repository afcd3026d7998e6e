//! The two listeners: where they listen, and the HTTP servers behind them.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::Context as _;

use crate::admin::{self, Admin};
use crate::config::Server as ServerSettings;
use crate::receiver::{self, Intake};

/// A sender that needs longer for the head of its request is cut off.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// How long the answer to a body that was not read to its end lingers: closed at once, its sender might see a reset
/// connection instead of the answer.
const LINGER: Duration = Duration::from_secs(5);

/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Both, bound; whoever connects waits until they are served.
pub(super) struct Listeners {
    intake: TcpListener,
    admin: TcpListener,
}

impl Listeners {
    /// Binds both.
    ///
    /// # Errors
    /// An address is in use or not this machine's.
    pub(super) fn bind(server: &ServerSettings) -> anyhow::Result<Self> {
        let intake = bind(server.listen, "server.listen")?;
        let admin = bind(server.admin_listen, "server.admin_listen")?;
        Ok(Self { intake, admin })
    }

    /// Where they listen: intake, admin.
    ///
    /// # Errors
    /// The system does not tell.
    pub(super) fn addresses(&self) -> anyhow::Result<(SocketAddr, SocketAddr)> {
        Ok((self.intake.local_addr()?, self.admin.local_addr()?))
    }

    /// Serves them, once the servers are awaited: intake, admin. A stop takes up to `drain`.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn serve(
        self,
        intake: Data<Intake>,
        admin: Data<Admin>,
        drain: Duration,
    ) -> anyhow::Result<(Server, Server)> {
        let intake_server = HttpServer::new(move || App::new().configure(receiver::routes(intake.clone())))
            .client_request_timeout(SLOW_HEAD)
            .client_disconnect_timeout(LINGER)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(drain.as_secs().max(1))
            .disable_signals()
            .listen(self.intake)
            .context("serve on server.listen")?
            .run();
        let admin_server = HttpServer::new(move || App::new().configure(admin::routes(admin.clone())))
            .workers(1)
            .shutdown_timeout(1)
            .disable_signals()
            .listen(self.admin)
            .context("serve on server.admin_listen")?
            .run();
        Ok((intake_server, admin_server))
    }
}

fn bind(addr: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(addr)
        .with_context(|| format!("cannot listen on {addr}; is another program using it? Change {key}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
