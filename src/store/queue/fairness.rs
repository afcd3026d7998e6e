//! Weighted fair queueing of senders (stride scheduling, see [`crate::rules::fairness`]), stored in `fair_queue`.
//!
//! - There is one queue per source, kind of call and [`Queue`] of question. Its senders are weighted by `senders.weight`,
//!   their recent share of confirmations, so that a flood gets few calls, a new sender gets one at once, and no
//!   sender starves.
//! - A trigger of `verdicts` adds a sender as soon as one of its notifications is pending ([`activate`] activates it
//!   when that is due). A sender without due questions is removed when its turn comes. No step counts rows, so each
//!   costs a few index searches regardless of the queue's length.
//! - A sender is an address, of IPv6 its /64. The unproven senders of one /48 together get the turns of sixteen, so
//!   that inventing addresses there gains nothing. Many IPv4 addresses, or many /48, get a turn each.
//! - Behind a proxy that is not in `server.trusted_proxies`, all senders look the same. Then the oldest question is
//!   first, and a true notification waits for the list calls before it, of a hundred questions each.

use std::cell::Cell;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::pauses::LONGEST_PAUSE;
use crate::domain::{Reason, State, Timestamp};
use crate::rules::fairness::Weight;
use crate::store::error::Result;
use crate::store::rows;

/// Maximum number of senders of one queue that become active in one transaction, because intake waits for it.
const MOST_ACTIVATED: usize = 250;

/// The three queues of a kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// First questions that a list call may ask.
    Listable = 0,
    /// First questions that need a call of their own.
    Single = 1,
    /// Questions that were asked before.
    Retry = 2,
}

impl Queue {
    pub(in crate::store) const ALL: [Self; 3] = [Self::Listable, Self::Single, Self::Retry];
}

/// The next question to ask.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(in crate::store) id: i64,
    pub(in crate::store) question: String,
    pub(in crate::store) call_kind: String,
    sender: String,
    queue: Queue,
    /// `None` if it is asked out of turn.
    position: Option<i64>,
    /// When it became due.
    pub(in crate::store) due_at: Timestamp,
}

impl Due {
    /// Whether it was never asked before.
    pub(in crate::store) fn is_first(&self) -> bool {
        self.queue != Queue::Retry
    }

    /// A retry that is asked out of turn.
    pub(super) fn out_of_turn(
        id: i64,
        question: String,
        call_kind: String,
        sender: String,
        due_at: Timestamp,
    ) -> Self {
        Self { id, question, call_kind, sender, queue: Queue::Retry, position: None, due_at }
    }
}

/// The kinds of calls with an active sender in this queue.
pub(super) fn call_kinds(conn: &Connection, source: &str, queue: Queue) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(NEXT_CALL_KIND)?;
    let mut next = |after: &str| -> Result<Option<String>> {
        Ok(statement.query_row(params![source, queue as i64, after], |row| row.get(0)).optional()?)
    };
    // Every kind of call has a name.
    let mut found = Vec::new();
    let mut call_kind = next("")?;
    while let Some(name) = call_kind {
        call_kind = next(&name)?;
        found.push(name);
    }
    Ok(found)
}

pub(in crate::store) const NEXT_CALL_KIND: &str = "SELECT call_kind FROM fair_queue
                                    WHERE source = ?1 AND queue = ?2 AND call_kind > ?3 AND position IS NOT NULL
                                    ORDER BY call_kind LIMIT 1";

/// Activates the senders with a due question.
pub(super) fn activate(conn: &Connection, source: &str, closed: &[String], now: Timestamp) -> Result<()> {
    for call_kind in call_kinds_to_come(conn, source, closed)? {
        let mut statement = conn.prepare_cached(TO_ACTIVATE)?;
        for queue in Queue::ALL {
            for (from, to) in due(queue, now) {
                let values = params![source, call_kind, queue as i64, from, to, rows::limit(MOST_ACTIVATED)];
                let found = statement.query_map(values, |row| row.get(0))?;
                let activated: Vec<String> = rows::all(found)?;
                for sender in activated {
                    let weight = weight_of(conn, &sender)?;
                    let position = weight.join_at(reached(conn, source, queue, &call_kind)?);
                    set_position(conn, source, queue, &call_kind, &sender, weight, position)?;
                }
            }
        }
    }
    Ok(())
}

/// The times, each after the first and up to the second text, at which questions of this kind are due. First questions
/// always are: one that came before the clock was set back has a time to come. A retry that lies further ahead than any
/// pause was planned before that.
fn due(queue: Queue, now: Timestamp) -> Vec<(String, String)> {
    let last = "~".to_owned();
    match queue {
        Queue::Listable | Queue::Single => vec![(String::new(), last)],
        Queue::Retry => {
            vec![(String::new(), now.to_string()), (now.plus(LONGEST_PAUSE).to_string(), last)]
        }
    }
}

pub(in crate::store) const TO_ACTIVATE: &str =
    "SELECT sender FROM fair_queue WHERE source = ?1 AND call_kind = ?2 AND queue = ?3 AND position IS NULL
                          AND due_at > ?4 AND due_at <= ?5 ORDER BY due_at LIMIT ?6";

fn call_kinds_to_come(conn: &Connection, source: &str, closed: &[String]) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached(NEXT_CALL_KIND_TO_COME)?;
    let mut found = Vec::new();
    let mut last = String::new();
    while let Some(call_kind) =
        statement.query_row([source, &last], |row| row.get::<_, String>(0)).optional()?
    {
        if !closed.contains(&call_kind) {
            found.push(call_kind.clone());
        }
        last = call_kind;
    }
    Ok(found)
}

pub(in crate::store) const NEXT_CALL_KIND_TO_COME: &str = "SELECT call_kind FROM fair_queue WHERE source = ?1 AND call_kind > ?2 AND position IS NULL ORDER BY call_kind LIMIT 1";

/// When the next inactive sender becomes active.
pub(super) fn next_activation(
    conn: &Connection,
    source: &str,
    closed: &[String],
) -> Result<Option<Timestamp>> {
    let mut earliest: Option<String> = None;
    for call_kind in call_kinds_to_come(conn, source, closed)? {
        for queue in Queue::ALL {
            let due_at: Option<String> = conn
                .prepare_cached(NEXT_ACTIVATION)?
                .query_row(params![source, call_kind, queue as i64], |row| row.get(0))
                .optional()?;
            earliest = earliest.into_iter().chain(due_at).min();
        }
    }
    Ok(earliest.as_deref().and_then(Timestamp::parse_rfc3339))
}

pub(in crate::store) const NEXT_ACTIVATION: &str =
    "SELECT due_at FROM fair_queue WHERE source = ?1 AND call_kind = ?2 AND queue = ?3 AND position IS NULL
     ORDER BY due_at LIMIT 1";

/// The next question of a queue. Senders before it without due questions are removed, as many as `may_deactivate` allows.
pub(super) fn next(
    conn: &Connection,
    source: &str,
    queue: Queue,
    call_kind: &str,
    now: Timestamp,
    may_deactivate: &Cell<usize>,
) -> Result<Option<Due>> {
    while may_deactivate.get() > 0 {
        let head = conn
            .prepare_cached(HEAD)?
            .query_row(params![source, queue as i64, call_kind], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((sender, position)) = head else { return Ok(None) };
        let found = match queue {
            Queue::Listable | Queue::Single => first_question(conn, source, queue, call_kind, &sender)?,
            Queue::Retry => repeated_question(conn, source, call_kind, &sender, now)?,
        };
        if let Some((id, question, due_at)) = found {
            return Ok(Some(Due {
                id,
                question,
                call_kind: call_kind.to_owned(),
                sender,
                queue,
                position: Some(position),
                due_at,
            }));
        }
        deactivate(conn, source, queue, call_kind, &sender)?;
        may_deactivate.set(may_deactivate.get() - 1);
    }
    Ok(None)
}

pub(in crate::store) const HEAD: &str =
    "SELECT sender, position FROM fair_queue WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND position IS NOT NULL
                    ORDER BY position LIMIT 1";

/// The notification, its question, and when it became due.
type NextQuestion = (i64, String, Timestamp);

pub(in crate::store) const FIRST_QUESTION: &str =
    "SELECT notification_id, question, next_attempt_at FROM verdicts
                              WHERE source = ?1 AND listable = ?2 AND call_kind = ?3 AND sender = ?4
                                AND state = 'pending' AND asked = 0 AND lease IS NULL
                              ORDER BY notification_id LIMIT 1";

fn first_question(
    conn: &Connection,
    source: &str,
    queue: Queue,
    call_kind: &str,
    sender: &str,
) -> Result<Option<NextQuestion>> {
    let values = params![source, queue == Queue::Listable, call_kind, sender];
    Ok(conn.prepare_cached(FIRST_QUESTION)?.query_row(values, question).optional()?)
}

pub(in crate::store) const REPEATED_QUESTION: &str =
    "SELECT notification_id, question, next_attempt_at FROM verdicts
                                 WHERE source = ?1 AND call_kind = ?2 AND sender = ?3
                                   AND next_attempt_at > ?4 AND next_attempt_at <= ?5
                                   AND state = 'pending' AND asked = 1 AND lease IS NULL
                                 ORDER BY next_attempt_at LIMIT 1";

fn repeated_question(
    conn: &Connection,
    source: &str,
    call_kind: &str,
    sender: &str,
    now: Timestamp,
) -> Result<Option<NextQuestion>> {
    let mut statement = conn.prepare_cached(REPEATED_QUESTION)?;
    let overdue =
        statement.query_row(params![source, call_kind, sender, "", now.to_string()], question).optional()?;
    if overdue.is_some() {
        return Ok(overdue);
    }
    let from = now.plus(LONGEST_PAUSE).to_string();
    Ok(statement.query_row(params![source, call_kind, sender, from, "~"], question).optional()?)
}

fn question(row: &rusqlite::Row<'_>) -> rusqlite::Result<NextQuestion> {
    let due_at = rows::known_instant(row, "next_attempt_at")?;
    Ok((row.get("notification_id")?, row.get("question")?, due_at))
}

/// Removes a sender from its queue, or deactivates it until its next question is due.
fn deactivate(conn: &Connection, source: &str, queue: Queue, call_kind: &str, sender: &str) -> Result<()> {
    let next: Option<String> = match queue {
        Queue::Listable | Queue::Single => None,
        Queue::Retry => conn
            .prepare_cached(
                "SELECT next_attempt_at FROM verdicts WHERE source = ?1 AND call_kind = ?2 AND sender = ?3
                   AND state = 'pending' AND asked = 1 AND lease IS NULL ORDER BY next_attempt_at LIMIT 1",
            )?
            .query_row([source, call_kind, sender], |row| row.get(0))
            .optional()?,
    };
    match next {
        Some(due_at) => conn
            .prepare_cached(
                "UPDATE fair_queue SET position = NULL, due_at = ?5 WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND sender = ?4",
            )?
            .execute(params![source, queue as i64, call_kind, sender, due_at])?,
        None => conn
            .prepare_cached("DELETE FROM fair_queue WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND sender = ?4")?
            .execute(params![source, queue as i64, call_kind, sender])?,
    };
    Ok(())
}

/// Moves a sender on after its turn.
pub(super) fn served(conn: &Connection, source: &str, due: &Due) -> Result<()> {
    let Some(position) = due.position else { return Ok(()) };
    conn.prepare_cached(
        "INSERT INTO fair_queue_clock (source, queue, call_kind, virtual_time) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET virtual_time = excluded.virtual_time",
    )?
    .execute(params![source, due.queue as i64, due.call_kind, position])?;
    let weight = weight_of(conn, &due.sender)?;
    set_position(conn, source, due.queue, &due.call_kind, &due.sender, weight, weight.next_position(position))
}

/// Sets a sender's position, or a later one if it shares its turns with its network.
fn set_position(
    conn: &Connection,
    source: &str,
    queue: Queue,
    call_kind: &str,
    sender: &str,
    weight: Weight,
    position: i64,
) -> Result<()> {
    let position = match network(sender).filter(|_| weight.counts_with_its_network()) {
        None => position,
        Some(network) => behind_network(conn, source, queue, call_kind, &network, weight, position)?,
    };
    conn.prepare_cached(
        "UPDATE fair_queue SET position = ?5 WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND sender = ?4",
    )?
    .execute(params![source, queue as i64, call_kind, sender, position])?;
    Ok(())
}

fn behind_network(
    conn: &Connection,
    source: &str,
    queue: Queue,
    call_kind: &str,
    network: &str,
    weight: Weight,
    position: i64,
) -> Result<i64> {
    // Positions that the queue has passed delay no sender.
    let reached = reached(conn, source, queue, call_kind)?;
    conn.prepare_cached(
        "DELETE FROM fair_queue_networks WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND position < ?4",
    )?
    .execute(params![source, queue as i64, call_kind, reached])?;
    let last = conn
        .prepare_cached(
            "SELECT position FROM fair_queue_networks WHERE source = ?1 AND queue = ?2 AND call_kind = ?3 AND network = ?4",
        )?
        .query_row(params![source, queue as i64, call_kind, network], |row| row.get(0))
        .optional()?;
    let position = weight.behind(position, last);
    conn.prepare_cached(
        "INSERT INTO fair_queue_networks (source, queue, call_kind, network, position) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET position = excluded.position",
    )?
    .execute(params![source, queue as i64, call_kind, network, position])?;
    Ok(position)
}

/// The virtual time of a queue: the position of its last turn.
fn reached(conn: &Connection, source: &str, queue: Queue, call_kind: &str) -> Result<i64> {
    let reached = conn
        .prepare_cached(
            "SELECT virtual_time FROM fair_queue_clock WHERE source = ?1 AND queue = ?2 AND call_kind = ?3",
        )?
        .query_row(params![source, queue as i64, call_kind], |row| row.get(0))
        .optional()?;
    Ok(reached.unwrap_or(0))
}

/// A sender's recent share of confirmations.
pub(in crate::store) fn weight_of(conn: &Connection, sender: &str) -> Result<Weight> {
    let stored = conn
        .prepare_cached("SELECT weight FROM senders WHERE sender = ?1")?
        .query_row([sender], |row| row.get(0))
        .optional()?;
    Ok(stored.map_or(Weight::UNKNOWN, Weight::from_stored))
}

/// Whether the sender with this address is proven.
pub(in crate::store) fn is_proven(conn: &Connection, remote_addr: &str) -> Result<bool> {
    Ok(weight_of(conn, &rows::sender(remote_addr))?.is_proven())
}

/// Updates a sender's weight with the verdicts of some of its notifications.
pub(in crate::store) fn weigh(
    conn: &Connection,
    sender: &str,
    verdicts: impl IntoIterator<Item = (State, Option<Reason>)>,
) -> Result<()> {
    let before = weight_of(conn, sender)?;
    let after = verdicts.into_iter().fold(before, |weight, (state, reason)| weight.after(state, reason));
    if after != before {
        conn.prepare_cached("UPDATE senders SET weight = ?2 WHERE sender = ?1")?
            .execute(params![sender, after.stored()])?;
    }
    Ok(())
}

/// The /48 of an IPv6 sender.
fn network(sender: &str) -> Option<String> {
    let address: std::net::Ipv6Addr = sender.strip_suffix("/64")?.parse().ok()?;
    let [a, b, c, ..] = address.segments();
    Some(format!("{a:x}:{b:x}:{c:x}"))
}
