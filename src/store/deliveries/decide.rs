//! A person's decisions about deliveries.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{insert, promote};
use crate::domain::{DeliveryState, Timestamp};
use crate::store::error::Result;
use crate::store::news::feed::{self, COLUMNS};

/// The result of a person's decision about one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryDecided {
    Done,
    /// Refused, with the reason.
    Refused {
        id: i64,
        why: String,
    },
}

/// Makes deliveries due at once, with all their tries ahead.
pub(in crate::store) fn redeliver(
    conn: &Connection,
    ids: &[i64],
    detail: Option<&str>,
    now: Timestamp,
) -> Result<Vec<DeliveryDecided>> {
    decide(conn, ids, |id, state| {
        if state == DeliveryState::Waiting.as_str() {
            return Ok(Some("it is waiting already, and is tried when it is due".to_owned()));
        }
        conn.prepare_cached(
            "UPDATE deliveries AS d SET state = 'waiting', attempts = 0, next_attempt_at = ?2, decided_at = NULL,
               detail = ?3, since = ?2, is_first = NOT EXISTS (
                 SELECT 1 FROM deliveries w WHERE w.action = d.action AND w.source = d.source
                   AND w.subject_kind = d.subject_kind AND w.subject_id = d.subject_id AND w.state = 'waiting')
             WHERE id = ?1",
        )?
        .execute(params![id, now.to_string(), detail])?;
        Ok(None)
    })
}

pub(in crate::store) fn skip(
    conn: &Connection,
    ids: &[i64],
    detail: &str,
    now: Timestamp,
) -> Result<Vec<DeliveryDecided>> {
    decide(conn, ids, |id, state| {
        if state == DeliveryState::Delivered.as_str() {
            return Ok(Some("it is delivered, and stays so".to_owned()));
        }
        if state == DeliveryState::Skipped.as_str() {
            return Ok(Some("it is skipped already".to_owned()));
        }
        conn.prepare_cached(
            "UPDATE deliveries SET state = 'skipped', next_attempt_at = NULL, decided_at = ?2, detail = ?3,
               is_first = 0, lease = NULL, lease_until = NULL WHERE id = ?1",
        )?
        .execute(params![id, now.to_string(), detail])?;
        promote(conn, id)?;
        Ok(None)
    })
}

fn decide(
    conn: &Connection,
    ids: &[i64],
    change: impl Fn(i64, &str) -> Result<Option<String>>,
) -> Result<Vec<DeliveryDecided>> {
    let mut decided = Vec::with_capacity(ids.len());
    for &id in ids {
        let state: Option<String> = conn
            .prepare_cached("SELECT state FROM deliveries WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let refused = match state {
            None => Some("no such delivery; run countersign deliveries".to_owned()),
            Some(state) => change(id, &state)?,
        };
        decided.push(match refused {
            Some(why) => DeliveryDecided::Refused { id, why },
            None => DeliveryDecided::Done,
        });
    }
    Ok(decided)
}

/// Creates the deliveries of these news rows that an action never had; returns how many.
pub(in crate::store) fn add_missing(
    conn: &Connection,
    action: &str,
    seqs: &[i64],
    now: Timestamp,
) -> Result<u64> {
    let mut made = 0;
    for seq in seqs {
        let sql = format!("SELECT {COLUMNS} FROM news n WHERE n.seq = ?1");
        let found = conn.prepare_cached(&sql)?.query_row([seq], feed::read).optional()?;
        if let Some(news) = found {
            made += u64::from(insert(conn, action, &news, now)?);
        }
    }
    Ok(made)
}
