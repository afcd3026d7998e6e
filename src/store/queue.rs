//! The queue: what is due, for which question, and who works on it until when. All of it is columns of `verdicts`, so it
//! survives a crash at any line: a lease that nobody keeps ends by itself, and a new `serve` frees those of the last one.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::budget::{self, CallPermit};
use super::error::Result;
use super::standing::LONGEST_PAUSE;
use super::{rows, standing};
use crate::domain::{Claim, Rate, Timestamp};

/// A lease that is not renewed ends after this.
pub const LEASE_LENGTH: Duration = Duration::from_secs(60);

/// Notifications under one lease: the rest of a crowd waits for the next call.
const MOST_UNDER_ONE_LEASE: usize = 500;

/// From so many first questions of one lane on, they are asked by list calls: fewer are answered sooner one by one.
const LIST_WORTH: usize = 16;

/// Who may work on what.
#[derive(Clone, Debug)]
pub struct LeaseRequest {
    /// The source.
    pub source: String,
    /// Who asks: the process.
    pub owner: String,
    /// Its rate limit.
    pub rate: Rate,
    /// At most so many calls.
    pub most: usize,
    /// At most so many questions in one list call.
    pub most_in_list: usize,
    /// Whose turn was last; the next sender's comes first.
    pub after_sender: String,
}

/// One question, with all notifications that wait on it, held for a while.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Its name in the store.
    pub name: String,
    /// The source.
    pub source: String,
    /// One of the claims; all have the same question.
    pub claim: Claim,
    /// The permission for the first call; the questions of one list call share it.
    pub permit: CallPermit,
    /// The sender whose turn it was.
    pub sender: String,
}

/// What leasing gave.
#[derive(Clone, Debug, Default)]
pub struct Leased {
    /// Calls to make now: a question each, or the questions of a list call.
    pub calls: Vec<Vec<Lease>>,
    /// When to come back, if nothing happens before; `None`: nothing waits.
    pub come_back_at: Option<Timestamp>,
    /// Whether due work waits only for the source's budget.
    pub is_spent: bool,
}

/// Leases the next questions of a source, first questions before repeated ones, each sender in turn.
pub(super) fn lease(conn: &Connection, request: &LeaseRequest, now: Timestamp) -> Result<Leased> {
    let source = request.source.as_str();
    free_expired(conn, now)?;
    let barriers = standing::barriers(conn, source)?;
    let is_closed = |until: Timestamp| until > now && until <= now.plus(LONGEST_PAUSE);
    let mut most = request.most;
    let is_probe = barriers.source.is_some();
    if let Some(resume_at) = barriers.source {
        if is_closed(resume_at) {
            let come_back_at = waits(conn, source)?.then_some(resume_at);
            return Ok(Leased { come_back_at, ..Leased::default() });
        }
        if is_anyone_at_work(conn, source)? {
            return Ok(Leased::default());
        }
        most = most.min(1);
    }
    let lanes: Vec<&str> =
        barriers.lanes.iter().filter(|(_, until)| is_closed(*until)).map(|(lane, _)| lane.as_str()).collect();
    let (free, next_free) = budget::free(conn, source, request.rate, now)?;
    let mut leased = Leased::default();
    let mut turn = request.after_sender.clone();
    if !is_probe {
        while leased.calls.len() < most.min(free)
            && let Some(lane) = crowded_lane(conn, source, &lanes)?
        {
            leased.calls.push(hold_crowd(conn, request, &lane, &mut turn, now)?);
        }
    }
    while leased.calls.len() < most.min(free) {
        let probe = if is_probe { probe_question(conn, source, &lanes, now)? } else { None };
        let due = match probe {
            Some(due) => Some(due),
            None => match first_question(conn, source, &turn, &lanes)? {
                Some(due) => Some(due),
                None => repeated_question(conn, source, &lanes, now)?,
            },
        };
        let Some(due) = due else { break };
        turn.clone_from(&due.sender);
        let permit = budget::grant(conn, source, request.rate, now)?;
        let name = format!("{}/{}", request.owner, permit.id);
        match hold(conn, source, due, name, permit, now)? {
            Some(lease) => leased.calls.push(vec![lease]),
            None => budget::give_back(conn, permit)?,
        }
    }
    let has_spent = leased.calls.len() >= free;
    leased.is_spent = has_spent
        && (first_question(conn, source, &turn, &lanes)?.is_some()
            || repeated_question(conn, source, &lanes, now)?.is_some());
    leased.come_back_at =
        if leased.is_spent { Some(next_free) } else { come_back_at(conn, source, &barriers, &lanes)? };
    Ok(leased)
}

struct Due {
    id: i64,
    question: String,
    sender: String,
}

/// The oldest unasked notification of the next sender after `turn`, around the circle.
fn first_question(conn: &Connection, source: &str, turn: &str, closed_lanes: &[&str]) -> Result<Option<Due>> {
    let lanes = closed(closed_lanes);
    let next = |after: Option<&str>| -> Result<Option<Due>> {
        let sql = format!(
            "SELECT notification_id, question, sender FROM verdicts
             WHERE source = ?1 AND sender {} ?2 AND state = 'pending' AND asked = 0 AND lease IS NULL AND question IS NOT NULL {lanes}
             ORDER BY sender, notification_id LIMIT 1",
            if after.is_some() { ">" } else { ">=" },
        );
        due(conn, &sql, source, after.unwrap_or(""), closed_lanes)
    };
    match next(Some(turn))? {
        Some(due) => Ok(Some(due)),
        None => next(None),
    }
}

/// The notification whose next question has been due for longest.
fn repeated_question(
    conn: &Connection,
    source: &str,
    closed_lanes: &[&str],
    now: Timestamp,
) -> Result<Option<Due>> {
    let lanes = closed(closed_lanes);
    let by_time = |condition: &str| {
        format!(
            "SELECT notification_id, question, sender FROM verdicts
             WHERE source = ?1 AND next_attempt_at {condition} ?2 AND state = 'pending' AND asked = 1 AND lease IS NULL AND question IS NOT NULL {lanes}
             ORDER BY next_attempt_at LIMIT 1"
        )
    };
    let overdue = due(conn, &by_time("<="), source, &now.to_string(), closed_lanes)?;
    match overdue {
        Some(due) => Ok(Some(due)),
        None => due(conn, &by_time(">"), source, &now.plus(LONGEST_PAUSE).to_string(), closed_lanes),
    }
}

/// The question that failed last, while its source fails as a whole: one subject probes, the others wait.
fn probe_question(
    conn: &Connection,
    source: &str,
    closed_lanes: &[&str],
    now: Timestamp,
) -> Result<Option<Due>> {
    let lanes = closed(closed_lanes);
    let sql = format!(
        "SELECT notification_id, question, sender FROM verdicts
         WHERE source = ?1 AND next_attempt_at <= ?2 AND state = 'pending' AND asked = 1 AND lease IS NULL AND question IS NOT NULL {lanes}
         ORDER BY next_attempt_at DESC, notification_id LIMIT 1"
    );
    due(conn, &sql, source, &now.to_string(), closed_lanes)
}

fn closed(lanes: &[&str]) -> String {
    if lanes.is_empty() {
        String::new()
    } else {
        format!("AND lane NOT IN ({})", rows::placeholders(lanes.len()))
    }
}

fn due(conn: &Connection, sql: &str, source: &str, bound: &str, lanes: &[&str]) -> Result<Option<Due>> {
    let values = [source, bound].into_iter().chain(lanes.iter().copied());
    Ok(conn
        .prepare_cached(sql)?
        .query_row(rusqlite::params_from_iter(values), |row| {
            Ok(Due { id: row.get(0)?, question: row.get(1)?, sender: row.get(2)? })
        })
        .optional()?)
}

/// A lane with enough first questions for a list call.
fn crowded_lane(conn: &Connection, source: &str, closed_lanes: &[&str]) -> Result<Option<String>> {
    let next_lane = |after: &str| -> Result<Option<String>> {
        Ok(conn
            .prepare_cached(
                "SELECT lane FROM verdicts WHERE source = ?1 AND lane > ?2
                   AND state = 'pending' AND asked = 0 AND lease IS NULL AND listable = 1 ORDER BY lane LIMIT 1",
            )?
            .query_row([source, after], |row| row.get(0))
            .optional()?)
    };
    let mut lane = next_lane("")?;
    while let Some(name) = lane {
        let waiting: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM verdicts WHERE source = ?1 AND lane = ?2
                   AND state = 'pending' AND asked = 0 AND lease IS NULL AND listable = 1 LIMIT ?3)",
            )?
            .query_row(params![source, name, i64::try_from(LIST_WORTH).unwrap_or(i64::MAX)], |row| {
                row.get(0)
            })?;
        if usize::try_from(waiting).unwrap_or(0) >= LIST_WORTH && !closed_lanes.contains(&name.as_str()) {
            return Ok(Some(name));
        }
        lane = next_lane(&name)?;
    }
    Ok(None)
}

/// Leases the questions of one list call, each sender in turn.
fn hold_crowd(
    conn: &Connection,
    request: &LeaseRequest,
    lane: &str,
    turn: &mut String,
    now: Timestamp,
) -> Result<Vec<Lease>> {
    let source = request.source.as_str();
    let permit = budget::grant(conn, source, request.rate, now)?;
    let next = |after: &str, condition: &str| -> Result<Option<Due>> {
        let sql = format!(
            "SELECT notification_id, question, sender FROM verdicts
             WHERE source = ?1 AND lane = ?3 AND sender {condition} ?2
               AND state = 'pending' AND asked = 0 AND lease IS NULL AND listable = 1
             ORDER BY sender, notification_id LIMIT 1"
        );
        due(conn, &sql, source, after, &[lane])
    };
    let mut leases = Vec::new();
    while leases.len() < request.most_in_list {
        let due = match next(turn, ">")? {
            Some(due) => Some(due),
            None => next("", ">=")?,
        };
        let Some(due) = due else { break };
        turn.clone_from(&due.sender);
        let name = format!("{}/{}.{}", request.owner, permit.id, leases.len());
        leases.extend(hold(conn, source, due, name, permit, now)?);
    }
    Ok(leases)
}

/// Puts all that waits on the question under one lease.
fn hold(
    conn: &Connection,
    source: &str,
    due: Due,
    name: String,
    permit: CallPermit,
    now: Timestamp,
) -> Result<Option<Lease>> {
    conn.prepare_cached(
        "UPDATE verdicts SET lease = ?3, lease_until = ?4, asked = 1 WHERE notification_id IN (
           SELECT notification_id FROM verdicts
           WHERE source = ?1 AND question = ?2 AND state = 'pending' AND lease IS NULL
           ORDER BY notification_id LIMIT ?5)",
    )?
    .execute(params![
        source,
        due.question,
        name,
        now.plus(LEASE_LENGTH).to_string(),
        i64::try_from(MOST_UNDER_ONE_LEASE).unwrap_or(i64::MAX)
    ])?;
    let claim = claim_of(conn, due.id)?;
    Ok(claim.map(|claim| Lease { name, source: source.to_owned(), claim, permit, sender: due.sender }))
}

fn claim_of(conn: &Connection, id: i64) -> Result<Option<Claim>> {
    let sql = format!("SELECT {} FROM verdicts WHERE notification_id = ?1", rows::CLAIM_COLUMNS);
    let found = conn.prepare_cached(&sql)?.query_row([id], |row| rows::claim(row, 0))?;
    Ok(found.map(|(claim, _)| claim))
}

fn is_anyone_at_work(conn: &Connection, source: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM verdicts WHERE lease IS NOT NULL AND source = ?1)")?
        .query_row([source], |row| row.get(0))?)
}

fn waits(conn: &Connection, source: &str) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM verdicts WHERE source = ?1 AND state = 'pending')")?
        .query_row([source], |row| row.get(0))?)
}

/// When the first of those who wait may be asked again; who waits in a closed lane waits for its end.
fn come_back_at(
    conn: &Connection,
    source: &str,
    barriers: &standing::Barriers,
    closed_lanes: &[&str],
) -> Result<Option<Timestamp>> {
    let sql = format!(
        "SELECT min(next_attempt_at) FROM verdicts
         WHERE source = ?1 AND state = 'pending' AND asked = 1 AND lease IS NULL AND question IS NOT NULL {}",
        closed(closed_lanes)
    );
    let values = std::iter::once(source).chain(closed_lanes.iter().copied());
    let next_repeat: Option<String> =
        conn.prepare_cached(&sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
    let lanes = barriers.lanes.iter().filter(|(lane, _)| closed_lanes.contains(&lane.as_str()));
    let ends = lanes.map(|(_, until)| *until);
    Ok(next_repeat.as_deref().and_then(Timestamp::parse_rfc3339).into_iter().chain(ends).min())
}

/// Frees leases that ended, and those that would end impossibly late because the clock was set back.
fn free_expired(conn: &Connection, now: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "UPDATE verdicts SET lease = NULL, lease_until = NULL
         WHERE lease IS NOT NULL AND (lease_until <= ?1 OR lease_until > ?2)",
    )?
    .execute(params![now.to_string(), now.plus(LEASE_LENGTH * 2).to_string()])?;
    Ok(())
}

/// Keeps every lease of `owner` for another while.
pub(super) fn renew(conn: &Connection, owner: &str, now: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "UPDATE verdicts SET lease_until = ?2 WHERE lease IS NOT NULL AND lease >= ?1 || '/' AND lease < ?1 || '0'",
    )?
    .execute(params![owner, now.plus(LEASE_LENGTH).to_string()])?;
    Ok(())
}

/// Frees every lease of `owner`, or of any owner whose name begins so.
pub(super) fn free_of(conn: &Connection, owner_prefix: &str) -> Result<usize> {
    Ok(conn
        .prepare_cached(
            "UPDATE verdicts SET lease = NULL, lease_until = NULL
             WHERE lease IS NOT NULL AND substr(lease, 1, length(?1)) = ?1",
        )?
        .execute([owner_prefix])?)
}

/// Gives leases back whose questions a list call left open: each is due at once, and is asked alone.
pub(super) fn ask_alone(conn: &Connection, leases: &[String], now: Timestamp) -> Result<()> {
    for lease in leases {
        conn.prepare_cached(
            "UPDATE verdicts SET lease = NULL, lease_until = NULL, asked = 1, next_attempt_at = ?2
             WHERE lease = ?1 AND state = 'pending'",
        )?
        .execute(params![lease, now.to_string()])?;
    }
    Ok(())
}
