//! Decisions without an answer: `retry`, `dismiss`, and giving up on a source that fails for too long.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::call::StateChange;
use super::claims::VerdictRow;
use crate::domain::settlement::Policy;
use crate::domain::{Cause, Reason, State, Timestamp};
use crate::rules::retry;
use crate::store::error::Result;
use crate::store::rows;

/// Maximum number of rows per transaction of a command, so that intake does not wait long.
pub const ROWS_AT_ONCE: usize = 100;

/// The result of a person's decision about one notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Done; with its new state and reason.
    Done(StateChange),
    /// Refused, with the reason.
    Refused { id: i64, why: String },
}

/// Resets notifications with their newly parsed claims.
pub(in crate::store) fn retry(
    conn: &Connection,
    rows_to_write: &[VerdictRow],
    now: Timestamp,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::with_capacity(rows_to_write.len());
    for row in rows_to_write {
        let id = row.id();
        let Some((state, _)) = state_of(conn, id)? else {
            decided.push(Decided::Done(StateChange { id, state: State::Pending, reason: None }));
            continue;
        };
        if is_emptied(conn, id)? {
            decided.push(refused(id, "its body was emptied, so there is nothing left to parse"));
            continue;
        }
        if state == State::Confirmed {
            decided.push(refused(id, "it is confirmed, which is final"));
            continue;
        }
        conn.prepare_cached(
            "UPDATE verdicts SET attempts = 0, own_refusals = 0, asked = 0, news = 0, resolved_id = NULL, retried_at = ?2,
               probes_since = ?2, lease = NULL, lease_until = NULL WHERE notification_id = ?1",
        )?
        .execute(params![id, now.to_string()])?;
        let repeated = row.repeats(conn)?;
        row.write(conn, repeated, now, now)?;
        let (state, reason) = row.first_verdict(repeated);
        decided.push(Decided::Done(StateChange { id, state, reason }));
    }
    Ok(decided)
}

pub(in crate::store) fn dismiss(
    conn: &Connection,
    ids: &[i64],
    note: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::with_capacity(ids.len());
    for id in ids {
        match state_of(conn, *id)? {
            None => decided.push(refused(
                *id,
                "no such notification, or it was only just received; run \
                countersign list",
            )),
            Some((State::Undecided, _)) => {
                conn.prepare_cached(
                    "UPDATE verdicts SET state = 'ignored', reason = 'dismissed', detail = ?2, decided_at = ?3
                     WHERE notification_id = ?1",
                )?
                .execute(params![id, note.unwrap_or("dismissed by hand"), now.to_string()])?;
                let (state, reason) = (State::Ignored, Some(Reason::Dismissed));
                decided.push(Decided::Done(StateChange { id: *id, state, reason }));
            }
            Some((state, _)) => {
                decided.push(refused(*id, &format!("it is {state}; only undecided ones can be dismissed")));
            }
        }
    }
    Ok(decided)
}

fn refused(id: i64, why: &str) -> Decided {
    Decided::Refused { id, why: why.to_owned() }
}

fn state_of(conn: &Connection, id: i64) -> Result<Option<(State, Option<Reason>)>> {
    Ok(conn
        .prepare_cached("SELECT state, reason FROM verdicts WHERE notification_id = ?1")?
        .query_row([id], |row| Ok((rows::state(row)?, rows::reason(row)?)))
        .optional()?)
}

/// Its body may have been emptied since it was read for the retry.
fn is_emptied(conn: &Connection, id: i64) -> Result<bool> {
    Ok(conn
        .prepare_cached("SELECT emptied FROM verdicts WHERE notification_id = ?1")?
        .query_row([id], |row| row.get(0))?)
}

/// Number of pending notifications that one transaction considers for giving up.
const MOST_LOOKED_AT: usize = 500;

/// The position of [`give_up_waiting`]: after the notification received at this time, with this id.
pub(in crate::store) type LookedAt = (String, i64);

/// Gives up on notifications that waited too long only because their source, or their kind of call, failed.
/// Considers some, the oldest after `after` first; also returns where to continue, `None` at the end.
pub(in crate::store) fn give_up_waiting(
    conn: &Connection,
    source: &str,
    call_kind: &str,
    cause: Cause,
    policy: &Policy,
    after: &LookedAt,
    now: Timestamp,
) -> Result<(Vec<StateChange>, Option<LookedAt>)> {
    let too_old = now.minus(policy.give_up_after).to_string();
    let mut statement = conn.prepare_cached(WAITED_LONG)?;
    let limit = rows::limit(MOST_LOOKED_AT);
    let values = params![source, too_old, call_kind, retry::LEAST_ATTEMPTS, limit, after.0, after.1];
    let mut found = statement.query(values)?;
    let (mut ids, mut looked_at, mut last) = (Vec::new(), 0, None);
    while ids.len() < ROWS_AT_ONCE
        && let Some(row) = found.next()?
    {
        looked_at += 1;
        let id: i64 = row.get("notification_id")?;
        last = Some((row.get("received_at")?, id));
        if row.get("is_over")? {
            ids.push(id);
        }
    }
    let is_more_left = looked_at == MOST_LOOKED_AT || ids.len() == ROWS_AT_ONCE;
    let mut moved = Vec::with_capacity(ids.len());
    for id in ids {
        conn.prepare_cached(
            "UPDATE verdicts SET state = 'undecided', reason = ?2,
               detail = coalesce((SELECT t.detail FROM outages t
                 WHERE t.source = verdicts.source AND t.call_kind = ?4), detail),
               attempts = attempts + (SELECT count(*) FROM probes p
                 WHERE p.source = verdicts.source AND p.at > probes_since AND p.call_kind IN ('', verdicts.call_kind)),
               probes_since = ?3, next_attempt_at = NULL, decided_at = ?3 WHERE notification_id = ?1",
        )?
        .execute(params![id, cause.as_str(), now.to_string(), call_kind])?;
        moved.push(StateChange { id, state: State::Undecided, reason: Some(cause.into()) });
    }
    Ok((moved, last.filter(|_| is_more_left)))
}

/// Each with whether patience with it is over.
pub(in crate::store) const WAITED_LONG: &str = "SELECT notification_id, received_at,
       lease IS NULL AND ?3 IN ('', call_kind) AND coalesce(retried_at, '') < ?2
         AND attempts + (SELECT count(*) FROM probes p
           WHERE p.source = v.source AND p.at > v.probes_since AND p.call_kind IN ('', v.call_kind)) >= ?4 AS is_over
     FROM verdicts v INDEXED BY verdicts_pending
     WHERE source = ?1 AND state = 'pending' AND received_at < ?2 AND (received_at, notification_id) > (?6, ?7)
     ORDER BY received_at, notification_id LIMIT ?5";
