//! What the rules know when an answer is judged (a [`Case`]), and what they decide (a [`Settlement`]): plain data, so
//! that the rules stay pure.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::{StoredObject, Truth};
use super::claim::{Claim, ClaimKey};
use super::course::StatusKey;
use super::time::Timestamp;
use super::verdict::{Cause, Outcome, Reason, State};

/// The `[verify]` settings that the rules use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Not-found and mismatch are final only if the call was sent when the notification was at least this old.
    pub grace: Duration,
    /// The first delay before a retry.
    pub retry_base: Duration,
    /// The longest delay before a retry.
    pub retry_cap: Duration,
    /// The minimum age at which retries end.
    pub give_up_after: Duration,
    /// The first pause of a source that rejects the credentials.
    pub denied_pause: Duration,
}

/// A pending notification under this lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    pub id: i64,
    /// When it was received.
    pub received_at: Timestamp,
    /// When a person last used `retry`.
    pub retried_at: Option<Timestamp>,
    /// The number of verifications so far, including probes of its whole source.
    pub attempts: u32,
    /// The number of refusals so far that concerned only this subject (see `Failure::is_refusal`).
    pub own_refusals: u32,
    pub claim: Claim,
    pub key: ClaimKey,
}

impl Waiting {
    /// The start of the time until retries end: the last `retry`, otherwise the receipt.
    #[must_use]
    pub fn patience_since(&self) -> Timestamp {
        self.retried_at.map_or(self.received_at, |retried| retried.max(self.received_at))
    }
}

/// A notification with the same key as a leased one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equal {
    pub id: i64,
    /// When it was received.
    pub received_at: Timestamp,
    pub key: ClaimKey,
    /// `pending` (not under this lease), `confirmed` or `undecided`.
    pub state: State,
}

/// All that the store knows when an answer is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The notifications under this lease, lowest id first.
    pub waiting: Vec<Waiting>,
    /// Notifications of the same source with the key of a leased one.
    pub equals: Vec<Equal>,
    /// The stored truth about the subject.
    pub stored: Option<StoredObject>,
    /// Whether any call of this source ever found an object.
    pub source_found_any: bool,
    /// The last confirmed values of the subject.
    pub last_confirmed: Option<Map<String, Value>>,
}

/// One row of `verifications`, without its ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    pub outcome: Outcome,
    pub detail: Option<String>,
    /// The fields of the answer that the outcome is based on.
    pub answer: Option<Value>,
}

/// The next state of a leased notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// To a settled state.
    Settle {
        /// Only `confirmed` or `ignored`.
        state: State,
        reason: Reason,
        /// The confirmed notification that this one repeats.
        duplicate_of: Option<i64>,
        /// Whether this is the first confirmation of these values.
        news: bool,
    },
    /// It stays `pending` until `next_attempt_at`.
    Wait {
        /// The cause from the last try.
        reason: Reason,
        next_attempt_at: Timestamp,
    },
    GiveUp {
        reason: Reason,
    },
    /// Unchanged, to be verified alone at once, because a list call settles only what it confirms.
    AskAlone,
}

/// The decision about one leased notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    pub id: i64,
    pub to: Move,
    pub detail: Option<String>,
    /// Its verification row; `None` if it is settled without a call (a repeat).
    pub verification: Option<Verification>,
    /// Whether the answer was a refusal of only this subject.
    pub own_refusal: bool,
}

/// The effect of an answer on the stored truth.
#[derive(Clone, Debug, PartialEq)]
pub enum TruthChange {
    Keep,
    /// The answer is stored.
    Put(Truth),
    /// The object is gone: `gone_at` of an order, `available = 0` of a product.
    Gone {
        /// The id in `orders` or `products`.
        resolved_id: String,
    },
}

/// The effect of an answer on its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceStatus {
    /// The API answered, so an outage of the source is over.
    Well,
    /// The failure says nothing about the source.
    Unchanged,
    /// The source as a whole, or one kind of its calls, fails.
    Failing {
        /// The kind of call that fails; `None` for all kinds.
        call_kind: Option<String>,
        cause: Cause,
        detail: String,
        /// The time to wait that the API asked for.
        retry_after: Option<Duration>,
    },
}

/// All changes of one answer, written in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// One decision per leased notification, and one per equal notification that becomes a duplicate.
    pub rulings: Vec<Ruling>,
    /// The keys of the statuses confirmed last before this answer: all of them first, then those of subsets.
    pub confirmed_before: Vec<StatusKey>,
    /// The change of the stored truth.
    pub truth: TruthChange,
    /// The id in `orders` or `products`, from the answer.
    pub resolved_id: Option<String>,
    /// The values confirmed by this answer.
    pub confirmed_values: Option<Map<String, Value>>,
    /// Whether the answer showed an object.
    pub found: bool,
    /// The effect on the source. While it fails, its notifications wait for the source and not for their own retries.
    pub source_status: SourceStatus,
}
