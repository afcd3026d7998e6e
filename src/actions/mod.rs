//! The owner's actions, one file per kind. A kind is a [`Target`], built from its keys in the configuration; the
//! deliverer knows nothing else about it.
//!
//! | file | its one job |
//! |---|---|
//! | [`url`] | one POST, following Standard Webhooks |
//! | [`signature`] | how such a request is signed |
//! | [`http`] | the HTTP clients of actions and alerts, and the rules for their URLs |
//! | [`network`] | which addresses plain HTTP may reach |
//! | [`command`] | one process, which reads the message from its standard input |
//! | [`alert`] | messages about problems that need the owner |
//! | [`notice`] | unsigned requests: alerts, the heartbeat |
//! | [`mail`] | one mail, short enough for a lock screen |
//! | [`smtp`] | the owner's mail server |

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::domain::{Attempt, AttemptOutcome, Effect, News, NewsFilter, RetryPolicy, Timestamp};

pub mod alert;
pub mod command;
pub mod http;
pub mod mail;
pub mod network;
pub mod notice;
pub mod signature;
pub mod smtp;
pub mod url;

/// Maximum number of bytes kept of an answer.
const LONGEST_EXCERPT: usize = 1024;

/// A message to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The id by which the target recognises a repeated delivery: the same on every try.
    pub id: String,
    pub action: String,
    /// The number of this try, from 1.
    pub attempt: u32,
    /// The news; `None` for a test.
    pub news: Option<News>,
    /// The JSON of the feed.
    pub body: String,
}

impl Message {
    /// The event type; `test` for a test.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.news.as_ref().map_or("test", |news| news.kind.as_str())
    }
}

/// The result of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    pub outcome: AttemptOutcome,
    /// Its effect on the delivery and the action.
    pub effect: Effect,
    /// In plain words, without any address or secret.
    pub detail: String,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// The exit code of a command that ended by itself.
    pub exit_code: Option<i32>,
    /// The beginning of the answer.
    pub answer: Option<String>,
}

impl SendResult {
    /// The target accepted it.
    #[must_use]
    pub fn delivered(answer: Option<String>) -> Self {
        Self {
            outcome: AttemptOutcome::Delivered,
            effect: Effect::Delivered,
            detail: String::new(),
            http_status: None,
            exit_code: None,
            answer,
        }
    }

    /// The target did not accept it; it will be tried again.
    #[must_use]
    pub fn failed(outcome: AttemptOutcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            effect: Effect::Failed,
            detail: detail.into(),
            http_status: None,
            exit_code: None,
            answer: None,
        }
    }

    /// The try as the store records it.
    #[must_use]
    pub fn attempt(self, at: Timestamp, took: Duration) -> Attempt {
        let Self { outcome, effect, detail, http_status, exit_code, answer } = self;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Attempt { at, latency_ms, outcome, http_status, exit_code, answer, detail, effect }
    }
}

/// One kind of action, ready to receive messages.
pub trait Target: Send + Sync {
    /// Sends the message; ends within `timeout`, except for a moment of cleaning up. `None`: a stop ended the try, and
    /// its result is unknown.
    fn send<'a>(
        &'a self,
        message: &'a Message,
        now: Timestamp,
        timeout: Duration,
        stop: Stop,
    ) -> BoxFuture<'a, Option<SendResult>>;

    /// What is wrong with the target, as far as it can be checked without sending anything; one line each.
    fn check(&self) -> BoxFuture<'_, Vec<String>>;
}

/// The stage of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stopping {
    /// No stop is in progress.
    No,
    /// Tries in flight may end.
    Ends,
    /// Tries still in flight are cut off.
    Over,
}

/// Tells tries in flight about a stop.
pub type Stop = tokio::sync::watch::Receiver<Stopping>;

/// Waits until a stop begins; forever if none can.
async fn stopping(stop: Stop) {
    reached(stop, Stopping::Ends).await;
}

/// Waits until a stop cuts off the tries in flight.
async fn ended(stop: Stop) {
    reached(stop, Stopping::Over).await;
}

async fn reached(mut stop: Stop, what: Stopping) {
    if stop.wait_for(|now| *now >= what).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The kind of an action, as configured.
#[derive(Clone, Debug)]
pub enum ActionKind {
    Url(url::Endpoint),
    Command(command::CommandTarget),
    Mail(mail::MailTarget),
}

impl ActionKind {
    /// The target to send to.
    #[must_use]
    pub fn target(&self, clients: &http::Clients) -> Arc<dyn Target> {
        match self {
            Self::Url(endpoint) => Arc::new(url::UrlTarget::new(clients, endpoint.clone())),
            Self::Command(command) => Arc::new(command.clone()),
            Self::Mail(mail) => Arc::new(mail.clone()),
        }
    }

    /// The target's name in the output of `doctor`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Command(_) => "command",
            Self::Mail(_) => "mail server",
        }
    }
}

/// An action as configured in `[actions.NAME]`.
#[derive(Clone, Debug)]
pub struct Action {
    pub name: String,
    /// The target of its deliveries.
    pub kind: ActionKind,
    /// The filter for its news.
    pub filter: NewsFilter,
    /// Whether it gets the e-mail of orders.
    pub with_email: bool,
    /// Whether it gets the API's JSON of orders.
    pub with_raw: bool,
    /// Timeout of one try.
    pub timeout: Duration,
    /// Maximum number of tries in flight.
    pub concurrency: usize,
    /// When a delivery is retried, and when it is given up.
    pub policy: RetryPolicy,
}

/// The beginning of an answer, on one line without control characters; `None` if it is empty.
#[must_use]
pub(crate) fn excerpt(bytes: &[u8]) -> Option<String> {
    let beginning = bytes.get(..LONGEST_EXCERPT).unwrap_or(bytes);
    let text = String::from_utf8_lossy(beginning);
    let is_shown = |c: &char| !c.is_control();
    let text: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(is_shown).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_answer_is_one_line_without_control_characters() {
        assert_eq!(excerpt(b"stored\r\n\x1b[31mred\x00 \xff"), Some("stored  [31mred \u{fffd}".to_owned()));
        assert_eq!(excerpt(b" \n"), None);
        assert_eq!(excerpt(&[b'x'; 5000]).map(|text| text.len()), Some(1024));
    }
}
