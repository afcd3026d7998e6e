//! Reads the last settled notifications of a source. No index has them in one range, but the newest of each
//! verdict are adjacent, and the newest of all are among those. The cost does not depend on how many wait or
//! what a flood left.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::domain::health::{LAST_SETTLED, Recent, SourceHealth};
use crate::domain::number::whole;
use crate::domain::{Reason, State, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// The state and reason of settled notifications; there are about twenty combinations.
pub(super) type Verdicts = BTreeSet<(State, Reason)>;

/// The newest ?4 of the source ?3 with the state ?1 and the reason ?2; with more of the detail than is ever
/// shown.
pub(super) const RECENT: &str = "SELECT notification_id, received_at, substr(detail, 1, 400)
     FROM verdicts INDEXED BY verdicts_by_state
     WHERE state = ?1 AND reason = ?2 AND source = ?3 ORDER BY notification_id DESC LIMIT ?4";

/// Adds the last settled notifications of the sources that lately had these verdicts.
pub(super) fn add(
    conn: &Connection,
    source: &mut SourceHealth,
    verdicts: &Verdicts,
    since: Timestamp,
) -> Result<()> {
    let mut newest = Vec::new();
    let most = whole(LAST_SETTLED);
    for (state, reason) in verdicts {
        let mut statement = conn.prepare_cached(RECENT)?;
        let found =
            statement.query_map(params![state.as_str(), reason.as_str(), source.source, most], |row| {
                let recent = Recent { id: row.get(0)?, state: *state, reason: *reason, detail: row.get(2)? };
                Ok((recent, rows::known_instant(row, "received_at")?))
            })?;
        newest.extend(rows::all(found)?);
    }
    newest.sort_by_key(|(recent, _)| Reverse(recent.id));
    let malformed = newest.iter().find(|(recent, _)| recent.reason == Reason::Malformed);
    source.malformed_detail = malformed.and_then(|(recent, _)| recent.detail.clone());
    newest.truncate(LAST_SETTLED);
    let lately = newest.into_iter().filter(|(_, received_at)| *received_at >= since);
    source.recent = lately.map(|(recent, _)| recent).collect();
    Ok(())
}
