//! Following a clock that somebody set: what was planned stays as far away as it was. A rate limit holds across the jump, a
//! shop that asked for a pause gets it, and nobody waits for hours that will pass twice.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::Timestamp;
use crate::store::error::Result;

/// Notifications moved in one transaction.
const BATCH: i64 = 500;

/// A time of the store, moved by so many seconds (?1); one that would leave the calendar stays.
const MOVED: &str = "coalesce(strftime('%Y-%m-%dT%H:%M:%fZ', {column}, ?1 || ' seconds'), {column})";

fn moved(column: &str) -> String {
    MOVED.replace("{column}", column)
}

fn seconds(by_ms: i64) -> String {
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

/// Moves the next questions of a source that were planned for later than `after`, the soonest first and at most
/// [`BATCH`] or so. Returns where to go on, `None` at the end. Only for a clock that was set back (`by_ms` is negative):
/// one that was set ahead has made them due.
pub(in crate::store) fn bring_forward(
    conn: &Connection,
    source: &str,
    after: Timestamp,
    by_ms: i64,
) -> Result<Option<Timestamp>> {
    let planned =
        "source = ?1 AND state = 'pending' AND asked = 1 AND lease IS NULL AND next_attempt_at > ?2";
    let last: Option<String> = conn
        .query_row(
            &format!(
                "SELECT max(next_attempt_at) FROM (SELECT next_attempt_at FROM verdicts WHERE {planned}
                   ORDER BY next_attempt_at LIMIT ?3)"
            ),
            params![source, after.to_string(), BATCH],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    let Some(last) = last else { return Ok(None) };
    let moved = moved("next_attempt_at").replace("?1", "?4");
    conn.execute(
        &format!("UPDATE verdicts SET next_attempt_at = {moved} WHERE {planned} AND next_attempt_at <= ?3"),
        params![source, after.to_string(), last, seconds(by_ms)],
    )?;
    Ok(Timestamp::parse_rfc3339(&last))
}

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
