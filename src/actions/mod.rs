//! What an action is and how a message is sent to it: one file for each kind. A kind is a [`Target`], built from its
//! keys in the configuration; the deliverer knows no more of it.
//!
//! | file | its one job |
//! |---|---|
//! | [`url`] | one POST, as Standard Webhooks say |
//! | [`signature`] | how such a request is signed |
//! | [`network`] | which addresses plain HTTP may reach |
//! | [`command`] | one process, which reads the message from its standard input |
//! | [`alert`] | what needs the owner's attention, sent to him |
//! | [`notice`] | a request without a signature: alerts, the heartbeat |
//! | [`mail`] | one mail, made for a lock screen |
//! | [`smtp`] | the mail server that it goes to |

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::domain::{Attempt, AttemptOutcome, Effect, News, NewsFilter, RetryPolicy, Timestamp};

pub mod alert;
pub mod command;
pub mod mail;
pub mod network;
pub mod notice;
pub mod signature;
pub mod smtp;
pub mod url;

/// Bytes of an answer that are kept.
const KEPT: usize = 1024;

/// What is sent to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The id under which the target knows it: the same on every try.
    pub id: String,
    /// The action's name.
    pub action: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// What it is about; `None` for a test.
    pub news: Option<News>,
    /// The JSON of the feed.
    pub body: String,
}

impl Message {
    /// The word for what happened.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.news.as_ref().map_or("test", |news| news.kind.as_str())
    }
}

/// What came of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// What follows from it.
    pub effect: Effect,
    /// In plain words, without any address or secret.
    pub detail: String,
    /// The HTTP status, where an answer came.
    pub http_status: Option<u16>,
    /// The exit code of a command that ended by itself.
    pub exit_code: Option<i32>,
    /// The beginning of what came back.
    pub answer: Option<String>,
}

impl SendResult {
    /// It was taken.
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

    /// It was not, and is tried again.
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

    /// The try as the store keeps it.
    #[must_use]
    pub fn attempt(self, at: Timestamp, took: Duration) -> Attempt {
        let Self { outcome, effect, detail, http_status, exit_code, answer } = self;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Attempt { at, latency_ms, outcome, http_status, exit_code, answer, detail, effect }
    }
}

/// One kind of action, ready to be sent messages.
pub trait Target: Send + Sync {
    /// Sends it; ends within `timeout`, but for the moments that cleaning up takes. `None`: a stop ended it, and what
    /// came of it is not known.
    fn send<'a>(
        &'a self,
        message: &'a Message,
        now: Timestamp,
        timeout: Duration,
        stop: Stop,
    ) -> BoxFuture<'a, Option<SendResult>>;

    /// What is wrong with it as far as that can be seen without sending it anything; a line each.
    fn check(&self) -> BoxFuture<'_, Vec<String>>;
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stopping {
    /// Nothing stops.
    No,
    /// Tries under way may end.
    Ends,
    /// What has not ended is cut off.
    Over,
}

/// Tells tries under way of a stop.
pub type Stop = tokio::sync::watch::Receiver<Stopping>;

/// Waits until a stop begins; forever where none can.
async fn stopping(stop: Stop) {
    reached(stop, Stopping::Ends).await;
}

/// Waits until a stop cuts off what has not ended.
async fn ended(stop: Stop) {
    reached(stop, Stopping::Over).await;
}

async fn reached(mut stop: Stop, what: Stopping) {
    if stop.wait_for(|now| *now >= what).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What an action is, as configured.
#[derive(Clone, Debug)]
pub enum ActionKind {
    /// An HTTP endpoint.
    Url(url::Endpoint),
    /// A program.
    Command(command::CommandTarget),
    /// Mailboxes.
    Mail(mail::MailTarget),
}

impl ActionKind {
    /// The target to send to.
    #[must_use]
    pub fn target(&self, clients: &url::Clients) -> Arc<dyn Target> {
        match self {
            Self::Url(endpoint) => Arc::new(url::UrlTarget::new(clients, endpoint.clone())),
            Self::Command(command) => Arc::new(command.clone()),
            Self::Mail(mail) => Arc::new(mail.clone()),
        }
    }

    /// In a few words.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Command(_) => "command",
            Self::Mail(_) => "mail server",
        }
    }
}

/// One `[actions.NAME]`.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Where its deliveries go.
    pub kind: ActionKind,
    /// Which news it gets.
    pub filter: NewsFilter,
    /// Whether it gets the e-mail of orders.
    pub with_email: bool,
    /// Whether it gets the API's JSON of orders.
    pub with_raw: bool,
    /// The longest that one try may take.
    pub timeout: Duration,
    /// Tries under way at once.
    pub concurrency: usize,
    /// How long a delivery is tried.
    pub policy: RetryPolicy,
}

/// The beginning of what came back, as text on one line without control characters; `None` if nothing came.
#[must_use]
pub(crate) fn kept(bytes: &[u8]) -> Option<String> {
    let beginning = bytes.get(..KEPT).unwrap_or(bytes);
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
        assert_eq!(kept(b"stored\r\n\x1b[31mred\x00 \xff"), Some("stored  [31mred \u{fffd}".to_owned()));
        assert_eq!(kept(b" \n"), None);
        assert_eq!(kept(&[b'x'; 5000]).map(|text| text.len()), Some(1024));
    }
}
