//! The types that all rooms share: a notification is parsed into a claim, the claim is compared with an answer of the
//! shop's API, and the result is a verdict. No I/O here; the program's only clock is [`time::Clock`].

pub mod address;
pub mod alerts;
pub mod answer;
pub mod claim;
pub mod course;
pub mod decimal;
pub mod error_chain;
pub mod escape;
pub mod format;
pub mod health;
mod last_turn;
pub mod news;
pub mod notification;
pub mod number;
pub mod outbox;
pub mod panics;
pub mod rate;
pub mod reconciliation;
pub mod replaced;
pub mod report;
pub mod settlement;
pub mod shipping;
pub mod statistics;
pub mod time;
pub mod verdict;
pub mod window;

pub use answer::{
    Answer, CallResult, Comparison, Deletion, Failure, FailureScope, FoundObject, Judge, Known,
    NotFoundEvidence, OrderTruth, ProductTruth, StoredObject, Truth,
};
pub use claim::{Claim, ClaimKey, EventTime, Reading, Subject, SubjectKind, Unasked};
pub use course::{Course, StatusKey};
pub use last_turn::LastTurn;
pub use news::{News, NewsType};
pub use notification::{Headers, Origin, RawNotification};
pub use outbox::{ActionState, Attempt, AttemptOutcome, DeliveryState, Effect, NewsFilter, RetryPolicy};
pub use rate::Rate;
pub use reconciliation::{LastConfirmed, ListRequest, Listed, Listing, OurOrder, Unconfirmed};
pub use report::{Counts, Finding, FindingKind, Report, ReportedSource, SourceReport};
pub use statistics::SourceStatistics;
pub use time::{Clock, Timestamp};
pub use verdict::{Cause, Outcome, Reason, State};
pub use window::Window;
