//! Follows a step of the clock by moving all schedules with it, so that rate limits and pauses keep their length.

use rusqlite::{Connection, params};

use crate::store::error::Result;
use crate::store::rows;

/// Rows moved in one transaction.
pub(in crate::store) const MOVED_AT_ONCE: i64 = 200;

/// A stored time, moved by ?1 seconds; a result outside the calendar leaves it unchanged.
const MOVED: &str = "coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?1 || ' seconds'), {column})";

pub(in crate::store) fn moved(column: &str) -> String {
    MOVED.replace("{column}", column)
}

pub(in crate::store) fn seconds(by_ms: i64) -> String {
    format!(
        "{}{}.{:03}",
        if by_ms < 0 { "-" } else { "+" },
        by_ms.unsigned_abs() / 1000,
        by_ms.unsigned_abs() % 1000
    )
}

/// Moves the calls that count, the pauses of failing sources, and the leases.
pub(in crate::store) fn follow(conn: &Connection, by_ms: i64) -> Result<()> {
    conn.execute("UPDATE api_calls SET counts_until = counts_until + ?1", [by_ms])?;
    let seconds = seconds(by_ms);
    conn.execute(&format!("UPDATE outages SET resume_at = {}", moved("resume_at")), [&seconds])?;
    let leases =
        format!("UPDATE verdicts SET lease_until = {} WHERE lease IS NOT NULL", moved("lease_until"));
    conn.execute(&leases, [&seconds])?;
    Ok(())
}

/// The position of [`bring_forward`]: after the notification planned for this time, with this id.
pub(in crate::store) type Planned = (String, i64);

/// Moves the next questions of a source that are planned for later than `after`, the soonest first and at
/// most [`MOVED_AT_ONCE`]. Returns where to continue, `None` at the end. Only for a clock that was set back (`by_ms`
/// is negative): a clock that was set ahead has made them due.
pub(in crate::store) fn bring_forward(
    conn: &Connection,
    source: &str,
    after: &Planned,
    by_ms: i64,
) -> Result<Option<Planned>> {
    let mut statement = conn.prepare_cached(PLANNED)?;
    let found = statement.query_map(params![source, after.0, after.1, MOVED_AT_ONCE], |row| {
        Ok((row.get("next_attempt_at")?, row.get("notification_id")?))
    })?;
    let planned: Vec<Planned> = rows::all(found)?;
    let sql = format!(
        "UPDATE verdicts SET next_attempt_at = {} WHERE notification_id = ?2",
        moved("next_attempt_at")
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let seconds = seconds(by_ms);
    for (_, id) in &planned {
        statement.execute(params![seconds, id])?;
    }
    Ok(planned.into_iter().last())
}

pub(in crate::store) const PLANNED: &str =
    "SELECT next_attempt_at, notification_id FROM verdicts INDEXED BY verdicts_repeated_questions
     WHERE source = ?1 AND state = 'pending' AND asked = 1 AND lease IS NULL
       AND (next_attempt_at, notification_id) > (?2, ?3)
     ORDER BY next_attempt_at, notification_id LIMIT ?4";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_written_as_the_engine_reads_them() {
        assert_eq!(
            [1, -1, 3_600_000, -7_200_250].map(seconds),
            ["+0.001", "-0.001", "+3600.000", "-7200.250"]
        );
        let conn = Connection::open_in_memory().unwrap();
        let shifted = |at: &str, by_ms| -> String {
            let sql = format!("SELECT {} FROM (SELECT ?2 AS at)", moved("at"));
            conn.query_row(&sql, [seconds(by_ms).as_str(), at], |row| row.get(0)).unwrap()
        };
        assert_eq!(shifted("2026-03-01T00:00:00.250Z", -3_600_500), "2026-02-28T22:59:59.750Z");
        assert_eq!(shifted("9999-12-31T23:59:59.999Z", 86_400_000), "9999-12-31T23:59:59.999Z");
    }
}
