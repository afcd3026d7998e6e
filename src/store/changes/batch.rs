//! Reads the next batch of rows for the ledger, in one transaction.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row, params};

use super::queries::{CHANGED, IS_CHANGED, REFUSED, after_key, between_ids, with_key};
use super::state;
use crate::domain::shipping::{
    BatchLimit, Cell, ChangeBatch, Fill, Include, LedgerRow, LedgerTable, Position,
};
use crate::store::error::{Result, StoreError};
use crate::store::rows;

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
    let shipped_news = through.news;
    through.deliveries = batch.by_id(
        LedgerTable::Deliveries,
        from.deliveries,
        end.deliveries.min(state.next.deliveries),
        |row| Ok(integer(row, 2)? <= shipped_news),
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
            let mut statement = self.conn.prepare_cached(&after_key(table, self.include))?;
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
