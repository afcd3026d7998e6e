//! Turns the change log on and off.

use rusqlite::{Connection, params};

use super::state::{self, included};
use crate::domain::Timestamp;
use crate::domain::shipping::Include;
use crate::store::error::Result;
use crate::store::rows;

/// The triggers that write it.
pub(in crate::store) const TRIGGERS: &str = include_str!("../../../sql/change_log.sql");

/// Maximum number of entries that one transaction removes.
const MOST_REMOVED: usize = 5000;

const MADE: &str =
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'changes_*' ORDER BY name";

/// Starts the log, for a ledger that includes this data. If there was no log, or the ledger includes other
/// data than before, the ledger is filled from the start.
pub(in crate::store) fn turn_on(conn: &Connection, include: &Include, now: Timestamp) -> Result<()> {
    let include = included(include);
    let is_complete = made(conn)? == wanted()?;
    if !is_complete {
        drop_triggers(conn)?;
        conn.execute_batch(TRIGGERS)?;
    }
    let was: (bool, String) =
        conn.query_row("SELECT is_on, include FROM ledger_state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if is_complete && was == (true, include.clone()) {
        return Ok(());
    }
    conn.execute("UPDATE ledger_state SET is_on = 1, include = ?1", params![include])?;
    state::fill_again(conn, 0, now)
}

/// Stops the log; [`clear`] removes its entries.
pub(in crate::store) fn turn_off(conn: &Connection) -> Result<()> {
    drop_triggers(conn)?;
    conn.execute(
        "UPDATE ledger_state SET is_on = 0, failing_since = NULL, failure = NULL, is_refused = 0, gap = 0,
           gap_at = NULL WHERE is_on = 1",
        [],
    )?;
    Ok(())
}

/// Whether a stopped log still has entries.
pub(in crate::store) fn has_left(conn: &Connection) -> Result<bool> {
    let sql = "SELECT NOT is_on AND EXISTS (SELECT 1 FROM changes) FROM ledger_state";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

/// Removes some entries of a stopped log.
pub(in crate::store) fn clear(conn: &Connection) -> Result<()> {
    let sql =
        "DELETE FROM changes WHERE position IN (SELECT position FROM changes ORDER BY position LIMIT ?1)
               AND NOT (SELECT is_on FROM ledger_state)";
    conn.execute(sql, [rows::limit(MOST_REMOVED)])?;
    Ok(())
}

/// Removes some entries up to these positions, but never the last entry of the log.
pub(super) fn remove_shipped(conn: &Connection, log: i64, refusals: i64) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM changes WHERE position IN (
           SELECT position FROM changes WHERE position <= iif(kind = 'refusals', ?2, ?1) AND position <= max(?1, ?2)
           ORDER BY position LIMIT ?3)
         AND position < (SELECT max(position) FROM changes)",
    )?
    .execute(params![log, refusals, rows::limit(MOST_REMOVED)])?;
    Ok(())
}

type Trigger = (String, String);

fn made(conn: &Connection) -> rusqlite::Result<Vec<Trigger>> {
    conn.prepare(MADE)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The triggers of [`TRIGGERS`].
fn wanted() -> rusqlite::Result<Vec<Trigger>> {
    let mut found: Vec<Trigger> = Vec::new();
    let code = TRIGGERS.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    for sql in code.split("END;").map(str::trim).filter(|sql| !sql.is_empty()) {
        let name = sql.split_whitespace().nth(2).unwrap_or_default();
        found.push((name.to_owned(), format!("{sql}\nEND")));
    }
    found.sort();
    Ok(found)
}

fn drop_triggers(conn: &Connection) -> rusqlite::Result<()> {
    for (name, _) in made(conn)? {
        conn.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::file::query_plan::fresh;

    #[test]
    fn an_entry_costs_the_same_however_many_there_are() {
        let conn = fresh();
        turn_on(&conn, &Include::new(), Timestamp::from_seconds(0)).unwrap();
        let numbers = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)";
        conn.execute_batch(&format!(
            "{numbers} INSERT INTO changes (kind, id, source, key) SELECT 'notifications', n, '', '' FROM n;
             {numbers} INSERT INTO changes (kind, id, source, key) SELECT 'orders', 0, 's', n FROM n;
             {numbers} INSERT INTO changes (kind, id, source, key) SELECT 'refusals', 0, 's', '2026-01-01 ' || n FROM n;
             {numbers} INSERT INTO intake (id, source, provider, received_at) SELECT n, 's', 'p', '' FROM n;
             INSERT INTO orders (source, order_id, fetched_at, notified_at) VALUES ('s', '7', '', '');
             INSERT INTO refusals (source, day, cause, count, last_at) VALUES ('s', '2026-01-01', '7', 1, '');"
        ))
        .unwrap();
        for sql in [
            "UPDATE intake SET body = NULL WHERE id = 7",
            "UPDATE orders SET raw = NULL WHERE order_id = '7' AND source = 's'",
            "UPDATE refusals SET count = 2 WHERE source = 's' AND day = '2026-01-01' AND cause = '7'",
            "DELETE FROM intake WHERE id = 7",
        ] {
            let mut statement = conn.prepare(sql).unwrap();
            assert_eq!(statement.execute([]).unwrap(), 1, "{sql}");
            let passed = statement.get_status(StatementStatus::FullscanStep);
            let steps = statement.get_status(StatementStatus::VmStep);
            assert!(passed < 10 && steps < 1000, "{sql}: {passed} passed, {steps} steps");
        }
        let entries: i64 = conn.query_row("SELECT count(*) FROM changes", [], |row| row.get(0)).unwrap();
        assert_eq!(entries, 60_000, "one entry a row");
    }

    #[test]
    fn the_triggers_are_made_anew_only_where_they_are_others() {
        let conn = fresh();
        let version = || -> i64 { conn.query_row("PRAGMA schema_version", [], |row| row.get(0)).unwrap() };
        let turn_on = || turn_on(&conn, &Include::new(), Timestamp::from_seconds(0)).unwrap();
        turn_on();
        assert_eq!(made(&conn).unwrap(), wanted().unwrap());
        let before = version();
        turn_on();
        assert_eq!(version(), before);
        conn.execute_batch("DROP TRIGGER changes_order_new").unwrap();
        turn_on();
        assert_eq!(made(&conn).unwrap(), wanted().unwrap());
        let generation: i64 =
            conn.query_row("SELECT generation FROM ledger_state", [], |row| row.get(0)).unwrap();
        assert_eq!(generation, 2, "what happened without the trigger is filled again");
    }
}
