//! What the rules see of the store when an answer is judged, and what they want written: plain data, so that the
//! rules stay pure and any engine can keep it.

use std::time::Duration;

use serde_json::{Map, Value};

use super::answer::{Held, Truth};
use super::claim::{Claim, ClaimKey};
use super::course::StatusKey;
use super::time::Timestamp;
use super::verdict::{Cause, Outcome, Reason, State};

/// The `[verify]` settings that judging needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Not-found and mismatch are final only from a question sent when the notification was this old.
    pub grace: Duration,
    /// First pause between two questions.
    pub retry_base: Duration,
    /// Longest pause between two questions.
    pub retry_cap: Duration,
    /// No giving up before this age.
    pub give_up_after: Duration,
    /// First pause of a source that does not let us in.
    pub denied_pause: Duration,
}

/// A notification that waits under our lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The notification's id.
    pub id: i64,
    /// When it came in.
    pub received_at: Timestamp,
    /// When a person last asked for a fresh start.
    pub retried_at: Option<Timestamp>,
    /// Questions asked for it so far, those of a probe of its whole source included.
    pub attempts: u32,
    /// Refusals so far that were this subject's own (see `Failure::is_refusal`).
    pub own_refusals: u32,
    /// What it says.
    pub claim: Claim,
    /// Its claim's key.
    pub key: ClaimKey,
}

impl Waiting {
    /// From when patience is counted: the last `retry`, else receipt.
    #[must_use]
    pub fn patience_since(&self) -> Timestamp {
        self.retried_at.map_or(self.received_at, |retried| retried.max(self.received_at))
    }
}

/// A notification with the same key as a waiting one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equal {
    /// The notification's id.
    pub id: i64,
    /// When it came in.
    pub received_at: Timestamp,
    /// The shared key.
    pub key: ClaimKey,
    /// Its state: `pending` (not under our lease), `confirmed` or `undecided`.
    pub state: State,
}

/// All that the store knows when an answer about one question is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The notifications under our lease, lowest id first.
    pub waiting: Vec<Waiting>,
    /// Deliveries of the same source with a key of a waiting one.
    pub equals: Vec<Equal>,
    /// The truth held about the subject.
    pub held: Option<Held>,
    /// Whether any question of this source ever found an object.
    pub source_found_any: bool,
    /// The values confirmed last about the subject.
    pub last_told: Option<Map<String, Value>>,
}

/// One row of `verifications`, but for its ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// What came of it.
    pub outcome: Outcome,
    /// In plain words.
    pub detail: Option<String>,
    /// The fields of the answer that the outcome rests on.
    pub answer: Option<Value>,
}

/// Where a waiting notification goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// To a settled state.
    Settle {
        /// `confirmed` or `ignored`.
        state: State,
        /// The reason.
        reason: Reason,
        /// The confirmed notification that this one repeats.
        duplicate_of: Option<i64>,
        /// Whether this is the first confirmation of these values.
        news: bool,
    },
    /// It stays `pending` until `next_attempt_at`.
    Wait {
        /// The last try's cause.
        reason: Reason,
        /// When to ask again.
        next_attempt_at: Timestamp,
    },
    /// To `undecided`.
    GiveUp {
        /// The last cause.
        reason: Reason,
    },
    /// It stays as it is and is asked about alone, at once: a list settles only what it confirms.
    AskAlone,
}

/// What becomes of one waiting notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// The notification's id.
    pub id: i64,
    /// Its move.
    pub to: Move,
    /// The `detail` column.
    pub detail: Option<String>,
    /// Its verification row; `None` where it is settled without having been asked (a repeat).
    pub verification: Option<Verification>,
    /// Whether the answer was a refusal of this subject's own.
    pub own_refusal: bool,
}

/// What an answer does to the truth held.
#[derive(Clone, Debug, PartialEq)]
pub enum TruthChange {
    /// Nothing.
    Keep,
    /// The answer lands.
    Put(Truth),
    /// The object is gone: `gone_at` of an order, `available = 0` of a product.
    Gone {
        /// The id in `orders` or `products`.
        resolved_id: String,
    },
}

/// What an answer does to the standing of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The API answered: whatever trouble the source had is over.
    Well,
    /// The failure says nothing about the source.
    Unchanged,
    /// The source as a whole, or one kind of its calls, fails.
    Failing {
        /// The lane that fails; `None` for all.
        lane: Option<String>,
        /// Why.
        cause: Cause,
        /// In plain words.
        detail: String,
        /// How long the API asked us to wait.
        retry_after: Option<Duration>,
    },
}

/// All that one answer changes, written in one transaction or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// One per waiting notification, and one per equal one that becomes a duplicate.
    pub rulings: Vec<Ruling>,
    /// The keys of the statuses confirmed last before this answer, all of them first, then those of some of them.
    pub told_before: Vec<StatusKey>,
    /// What becomes of the truth held.
    pub truth: TruthChange,
    /// The id in `orders` or `products` that the answer gave.
    pub resolved_id: Option<String>,
    /// The values confirmed by this answer.
    pub told: Option<Map<String, Value>>,
    /// Whether the answer showed an object.
    pub found: bool,
    /// What the answer means for its source; while it fails, the waiting ones wait for it and not for themselves.
    pub standing: Standing,
}
