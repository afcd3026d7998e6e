//! The question of a call, and the state changes that its answer caused.

use crate::domain::{Claim, Reason, State, Timestamp};
use crate::store::queue::rate_limit::CallPermit;

/// The facts of one question, for its verification rows.
#[derive(Clone, Debug)]
pub struct VerificationCall {
    /// The lease under which it was asked.
    pub lease: String,
    pub source: String,
    /// The claim in question.
    pub claim: Claim,
    /// The call's number, and how long it counts.
    pub permit: CallPermit,
    /// When the first request was sent.
    pub asked_at: Timestamp,
    /// The HTTP status that the answer is based on.
    pub http_status: Option<u16>,
    /// The duration until the end of the last answer.
    pub latency_ms: u64,
    /// The id of the object that the answer shows.
    pub truth_id: Option<String>,
}

/// A notification whose state changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    pub id: i64,
    pub state: State,
    pub reason: Option<Reason>,
}

impl StateChange {
    /// A change to `superseded`.
    pub(in crate::store) fn superseded(id: i64) -> Self {
        Self { id, state: State::Ignored, reason: Some(Reason::Superseded) }
    }
}
