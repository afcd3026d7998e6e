//! An action at a URL: one POST per delivery, following Standard Webhooks.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use tokio::time::Instant;

use super::http::{Clients, parse, reach};
use super::signature::{SigningKey, signatures};
use super::{Message, SendResult, Stop, Target, ended, excerpt};
use crate::domain::error_chain::innermost;
use crate::domain::{AttemptOutcome, Effect, Timestamp};

/// Maximum number of bytes read of an answer. A larger 2xx answer is still a success.
const ANSWER_CAP: usize = 64 * 1024;

/// The URL of an endpoint, and the keys that sign its requests.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    keys: Vec<SigningKey>,
}

impl fmt::Debug for Endpoint {
    /// The URL may contain a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

impl Endpoint {
    /// An endpoint whose requests are signed with each of `keys`.
    ///
    /// # Errors
    /// What is wrong with the URL, in words that do not repeat it.
    pub fn new(url: &str, keys: Vec<SigningKey>) -> Result<Self, String> {
        let url = parse(url)?;
        if !url.username().is_empty() || url.password().is_some() {
            let wrong = "holds a user name or password; remove them, requests are signed with secret";
            return Err(wrong.to_owned());
        }
        Ok(Self { url, keys })
    }

    /// The URL without its query, which may contain a key.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut url = self.url.clone();
        if url.query().is_some() {
            url.set_query(None);
            return format!("{url}?…");
        }
        url.into()
    }
}

/// An endpoint with the client for it.
pub struct UrlTarget {
    client: Client,
    endpoint: Endpoint,
}

impl UrlTarget {
    /// Requests to it use one of these clients.
    #[must_use]
    pub fn new(clients: &Clients, endpoint: Endpoint) -> Self {
        Self { client: clients.of(&endpoint.url).clone(), endpoint }
    }

    async fn exchange(&self, message: &Message, now: Timestamp, timeout: Duration) -> SendResult {
        let deadline = Instant::now() + timeout;
        let timestamp = now.seconds();
        let mut request = self
            .client
            .post(self.endpoint.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string());
        if !self.endpoint.keys.is_empty() {
            let signed = signatures(&self.endpoint.keys, &message.id, timestamp, &message.body);
            request = request.header("webhook-signature", signed);
        }
        let sent = tokio::time::timeout_at(deadline, request.body(message.body.clone()).send()).await;
        let mut response = match sent {
            Err(_) => return SendResult::failed(AttemptOutcome::Timeout, "no answer in time"),
            Ok(Err(error)) => return unreachable(&error),
            Ok(Ok(response)) => response,
        };
        let status = response.status().as_u16();
        let (body, end) = match tokio::time::timeout_at(deadline, read(&mut response)).await {
            Err(_) => (
                Vec::new(),
                Err(SendResult::failed(AttemptOutcome::Timeout, "the answer did not end in time")),
            ),
            Ok((body, end)) => (body, end),
        };
        let result = judge(&response, end, now);
        SendResult { http_status: Some(status), answer: excerpt(&body), ..result }
    }
}

/// Reads an answer to its end or to the cap, whichever comes first.
async fn read(response: &mut Response) -> (Vec<u8>, Result<(), SendResult>) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = ANSWER_CAP - body.len();
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if body.len() >= ANSWER_CAP {
                    return (body, Ok(()));
                }
            }
            Ok(None) => return (body, Ok(())),
            Err(error) => {
                let detail = format!("the answer broke off: {}", innermost(&error));
                return (body, Err(SendResult::failed(AttemptOutcome::Unreachable, detail)));
            }
        }
    }
}

/// Interprets an answer. If it is not a success, its status counts even if the body did not end.
fn judge(response: &Response, end: Result<(), SendResult>, now: Timestamp) -> SendResult {
    let status = response.status().as_u16();
    let refused = |effect| SendResult {
        effect,
        ..SendResult::failed(AttemptOutcome::Refused, format!("HTTP {status}"))
    };
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    match status {
        200..=299 => end.err().unwrap_or_else(|| SendResult::delivered(None)),
        410 => refused(Effect::Gone),
        429 => refused(Effect::Hold(retry_after.and_then(|text| pause(text, now)))),
        503 if retry_after.is_some() => refused(Effect::Hold(retry_after.and_then(|text| pause(text, now)))),
        _ => refused(Effect::Failed),
    }
}

/// The pause that `Retry-After` asks for: seconds, or until a date.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Timestamp::parse_http_date(text).map(|until| until.since(now))
}

/// Describes a network error, without the URL, which may contain a key.
fn unreachable(error: &reqwest::Error) -> SendResult {
    let what = if error.is_connect() { "no connection" } else { "the connection broke" };
    SendResult::failed(AttemptOutcome::Unreachable, format!("{what}: {}", innermost(error)))
}

impl Target for UrlTarget {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        now: Timestamp,
        timeout: Duration,
        stop: Stop,
    ) -> BoxFuture<'a, Option<SendResult>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                result = self.exchange(message, now, timeout) => Some(result),
                () = ended(stop) => None,
            }
        })
    }

    fn check(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async move { reach(&self.endpoint.url).await.err().into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::parse_rfc3339("2026-01-02T03:00:00Z").unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("Fri, 02 Jan 2026 03:00:30 GMT", Some(30)),
            ("Fri, 02 Jan 2026 02:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_url_is_https_or_private_and_without_user_name() {
        for (url, is_right) in [
            ("https://erp.example.com/orders?key=1", true),
            ("http://10.0.0.5:9000/orders", true),
            ("http://erp.example.com/orders", false),
            ("ftp://10.0.0.5/orders", false),
            ("https://user:word@example.com/", false),
            ("https://example.com/#part", false),
            ("https://", false),
            ("orders", false),
        ] {
            assert_eq!(Endpoint::new(url, Vec::new()).is_ok(), is_right, "{url}");
        }
    }
}
