//! Writing a settlement: verdicts, verifications, the truth, the source's status and the release of the lease, in one
//! transaction that counts only while the lease holds.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::call::{StateChange, VerificationCall};
use super::confirm::{Confirmation, confirm};
use super::load::{self, SubjectQuery};
use super::supersede::{self, Settled};
use super::truth;
use crate::domain::number::whole;
use crate::domain::settlement::{Case, Move, Policy, Ruling, Settlement, SourceStatus};
use crate::domain::{Reason, State, Subject, Timestamp};
use crate::rules::supersede::Past;
use crate::store::deliveries::Subscription;
use crate::store::error::Result;
use crate::store::queue::{fairness, pauses, rate_limit, release};

/// Loads what is known, lets `judge` decide, and writes the decision.
pub(in crate::store) fn settle(
    conn: &Connection,
    call: &VerificationCall,
    policy: &Policy,
    subscriptions: &[Subscription],
    jitter: f64,
    now: Timestamp,
    judge: impl FnOnce(&Case) -> Settlement,
) -> Result<(Vec<StateChange>, Option<Settled>, bool)> {
    let query = SubjectQuery { source: &call.source, claim: &call.claim, truth_id: call.truth_id.as_deref() };
    let case = load::load(conn, &call.lease, &query)?;
    rate_limit::finish(conn, call.permit, now)?;
    if case.waiting.is_empty() {
        return Ok((Vec::new(), None, false));
    }
    let settlement = judge(&case);
    let probe =
        pauses::Probe { source: &call.source, call_kind: &call.claim.call_kind, asked_at: call.asked_at };
    let resume_at = pauses::apply(conn, &probe, &settlement.source_status, policy, jitter, now)?;
    let newest = case.waiting.iter().map(|row| row.received_at).max();
    let kind = call.claim.subject.kind;
    truth::write(conn, &call.source, kind, &settlement.truth, call.asked_at, newest)?;
    // This is read before a confirmation of this settlement takes its place.
    let past = past(conn, call, &settlement)?;
    let mut moved = Vec::with_capacity(settlement.rulings.len());
    let mut has_news = false;
    for ruling in &settlement.rulings {
        let Some(moves) = moved_by(ruling) else { continue };
        write_ruling(conn, call, ruling, &moves, settlement.resolved_id.as_deref(), resume_at, now)?;
        if let Some(verification) = &ruling.verification {
            conn.prepare_cached(
                "INSERT INTO verifications (notification_id, call_id, at, outcome, http_status, latency_ms, detail, answer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                ruling.id,
                call.permit.id,
                call.asked_at.to_string(),
                verification.outcome.as_str(),
                call.http_status,
                whole(call.latency_ms),
                verification.detail,
                verification.answer.as_ref().map(Value::to_string),
            ])?;
        }
        has_news |= confirm_ruling(conn, call, &settlement, ruling, subscriptions, now)?;
        moved.push(moves);
    }
    let settled = settled(conn, call, &settlement, past)?;
    let (superseded, left) = supersede::spread(conn, settled, now)?;
    let superseded_before = superseded_now(&mut moved, superseded);
    for moves in &moved {
        weigh_sender(conn, moves)?;
    }
    moved.extend(superseded_before);
    release::ask_alone(conn, std::slice::from_ref(&call.lease), now)?;
    if settlement.found && !case.source_found_any {
        note_found(conn, &call.source, now)?;
    }
    if matches!(settlement.source_status, SourceStatus::Failing { .. }) {
        pauses::forget_probes(conn, &call.source, now, policy.give_up_after * 4)?;
    }
    Ok((moved, left, has_news))
}

/// The confirmations of the subject so far.
fn past(conn: &Connection, call: &VerificationCall, settlement: &Settlement) -> Result<Past> {
    let Subject { kind, id } = &call.claim.subject;
    let resolved_id = settlement.resolved_id.as_deref().unwrap_or(id);
    supersede::past(conn, &call.source, kind.as_str(), resolved_id, settlement.confirmed_before.clone())
}

/// The notifications that may now explain others, or be explained.
fn settled(
    conn: &Connection,
    call: &VerificationCall,
    settlement: &Settlement,
    past: Past,
) -> Result<Settled> {
    let is_news =
        settlement.rulings.iter().any(|ruling| matches!(ruling.to, Move::Settle { news: true, .. }));
    let mut links = Vec::new();
    for ruling in &settlement.rulings {
        if matches!(ruling.to, Move::Settle { duplicate_of: None, .. }) {
            links.extend(supersede::link(conn, ruling.id, is_news)?);
        }
    }
    Ok(Settled { source: call.source.clone(), subject: call.claim.subject.clone(), links, past })
}

/// Marks notifications that have just moved as superseded; returns those that had settled before.
fn superseded_now(moved: &mut [StateChange], superseded: Vec<i64>) -> Vec<StateChange> {
    let fresh: BTreeMap<i64, usize> = moved.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
    let mut before = Vec::new();
    for id in superseded {
        match fresh.get(&id).and_then(|place| moved.get_mut(*place)) {
            Some(fresh) => fresh.reason = Some(Reason::Superseded),
            None => before.push(StateChange::superseded(id)),
        }
    }
    before
}

fn moved_by(ruling: &Ruling) -> Option<StateChange> {
    let (state, reason) = match &ruling.to {
        Move::Settle { state, reason, .. } => (*state, *reason),
        Move::Wait { reason, .. } => (State::Pending, *reason),
        Move::GiveUp { reason } => (State::Undecided, *reason),
        Move::AskAlone => return None,
    };
    Some(StateChange { id: ruling.id, state, reason: Some(reason) })
}

fn write_ruling(
    conn: &Connection,
    call: &VerificationCall,
    ruling: &Ruling,
    moves: &StateChange,
    resolved_id: Option<&str>,
    resume_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let StateChange { state, reason, .. } = *moves;
    let (duplicate_of, news) = match &ruling.to {
        Move::Settle { duplicate_of, news, .. } => (*duplicate_of, *news),
        _ => (None, false),
    };
    // The rules plan by the time of asking, from before the clock was set back if it is to come.
    let set_back = call.asked_at.since(now);
    let next_attempt_at = match &ruling.to {
        Move::Wait { next_attempt_at, .. } => {
            Some(resume_at.unwrap_or(next_attempt_at.minus(set_back)).to_string())
        }
        _ => None,
    };
    let asked = ruling.verification.is_some();
    conn.prepare_cached(
        "UPDATE OR FAIL verdicts SET state = ?2, reason = ?3, detail = ?4, duplicate_of = ?5, news = ?6,
           resolved_id = coalesce(?7, resolved_id), next_attempt_at = ?8, decided_at = ?9,
           attempts = attempts + ?10 + (SELECT count(*) FROM probes p
             WHERE p.source = verdicts.source AND p.at > probes_since AND p.at < ?11 AND p.call_kind IN ('', verdicts.call_kind)),
           probes_since = ?11, own_refusals = own_refusals + ?12, asked = 1, lease = NULL, lease_until = NULL
         WHERE notification_id = ?1",
    )?
    .execute(params![
        ruling.id,
        state.as_str(),
        reason.map(Reason::as_str),
        ruling.detail,
        duplicate_of,
        news,
        resolved_id.filter(|_| asked),
        next_attempt_at,
        (state != State::Pending).then(|| now.to_string()),
        i64::from(asked),
        now.to_string(),
        i64::from(ruling.own_refusal),
    ])?;
    Ok(())
}

/// The effect of a verdict on its sender's weight.
fn weigh_sender(conn: &Connection, StateChange { id, state, reason }: &StateChange) -> Result<()> {
    if *state == State::Pending {
        return Ok(());
    }
    let sender: String = conn
        .prepare_cached("SELECT sender FROM verdicts WHERE notification_id = ?1")?
        .query_row([id], |row| row.get(0))?;
    fairness::weigh(conn, &sender, [(*state, *reason)])
}

/// Stores the values that a ruling confirmed; returns whether they are news.
fn confirm_ruling(
    conn: &Connection,
    call: &VerificationCall,
    settlement: &Settlement,
    ruling: &Ruling,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<bool> {
    let (Move::Settle { state: State::Confirmed, reason, news, .. }, Some(values)) =
        (&ruling.to, &settlement.confirmed_values)
    else {
        return Ok(false);
    };
    let Subject { kind, id } = &call.claim.subject;
    let id = settlement.resolved_id.clone().unwrap_or_else(|| id.clone());
    let confirmation = Confirmation {
        notification_id: ruling.id,
        source: &call.source,
        subject: &Subject { kind: *kind, id },
        reason: *reason,
        values,
        is_news: *news,
    };
    confirm(conn, &confirmation, subscriptions, now)?;
    Ok(*news)
}

/// Records that an answer of this source showed an object.
pub(in crate::store) fn note_found(conn: &Connection, source: &str, now: Timestamp) -> Result<()> {
    conn.prepare_cached("UPDATE sources SET found_any_at = ?2 WHERE name = ?1 AND found_any_at IS NULL")?
        .execute(params![source, now.to_string()])?;
    Ok(())
}
