//! Shared by this room's tests: a simulator and a plain client.

use reqwest::{Client, Response};
use serde_json::Value;

use super::{Simulator, SimulatorOptions};

pub(super) fn start() -> Simulator {
    Simulator::start(SimulatorOptions::default()).unwrap()
}

/// Sends a request with one header, without following redirects.
pub(super) async fn ask(url: &str, header: (&str, &str)) -> reqwest::Result<Response> {
    client()?.get(url).header(header.0, header.1).send().await
}

/// A client that reads no root certificates: these shops speak plain HTTP, and reading them takes longer than a test.
pub(super) fn client() -> reqwest::Result<Client> {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_only([]).no_proxy().build()
}

/// Sends a request and parses the JSON answer.
pub(super) async fn ask_json(url: &str, header: (&str, &str)) -> (u16, Value) {
    let response = ask(url, header).await.unwrap();
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}
