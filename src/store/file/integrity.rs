//! Reads the whole file, table by table, to find damage early: for `doctor`.

use rusqlite::Connection;

use super::pool::Pool;
use crate::store::error::{Result, StoreError};

/// Maximum size of a store, in bytes, whose rows are compared with their indexes, which takes minutes in
/// larger ones. Every page is read in any case.
pub const LARGEST_THOROUGH: u64 = 1 << 30;

/// The result of reading the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soundness {
    /// The number of tables.
    pub tables: usize,
    /// The damage in SQLite's words; at most a few lines per table.
    pub complaints: Vec<String>,
}

/// Reads every table with its indexes, each in its own transaction, so that a concurrent `serve` can
/// checkpoint. `thorough`: rows and indexes are also compared. `progress` receives the number of tables done,
/// and of all.
///
/// # Errors
/// Reading failed for another reason than damage.
pub(in crate::store) async fn soundness(
    pool: &Pool,
    thorough: bool,
    mut progress: impl FnMut(usize, usize),
) -> Result<Soundness> {
    let tables = match pool.read(tables).await {
        Ok(tables) => tables,
        Err(StoreError::Damaged(why)) => return Ok(Soundness { tables: 0, complaints: vec![why] }),
        Err(error) => return Err(error),
    };
    let mut complaints = Vec::new();
    for (done, table) in tables.iter().enumerate() {
        progress(done, tables.len());
        let name = table.clone();
        match pool.read(move |conn| check(conn, &name, thorough)).await {
            Ok(found) => complaints.extend(found),
            Err(StoreError::Damaged(why)) => complaints.push(why),
            Err(error) => return Err(error),
        }
    }
    Ok(Soundness { tables: tables.len(), complaints })
}

fn tables(conn: &Connection) -> Result<Vec<String>> {
    let mut statement =
        conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' UNION ALL SELECT 'sqlite_schema'")?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn check(conn: &Connection, table: &str, thorough: bool) -> Result<Vec<String>> {
    let pragma = if thorough { "integrity_check" } else { "quick_check" };
    let mut statement = conn.prepare(&format!("PRAGMA {pragma}(\"{}\")", table.replace('"', "\"\"")))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let lines: Vec<String> = found.take(5).collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").map(|line| line.replace('\n', ": ")).collect())
}
