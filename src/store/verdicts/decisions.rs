//! What people decide, and what patience decides: a fresh start, a dismissal, giving up on a source that stays away.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::claims::{Filing, Sheet};
use super::question::Moved;
use crate::domain::ledger::Policy;
use crate::domain::{Cause, Reason, State, Timestamp};
use crate::rules::retry;
use crate::store::error::Result;
use crate::store::queue::pauses;
use crate::store::rows;

/// Rows that one transaction of a command changes: it must not keep the intake waiting.
pub const BATCH: usize = 100;

/// What became of one notification that a person decided about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// As asked; its state and reason now.
    Done(Moved),
    /// Refused, with the reason.
    Refused {
        /// The notification's id.
        id: i64,
        /// Why, in plain words.
        why: String,
    },
}

/// Starts notifications afresh with what reading them gave now, and ends the pauses of their sources.
pub(in crate::store) fn retry(conn: &Connection, filings: &[Filing], now: Timestamp) -> Result<Vec<Decided>> {
    let mut decided = Vec::with_capacity(filings.len());
    for filing in filings {
        let Filing { id, delivery, .. } = filing;
        let Some((state, _)) = state_of(conn, *id)? else {
            decided.push(Decided::Done(Moved { id: *id, state: State::Pending, reason: None }));
            continue;
        };
        if is_emptied(conn, *id)? {
            decided.push(refused(*id, "its body was emptied, there is nothing left to read"));
            continue;
        }
        if state == State::Confirmed {
            decided.push(refused(*id, "it is confirmed, and a confirmed notification stays so"));
            continue;
        }
        conn.prepare_cached(
            "UPDATE verdicts SET attempts = 0, own_refusals = 0, asked = 0, news = 0, resolved_id = NULL, retried_at = ?2,
               probes_since = ?2, lease = NULL, lease_until = NULL WHERE notification_id = ?1",
        )?
        .execute(params![id, now.to_string()])?;
        let sheet = Sheet::of(filing);
        let repeated = sheet.repeats(conn)?;
        sheet.write(conn, repeated, now, now)?;
        pauses::resume(conn, &delivery.source, now)?;
        let (state, reason) = sheet.standing(repeated);
        decided.push(Decided::Done(Moved { id: *id, state, reason }));
    }
    Ok(decided)
}

/// Dismisses undecided notifications.
pub(in crate::store) fn dismiss(
    conn: &Connection,
    ids: &[i64],
    note: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Decided>> {
    let mut decided = Vec::with_capacity(ids.len());
    for id in ids {
        match state_of(conn, *id)? {
            None => decided.push(refused(*id, "there is no such notification, or it has only just come in")),
            Some((State::Undecided, _)) => {
                conn.prepare_cached(
                    "UPDATE verdicts SET state = 'ignored', reason = 'dismissed', detail = ?2, decided_at = ?3
                     WHERE notification_id = ?1",
                )?
                .execute(params![id, note.unwrap_or("dismissed by a person"), now.to_string()])?;
                let (state, reason) = (State::Ignored, Some(Reason::Dismissed));
                decided.push(Decided::Done(Moved { id: *id, state, reason }));
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

/// Gives up on notifications that only waited while their source, or their lane of it, failed for too long.
pub(in crate::store) fn give_up_waiting(
    conn: &Connection,
    source: &str,
    lane: &str,
    cause: Cause,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Moved>> {
    let too_old = now.minus(policy.give_up_after).to_string();
    let mut statement = conn.prepare_cached(
        "SELECT notification_id FROM verdicts v INDEXED BY verdicts_pending
         WHERE source = ?1 AND received_at < ?2 AND state = 'pending' AND lease IS NULL AND ?3 IN ('', lane)
           AND coalesce(retried_at, '') < ?2
           AND attempts + (SELECT count(*) FROM probes p
             WHERE p.source = v.source AND p.at > v.probes_since AND p.lane IN ('', v.lane)) >= ?4
         ORDER BY received_at LIMIT ?5",
    )?;
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let values = params![source, too_old, lane, retry::LEAST_ATTEMPTS, limit];
    let ids: Vec<i64> = statement.query_map(values, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut moved = Vec::with_capacity(ids.len());
    for id in ids {
        conn.prepare_cached(
            "UPDATE verdicts SET state = 'undecided', reason = ?2,
               detail = coalesce((SELECT t.detail FROM outages t
                 WHERE t.source = verdicts.source AND t.lane = ?4), detail),
               attempts = attempts + (SELECT count(*) FROM probes p
                 WHERE p.source = verdicts.source AND p.at > probes_since AND p.lane IN ('', verdicts.lane)),
               probes_since = ?3, next_attempt_at = NULL, decided_at = ?3 WHERE notification_id = ?1",
        )?
        .execute(params![id, cause.as_str(), now.to_string(), lane])?;
        moved.push(Moved { id, state: State::Undecided, reason: Some(cause.into()) });
    }
    Ok(moved)
}
