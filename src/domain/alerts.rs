//! Alerts: what was told to the owner, and what is on its way to him. [`crate::rules::alerts`] decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::health::WarningKind;
pub use super::health::{Channel, FailingChannel};
use super::time::Timestamp;

/// When what is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRules {
    /// How long a problem is listed before it is told.
    pub after: Duration,
    /// How often what is still open is told again; `None`: never.
    pub remind: Option<Duration>,
    /// Whether the end of a problem is told.
    pub recovery: bool,
    /// The ways to the owner; none: nothing is told.
    pub channels: Vec<Channel>,
}

/// What needs the owner, from its beginning until it has been over for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its word.
    pub kind: WarningKind,
    /// The source that it is about.
    pub source: Option<String>,
    /// The action that it is about.
    pub action: Option<String>,
    /// When it was listed first.
    pub since: Timestamp,
    /// When it was not listed any more; `None` while it is.
    pub gone_at: Option<Timestamp>,
    /// When it was told last; `None`: it was not.
    pub told_at: Option<Timestamp>,
}

/// One open problem in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEntry {
    /// The word of its kind.
    pub kind: String,
    /// The source that it is about.
    pub source: Option<String>,
    /// The action that it is about.
    pub action: Option<String>,
    /// What is so.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// One problem in a message that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverEntry {
    /// The word of its kind.
    pub kind: String,
    /// The source that it was about.
    pub source: Option<String>,
    /// The action that it was about.
    pub action: Option<String>,
    /// When it began, RFC 3339.
    pub since: String,
    /// How long it lasted, in words.
    pub lasted: String,
}

/// What one message says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertText {
    /// Open problems, what is worst first.
    pub warnings: Vec<AlertEntry>,
    /// Problems that are over.
    pub over: Vec<OverEntry>,
    /// Problems that are open and were told before.
    pub others: u64,
}

/// A message to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMessage {
    /// Its own among the messages that are remembered.
    pub id: i64,
    /// Where it goes.
    pub channel: Channel,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub text: AlertText,
    pub attempts: u32,
    /// When it is tried next; `None`: it was taken, or given up.
    pub next_attempt_at: Option<Timestamp>,
}

/// Everything that has to be remembered about alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertMemory {
    /// Open problems, and those that have been over for a short while.
    pub problems: Vec<Problem>,
    /// Messages of the last hour, and those on their way.
    pub messages: Vec<AlertMessage>,
    /// Channels whose last message was given up.
    pub failing: Vec<FailingChannel>,
}
