//! Decides what an answer means for the notifications that were leased for it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{confirmed_values, failure, retry};
use crate::domain::panics::contained;
use crate::domain::settlement::{
    Case, Move, Policy, Ruling, Settlement, SourceStatus, TruthChange, Verification, Waiting,
};
use crate::domain::{
    Answer, CallResult, Claim, ClaimKey, Comparison, Judge, Known, Outcome, Reason, State, StatusKey,
    StoredObject, Timestamp, Truth,
};

/// A claimed time may be this much after the shop's clock and ours.
const FUTURE_TOLERANCE: Duration = Duration::from_secs(600);

/// Decides for every notification with the question of `answer`, which is not a failure (see [`super::on_failure`]).
#[must_use]
pub fn settle(
    judge: &dyn Judge,
    answer: &Answer,
    case: &Case,
    policy: &Policy,
    jitter: f64,
    now: Timestamp,
) -> Settlement {
    let stored = stored(judge, case);
    let stale = is_stale(answer, stored, now);
    let known = Known { stored: stored.cloned(), source_found_any: case.source_found_any };
    let mut confirmations = Confirmations::new(case, answer);
    let mut rulings: Vec<Ruling> = case
        .waiting
        .iter()
        .map(|row| {
            let comparison = if stale {
                older_than_stored(answer)
            } else {
                let compared = contained(|| {
                    let comparison = whole(&row.claim, judge.compare(&row.claim, answer, &known));
                    in_its_time(row, answer, judge.latest_time(answer), now, comparison)
                });
                match compared {
                    Ok(comparison) => comparison,
                    Err(panic) => return failure::panicked(row, panic, answer.asked_at, policy, jitter),
                }
            };
            let to = confirmations.rule(row, &comparison, policy, jitter);
            ruling(row.id, to, comparison)
        })
        .collect();
    rulings.extend(confirmations.repeats());
    rulings.append(&mut confirmations.elsewhere);
    let (truth, resolved_id) = if stale { (TruthChange::Keep, None) } else { truth(answer, stored) };
    Settlement {
        rulings,
        confirmed_before: confirmed_before(judge, case),
        truth,
        resolved_id,
        confirmed_values: confirmations.values,
        found: matches!(answer.result, CallResult::Found(_)),
        source_status: SourceStatus::Well,
    }
}

/// Like [`settle`], for an answer from a list call: what it confirms counts, everything else is verified alone.
#[must_use]
pub fn settle_listed(
    judge: &dyn Judge,
    answer: &Answer,
    case: &Case,
    policy: &Policy,
    now: Timestamp,
) -> Settlement {
    let mut settlement = settle(judge, answer, case, policy, 0.0, now);
    let confirms = |ruling: &Ruling| {
        matches!(ruling.to, Move::Settle { state: State::Confirmed, reason: Reason::Match, .. })
    };
    let has_confirmed = settlement.rulings.iter().any(confirms);
    for ruling in &mut settlement.rulings {
        let counts = confirms(ruling) || matches!(ruling.to, Move::Settle { reason: Reason::Duplicate, .. });
        if !counts {
            *ruling = Ruling { to: Move::AskAlone, detail: None, verification: None, ..ruling.clone() };
        }
    }
    if !has_confirmed {
        settlement.truth = TruthChange::Keep;
    }
    settlement
}

/// The stored truth about the subject, unless it is an object that the claims cannot mean. All notifications with one
/// question name the same subject.
fn stored<'a>(judge: &dyn Judge, case: &'a Case) -> Option<&'a StoredObject> {
    let means_it = |stored: &&StoredObject| {
        !stored.by_internal_id
            || case.waiting.first().is_some_and(|row| judge.names_by_internal_id(&row.claim))
    };
    case.stored.as_ref().filter(means_it)
}

/// Whether an answer is older than the stored truth: by the object's own time of change, otherwise by the time of the
/// call. A time of a call in the future comes from a clock that was set back since, and proves nothing.
#[must_use]
pub fn is_stale(answer: &Answer, stored: Option<&StoredObject>, now: Timestamp) -> bool {
    let Some(stored) = stored else { return false };
    let updated_at = match &answer.result {
        CallResult::Found(object) => match &object.truth {
            Some(truth) if truth.id() == stored.resolved_id => truth.updated_at(),
            _ => return false,
        },
        CallResult::NotFound(_) => None,
        CallResult::Failed(_) => return false,
    };
    match (updated_at, stored.updated_at) {
        (Some(new), Some(old)) if new != old => new < old,
        _ => stored.fetched_at <= now && answer.asked_at < stored.fetched_at,
    }
}

fn older_than_stored(answer: &Answer) -> Comparison {
    let evidence = match &answer.result {
        CallResult::Found(object) => {
            json!({ "updated_at": object.truth.as_ref().and_then(Truth::updated_at).map(|t| t.to_string()) })
        }
        _ => Value::Null,
    };
    Comparison::differs(Outcome::NotYet, "the answer is older than the stored truth", evidence)
}

/// Whether a comparison would confirm its claim.
fn confirms(comparison: &Comparison) -> bool {
    matches!(comparison.outcome, Outcome::Match | Outcome::Deleted) || comparison.stored_before
}

/// A claim with a value that could not be read completely is never confirmed: it may have been any other
/// value.
fn whole(claim: &Claim, comparison: Comparison) -> Comparison {
    match claim.unreadable_value() {
        Some(name) if confirms(&comparison) => {
            let detail = Some(format!("the notified {name} holds bytes that are not text"));
            Comparison { outcome: Outcome::Mismatch, detail, stored_before: false, ..comparison }
        }
        _ => comparison,
    }
}

/// A claim with a time in the future is not confirmed before that time has come by the shop's clock or ours,
/// unless the object itself carries such a time (`latest`): then the shop has stated it, too.
fn in_its_time(
    row: &Waiting,
    answer: &Answer,
    latest: Option<Timestamp>,
    now: Timestamp,
    comparison: Comparison,
) -> Comparison {
    let Some(claimed) = row.claim.event_time.instant.filter(|_| confirms(&comparison)) else {
        return comparison;
    };
    let by = |clock: Timestamp| answer.date.map_or(clock, |date| date.max(clock));
    let is_to_come = claimed > by(row.received_at).plus(FUTURE_TOLERANCE) && claimed > by(now);
    // Some APIs' times are in whole seconds.
    let is_said_too = latest.is_some_and(|latest| latest.seconds() >= claimed.seconds());
    if !is_to_come || is_said_too {
        return comparison;
    }
    let detail = format!("the claimed time {claimed} has not come yet; the shop's clock says {}", by(now));
    Comparison { outcome: Outcome::NotYet, detail: Some(detail), stored_before: false, ..comparison }
}

/// The notifications that this answer confirms. Of equal claims, only the first received is confirmed.
struct Confirmations<'a> {
    answer: &'a Answer,
    case: &'a Case,
    /// The confirmed notification of each claim key.
    by_key: BTreeMap<ClaimKey, i64>,
    /// Confirmed instead of a later equal one, although not under this lease.
    elsewhere: Vec<Ruling>,
    last_confirmed: Option<Map<String, Value>>,
    values: Option<Map<String, Value>>,
}

impl<'a> Confirmations<'a> {
    fn new(case: &'a Case, answer: &'a Answer) -> Self {
        let confirmed = case.equals.iter().filter(|equal| equal.state == State::Confirmed);
        Self {
            answer,
            case,
            by_key: confirmed.map(|equal| (equal.key.clone(), equal.id)).collect(),
            elsewhere: Vec::new(),
            last_confirmed: case.last_confirmed.clone(),
            values: None,
        }
    }

    fn rule(&mut self, row: &Waiting, comparison: &Comparison, policy: &Policy, jitter: f64) -> Move {
        let answer = self.answer;
        if let Some(first) = self.by_key.get(&row.key) {
            return duplicate(*first);
        }
        let final_now = answer.asked_at >= row.received_at.plus(policy.grace);
        let ignored =
            |reason| Move::Settle { state: State::Ignored, reason, duplicate_of: None, news: false };
        match comparison.outcome {
            Outcome::Match => self.confirm(row, comparison, Reason::Match),
            Outcome::Deleted => self.confirm(row, comparison, Reason::Deleted),
            Outcome::Unavailable if comparison.stored_before => {
                self.confirm(row, comparison, Reason::Unavailable)
            }
            Outcome::WrongStore => ignored(Reason::WrongStore),
            Outcome::Unavailable if final_now => ignored(Reason::Unavailable),
            Outcome::NotFound if final_now => ignored(Reason::NotFound),
            Outcome::Mismatch if final_now => ignored(Reason::Mismatch),
            Outcome::Unavailable | Outcome::NotFound | Outcome::Mismatch => {
                within_grace(row, answer, policy, jitter)
            }
            Outcome::NotYet if retry::out_of_patience(row, answer.asked_at, policy) => {
                Move::GiveUp { reason: Reason::NotYet }
            }
            Outcome::NotYet => behind(row, answer, policy, jitter),
            // Comparing cannot give a cause of failure; if it did, the answer would count as lagging behind.
            Outcome::ApiUnreachable | Outcome::ApiDenied | Outcome::ApiRateLimited | Outcome::ApiError => {
                behind(row, answer, policy, jitter)
            }
        }
    }

    fn confirm(&mut self, row: &Waiting, comparison: &Comparison, reason: Reason) -> Move {
        let first = self.first_equal(row);
        self.by_key.insert(row.key.clone(), first);
        let values = confirmed_values::of(&self.answer.result, reason, self.last_confirmed.as_ref());
        let news = self.last_confirmed.as_ref() != Some(&values);
        self.last_confirmed = Some(values.clone());
        self.values = Some(values);
        let confirmed = Move::Settle { state: State::Confirmed, reason, duplicate_of: None, news };
        if first == row.id {
            return confirmed;
        }
        self.elsewhere.push(ruling(first, confirmed, comparison.clone()));
        duplicate(first)
    }

    /// The lowest id among `row` and the equal pending ones outside this lease. An earlier notification was also
    /// stored before the call, so the answer judges it as well.
    fn first_equal(&self, row: &Waiting) -> i64 {
        let equals = self.case.equals.iter();
        let waiting = equals.filter(|equal| equal.state == State::Pending && equal.key == row.key);
        waiting.map(|equal| equal.id).chain([row.id]).min().unwrap_or(row.id)
    }

    /// Equal pending or undecided claims outside this lease: repeats of what is confirmed now.
    fn repeats(&self) -> Vec<Ruling> {
        let open =
            self.case.equals.iter().filter(|equal| matches!(equal.state, State::Pending | State::Undecided));
        open.filter_map(|equal| {
            let first = *self.by_key.get(&equal.key)?;
            (first != equal.id).then(|| Ruling {
                id: equal.id,
                to: duplicate(first),
                detail: Some(same_claim_as(first)),
                verification: None,
                own_refusal: false,
            })
        })
        .collect()
    }
}

fn duplicate(first: i64) -> Move {
    Move::Settle { state: State::Ignored, reason: Reason::Duplicate, duplicate_of: Some(first), news: false }
}

fn same_claim_as(first: i64) -> String {
    format!("the same claim as notification {first}")
}

/// Retries while the shop may lag behind, and in any case at the end of the grace time.
fn within_grace(row: &Waiting, answer: &Answer, policy: &Policy, jitter: f64) -> Move {
    let pause = retry::backoff(policy.retry_base, policy.retry_cap, row.attempts + 1, jitter);
    let grace_ends = row.received_at.plus(policy.grace);
    Move::Wait { reason: Reason::NotYet, next_attempt_at: answer.asked_at.plus(pause).min(grace_ends) }
}

fn behind(row: &Waiting, answer: &Answer, policy: &Policy, jitter: f64) -> Move {
    let pause = retry::backoff(policy.retry_base, retry::BEHIND_CAP, row.attempts + 1, jitter);
    let due = answer.asked_at.plus(pause);
    // A claimed time in the future is no reason to wait longer.
    let claimed = row.claim.event_time.instant.filter(|claimed| *claimed > answer.asked_at);
    Move::Wait { reason: Reason::NotYet, next_attempt_at: claimed.map_or(due, |claimed| due.min(claimed)) }
}

fn ruling(id: i64, to: Move, comparison: Comparison) -> Ruling {
    let (outcome, detail) = match &to {
        Move::Settle { duplicate_of: Some(first), .. } => (comparison.outcome, Some(same_claim_as(*first))),
        Move::Wait { .. } | Move::GiveUp { .. } | Move::AskAlone => {
            (Outcome::NotYet, comparison.detail.clone())
        }
        Move::Settle { .. } => (comparison.outcome, comparison.detail.clone()),
    };
    let verification = Verification {
        outcome,
        detail: comparison.detail,
        answer: Some(comparison.evidence).filter(|e| !e.is_null()),
    };
    Ruling { id, to, detail, verification: Some(verification), own_refusal: false }
}

/// The statuses confirmed before, as keys.
fn confirmed_before(judge: &dyn Judge, case: &Case) -> Vec<StatusKey> {
    let words = case.last_confirmed.as_ref().and_then(|values| contained(|| judge.statuses(values)).ok());
    let words = words.unwrap_or_default();
    let statuses: Vec<(&str, &str)> = words.iter().map(|(field, word)| (*field, word.as_str())).collect();
    StatusKey::choices(&statuses)
}

fn truth(answer: &Answer, stored: Option<&StoredObject>) -> (TruthChange, Option<String>) {
    match &answer.result {
        CallResult::Found(object) => match &object.truth {
            Some(truth) => (TruthChange::Put(truth.clone()), Some(truth.id().to_owned())),
            None => (TruthChange::Keep, None),
        },
        CallResult::NotFound(_) => match stored {
            Some(stored) => (
                TruthChange::Gone { resolved_id: stored.resolved_id.clone() },
                Some(stored.resolved_id.clone()),
            ),
            None => (TruthChange::Keep, None),
        },
        CallResult::Failed(_) => (TruthChange::Keep, None),
    }
}
