//! The state of the ledger: one row, which changes only when a ledger is added or removed, confirms something
//! or fails.

use rusqlite::{Connection, Row, params};

use crate::domain::Timestamp;
use crate::domain::shipping::{Fill, Include, Included, LedgerFailure, LedgerState, Position};
use crate::store::error::Result;
use crate::store::rows;

/// For this many ids ahead of the last shipped one, changes are logged, so that rows can be read for shipping
/// without a write before it.
const AHEAD: i64 = 20_000;

/// The included data, as the row stores it.
pub(super) fn included(include: &Include) -> String {
    include.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// The row, as far as shipping needs it.
pub(super) struct ShippingRow {
    pub(super) include: Include,
    /// The position of the ledger.
    pub(super) position: Position,
    /// Whether the ledger confirmed anything of this filling.
    pub(super) is_begun: bool,
    /// The ids up to which rows may be read.
    pub(super) next: Next,
    /// The end of the file when the filling began; `None`: it is over.
    pub(super) filling_to: Option<Position>,
}

/// The ids up to which changes are logged, so that these rows may be read for shipping.
#[derive(Clone, Copy)]
pub(super) struct Next {
    pub(super) notifications: i64,
    pub(super) verifications: i64,
    pub(super) deliveries: i64,
}

/// The row; `None` if no ledger is configured.
pub(super) fn load(conn: &Connection) -> Result<Option<ShippingRow>> {
    let mut statement = conn.prepare_cached("SELECT * FROM ledger_state WHERE is_on")?;
    let mut found = statement.query([])?;
    Ok(found.next()?.map(state).transpose()?)
}

fn state(row: &Row<'_>) -> rusqlite::Result<ShippingRow> {
    let include: String = row.get("include")?;
    let include = include.split_whitespace().map(Included::parse);
    Ok(ShippingRow {
        include: include.collect::<Option<_>>().ok_or_else(|| rows::unreadable(row, "include"))?,
        position: position(row)?,
        is_begun: row.get("is_begun")?,
        next: Next {
            notifications: row.get("next_notifications")?,
            verifications: row.get("next_verifications")?,
            deliveries: row.get("next_deliveries")?,
        },
        filling_to: filling_to(row)?,
    })
}

fn position(row: &Row<'_>) -> rusqlite::Result<Position> {
    let filled: String = row.get("filled")?;
    Ok(Position {
        generation: row.get("generation")?,
        log: row.get("log")?,
        refusals: row.get("refusals")?,
        notifications: row.get("notifications")?,
        verifications: row.get("verifications")?,
        news: row.get("news")?,
        deliveries: row.get("deliveries")?,
        fill: serde_json::from_str(&filled).map_err(|_| rows::unreadable(row, "filled"))?,
    })
}

fn filling_to(row: &Row<'_>) -> rusqlite::Result<Option<Position>> {
    let to: Option<String> = row.get("filling_to")?;
    to.map(|text| text.parse().map_err(|_| rows::unreadable(row, "filling_to"))).transpose()
}

/// The ids are the last ones given, even if those rows were removed since.
const END: &str = "SELECT coalesce((SELECT max(position) FROM changes WHERE kind <> 'refusals'), 0),
  coalesce((SELECT max(position) FROM changes WHERE kind = 'refusals'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'intake'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'verifications'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'news'), 0),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0)";

/// The present end of the file, never before `from`.
pub(super) fn end(conn: &Connection, from: &Position) -> Result<Position> {
    Ok(conn.prepare_cached(END)?.query_row([], |row| {
        Ok(Position {
            generation: from.generation,
            log: from.log.max(row.get(0)?),
            refusals: from.refusals.max(row.get(1)?),
            notifications: from.notifications.max(row.get(2)?),
            verifications: from.verifications.max(row.get(3)?),
            news: from.news.max(row.get(4)?),
            deliveries: from.deliveries.max(row.get(5)?),
            fill: Fill::done(),
        })
    })?)
}

/// Starts to fill the ledger from the start, in a filling with a higher number than any that it knows.
pub(super) fn fill_again(conn: &Connection, last_known: i64, now: Timestamp) -> Result<()> {
    let Some(before) = load(conn)? else { return Ok(()) };
    let last: i64 = conn.query_row("SELECT coalesce(max(position), 0) FROM changes", [], |row| row.get(0))?;
    let start = Position {
        generation: before.position.generation.max(last_known) + 1,
        log: last,
        refusals: last,
        verifications: if before.include.contains(&Included::Verifications) { 0 } else { i64::MAX },
        ..Position::default()
    };
    let to = end(conn, &start)?;
    conn.execute(
        "UPDATE ledger_state SET is_begun = 0, filling_since = ?1, filling_to = ?2, shipped_until = NULL,
           confirmed_at = NULL, next_notifications = 0, next_verifications = 0, next_deliveries = 0",
        params![now.to_string(), to.to_string()],
    )?;
    write(conn, &start)
}

/// Writes a position, and allows the rows after it to be read.
pub(super) fn write(conn: &Connection, position: &Position) -> Result<()> {
    let filled = serde_json::to_string(&position.fill).unwrap_or_default();
    conn.prepare_cached(
        "UPDATE ledger_state SET generation = ?1, log = ?2, refusals = ?3, notifications = ?4, verifications = ?5, news = ?6,
           deliveries = ?7, filled = ?8,
           next_notifications = max(next_notifications,
             ?9 + coalesce((SELECT min(id) - 1 FROM intake WHERE id > ?4), ?4)),
           next_verifications = iif(?5 = 9223372036854775807, 0, max(next_verifications,
             ?9 + coalesce((SELECT min(id) - 1 FROM verifications WHERE id > ?5), ?5))),
           next_deliveries = max(next_deliveries,
             ?9 + coalesce((SELECT min(id) - 1 FROM deliveries WHERE id > ?7), ?7))",
    )?
    .execute(params![
        position.generation,
        position.log,
        position.refusals,
        position.notifications,
        position.verifications,
        position.news,
        position.deliveries,
        filled,
        AHEAD,
    ])?;
    Ok(())
}

/// The state of the ledger; `None` if none is configured.
pub(in crate::store) fn status(conn: &Connection) -> Result<Option<LedgerState>> {
    let mut statement = conn.prepare_cached("SELECT * FROM ledger_state WHERE is_on")?;
    let mut found = statement.query([])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let position = position(row)?;
    let end = end(conn, &position)?;
    let failing_since = rows::instant(row, "failing_since")?;
    let error: Option<String> = row.get("failure")?;
    let passes = !row.get::<_, bool>("is_refused")?;
    let failure = failing_since.zip(error).map(|(since, error)| LedgerFailure { passes, error, since });
    let filled = match filling_to(row)? {
        Some(to) => Some(filled(conn, &position, &to)?),
        None => None,
    };
    let state = LedgerState {
        shipped_until: rows::instant(row, "shipped_until")?,
        confirmed_at: rows::instant(row, "confirmed_at")?,
        filling_since: rows::known_instant(row, "filling_since")?,
        filled,
        waiting: position.distance(&end),
        oldest_waiting: oldest_waiting(conn, &position)?,
        failure,
        gap: u64::try_from(row.get::<_, i64>("gap")?).unwrap_or(0),
        gap_at: rows::instant(row, "gap_at")?,
        position,
    };
    Ok(Some(state))
}

/// When the oldest notification that is not shipped was received.
fn oldest_waiting(conn: &Connection, position: &Position) -> Result<Option<Timestamp>> {
    let mut statement =
        conn.prepare_cached("SELECT received_at FROM intake WHERE id > ?1 ORDER BY id LIMIT 1")?;
    let mut found = statement.query([position.notifications])?;
    Ok(found.next()?.map(|row| rows::known_instant(row, "received_at")).transpose()?)
}

/// The progress of a filling, in thousandths.
fn filled(conn: &Connection, position: &Position, to: &Position) -> Result<u32> {
    let firsts: (i64, i64, i64, i64) = conn
        .prepare_cached(
            "SELECT (SELECT coalesce(min(id), 1) FROM intake), (SELECT coalesce(min(id), 1) FROM verifications),
                    (SELECT coalesce(min(seq), 1) FROM news), (SELECT coalesce(min(id), 1) FROM deliveries)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let from = Position {
        notifications: firsts.0 - 1,
        verifications: if to.verifications == i64::MAX { i64::MAX } else { firsts.1 - 1 },
        news: firsts.2 - 1,
        deliveries: firsts.3 - 1,
        log: to.log,
        ..Position::default()
    };
    let (all, left) =
        (from.distance(to), Position { log: to.log, ..position.clone() }.distance(to).min(from.distance(to)));
    Ok(u32::try_from((all - left) * 1000 / all.max(1)).unwrap_or(0).min(999))
}
