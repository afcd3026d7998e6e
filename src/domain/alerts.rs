//! Alerts: the problems reported to the owner, and the messages on their way. [`crate::rules::alerts`]
//! decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::health::WarningKind;
pub use super::health::{Channel, FailingChannel};
use super::time::Timestamp;

/// When problems are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRules {
    /// How long a problem must be listed before it is reported.
    pub after: Duration,
    /// The interval at which open problems are reported again; `None`: never.
    pub remind: Option<Duration>,
    /// Whether the end of a problem is reported.
    pub recovery: bool,
    /// The channels; if there are none, nothing is reported.
    pub channels: Vec<Channel>,
}

/// A problem that needs the owner, from its beginning until it has been over for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of warning.
    pub kind: WarningKind,
    /// `None` if it concerns no source.
    pub source: Option<String>,
    /// `None` if it concerns no action.
    pub action: Option<String>,
    /// When it was first listed.
    pub since: Timestamp,
    /// When it was no longer listed; `None` while it is.
    pub gone_at: Option<Timestamp>,
    /// When it was last reported; `None`: not yet.
    pub told_at: Option<Timestamp>,
}

/// One open problem in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertEntry {
    /// The kind of warning.
    pub kind: String,
    /// `None` if it concerns no source.
    pub source: Option<String>,
    /// `None` if it concerns no action.
    pub action: Option<String>,
    pub what: String,
    pub remedy: String,
    /// When it began, RFC 3339.
    pub since: String,
}

/// A problem in a message that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverEntry {
    /// The kind of warning.
    pub kind: String,
    /// `None` if it concerns no source.
    pub source: Option<String>,
    /// `None` if it concerns no action.
    pub action: Option<String>,
    /// When it began, RFC 3339.
    pub since: String,
    /// Its duration, in words.
    pub lasted: String,
}

/// The content of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertText {
    /// Open problems, the worst first.
    pub warnings: Vec<AlertEntry>,
    /// Problems that are over.
    pub over: Vec<OverEntry>,
    /// The number of open problems that were reported before.
    pub others: u64,
}

/// A message to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertMessage {
    /// Unique among the stored messages.
    pub id: i64,
    /// The channel that it is sent on.
    pub channel: Channel,
    /// When it was written.
    pub at: Timestamp,
    pub text: AlertText,
    pub attempts: u32,
    /// When it is tried next; `None`: it was sent or given up.
    pub next_attempt_at: Option<Timestamp>,
}

/// The stored state of the alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertMemory {
    /// Open problems, and those that have been over for a short while.
    pub problems: Vec<Problem>,
    /// Messages of the last hour, and those not sent yet.
    pub messages: Vec<AlertMessage>,
    /// Channels whose last message was given up.
    pub failing: Vec<FailingChannel>,
}
