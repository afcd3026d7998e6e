//! The only HTTP client. It follows no redirects, reads no answer over a limit, uses no proxy, and passes the gate
//! before every call, so that no provider can bypass the rate limit.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::error_chain::innermost;
use crate::domain::{Cause, Clock, Failure, FailureScope, Timestamp};
use crate::metrics::Metrics;

#[cfg(test)]
use super::canned::CannedAnswers;
use super::foreign;
pub use super::gate::{Gate, OpenGate, Pass};
pub use super::reply::Reply;
use super::retry::CallRetries;

/// Maximum size of an answer. No documented answer comes near it; a larger one is an error and is not read to
/// its end.
pub const ANSWER_CAP: usize = 8 * 1024 * 1024;

/// Shared by all sources: connections are kept alive per host.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    metrics: Metrics,
    clock: Clock,
    #[cfg(test)]
    script: Option<CannedAnswers>,
}

impl Client {
    /// A client whose every call ends within `timeout`, connecting included.
    ///
    /// # Errors
    /// TLS cannot be set up, for example without root certificates.
    pub fn new(timeout: Duration, metrics: Metrics, clock: Clock) -> anyhow::Result<Self> {
        // Fails after the first client, because it is installed already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let inner = reqwest::Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .gzip(true)
            .pool_max_idle_per_host(128)
            .build()
            .context("set up the HTTP client")?;
        Ok(Self {
            inner,
            metrics,
            clock,
            #[cfg(test)]
            script: None,
        })
    }

    /// A client whose calls never leave the process.
    #[cfg(test)]
    #[must_use]
    pub(super) fn scripted(self, script: CannedAnswers) -> Self {
        Self { script: Some(script), ..self }
    }
}

/// A client for one source's API.
#[derive(Clone)]
pub struct Api {
    client: Client,
    source: Arc<str>,
    base: Arc<str>,
    gate: Arc<dyn Gate>,
    retries: CallRetries,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("source", &self.source).field("base", &self.base).finish_non_exhaustive()
    }
}

impl Api {
    /// Calls to the API of `source` at `base` (no trailing slash).
    #[must_use]
    pub fn new(client: Client, source: &str, base: &str, gate: Arc<dyn Gate>) -> Self {
        Self {
            client,
            source: source.into(),
            base: base.trim_end_matches('/').into(),
            gate,
            retries: CallRetries::NONE,
        }
    }

    /// The same calls through another gate.
    #[must_use]
    pub fn through(&self, gate: Arc<dyn Gate>) -> Self {
        Self { gate, ..self.clone() }
    }

    /// The same calls for a caller that prefers waiting to failing.
    #[must_use]
    pub fn with_retries(&self, retries: CallRetries) -> Self {
        Self { retries, ..self.clone() }
    }

    /// The time now, by the service's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.client.clock.now()
    }

    /// The path of the API's base, as in a request line (Midas signs it).
    #[must_use]
    pub fn base_path(&self) -> &str {
        let after_scheme = self.base.find("://").map_or(0, |at| at + 3);
        self.base[after_scheme..].find('/').map_or("", |at| &self.base[after_scheme + at..])
    }

    /// Sends `GET {base}{path_and_query}`; every value in it must be percent-encoded.
    ///
    /// # Errors
    /// A [`Failure`] for every result that is no answer: no connection, timeout or 408 (`api_unreachable`);
    /// 429, and 503 with Retry-After (`api_rate_limited`); any other 5xx, any 3xx, an answer over
    /// [`ANSWER_CAP`] (`api_error`).
    pub async fn get(
        &self,
        path_and_query: &str,
        headers: &[(&str, SecretString)],
    ) -> Result<Reply, Failure> {
        self.get_with(path_and_query, |_| Ok(headers.to_vec())).await
    }

    /// Like [`Api::get`], with headers made after the gate has admitted the call: a signature must not age
    /// while it waits.
    ///
    /// # Errors
    /// Like [`Api::get`], and the failure of `headers`.
    pub async fn get_with<'h>(
        &self,
        path_and_query: &str,
        headers: impl Fn(Timestamp) -> Result<Vec<(&'h str, SecretString)>, Failure>,
    ) -> Result<Reply, Failure> {
        // A canned API reads no headers, and millions of signatures take hours.
        #[cfg(test)]
        let headers = |now| if self.client.script.is_some() { Ok(Vec::new()) } else { headers(now) };
        let mut tries = 1;
        loop {
            let result = self.call(path_and_query, &headers).await;
            let pause = result.as_ref().err().and_then(|failure| self.retries.pause_after(failure, tries));
            let Some(pause) = pause else { return result };
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    async fn call<'h>(
        &self,
        path_and_query: &str,
        headers: &impl Fn(Timestamp) -> Result<Vec<(&'h str, SecretString)>, Failure>,
    ) -> Result<Reply, Failure> {
        let mut pass = self.gate.enter().await?;
        let asked_at = self.client.clock.now();
        let headers = headers(asked_at)?;
        let started = Instant::now();
        let result = self.exchange(path_and_query, &headers).await;
        let took = started.elapsed();
        let status = match &result {
            Ok((status, ..)) => Some(*status),
            Err(failure) => failure.http_status,
        };
        let result = result.and_then(|(status, headers, body)| {
            if foreign::has_too_many_values(&body) {
                let detail = format!("the answer holds more than {} values", foreign::ANSWER_VALUES);
                return Err(Failure::new(Cause::ApiError, detail).with_status(status));
            }
            let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            let reply = Reply { status, headers, body, asked_at, latency_ms };
            reply.as_failure(self.client.clock.now()).map_or(Ok(reply), Err)
        });
        if result.is_err() {
            pass.failed();
        }
        drop(pass);
        self.client.metrics.called(&self.source, status, took);
        result
    }

    async fn exchange(
        &self,
        path_and_query: &str,
        headers: &[(&str, SecretString)],
    ) -> Result<(u16, HeaderMap, Vec<u8>), Failure> {
        #[cfg(test)]
        if let Some(script) = &self.client.script {
            return script.answer(path_and_query);
        }
        let mut request = self.client.inner.get(format!("{}{path_and_query}", self.base));
        for (name, value) in headers {
            let mut value = reqwest::header::HeaderValue::from_str(value.expose_secret()).map_err(|_| {
                Failure::new(
                    Cause::ApiDenied,
                    format!("the {name} to send holds characters that no header may hold"),
                )
                .with_scope(FailureScope::Source)
            })?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let mut response = request.send().await.map_err(|error| transport_failure(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_CAP => {
                    let detail = format!("the answer is larger than {} MiB", ANSWER_CAP / (1024 * 1024));
                    return Err(Failure::new(Cause::ApiError, detail).with_status(status));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok((status, response.headers().clone(), body)),
                Err(error) if error.is_timeout() => return Err(transport_failure(&error)),
                Err(error) => {
                    let detail = format!("the answer broke off: {}", innermost(&error));
                    return Err(Failure::new(Cause::ApiError, detail).with_status(status));
                }
            }
        }
    }
}

/// Describes a network error without the URL, which may contain an id that a stranger chose.
fn transport_failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::new(Cause::ApiUnreachable, "no answer in time")
    } else if error.is_connect() {
        let detail = format!("no connection: {}", innermost(error));
        Failure::new(Cause::ApiUnreachable, detail).with_scope(FailureScope::Source)
    } else {
        Failure::new(Cause::ApiUnreachable, format!("the connection broke: {}", innermost(error)))
    }
}
