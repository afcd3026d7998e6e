//! Unsigned requests to a URL of the owner: for alerts and the heartbeat. User info in the URL is sent as
//! Basic; all of the URL is secret.

use std::fmt;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Url};

use super::http::{Clients, parse, reach};
use crate::domain::error_chain::innermost;

/// The URL of a notice.
#[derive(Clone)]
pub struct Notice(Url);

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").finish_non_exhaustive()
    }
}

impl Notice {
    /// Parses a URL, with the same rules as for actions.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that do not repeat it.
    pub fn new(url: &str) -> Result<Self, String> {
        parse(url).map(Self)
    }

    /// Connects to its host, and sends nothing.
    ///
    /// # Errors
    /// Why it failed, in plain words without the URL.
    pub async fn check(&self) -> Result<(), String> {
        reach(&self.0).await
    }

    /// Posts a text; any 2xx is success.
    ///
    /// # Errors
    /// Why it failed, in plain words without the URL.
    pub async fn post(
        &self,
        clients: &Clients,
        content_type: &str,
        body: String,
        timeout: Duration,
    ) -> Result<(), String> {
        let request = clients.of(&self.0).post(self.0.clone());
        send(request.header(CONTENT_TYPE, content_type.to_owned()).body(body), timeout).await
    }

    /// Sends a GET; any 2xx is success.
    ///
    /// # Errors
    /// Why it failed, in plain words without the URL.
    pub async fn get(&self, clients: &Clients, timeout: Duration) -> Result<(), String> {
        send(clients.of(&self.0).get(self.0.clone()), timeout).await
    }
}

/// Only the status counts; the body is not read.
async fn send(request: RequestBuilder, timeout: Duration) -> Result<(), String> {
    let answer = request.timeout(timeout).send().await.map_err(|error| match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => format!("no connection: {}", innermost(&error)),
    })?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("HTTP {}", answer.status().as_u16())) }
}
