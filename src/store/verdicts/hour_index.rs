//! The lowest notification id of each hour, for lists since a time. Each statement that adds verdicts notes
//! their hours first, for all of its rows at once.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::domain::Timestamp;
use crate::store::error::Result;

const HOUR_MS: i64 = 3_600_000;

/// Notes the hours in which these notifications were received.
pub(in crate::store) fn note(
    conn: &Connection,
    received: impl Iterator<Item = (i64, Timestamp)>,
) -> Result<()> {
    let mut hours = BTreeMap::new();
    for (id, at) in received {
        let (first_id, _) = hours.entry(at.millis().div_euclid(HOUR_MS)).or_insert((id, at));
        *first_id = id.min(*first_id);
    }
    for (first_id, at) in hours.into_values() {
        conn.prepare_cached(
            "INSERT INTO hour_index (hour, first_id) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET first_id = excluded.first_id WHERE excluded.first_id < first_id",
        )?
        .execute(params![at.hour(), first_id])?;
    }
    Ok(())
}
