//! The outbox: news on its way to the owner's actions, and what came of each try.

use std::time::Duration;

use super::claim::SubjectKind;
use super::time::Timestamp;
use super::verdict::words;

words! {
    /// The state of a delivery.
    DeliveryState {
        /// It is tried, or tried again, when it is due.
        Waiting = "waiting",
        /// The action took it.
        Delivered = "delivered",
        /// countersign gave up, or the action refused it for good.
        Dead = "dead",
        /// A person decided against it.
        Skipped = "skipped",
    }
}

words! {
    /// What came of one try.
    AttemptOutcome {
        /// The action took it.
        Delivered = "delivered",
        /// An answer other than success.
        Refused = "refused",
        Unreachable = "unreachable",
        Timeout = "timeout",
        /// A command's exit code, or it could not be started.
        Failed = "failed",
    }
}

/// Which news an action gets; an empty list lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsFilter {
    pub sources: Vec<String>,
    pub kinds: Vec<SubjectKind>,
    /// Words of which one is the current status or fulfilment status.
    pub status: Vec<String>,
}

/// How long a delivery is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The pauses after the first, the second … failed try; the last one repeats.
    pub pauses: Vec<Duration>,
    /// No try after this age.
    pub give_up_after: Duration,
}

/// What one try means for its delivery and its action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The action took it.
    Delivered,
    /// It is tried again.
    Failed,
    /// The action is well, and refuses this delivery for good.
    Rejected,
    /// The action exists no more (HTTP 410).
    Gone,
    /// The action asks for a pause: this long, if it says so.
    Hold(Option<Duration>),
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    /// To its end.
    pub latency_ms: u64,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// The HTTP status, where an answer came.
    pub http_status: Option<u16>,
    /// The exit code of a command that ended by itself.
    pub exit_code: Option<i32>,
    /// The beginning of the answer, without control characters.
    pub answer: Option<String>,
    /// The outcome as text; holds no address and no secret.
    pub detail: String,
    /// What follows from it.
    pub effect: Effect,
}

/// What is known of an action over all of its deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionState {
    /// Failed tries since the last success.
    pub failures: u32,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// The delivery that probes while the circuit breaker is open, and since when it does.
    pub probe: Option<(i64, Timestamp)>,
    /// Nothing is sent before this time, because the action asked for that.
    pub held_until: Option<Timestamp>,
    /// When it answered that it exists no more; nothing is sent.
    pub gone_at: Option<Timestamp>,
    /// The last failure as text.
    pub last_error: Option<String>,
}
