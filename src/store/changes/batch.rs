//! Reads the next batch of rows for the ledger, in one transaction.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row, params};

use super::state;
use crate::domain::shipping::{
    BatchLimit, Cell, ChangeBatch, Fill, Include, LedgerRow, LedgerTable, Position,
};
use crate::store::error::{Result, StoreError};
use crate::store::rows;

/// Replaces the reason of a pending notification by that of its own last question: while its source fails as
/// a whole, the view `notifications` shows the outage's cause, which changes without the row.
const NOTIFICATIONS: &str = "SELECT i.id, i.source, i.provider, i.received_at, i.remote_addr, i.content_type, i.headers, i.body,
  v.event, v.subject_kind, v.subject_id, v.resolved_id, v.claim, v.event_time, coalesce(v.state, 'pending') AS state, v.reason,
  v.detail, v.duplicate_of, coalesce(v.news, 0) AS news, coalesce(v.attempts, 0) AS attempts,
  iif(v.state = 'pending', v.next_attempt_at, NULL) AS next_attempt_at, v.decided_at, i.origin
FROM intake i LEFT JOIN verdicts v ON v.notification_id = i.id";

/// The next rows after `from`, and the position that they reach; `None` if the ledger is to be filled again,
/// or none is configured: then [`super::progress::resumed`] returns the position to continue from.
pub(in crate::store) fn next(
    conn: &Connection,
    from: &Position,
    limit: BatchLimit,
) -> Result<Option<ChangeBatch>> {
    let Some(state) = state::load(conn)?.filter(|state| state.position.generation == from.generation) else {
        return Ok(None);
    };
    let end = state::end(conn, from)?;
    let mut batch = Batch {
        conn,
        include: &state.include,
        limit,
        share: 1,
        rows: Vec::new(),
        bytes: 0,
        changed: BTreeSet::new(),
    };
    let mut through = from.clone();
    // No table delays the others, however many rows it has.
    batch.share = 2;
    through.log = batch.changed(from, &end)?;
    batch.share = 3;
    through.notifications = batch.by_id(
        LedgerTable::Notifications,
        from.notifications,
        end.notifications.min(state.next.notifications),
        |_| Ok(true),
    )?;
    batch.share = 4;
    if from.verifications != i64::MAX {
        let reached = through.notifications;
        through.verifications = batch.by_id(
            LedgerTable::Verifications,
            from.verifications,
            end.verifications.min(state.next.verifications),
            |row| Ok(integer(row, 1)? <= reached),
        )?;
    }
    let (log, reached) = (through.log, through.notifications);
    through.news = batch.by_id(LedgerTable::News, from.news, end.news, |row| {
        let notification = integer(row, 3)?;
        Ok(notification <= reached && !is_changed(conn, notification, log)?)
    })?;
    let told = through.news;
    through.deliveries = batch.by_id(
        LedgerTable::Deliveries,
        from.deliveries,
        end.deliveries.min(state.next.deliveries),
        |row| Ok(integer(row, 2)? <= told),
    )?;
    through.fill = batch.filled(&from.fill)?;
    if limit.refusals && from.fill == Fill::done() {
        through.refusals = batch.refusals(from, &end)?;
    }
    Ok(Some(ChangeBatch { rows: batch.rows, through, end }))
}

struct Batch<'a> {
    conn: &'a Connection,
    include: &'a Include,
    limit: BatchLimit,
    /// The part of the limit that may be used so far, in quarters.
    share: usize,
    rows: Vec<LedgerRow>,
    bytes: usize,
    /// Changed rows of the tables that are being filled.
    changed: BTreeSet<(LedgerTable, String, String)>,
}

/// A row that is read but not taken yet.
struct Read {
    cells: Vec<Cell>,
    bytes: usize,
}

impl Batch<'_> {
    /// Takes a row if it fits, or if the batch is empty.
    fn take(&mut self, table: LedgerTable, read: Read) -> bool {
        let fits =
            self.rows.len() < self.room() && self.bytes + read.bytes <= self.limit.bytes / 4 * self.share;
        if fits || self.rows.is_empty() {
            self.bytes += read.bytes;
            self.rows.push(LedgerRow { table, cells: read.cells });
            return true;
        }
        false
    }

    /// How many rows the batch may have by now.
    fn room(&self) -> usize {
        (self.limit.rows * self.share / 4).max(1)
    }

    /// How many rows to read now.
    fn left(&self) -> i64 {
        rows::limit(self.room().saturating_sub(self.rows.len()))
    }

    /// Rows that changed after they may have been shipped. Those that were not are shipped with their ids.
    fn changed(&mut self, from: &Position, end: &Position) -> Result<i64> {
        let most = self.left();
        let mut statement = self.conn.prepare_cached(CHANGED)?;
        let mut found = statement.query(params![from.log, most])?;
        let (mut reached, mut looked) = (from.log, 0);
        while let Some(entry) = found.next()? {
            let table = table(entry)?;
            let read = match last_id(from, table) {
                Some(last) => {
                    let id: i64 = entry.get("id")?;
                    if id <= last { self.by_key(table, params![id])? } else { None }
                }
                None => {
                    let (source, key): (String, String) = (entry.get("source")?, entry.get("key")?);
                    let read = self.by_key(table, params![source, key])?;
                    self.changed.insert((table, source, key));
                    read
                }
            };
            if let Some(read) = read
                && !self.take(table, read)
            {
                return Ok(reached);
            }
            reached = entry.get("position")?;
            looked += 1;
        }
        Ok(if looked < most { end.log } else { reached })
    }

    /// The rows of a table after an id, up to another, as long as `may_go`.
    fn by_id(
        &mut self,
        table: LedgerTable,
        after: i64,
        to: i64,
        may_go: impl Fn(&Row<'_>) -> Result<bool>,
    ) -> Result<i64> {
        let most = self.left();
        let mut statement = self.conn.prepare_cached(&between_ids(table, self.include))?;
        let mut found = statement.query(params![after, to, most])?;
        let (mut reached, mut looked) = (after, 0);
        while let Some(row) = found.next()? {
            if !may_go(row)? || !self.take(table, read(row, table)?) {
                return Ok(reached);
            }
            reached = integer(row, 0)?;
            looked += 1;
        }
        Ok(if looked < most { to.max(after) } else { reached })
    }

    /// The rows of the tables that are filled by key.
    fn filled(&mut self, from: &Fill) -> Result<Fill> {
        let mut reached = from.clone();
        while let Some(table) = reached.current() {
            let most = self.left();
            let mut after = reached.after.clone();
            after.resize(table.key_length(), String::new());
            let mut statement = self.conn.prepare_cached(&behind_key(table, self.include))?;
            statement.raw_bind_parameter(1, most)?;
            for (at, key) in after.iter().enumerate() {
                statement.raw_bind_parameter(at + 2, key)?;
            }
            let mut found = statement.raw_query();
            let mut looked = 0;
            while let Some(row) = found.next()? {
                let after: Vec<String> =
                    (0..table.key_length()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
                let is_taken = self.changed.contains(&(table, after[0].clone(), after[1].clone()));
                if !is_taken && !self.take(table, read(row, table)?) {
                    return Ok(reached);
                }
                reached.after = after;
                looked += 1;
            }
            if looked == most {
                return Ok(reached);
            }
            reached = reached.next();
        }
        Ok(reached)
    }

    /// The refusals that were counted.
    fn refusals(&mut self, from: &Position, end: &Position) -> Result<i64> {
        let most = self.left();
        let mut statement = self.conn.prepare_cached(REFUSED)?;
        let mut found = statement.query(params![from.refusals, most])?;
        let (mut reached, mut looked) = (from.refusals, 0);
        while let Some(entry) = found.next()? {
            let text = |name| entry.get::<_, String>(name);
            let key = params![text("source")?, text("day")?, text("cause")?];
            if let Some(read) = self.by_key(LedgerTable::Refusals, key)?
                && !self.take(LedgerTable::Refusals, read)
            {
                return Ok(reached);
            }
            reached = entry.get("position")?;
            looked += 1;
        }
        Ok(if looked < most { end.refusals } else { reached })
    }

    /// A row by its key; `None` if it was removed.
    fn by_key(&self, table: LedgerTable, key: impl Params) -> Result<Option<Read>> {
        let mut statement = self.conn.prepare_cached(&with_key(table, self.include))?;
        let mut found = statement.query(key)?;
        found.next()?.map(|row| read(row, table)).transpose()
    }
}

const CHANGED: &str =
    "SELECT position, kind, id, source, key FROM changes WHERE position > ?1 AND kind <> 'refusals'
                       ORDER BY position LIMIT ?2";

/// A space separates the day and the cause.
const REFUSED: &str =
    "SELECT position, source, substr(key, 1, 10) AS day, substr(key, 12) AS cause FROM changes
                       WHERE position > ?1 AND kind = 'refusals' ORDER BY position LIMIT ?2";

/// The columns of a table, NULL in place of those that are not included.
fn selected(table: LedgerTable, include: &Include) -> String {
    let columns = table.columns().iter().map(|column| match column.needs {
        Some(needed) if !include.contains(&needed) => format!("NULL AS {}", column.name),
        _ => column.name.to_owned(),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    match table {
        LedgerTable::Notifications => format!("SELECT {columns} FROM ({NOTIFICATIONS})"),
        _ => format!("SELECT {columns} FROM {table}"),
    }
}

fn keys(table: LedgerTable) -> Vec<&'static str> {
    table.columns()[..table.key_length()].iter().map(|key| key.name).collect()
}

/// The rows of a table with an id above ?1, up to ?2; at most ?3.
fn between_ids(table: LedgerTable, include: &Include) -> String {
    let key = keys(table).join("");
    format!("{} WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key} LIMIT ?3", selected(table, include))
}

/// The rows of a table with a key after the parameters from ?2 on; at most ?1.
fn behind_key(table: LedgerTable, include: &Include) -> String {
    let places: Vec<String> = (0..table.key_length()).map(|at| format!("?{}", at + 2)).collect();
    let (keys, places) = (keys(table).join(", "), places.join(", "));
    format!("{} WHERE ({keys}) > ({places}) ORDER BY {keys} LIMIT ?1", selected(table, include))
}

/// The row of a table with the key of the parameters.
fn with_key(table: LedgerTable, include: &Include) -> String {
    let keys = keys(table).into_iter().enumerate();
    let keys: Vec<String> = keys.map(|(at, key)| format!("{key} = ?{}", at + 1)).collect();
    format!("{} WHERE {}", selected(table, include), keys.join(" AND "))
}

const IS_CHANGED: &str = "SELECT EXISTS (SELECT 1 FROM changes
  WHERE kind = 'notifications' AND id = ?1 AND position > ?2)";

/// Whether a notification changed after this position of the log: its news must not be shipped before it.
fn is_changed(conn: &Connection, id: i64, log: i64) -> Result<bool> {
    Ok(conn.prepare_cached(IS_CHANGED)?.query_row([id, log], |row| row.get(0))?)
}

fn table(entry: &Row<'_>) -> Result<LedgerTable> {
    let kind: String = entry.get("kind")?;
    Ok(LedgerTable::parse(&kind).ok_or_else(|| rows::unreadable(entry, "kind"))?)
}

/// The last row shipped of a table that is shipped by id.
fn last_id(position: &Position, table: LedgerTable) -> Option<i64> {
    match table {
        LedgerTable::Notifications => Some(position.notifications),
        LedgerTable::Verifications => Some(position.verifications),
        LedgerTable::News => Some(position.news),
        LedgerTable::Deliveries => Some(position.deliveries),
        LedgerTable::Orders | LedgerTable::Products | LedgerTable::Refusals => None,
    }
}

fn integer(row: &Row<'_>, at: usize) -> Result<i64> {
    Ok(row.get(at)?)
}

fn read(row: &Row<'_>, table: LedgerTable) -> Result<Read> {
    let mut bytes = 0;
    let cell = |at| -> Result<Cell> {
        let value = row.get_ref(at)?;
        bytes += match value {
            ValueRef::Text(text) => text.len(),
            ValueRef::Blob(blob) => blob.len(),
            _ => 0,
        } + size_of::<Cell>();
        Ok(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Cell::Text(text.to_owned()),
                Err(_) => Cell::Bytes(text.to_vec()),
            },
            ValueRef::Blob(blob) => Cell::Bytes(blob.to_vec()),
        })
    };
    let cells = (0..table.columns().len()).map(cell).collect::<Result<Vec<_>>>()?;
    if matches!(cells.first(), None | Some(Cell::Null)) {
        return Err(StoreError::Damaged(format!("a row of {table} has no key")));
    }
    Ok(Read { cells, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shipping::Included;
    use crate::store::changes::log::TRIGGERS;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn each_row_for_the_ledger_is_searched_for_and_none_is_sorted() {
        let conn = fresh();
        let all: Include = Included::ALL.iter().copied().collect();
        let none = Include::new();
        let mut statements = vec![CHANGED.to_owned(), IS_CHANGED.to_owned()];
        for include in [&all, &none] {
            for table in LedgerTable::ALL.iter().copied() {
                statements.push(with_key(table, include));
                statements.push(match table.key_length() {
                    1 => between_ids(table, include),
                    _ => behind_key(table, include),
                });
            }
        }
        for sql in statements {
            let plan = plan(&conn, &sql);
            let is_searched = plan.lines().all(|step| !step.contains("SCAN") || step == "SCAN CONSTANT ROW");
            assert!(is_searched && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
        }
        assert!(plan(&conn, CHANGED).contains("SEARCH changes USING INTEGER PRIMARY KEY (rowid>?)"));
        // There is at most one for each source, day and cause: they may be sorted.
        assert!(plan(&conn, REFUSED).contains("COVERING INDEX changes_by_row (kind=?)"));
        assert!(plan(&conn, IS_CHANGED).contains("changes_by_row (kind=? AND id=?)"));
    }

    #[test]
    fn every_column_of_the_ledger_that_changes_is_watched_by_a_trigger() {
        let conn = fresh();
        conn.execute_batch(TRIGGERS).unwrap();
        let watched = |table: &str| -> String {
            let sql = "SELECT group_concat(sql) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1
                       AND name GLOB 'changes_*' AND sql GLOB '*AFTER UPDATE*'";
            conn.query_row(sql, [table], |row| row.get(0)).unwrap()
        };
        let [intake, verdicts, deliveries] = ["intake", "verdicts", "deliveries"].map(watched);
        // What no statement changes once the row is there.
        let fixed = [
            "id",
            "source",
            "provider",
            "received_at",
            "origin",
            "action",
            "seq",
            "subject_kind",
            "subject_id",
        ];
        for column in LedgerTable::Notifications.columns() {
            let is_watched = [&intake, &verdicts].iter().any(|sql| sql.contains(column.name));
            assert!(is_watched || fixed.contains(&column.name), "{}", column.name);
        }
        for column in LedgerTable::Deliveries.columns() {
            assert!(deliveries.contains(column.name) || fixed.contains(&column.name), "{}", column.name);
        }
        for table in ["orders", "products", "refusals", "verifications"] {
            assert!(!watched(table).contains("UPDATE OF"), "{table}: all columns");
        }
    }
}
