//! The stores: filled by SQL alone (`fill.sql`), and kept for the next run.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

/// The schema of a new store, and the rows.
const SCHEMA: &str = include_str!("../../sql/schema.sql");
const FILL: &str = include_str!("fill.sql");

/// Differs where other SQL would make other stores.
fn made_by() -> u64 {
    let mut hasher = DefaultHasher::new();
    (SCHEMA, FILL).hash(&mut hasher);
    hasher.finish()
}

/// The store of this schema with so many notifications.
pub(crate) fn store(amount: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("reports-{amount}.{:x}.db", made_by()));
    if !path.exists() {
        let partial = folder.join("filling-reports.db");
        // A log that belonged to a store of that name would be read as this one's.
        for left in [&partial, &path.with_extension("db-wal"), &path.with_extension("db-shm")] {
            drop(fs::remove_file(left));
        }
        let begun = Instant::now();
        fill(&partial, amount);
        fs::rename(&partial, &path).unwrap();
        eprintln!("filled {} in {:.0?}", path.display(), begun.elapsed());
    }
    path
}

/// Creates a store; indexes come after the rows, which is ten times faster and leaves the same.
fn fill(path: &Path, amount: u32) {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let later: Vec<(String, String, String)> = conn
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    for (kind, name, _) in &later {
        conn.execute_batch(&format!("DROP {kind} {name}")).unwrap();
    }
    let until_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;
         CREATE TEMP TABLE span AS SELECT {amount} AS amount, {until_ms} AS until_ms;"
    ))
    .unwrap();
    conn.execute_batch(FILL).unwrap();
    for (_, _, sql) in &later {
        conn.execute_batch(sql).unwrap();
    }
    conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
}
