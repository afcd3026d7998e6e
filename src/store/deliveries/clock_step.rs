//! Follows a step of the clock: the age of a waiting delivery and the time to its next try stay the same.

use rusqlite::{Connection, params};

use crate::store::error::Result;
use crate::store::queue::clock_step::{MOVED_AT_ONCE, moved, seconds};
use crate::store::rows;

/// Moves the leases, and the times in the states of the actions.
pub(in crate::store) fn follow(conn: &Connection, by_ms: i64) -> Result<()> {
    let seconds = seconds(by_ms);
    let leases = format!(
        "UPDATE deliveries INDEXED BY deliveries_leased SET lease_until = {} WHERE lease IS NOT NULL",
        moved("lease_until")
    );
    conn.execute(&leases, [&seconds])?;
    let actions = format!(
        "UPDATE action_states SET failing_since = {}, probe_since = {}, held_until = {}",
        moved("failing_since"),
        moved("probe_since"),
        moved("held_until")
    );
    conn.execute(&actions, [&seconds])?;
    Ok(())
}

/// The last delivery, and the actions that have any.
pub(in crate::store) fn waiting(conn: &Connection) -> Result<(i64, Vec<String>)> {
    let last = conn.query_row("SELECT coalesce(max(id), 0) FROM deliveries", [], |row| row.get(0))?;
    let mut statement = conn.prepare_cached("SELECT DISTINCT action FROM delivery_counts")?;
    let actions = statement.query_map([], |row| row.get(0))?;
    Ok((last, rows::all(actions)?))
}

/// Moves waiting deliveries of an action with ids above this one and up to `last`, at most [`MOVED_AT_ONCE`]; returns
/// the last one moved, `None` at the end. The next tries move only if the clock was set back: a clock that
/// was set ahead has made them due.
pub(in crate::store) fn move_waiting(
    conn: &Connection,
    action: &str,
    after: i64,
    last: i64,
    by_ms: i64,
) -> Result<Option<i64>> {
    let mut statement = conn.prepare_cached(WAITING)?;
    let ids = statement.query_map(params![action, after, last, MOVED_AT_ONCE], |row| row.get(0))?;
    let ids = rows::all(ids)?;
    let next = if by_ms < 0 { moved("next_attempt_at") } else { "next_attempt_at".to_owned() };
    let sql =
        format!("UPDATE deliveries SET since = {}, next_attempt_at = {next} WHERE id = ?2", moved("since"));
    let mut statement = conn.prepare_cached(&sql)?;
    let seconds = seconds(by_ms);
    for id in &ids {
        statement.execute(params![seconds, id])?;
    }
    Ok(ids.into_iter().last())
}

const WAITING: &str = "SELECT id FROM deliveries INDEXED BY deliveries_by_state
                       WHERE action = ?1 AND state = 'waiting' AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn a_portion_to_move_is_a_stretch_of_an_index() {
        let wanted = "SEARCH deliveries USING COVERING INDEX deliveries_by_state (action=? AND state=? AND id>? AND id<?)";
        assert_eq!(plan(&fresh(), WAITING), wanted);
    }
}
