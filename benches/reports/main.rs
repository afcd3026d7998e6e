//! How long `report` takes on a large store: fills one (unless the file is there) with a realistic spread over sixty days
//! and three sources, a tenth of it pending, and times the windows that an owner asks for.
//!
//! `cargo bench --bench reports -- /tmp/large.db 10000000` (14 GB, some ten minutes for the filling).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

/// The schema, one file a version.
const SCHEMA: [&str; 2] = [
    include_str!("../../sql/migrations/0001_initial.sql"),
    include_str!("../../sql/migrations/0002_turns.sql"),
];

/// The windows that are timed.
const WINDOWS: [[&str; 2]; 4] =
    [["--since", "24h"], ["--since", "7d"], ["--since", "30d"], ["--from", "2000-01-01"]];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let path =
        arguments.next().map_or_else(|| std::env::temp_dir().join("countersign-large.db"), PathBuf::from);
    let amount = arguments.next().map_or(1_000_000, |amount| amount.parse().unwrap());
    if !path.exists() {
        let begun = Instant::now();
        fill(&path, amount);
        println!("filled {} with {amount} notifications in {:.0?}", path.display(), begun.elapsed());
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("countersign.toml");
    fs::write(&config, configuration(&path)).unwrap();
    println!("| window | format | first | again |");
    println!("|---|---|---|---|");
    for window in WINDOWS {
        for format in ["text", "html"] {
            let [first, again] = [(); 2].map(|()| time(&config, window, format));
            println!("| {} | {format} | {first:.2} s | {again:.2} s |", window.join(" "));
        }
    }
}

/// Seconds that one report takes.
fn time(config: &Path, window: [&str; 2], format: &str) -> f64 {
    let begun = Instant::now();
    let done = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("--config")
        .arg(config)
        .arg("report")
        .args(window)
        .args(["--format", format])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    begun.elapsed().as_secs_f64()
}

/// Creates a store; indexes come after the rows, which is ten times faster and leaves the same.
fn fill(path: &Path, amount: u64) {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    let conn = Connection::open(path).unwrap();
    for (version, schema) in (1..).zip(SCHEMA) {
        conn.execute_batch(schema).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    }
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
    conn.execute_batch(include_str!("fill.sql")).unwrap();
    for (_, _, sql) in &later {
        conn.execute_batch(sql).unwrap();
    }
    conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
}

fn configuration(path: &Path) -> String {
    format!(
        "[store]\npath = {path:?}\n\
         [sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"secret_bench\"\nexpect_every = \"12h\"\n\
         [sources.keys]\nprovider = \"kinguin\"\napi_key = \"bench\"\n"
    )
}
