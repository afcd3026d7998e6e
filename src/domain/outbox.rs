//! The outbox: news on its way to the owner's actions, and the result of each try.

use std::time::Duration;

use super::claim::SubjectKind;
use super::time::Timestamp;
use super::verdict::words;

words! {
    /// The state of a delivery.
    DeliveryState {
        /// It is tried, or tried again, when it is due.
        Waiting = "waiting",
        /// The action accepted it.
        Delivered = "delivered",
        /// countersign gave up, or the action refused it for good.
        Dead = "dead",
        /// A person skipped it.
        Skipped = "skipped",
    }
}

words! {
    /// The outcome of one try.
    AttemptOutcome {
        /// The action accepted it.
        Delivered = "delivered",
        /// An answer other than success.
        Refused = "refused",
        Unreachable = "unreachable",
        Timeout = "timeout",
        /// A command's exit code, or a command that could not be started.
        Failed = "failed",
    }
}

/// The filter of an action's news; an empty list lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsFilter {
    pub sources: Vec<String>,
    pub kinds: Vec<SubjectKind>,
    /// Statuses, one of which must be the current status or fulfilment status.
    pub status: Vec<String>,
}

/// The retry schedule of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pauses after the first, second, … failed try; the last one repeats.
    pub pauses: Vec<Duration>,
    /// The age after which there are no more tries.
    pub give_up_after: Duration,
}

/// The effect of one try on its delivery and its action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The action accepted it.
    Delivered,
    /// It will be tried again.
    Failed,
    /// The action works, and refuses this delivery for good.
    Rejected,
    /// The action is gone (HTTP 410).
    Gone,
    /// The action asks for a pause, of this length if it names one.
    Hold(Option<Duration>),
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    /// The duration of the try.
    pub latency_ms: u64,
    pub outcome: AttemptOutcome,
    /// The HTTP status, if there was an answer.
    pub http_status: Option<u16>,
    /// The exit code of a command that ended by itself.
    pub exit_code: Option<i32>,
    /// The beginning of the answer, without control characters.
    pub answer: Option<String>,
    /// An explanation without addresses or secrets.
    pub detail: String,
    /// Its effect on the delivery and the action.
    pub effect: Effect,
}

/// The state of an action over all of its deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionState {
    /// Failed tries since the last success.
    pub failures: u32,
    /// When the first of them was made.
    pub failing_since: Option<Timestamp>,
    /// The delivery that probes while the circuit breaker is open, and since when.
    pub probe: Option<(i64, Timestamp)>,
    /// Nothing is sent before this time, because the action asked for a pause.
    pub held_until: Option<Timestamp>,
    /// When it answered HTTP 410; nothing is sent.
    pub gone_at: Option<Timestamp>,
    /// The explanation of the last failure.
    pub last_error: Option<String>,
}
