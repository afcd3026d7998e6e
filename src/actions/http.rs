//! What all HTTP of actions and alerts shares: the clients, which are separate from the shops', and the rules for
//! their URLs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use super::network::{LoopbackOnly, allows_plain_http};

/// Longer than the timeout of any connection that is kept open for the next delivery.
const IDLE: Duration = Duration::from_secs(60);

/// Timeout of a check's connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP clients of all actions: one for TLS, and one for plain HTTP, which reaches only this machine and
/// private addresses.
#[derive(Clone, Debug)]
pub struct Clients {
    tls: Client,
    plain: Client,
}

impl Clients {
    /// Builds both.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        // A client that was built earlier has installed it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = || {
            Client::builder()
                .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .no_proxy()
                .no_gzip()
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(128)
        };
        let set_up = "set up the HTTP client of the actions";
        Ok(Self {
            tls: builder().https_only(true).build().context(set_up)?,
            // It trusts no certificate, and is spared reading the system's.
            plain: builder()
                .dns_resolver(Arc::new(LoopbackOnly))
                .tls_certs_only([])
                .build()
                .context(set_up)?,
        })
    }

    /// The client for this URL.
    pub(super) fn of(&self, url: &Url) -> &Client {
        if url.scheme() == "https" { &self.tls } else { &self.plain }
    }
}

/// Connects to the host of a URL, and sends nothing.
pub(super) async fn reach(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(443);
    match tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("no connection to {host}:{port}: {error}")),
        Err(_) => Err(format!("no connection to {host}:{port} within {} s", CONNECT_TIMEOUT.as_secs())),
    }
}

/// Parses a URL for news or alerts.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    let is_plain = !text.contains(|c: char| c.is_whitespace() || c == '\\');
    let Some(url) = Url::parse(text).ok().filter(|url| is_plain && url.has_host()) else {
        return Err("is not a URL; write the https address of the endpoint".to_owned());
    };
    if url.fragment().is_some() {
        return Err("has a part after #; remove it".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allows_plain_http(&url) => Ok(url),
        "http" => {
            Err("would send orders unencrypted; write https (http only to localhost or the address of a \
                       private network)"
                .to_owned())
        }
        _ => Err("must begin with https://".to_owned()),
    }
}
