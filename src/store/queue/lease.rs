//! The queue: which questions are due, and which are leased by which process until when. All of it is in columns of
//! `verdicts`, so it survives a crash: a lease that is not renewed expires, and a starting process releases the
//! leases of the previous `serve` and of a killed `verify`.
//!
//! The next question: kinds of calls alternate, and each shares its calls fairly between senders (see
//! [`crate::store::queue::fairness`]).
//! New notifications are asked about before retries, by list calls if enough of them wait. But every fourth call is
//! reserved for a retry that is [`OVERDUE`], so a flood cannot starve it.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::fairness::{self, Due, Queue};
use super::pauses::{self, LONGEST_PAUSE};
use super::rate_limit::{self, CallPermit};
use super::release::{self, LEASE_LENGTH};
use crate::domain::{Claim, Rate, Timestamp};
use crate::store::error::{Result, StoreError};
use crate::store::rows::{self, BATCH_BYTES};

/// Maximum number of notifications under one lease; more wait for the next call.
const MOST_UNDER_ONE_LEASE: usize = 500;

/// The number of leased notifications from which on a transaction leases no further question.
const MOST_HELD: usize = 1000;

/// Maximum number of senders without questions that one transaction removes from their queues.
const MOST_DEACTIVATED: usize = 500;

/// Maximum number of questions leased in one transaction (plus the rest of a started list call), because intake waits
/// meanwhile.
const MOST_AT_ONCE: usize = 100;

/// Minimum number of first questions of one kind of call for a list call; fewer are answered sooner one by one.
const LIST_WORTH: usize = 16;

/// How long first questions may keep a repeated one waiting.
const OVERDUE: Duration = Duration::from_secs(5);

/// One in this many calls is reserved for overdue retries.
const KEPT_FOR_OVERDUE: u64 = 4;

/// The parameters of leasing.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    pub source: String,
    /// The owner of the leases, of the form `role-…`.
    pub owner: String,
    pub rate: Rate,
    /// Maximum number of questions in one list call.
    pub most_in_list: usize,
    /// The number of calls of the source that this process has started, for taking turns.
    pub begun: u64,
    /// When it began the last one.
    pub last_begun_at: Option<Timestamp>,
}

/// One question, with all notifications that wait on it, held for a while.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Its name in the store.
    pub name: String,
    pub source: String,
    /// One of the claims; all have the same question.
    pub claim: Claim,
    /// The permission for the first call; the questions of one list call share it.
    pub permit: CallPermit,
    /// Whether it was never asked before.
    pub is_first: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Leased {
    /// Calls to make now: a question each, or the questions of a list call.
    pub calls: Vec<Vec<Lease>>,
    /// When to come back if nothing happens before; `None`: nothing is waiting.
    pub come_back_at: Option<Timestamp>,
    /// Whether due work waits only for the source's budget.
    pub is_spent: bool,
}

/// Leases the next questions of a source, for a limited number of calls.
pub(in crate::store) fn lease(
    conn: &Connection,
    request: &LeaseRequest,
    mut most: usize,
    now: Timestamp,
) -> Result<Leased> {
    let source = request.source.as_str();
    release::free_expired(conn, now)?;
    let pauses_now = pauses::of_source(conn, source)?;
    let is_closed = |until: Timestamp| until > now && until <= now.plus(LONGEST_PAUSE);
    let is_probe = pauses_now.source.is_some();
    if let Some(resume_at) = pauses_now.source {
        if is_closed(resume_at) {
            let come_back_at = waits(conn, source)?.then_some(resume_at);
            return Ok(Leased { come_back_at, ..Leased::default() });
        }
        if is_anyone_at_work(conn, source, None)? {
            return Ok(Leased::default());
        }
        most = most.min(1);
    }
    let (closed, on_trial) = (Vec::new(), Vec::new());
    let may_deactivate = Cell::new(MOST_DEACTIVATED);
    let call_kinds = <[_; 3]>::default();
    let mut round =
        Round { conn, request, now, closed, on_trial, call_kinds, may_deactivate, held: 0, bytes: 0 };
    for (call_kind, until) in &pauses_now.call_kinds {
        if is_closed(*until) || is_anyone_at_work(conn, source, Some(call_kind))? {
            round.closed.push(call_kind.clone());
        } else {
            round.on_trial.push(call_kind.clone());
        }
    }
    fairness::activate(conn, source, &round.closed, now)?;
    for queue in Queue::ALL {
        round.call_kinds[queue as usize] = fairness::call_kinds(conn, source, queue)?;
    }
    let (left, next_free) = rate_limit::free(conn, source, request.rate, now)?;
    let (free, next_free) = rate_limit::paced(request.rate, left, next_free, request.last_begun_at, now);
    let mut leased = Leased::default();
    let mut questions = 0;
    while leased.calls.len() < most.min(free) && questions < MOST_AT_ONCE && !round.is_full() {
        let begun = request.begun.wrapping_add(u64::try_from(leased.calls.len()).unwrap_or(0));
        let Some(next) = round.next(begun, is_probe)? else { break };
        let leases = round.hold(next)?;
        questions += leases.len();
        leased.calls.push(leases);
    }
    let has_spent = leased.calls.len() >= free;
    leased.is_spent = has_spent && round.next(request.begun, false)?.is_some();
    leased.come_back_at = if leased.is_spent {
        Some(next_free)
    } else if round.may_deactivate.get() == 0 {
        Some(now)
    } else {
        let ends = pauses_now.call_kinds.iter().map(|(_, until)| *until).filter(|until| is_closed(*until));
        fairness::next_activation(conn, source, &round.closed)?.into_iter().chain(ends).min()
    };
    Ok(leased)
}

enum Next {
    Single(Due),
    /// The first questions of this kind of call for one list call.
    List(String),
}

/// One round of leasing.
struct Round<'a> {
    conn: &'a Connection,
    request: &'a LeaseRequest,
    now: Timestamp,
    /// Kinds of calls that are paused.
    closed: Vec<String>,
    /// Kinds of calls that failed as a whole, and whose pause is over: one question probes, and the others
    /// wait for its answer.
    on_trial: Vec<String>,
    /// By kind, the kinds of calls with an active sender at the start of the round.
    call_kinds: [Vec<String>; 3],
    /// How many more senders without questions this transaction may remove from their queues.
    may_deactivate: Cell<usize>,
    /// The notifications under the leases so far.
    held: usize,
    /// The claims of the leases so far.
    bytes: usize,
}

impl Round<'_> {
    /// Whether the transaction has as much work as it may.
    fn is_full(&self) -> bool {
        self.held >= MOST_HELD || self.bytes >= BATCH_BYTES
    }

    /// The next call; `begun` is its number.
    fn next(&self, begun: u64, is_probe: bool) -> Result<Option<Next>> {
        if is_probe && let Some(due) = self.failed_last()? {
            return Ok(Some(Next::Single(due)));
        }
        if begun % KEPT_FOR_OVERDUE == KEPT_FOR_OVERDUE - 1
            && let Some(due) = self.next_of(Queue::Retry, begun / KEPT_FOR_OVERDUE)?
            && (due.due_at <= self.now.minus(OVERDUE))
        {
            return Ok(Some(Next::Single(due)));
        }
        if !is_probe && let Some(call_kind) = self.crowded_call_kind(begun)? {
            return Ok(Some(Next::List(call_kind)));
        }
        for queue in [Queue::Listable, Queue::Single, Queue::Retry] {
            if let Some(due) = self.next_of(queue, begun)? {
                return Ok(Some(Next::Single(due)));
            }
        }
        Ok(None)
    }

    /// The next question in this queue; kinds of calls alternate.
    fn next_of(&self, queue: Queue, begun: u64) -> Result<Option<Due>> {
        for call_kind in self.call_kinds(queue, begun) {
            let due = fairness::next(
                self.conn,
                &self.request.source,
                queue,
                call_kind,
                self.now,
                &self.may_deactivate,
            )?;
            if due.is_some() {
                return Ok(due);
            }
        }
        Ok(None)
    }

    fn call_kinds(&self, queue: Queue, begun: u64) -> impl Iterator<Item = &str> {
        let mut call_kinds: Vec<&str> = self.call_kinds[queue as usize].iter().map(String::as_str).collect();
        call_kinds.retain(|call_kind| !self.closed.iter().any(|closed| closed == call_kind));
        if let Some(first) = begun.checked_rem(u64::try_from(call_kinds.len()).unwrap_or(0)) {
            call_kinds.rotate_left(usize::try_from(first).unwrap_or(0));
        }
        call_kinds.into_iter()
    }

    /// A kind of call with enough first questions for a list call.
    fn crowded_call_kind(&self, begun: u64) -> Result<Option<String>> {
        for call_kind in self.call_kinds(Queue::Listable, begun) {
            let waiting: i64 = self
                .conn
                .prepare_cached(CROWD)?
                .query_row(params![self.request.source, call_kind, rows::limit(LIST_WORTH)], |row| {
                    row.get(0)
                })?;
            if usize::try_from(waiting).unwrap_or(0) >= LIST_WORTH
                && !self.on_trial.iter().any(|tried| tried == call_kind)
            {
                return Ok(Some(call_kind.to_owned()));
            }
        }
        Ok(None)
    }

    /// The question that failed last, while its source fails as a whole: one subject probes, and the others
    /// wait.
    fn failed_last(&self) -> Result<Option<Due>> {
        let found = self
            .conn
            .prepare_cached(FAILED_LAST)?
            .query_row([self.request.source.as_str(), &self.now.to_string()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((id, question, call_kind, sender)) = found else { return Ok(None) };
        let due = Due::out_of_turn(id, question, call_kind, sender, self.now);
        Ok(Some(due).filter(|due| !self.closed.contains(&due.call_kind)))
    }

    /// Leases the questions of one call, with a permit for it.
    fn hold(&mut self, next: Next) -> Result<Vec<Lease>> {
        let Self { conn, request, now, .. } = *self;
        let permit = rate_limit::grant(conn, &request.source, &request.owner, request.rate, now)?;
        let mut leases = Vec::new();
        match next {
            Next::Single(due) => {
                if self.on_trial.contains(&due.call_kind) {
                    self.closed.push(due.call_kind.clone());
                }
                let name = format!("{}/{}", request.owner, permit.id);
                let held = hold(conn, &request.source, &due, name, permit, now)?;
                self.held += held.notifications;
                self.bytes += held.claim_bytes;
                leases.push(held.lease);
                fairness::served(conn, &request.source, &due)?;
            }
            Next::List(call_kind) => {
                while leases.len() < request.most_in_list
                    && !self.is_full()
                    && let Some(due) = fairness::next(
                        conn,
                        &request.source,
                        Queue::Listable,
                        &call_kind,
                        now,
                        &self.may_deactivate,
                    )?
                {
                    let name = format!("{}/{}.{}", request.owner, permit.id, leases.len());
                    let one = hold(conn, &request.source, &due, name, permit, now)?;
                    fairness::served(conn, &request.source, &due)?;
                    self.held += one.notifications;
                    self.bytes += one.claim_bytes;
                    leases.push(one.lease);
                }
            }
        }
        Ok(leases)
    }
}

pub(in crate::store) const CROWD: &str =
    "SELECT count(*) FROM (SELECT 1 FROM verdicts WHERE source = ?1 AND listable = 1 AND call_kind = ?2
                       AND state = 'pending' AND asked = 0 AND lease IS NULL LIMIT ?3)";

pub(in crate::store) const FAILED_LAST: &str =
    "SELECT notification_id, question, call_kind, sender FROM verdicts
                           WHERE source = ?1 AND next_attempt_at <= ?2 AND state = 'pending' AND asked = 1
                             AND lease IS NULL AND question IS NOT NULL
                           ORDER BY next_attempt_at DESC, notification_id LIMIT 1";

pub(in crate::store) const HOLD: &str =
    "UPDATE OR FAIL verdicts SET lease = ?2, lease_until = ?3, asked = 1 WHERE notification_id = ?1";

pub(in crate::store) const ALSO_WAITING: &str = "SELECT notification_id, octet_length(claim) AS claim_bytes FROM verdicts INDEXED BY verdicts_waiting
                                       WHERE source = ?1 AND question = ?2 AND state = 'pending' AND lease IS NULL
                                       ORDER BY notification_id LIMIT ?3";

/// A lease that was just taken.
struct NewLease {
    lease: Lease,
    /// How many are under it.
    notifications: usize,
    /// Its claim as stored.
    claim_bytes: usize,
}

/// Leases the notifications that wait for the question, as many as can be judged together. The rest waits for
/// the next call.
fn hold(
    conn: &Connection,
    source: &str,
    due: &Due,
    name: String,
    permit: CallPermit,
    now: Timestamp,
) -> Result<NewLease> {
    let until = now.plus(LEASE_LENGTH).to_string();
    let most = rows::limit(MOST_UNDER_ONE_LEASE);
    let mut hold = conn.prepare_cached(HOLD)?;
    hold.execute(params![due.id, name, until])?;
    let mut statement = conn.prepare_cached(ALSO_WAITING)?;
    let (claim, claim_bytes) = claim_of(conn, due.id)?;
    let mut bytes = claim_bytes;
    let mut others = Vec::new();
    let mut found = statement.query(params![source, due.question, most])?;
    while bytes < BATCH_BYTES
        && let Some(row) = found.next()?
    {
        others.push(row.get::<_, i64>("notification_id")?);
        bytes += length(row)?;
    }
    for other in &others {
        hold.execute(params![other, name, until])?;
    }
    let is_first = due.is_first();
    let lease = Lease { name, source: source.to_owned(), claim, permit, is_first };
    Ok(NewLease { lease, notifications: 1 + others.len(), claim_bytes })
}

/// The claim of a waiting notification, and its stored length.
fn claim_of(conn: &Connection, id: i64) -> Result<(Claim, usize)> {
    let sql = format!(
        "SELECT octet_length(claim) AS claim_bytes, {} FROM verdicts WHERE notification_id = ?1",
        rows::CLAIM_COLUMNS
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let (bytes, found) = statement.query_row([id], |row| Ok((length(row)?, rows::claim(row)?)))?;
    let (claim, _) = found.ok_or_else(|| {
        StoreError::Failed(format!("notification {id} waits for a question without a claim"))
    })?;
    Ok((claim, bytes))
}

fn length(row: &rusqlite::Row<'_>) -> rusqlite::Result<usize> {
    Ok(row.get::<_, Option<i64>>("claim_bytes")?.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0))
}

/// Whether any question of the source, or of one kind of call of it, is leased.
fn is_anyone_at_work(conn: &Connection, source: &str, call_kind: Option<&str>) -> Result<bool> {
    Ok(conn.prepare_cached(AT_WORK)?.query_row(params![source, call_kind], |row| row.get(0))?)
}

pub(in crate::store) const AT_WORK: &str = "SELECT EXISTS (SELECT 1 FROM verdicts INDEXED BY verdicts_leased
                         WHERE lease IS NOT NULL AND source = ?1 AND (?2 IS NULL OR call_kind = ?2))";

fn waits(conn: &Connection, source: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM verdicts INDEXED BY verdicts_pending WHERE source = ?1 AND state = 'pending')")?
        .query_row([source], |row| row.get(0))?)
}
