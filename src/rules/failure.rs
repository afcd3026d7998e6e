//! Decides after a failed call: when to retry and when to stop. A failure says nothing about any claim.

use super::retry;
use crate::domain::panics::Panicked;
use crate::domain::settlement::{
    Case, Move, Policy, Ruling, Settlement, SourceStatus, TruthChange, Verification, Waiting,
};
use crate::domain::{Cause, Failure, FailureScope, Reason, Timestamp};

/// Decides for a question that `failure` ended. `failure.scope` is the scope found by the control question;
/// [`FailureScope::Unclear`] counts as the subject's own.
#[must_use]
pub fn on_failure(
    failure: &Failure,
    call_kind: &str,
    asked_at: Timestamp,
    case: &Case,
    policy: &Policy,
    jitter: f64,
) -> Settlement {
    let source_status = match failure.scope {
        FailureScope::Source => failing(None, failure),
        FailureScope::CallKind => failing(Some(call_kind.to_owned()), failure),
        // The credentials work, according to the provider or the control question.
        FailureScope::Subject => SourceStatus::Well,
        FailureScope::Unclear => SourceStatus::Unchanged,
    };
    let own = matches!(failure.scope, FailureScope::Subject | FailureScope::Unclear);
    let own_refusal = own && failure.is_refusal();
    let rulings =
        case.waiting.iter().map(|row| rule(row, failure, own_refusal, asked_at, policy, jitter)).collect();
    Settlement {
        rulings,
        confirmed_before: Vec::new(),
        truth: TruthChange::Keep,
        resolved_id: None,
        confirmed_values: None,
        found: false,
        source_status,
    }
}

fn failing(call_kind: Option<String>, failure: &Failure) -> SourceStatus {
    SourceStatus::Failing {
        call_kind,
        cause: failure.cause,
        detail: failure.detail.clone(),
        retry_after: failure.retry_after,
    }
}

/// Decides for a notification on which the rules panicked: a failure of the subject, like a refusal.
pub(super) fn panicked(
    row: &Waiting,
    panicked: Panicked,
    asked_at: Timestamp,
    policy: &Policy,
    jitter: f64,
) -> Ruling {
    rule(row, &Failure::from(panicked), true, asked_at, policy, jitter)
}

fn rule(
    row: &Waiting,
    failure: &Failure,
    own_refusal: bool,
    asked_at: Timestamp,
    policy: &Policy,
    jitter: f64,
) -> Ruling {
    // While the source works, denied access to one subject is an error of that subject.
    let cause = if own_refusal { Cause::ApiError } else { failure.cause };
    let reason = Reason::from(cause);
    let refused_enough = own_refusal && row.own_refusals + 1 >= retry::MOST_OWN_REFUSALS;
    let grace_ends = row.received_at.plus(policy.grace);
    let to = if (refused_enough && asked_at >= grace_ends) || retry::out_of_patience(row, asked_at, policy) {
        Move::GiveUp { reason }
    } else {
        let pause = retry::backoff(policy.retry_base, policy.retry_cap, row.attempts + 1, jitter);
        let next = asked_at.plus(pause);
        Move::Wait { reason, next_attempt_at: if refused_enough { next.min(grace_ends) } else { next } }
    };
    Ruling {
        id: row.id,
        to,
        detail: Some(failure.detail.clone()),
        verification: Some(Verification {
            outcome: cause.into(),
            detail: Some(failure.detail.clone()),
            answer: None,
        }),
        own_refusal,
    }
}
