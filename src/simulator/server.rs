//! The HTTP server: one actix-web worker on its own thread, so that callers of any runtime can use it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::calls::{Call, ProviderApi};
use super::control;
use super::exchange::{Request, Response};
use super::faults::{FaultId, Trouble};
use super::shops::{OpenCall, Shops, ShopsState, store_of};
use super::{ecwid, kinguin, midas, wire};

/// The longest body that the control pages and the APIs read; none of them needs more than one record.
const MAX_BODY: usize = 64 * 1024 * 1024;

pub(super) struct Listening {
    handle: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl Listening {
    /// Listens on `addr`, and returns the actual address too (the system chooses a port for port 0).
    pub(super) fn start(addr: SocketAddr, shops: &Shops) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let shops = shops.clone();
        let (started, start) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("simulator".to_owned())
            .spawn(move || System::new().block_on(run(listener, shops, started)))?;
        match start.recv() {
            Ok(handle) => Ok((Self { handle, thread }, addr)),
            Err(_) => Err(ended(thread.join()).err().unwrap_or_else(|| io::Error::other("no server"))),
        }
    }

    /// Closes the listener and every connection, and waits until that is done.
    pub(super) fn stop(self) -> io::Result<()> {
        drop(self.handle.stop(false));
        ended(self.thread.join())
    }

    /// Blocks until the server ends.
    pub(super) fn wait(self) -> io::Result<()> {
        ended(self.thread.join())
    }
}

fn ended(outcome: std::thread::Result<io::Result<()>>) -> io::Result<()> {
    outcome.unwrap_or_else(|_| Err(io::Error::other("the simulator's thread ended by a panic")))
}

async fn run(listener: TcpListener, shops: Shops, started: mpsc::SyncSender<ServerHandle>) -> io::Result<()> {
    let shops = web::Data::new(shops);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shops.clone())
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .default_service(web::to(handle))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(0)
    // A caller that gives up closes its connection, which ends its call.
    .h1_allow_half_closed(false)
    .listen(listener)?
    .run();
    if started.send(server.handle()).is_err() {
        return Ok(());
    }
    server.await
}

async fn handle(http: HttpRequest, body: web::Bytes, shops: web::Data<Shops>) -> HttpResponse {
    let target = http.uri().path_and_query().map_or("/", |target| target.as_str());
    let (full_path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = http
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let method = http.method().as_str();
    let now = shops.now();
    let request = |path| Request { method, target, path, query, headers: &headers, body: &body, now };
    if let Some(path) = full_path.strip_prefix("/_control/") {
        return wire::plain(control::answer(&shops, &request(path)), now);
    }
    match routed(full_path) {
        Some((provider, path)) => api(&shops, provider, &request(path)).await,
        None => wire::plain(Response::text(404, "text/plain", super::PATHS), now),
    }
}

fn routed(path: &str) -> Option<(ProviderApi, &str)> {
    [
        (ProviderApi::Ecwid, super::ECWID_PATH),
        (ProviderApi::Kinguin, super::KINGUIN_PATH),
        (ProviderApi::Midas, super::MIDAS_PATH),
    ]
    .into_iter()
    .find_map(|(provider, base)| Some((provider, path.strip_prefix(base)?.strip_prefix('/')?)))
}

/// Handles one API call: log it, compute the answer, apply the faults, send it.
async fn api(shops: &Shops, provider: ProviderApi, request: &Request<'_>) -> HttpResponse {
    let (ticket, met, answer) = decided(shops, provider, request);
    for (id, trouble) in &met {
        match trouble {
            Trouble::Latency(delay) => tokio::time::sleep(*delay).await,
            Trouble::Hold => shops.released(*id).await,
            _ => {}
        }
    }
    if met.iter().any(|(_, trouble)| *trouble == Trouble::Reset) {
        drop(ticket);
    } else {
        ticket.answered(answer.status);
    }
    wire::response(answer, request.now, &met)
}

/// Logs the call and fixes what the API answers now: after the troubles that change what it says, and signed where the
/// provider signs.
fn decided(
    shops: &Shops,
    provider: ProviderApi,
    request: &Request<'_>,
) -> (OpenCall, Vec<(FaultId, Trouble)>, Response) {
    let mut state = shops.lock();
    let call = call(&state, provider, request);
    let (ticket, met) = shops.arrive(&mut state, call);
    let truth = match provider {
        ProviderApi::Ecwid => ecwid::answer(&mut state.ecwid, request),
        ProviderApi::Kinguin => kinguin::answer(&mut state.kinguin, request),
        ProviderApi::Midas => midas::answer(&mut state.midas, request),
    };
    let signer = (provider == ProviderApi::Midas).then(|| state.midas.signer()).flatten();
    drop(state);
    let answer = met.iter().fold(truth, |answer, (_, trouble)| wire::replaced(answer, trouble));
    let answer = match signer {
        Some(signer) => midas::signed(answer, &signer, request.now, &met),
        None => answer,
    };
    (ticket, met, answer)
}

fn call(state: &ShopsState, provider: ProviderApi, request: &Request<'_>) -> Call {
    Call {
        provider,
        store: store_of(state, provider, request),
        method: request.method.to_owned(),
        target: request.target.to_owned(),
        user_agent: request.header("user-agent").unwrap_or_default().to_owned(),
        at: request.now,
        in_flight: 0,
        status: None,
        took: None,
        forbidden: provider == ProviderApi::Kinguin && kinguin::is_forbidden(request),
    }
}
