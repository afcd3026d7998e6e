//! The last settled notifications of a source. No index has them in one row: each verdict's newest are, and so the newest
//! of all are among those, however many wait and whatever a flood left.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::domain::health::{LAST_SETTLED, Recent, SourceHealth};
use crate::domain::number::whole;
use crate::domain::{Reason, State, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// The state and the reason of settled notifications; there are some twenty.
pub(super) type Verdicts = BTreeSet<(State, Reason)>;

/// The newest ?4 of the source ?3 with the state ?1 and the reason ?2; of a detail, more than is ever shown.
pub(super) const RECENT: &str = "SELECT notification_id, received_at, substr(detail, 1, 400)
     FROM verdicts INDEXED BY verdicts_by_state
     WHERE state = ?1 AND reason = ?2 AND source = ?3 ORDER BY notification_id DESC LIMIT ?4";

/// Adds the last ones to what is known of a source that came to these verdicts lately.
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
        newest.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    newest.sort_by_key(|(recent, _)| Reverse(recent.id));
    let malformed = newest.iter().find(|(recent, _)| recent.reason == Reason::Malformed);
    source.malformed_detail = malformed.and_then(|(recent, _)| recent.detail.clone());
    newest.truncate(LAST_SETTLED);
    let lately = newest.into_iter().filter(|(_, received_at)| *received_at >= since);
    source.recent = lately.map(|(recent, _)| recent).collect();
    Ok(())
}
