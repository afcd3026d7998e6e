//! Records a try: changes its delivery and the state of the action.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::promote;
use crate::domain::number::whole;
use crate::domain::{ActionState, Attempt, DeliveryState, RetryPolicy, Timestamp};
use crate::rules::delivery::{After, Tried, after};
use crate::store::error::Result;
use crate::store::rows;

/// Maximum number of stored tries per delivery.
const MOST_ATTEMPTS: i64 = 50;

/// The result of recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The state of the delivery now; `None` if the lease was lost, and nothing was changed.
    pub state: Option<DeliveryState>,
}

/// Records a try of a delivery that `owner` has leased.
pub(in crate::store) fn record(
    conn: &Connection,
    id: i64,
    owner: &str,
    attempt: &Attempt,
    policy: &RetryPolicy,
    jitter: f64,
    now: Timestamp,
) -> Result<Recorded> {
    let held = conn
        .prepare_cached("SELECT action, attempts, since FROM deliveries WHERE id = ?1 AND lease = ?2")?
        .query_row(params![id, owner], |row| {
            let since = rows::known_instant(row, "since")?;
            Ok((row.get::<_, String>("action")?, Tried { id, attempts: row.get("attempts")?, since }))
        })
        .optional()?;
    let Some((action, tried)) = held else { return Ok(Recorded { state: None }) };
    let before = load_state(conn, &action)?;
    let (delivery, state) = after(attempt, tried, &before, policy, jitter, now);
    let (word, next_attempt_at, detail) = match delivery {
        After::Delivered => (DeliveryState::Delivered, None, None),
        After::Wait(then) => (DeliveryState::Waiting, Some(then), Some(attempt.detail.clone())),
        After::Dead(why) => (DeliveryState::Dead, None, Some(why)),
    };
    let waits = next_attempt_at.is_some();
    conn.prepare_cached(
        "UPDATE deliveries SET state = ?2, attempts = attempts + 1, next_attempt_at = ?3, decided_at = ?4, detail = ?5,
           is_first = is_first AND ?6, lease = NULL, lease_until = NULL WHERE id = ?1",
    )?
    .execute(params![
        id,
        word.as_str(),
        next_attempt_at.map(|then| then.to_string()),
        (!waits).then(|| now.to_string()),
        detail,
        waits,
    ])?;
    if !waits {
        promote(conn, id)?;
    }
    insert_attempt(conn, id, attempt, tried.attempts)?;
    if state != before {
        save_state(conn, &action, &state)?;
    }
    Ok(Recorded { state: Some(word) })
}

fn insert_attempt(conn: &Connection, id: i64, attempt: &Attempt, before: u32) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO delivery_attempts (delivery_id, at, latency_ms, outcome, http_status, exit_code, answer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id,
        attempt.at.to_string(),
        whole(attempt.latency_ms),
        attempt.outcome.as_str(),
        attempt.http_status,
        attempt.exit_code,
        attempt.answer,
    ])?;
    if i64::from(before) >= MOST_ATTEMPTS {
        conn.prepare_cached(
            "DELETE FROM delivery_attempts WHERE delivery_id = ?1 AND id <= (
               SELECT id FROM delivery_attempts WHERE delivery_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![id, MOST_ATTEMPTS])?;
    }
    Ok(())
}

pub(super) fn load_state(conn: &Connection, action: &str) -> Result<ActionState> {
    let read = |row: &Row<'_>| {
        let probe: Option<i64> = row.get("probe")?;
        Ok(ActionState {
            failures: row.get("failures")?,
            failing_since: rows::instant(row, "failing_since")?,
            probe: probe.zip(rows::instant(row, "probe_since")?),
            held_until: rows::instant(row, "held_until")?,
            gone_at: rows::instant(row, "gone_at")?,
            last_error: row.get("last_error")?,
        })
    };
    let found = conn
        .prepare_cached(
            "SELECT failures, failing_since, probe, probe_since, held_until, gone_at, last_error FROM action_states
             WHERE action = ?1",
        )?
        .query_row([action], read)
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn save_state(conn: &Connection, action: &str, state: &ActionState) -> Result<()> {
    let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
    conn.prepare_cached(
        "INSERT OR REPLACE INTO action_states
           (action, failures, failing_since, probe, probe_since, held_until, gone_at, last_error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        action,
        state.failures,
        text(state.failing_since),
        state.probe.map(|(id, _)| id),
        text(state.probe.map(|(_, since)| since)),
        text(state.held_until),
        text(state.gone_at),
        state.last_error,
    ])?;
    Ok(())
}

/// Wakes an action that answered "gone"; `false` if it was not resting.
pub(in crate::store) fn wake(conn: &Connection, action: &str) -> Result<bool> {
    let woken = conn
        .prepare_cached("UPDATE action_states SET gone_at = NULL WHERE action = ?1 AND gone_at IS NOT NULL")?
        .execute([action])?;
    Ok(woken > 0)
}
