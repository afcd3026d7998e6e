//! Verifies the leased questions of one call: ask, tell a failure of the source from one of the subject, judge,
//! write.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use super::call_gate::{RateLimitGate, STORE_PAUSE, VerificationGate};
use super::control::ControlQuestion;
use super::slots::{Reserved, Slots};
use super::{WorkerParts, WorkerSource};
use crate::domain::panics::{Panicked, contained, contained_async};
use crate::domain::settlement::{Case, Settlement};
use crate::domain::{Answer, CallResult, Cause, Failure, FailureScope, Reason, State, Timestamp};
use crate::providers::Api;
use crate::rules;
use crate::store::{CallPermit, Lease, StateChange, StoreError, VerificationCall};

/// Verifies the questions of one source.
pub(super) struct Verifier {
    pub(super) parts: Arc<WorkerParts>,
    pub(super) slots: Slots,
    pub(super) source: WorkerSource,
    pub(super) control: Arc<ControlQuestion>,
}

/// How a question was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CallForm {
    /// By calls for its subject alone.
    Single,
    /// By a list call together with others.
    List,
}

impl Verifier {
    /// Asks a question, or several by a list call, and records the outcome. If the store cannot record it, or if the
    /// call may no longer be sent, the lease is released and the question is asked again later.
    pub(super) async fn ask(&self, leases: Vec<Lease>, reserved: Reserved) {
        let Some(first) = leases.first() else { return };
        let (source, permit) = (first.source.clone(), first.permit);
        let names: Vec<String> = leases.iter().map(|lease| lease.name.clone()).collect();
        let done = contained_async(self.verify(leases, reserved)).await;
        match done.unwrap_or_else(|panicked| Err(panicked.into())) {
            Ok(()) => return,
            // Only a command's store gives up; the command reports that.
            Err(StoreError::Locked(_)) => {}
            Err(error) => log::error!("source={source} an answer could not be recorded: {error:#}"),
        }
        self.give_back(names, permit).await;
    }

    async fn verify(&self, leases: Vec<Lease>, reserved: Reserved) -> Result<(), StoreError> {
        let Some(first) = leases.first() else { return Ok(()) };
        let permit = first.permit;
        let slot = match reserved {
            Reserved::Slot(slot) => slot.used(),
            Reserved::Ticket(ticket) => match ticket.slot().await {
                Some(slot) => slot,
                None => {
                    self.release(leases, permit).await;
                    return Ok(());
                }
            },
        };
        let gate = VerificationGate {
            budget: RateLimitGate {
                store: self.parts.store.clone(),
                clock: self.parts.clock.clone(),
                source: first.source.clone(),
                owner: self.parts.owner.clone(),
                rate: self.source.rate,
            },
            slots: self.slots.clone(),
            first: Mutex::new(Some(slot)),
            first_permit: Mutex::new(Some(permit)),
        };
        let api = self.source.api.through(Arc::new(gate));
        if leases.len() == 1 {
            self.ask_alone(&api, leases).await
        } else {
            self.ask_list(&api, leases, permit).await
        }
    }

    /// Releases leases that may not be used.
    async fn release(&self, leases: Vec<Lease>, permit: CallPermit) {
        let leases: Vec<_> = leases.into_iter().map(|lease| (lease.name, lease.is_first)).collect();
        while self.parts.store.release(leases.clone(), permit, self.parts.clock.now()).await.is_err() {
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    /// Releases leases whose answer is lost, because this process would renew them forever.
    async fn give_back(&self, leases: Vec<String>, permit: CallPermit) {
        loop {
            tokio::time::sleep(STORE_PAUSE).await;
            if self.parts.store.ask_alone(leases.clone(), permit, self.parts.clock.clone()).await.is_ok() {
                return;
            }
        }
    }

    async fn ask_alone(&self, api: &Api, leases: Vec<Lease>) -> Result<(), StoreError> {
        for lease in leases {
            let (provider, asked_at) = (self.source.provider.as_ref(), api.now());
            let answer = contained_async(async { provider.ask(api, &lease.claim).await }).await;
            let mut answer = answer.unwrap_or_else(|panicked| unasked(&lease.source, asked_at, panicked));
            if let CallResult::Failed(failure) = answer.result {
                answer.result =
                    CallResult::Failed(self.control.with_known_scope(provider, api, failure).await);
            }
            self.slots.mark(&lease.source, is_well(&answer));
            self.record(lease, answer, CallForm::Single).await?;
        }
        Ok(())
    }

    async fn ask_list(
        &self,
        api: &Api,
        mut leases: Vec<Lease>,
        permit: CallPermit,
    ) -> Result<(), StoreError> {
        let claims: Vec<_> = leases.iter().map(|lease| lease.claim.clone()).collect();
        let asked_at = api.now();
        let provider = self.source.provider.as_ref();
        let answers = contained_async(async { provider.ask_list(api, &claims).await }).await;
        match answers.unwrap_or_else(|panicked| Err(panicked.into())) {
            Ok(answers) => {
                let (mut open, mut records) = (Vec::new(), Vec::new());
                let mut answers = answers.into_iter();
                for lease in leases {
                    self.slots.mark(&lease.source, true);
                    match answers
                        .next()
                        .flatten()
                        .filter(|answer| !matches!(answer.result, CallResult::Failed(_)))
                    {
                        Some(answer) => records.push(self.record(lease, answer, CallForm::List)),
                        None => open.push(lease.name),
                    }
                }
                // Concurrently, so that the writer takes them into one transaction.
                for recorded in futures_util::future::join_all(records).await {
                    recorded?;
                }
                let (grace, clock) = (self.parts.policy.grace, self.parts.clock.clone());
                self.parts.store.ask_unlisted(open, permit, grace, clock).await
            }
            Err(failure) => {
                let open: Vec<String> = leases.drain(1..).map(|lease| lease.name).collect();
                self.parts.store.ask_alone(open, permit, self.parts.clock.clone()).await?;
                let Some(first) = leases.pop() else { return Ok(()) };
                self.slots.mark(&first.source, false);
                if failure.scope == FailureScope::Source || failure.scope == FailureScope::CallKind {
                    let (http_status, result) = (failure.http_status, CallResult::Failed(failure));
                    let answer = Answer { asked_at, date: None, http_status, latency_ms: 0, result };
                    self.record(first, answer, CallForm::Single).await
                } else {
                    self.parts.store.ask_alone(vec![first.name], permit, self.parts.clock.clone()).await
                }
            }
        }
    }

    async fn record(&self, lease: Lease, answer: Answer, form: CallForm) -> Result<(), StoreError> {
        let parts = &self.parts;
        let call = call_of(lease, &answer);
        let source = call.source.clone();
        let failing = failing_calls(&call, &answer);
        let (now, jitter) = (parts.clock.now(), jitter());
        let (provider, policy) = (Arc::clone(&self.source.provider), parts.policy.clone());
        let call_kind = call.claim.call_kind.clone();
        let judge = move |case: &Case| -> Settlement {
            let fail = |failure: &Failure| {
                rules::on_failure(failure, &call_kind, answer.asked_at, case, &policy, jitter)
            };
            let judged = contained(|| match (&answer.result, form) {
                (CallResult::Failed(failure), _) => fail(failure),
                (_, CallForm::Single) => {
                    rules::settle(provider.as_ref(), &answer, case, &policy, jitter, now)
                }
                (_, CallForm::List) => rules::settle_listed(provider.as_ref(), &answer, case, &policy, now),
            });
            judged.unwrap_or_else(|panicked| fail(&panicked.into()))
        };
        let moved = parts.store.settle(call, parts.policy.clone(), jitter, &parts.clock, judge).await?;
        for moved in &moved {
            announce(parts, &source, moved);
        }
        match failing {
            None => Ok(()),
            Some((call_kind, failure)) => {
                log_outage(&source, &call_kind, &failure);
                give_up(parts, &source, &call_kind, failure.cause).await
            }
        }
    }
}

fn call_of(lease: Lease, answer: &Answer) -> VerificationCall {
    let truth_id = match &answer.result {
        CallResult::Found(object) => object.truth.as_ref().map(|truth| truth.id().to_owned()),
        _ => None,
    };
    VerificationCall {
        lease: lease.name,
        source: lease.source,
        claim: lease.claim,
        permit: lease.permit,
        asked_at: answer.asked_at,
        http_status: answer.http_status,
        latency_ms: answer.latency_ms,
        truth_id,
    }
}

/// The kind of call that a failure pauses; empty for the whole source.
fn failing_calls(call: &VerificationCall, answer: &Answer) -> Option<(String, Failure)> {
    match &answer.result {
        CallResult::Failed(failure) => match failure.scope {
            FailureScope::Source => Some((String::new(), failure.clone())),
            FailureScope::CallKind => Some((call.claim.call_kind.clone(), failure.clone())),
            FailureScope::Subject | FailureScope::Unclear => None,
        },
        CallResult::Found(_) | CallResult::NotFound(_) => None,
    }
}

/// Whether the source works, regardless of the subject.
fn is_well(answer: &Answer) -> bool {
    match &answer.result {
        CallResult::Failed(failure) => {
            failure.scope == FailureScope::Subject && matches!(failure.http_status, Some(200..=499))
        }
        CallResult::Found(_) | CallResult::NotFound(_) => true,
    }
}

/// The answer for a question whose code panicked: a failure of the subject.
fn unasked(source: &str, asked_at: Timestamp, panicked: Panicked) -> Answer {
    log::error!("source={source} a question failed: {panicked}");
    let result = CallResult::Failed(panicked.into());
    Answer { asked_at, date: None, http_status: None, latency_ms: 0, result }
}

fn log_outage(source: &str, call_kind: &str, failure: &Failure) {
    let call_kind = if call_kind.is_empty() { "all" } else { call_kind };
    let level = if failure.cause == Cause::ApiDenied { log::Level::Error } else { log::Level::Warn };
    log::log!(
        level,
        "source={source} calls={call_kind} cause={} the API fails: {}",
        failure.cause,
        failure.detail
    );
}

async fn give_up(parts: &WorkerParts, source: &str, call_kind: &str, cause: Cause) -> Result<(), StoreError> {
    let (policy, now) = (parts.policy.clone(), parts.clock.now());
    let moved =
        parts.store.give_up_waiting(source.to_owned(), call_kind.to_owned(), cause, policy, now).await?;
    for moved in &moved {
        announce(parts, source, moved);
    }
    Ok(())
}

/// Logs and counts a change of state, and reports it to the observer.
pub(super) fn announce(parts: &WorkerParts, source: &str, moved: &StateChange) {
    let reason = moved.reason.map_or("", Reason::as_str);
    if moved.state == State::Pending {
        log::debug!("notification={} source={source} pending={reason}", moved.id);
    } else {
        log::info!("notification={} source={source} verdict={} reason={reason}", moved.id, moved.state);
        if let Some(reason) = moved.reason {
            parts.metrics.settled(source, moved.state, reason);
        }
    }
    if let Some(moves) = &parts.moves {
        // The observer may be gone.
        let _ = moves.send(moved.clone());
    }
}

/// A fraction between 0 and 1 that varies between questions.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(0_u8) & u64::from(u32::MAX)).unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}
