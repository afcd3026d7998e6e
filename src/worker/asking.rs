//! One question, from its lease to its record: ask, tell the source's trouble from the subject's, judge, write.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use super::gate::QuestionGate;
use super::slots::{Slot, Slots};
use super::{Parts, WorkerSource};
use crate::domain::ledger::{Ledger, Settlement};
use crate::domain::{Answer, Cause, Failure, Judge, Said, State, Trouble};
use crate::providers::{Api, Provider};
use crate::rules;
use crate::store::{BATCH, Lease, Moved, Question};

/// Asks the question of `lease` and records what came of it. A store that fails leaves the lease to end by itself: then
/// the question is asked again.
pub(super) async fn ask(parts: &Arc<Parts>, slots: &Slots, source: &WorkerSource, lease: Lease, slot: Slot) {
    let gate = QuestionGate {
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        slots: slots.clone(),
        source: lease.source.clone(),
        rate: source.rate,
        first: Mutex::new(Some(slot)),
    };
    let api = source.api.through(Arc::new(gate));
    let mut answer = source.provider.ask(&api, &lease.claim).await;
    if let Said::Failed(failure) = answer.said {
        answer.said = Said::Failed(whose_trouble(source.provider.as_ref(), &api, failure).await);
    }
    slots.mark(&lease.source, is_well(&answer));
    let name = lease.source.clone();
    match record(parts, source, lease, answer).await {
        Ok(()) => {}
        Err(error) => log::error!("source={name} an answer could not be recorded: {error}"),
    }
    parts.wake.notify_one();
}

/// Whether the source works, whatever it said about the subject.
fn is_well(answer: &Answer) -> bool {
    match &answer.said {
        Said::Failed(failure) => failure.trouble == Trouble::Subject && failure.is_refusal(),
        Said::There(_) | Said::NotThere(_) => true,
    }
}

/// Asks the control question where nobody knows yet whose trouble a failure is.
async fn whose_trouble(provider: &dyn Provider, api: &Api, failure: Failure) -> Failure {
    if failure.trouble != Trouble::Unclear {
        return failure;
    }
    match provider.control(api).await {
        Ok(()) => failure.troubling(Trouble::Subject),
        // Let in, but not to the control question: that kind of call is refused, not the source.
        Err(control) if control.trouble == Trouble::Lane => failure.troubling(Trouble::Subject),
        Err(control) if control.is_refusal() => {
            Failure { cause: Cause::ApiDenied, ..control }.troubling(Trouble::Source)
        }
        Err(control) => control.troubling(Trouble::Source),
    }
}

async fn record(
    parts: &Arc<Parts>,
    source: &WorkerSource,
    lease: Lease,
    answer: Answer,
) -> Result<(), crate::store::StoreError> {
    let truth_id = match &answer.said {
        Said::There(sighting) => sighting.truth.as_ref().map(|truth| truth.id().to_owned()),
        _ => None,
    };
    let question = Question {
        lease: lease.name,
        source: lease.source.clone(),
        claim: lease.claim,
        permit: lease.permit,
        asked_at: answer.asked_at,
        http_status: answer.http_status,
        latency_ms: answer.latency_ms,
        truth_id,
    };
    let failing = match &answer.said {
        Said::Failed(failure) if failure.trouble == Trouble::Source => Some((String::new(), failure.clone())),
        Said::Failed(failure) if failure.trouble == Trouble::Lane => {
            Some((question.claim.lane.clone(), failure.clone()))
        }
        _ => None,
    };
    let (now, jitter) = (parts.clock.now(), jitter());
    let (provider, policy) = (Arc::clone(&source.provider), parts.policy.clone());
    let lane = question.claim.lane.clone();
    let judge = move |ledger: &Ledger| -> Settlement {
        let judge: &dyn Judge = provider.as_ref();
        match &answer.said {
            Said::Failed(failure) => rules::fail(failure, &lane, answer.asked_at, ledger, &policy, jitter),
            _ => rules::settle(judge, &answer, ledger, &policy, jitter, now),
        }
    };
    let moved = parts.store.settle(question, parts.policy.clone(), jitter, now, judge).await?;
    for moved in &moved {
        announce(parts, &lease.source, moved);
    }
    if let Some((lane, failure)) = failing {
        log_trouble(&lease.source, &lane, &failure);
        give_up(parts, &lease.source, &lane, failure.cause).await?;
    }
    Ok(())
}

fn log_trouble(source: &str, lane: &str, failure: &Failure) {
    let lane = if lane.is_empty() { "all" } else { lane };
    let level = if failure.cause == Cause::ApiDenied { log::Level::Error } else { log::Level::Warn };
    log::log!(
        level,
        "source={source} calls={lane} cause={} the API fails: {}",
        failure.cause,
        failure.detail
    );
}

async fn give_up(
    parts: &Parts,
    source: &str,
    lane: &str,
    cause: Cause,
) -> Result<(), crate::store::StoreError> {
    loop {
        let (policy, now) = (parts.policy.clone(), parts.clock.now());
        let moved =
            parts.store.give_up_waiting(source.to_owned(), lane.to_owned(), cause, policy, now).await?;
        for moved in &moved {
            announce(parts, source, moved);
        }
        if moved.len() < BATCH {
            return Ok(());
        }
    }
}

/// Logs, counts and tells that a notification moved.
pub(super) fn announce(parts: &Parts, source: &str, moved: &Moved) {
    let reason = moved.reason.map_or("", crate::domain::Reason::as_str);
    if moved.state == State::Pending {
        log::debug!("notification={} source={source} pending={reason}", moved.id);
    } else {
        log::info!("notification={} source={source} verdict={} reason={reason}", moved.id, moved.state);
        if let Some(reason) = moved.reason {
            parts.metrics.settled(source, moved.state, reason);
        }
    }
    if let Some(moves) = &parts.moves {
        // Whoever watched may have left.
        let _ = moves.send(moved.clone());
    }
}

/// A fraction between 0 and 1 that differs from one question to the next.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(0_u8) & u64::from(u32::MAX)).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}
