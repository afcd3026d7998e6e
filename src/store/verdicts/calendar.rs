//! The days and hours on which anything came in. The counts of a day and the pages of a time begin with them, so whoever
//! writes verdicts names their times here first, a group of them at once.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::domain::Timestamp;
use crate::store::error::Result;

const HOUR_MS: i64 = 3_600_000;

/// Names the times at which these notifications came in.
pub(in crate::store) fn note(conn: &Connection, came: impl Iterator<Item = (i64, Timestamp)>) -> Result<()> {
    let mut hours = BTreeMap::new();
    for (id, at) in came {
        let (first_id, _) = hours.entry(at.millis().div_euclid(HOUR_MS)).or_insert((id, at));
        *first_id = id.min(*first_id);
    }
    for (first_id, at) in hours.into_values() {
        conn.prepare_cached("INSERT INTO days (day) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([at.day()])?;
        conn.prepare_cached(
            "INSERT INTO hours (hour, first_id) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET first_id = excluded.first_id WHERE excluded.first_id < first_id",
        )?
        .execute(params![at.hour(), first_id])?;
    }
    Ok(())
}
