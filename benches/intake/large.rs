//! A large store: filled once, by its own SQL, and kept for the next run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::designs::{Design, Outcome, Server};
use crate::load::Load;
use crate::table::Spread;

/// Notifications in the large store.
const ROWS: u32 = 10_000_000;

const ROUNDS: usize = 5;

/// The store with [`ROWS`] settled notifications, in the target folder.
pub(crate) fn store() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large.db");
    if !path.exists() {
        eprintln!("filling {}, once: that takes minutes, and 8 GB", path.display());
        let partial = path.with_file_name("filling.db");
        for ending in ["db", "db-wal", "db-shm"] {
            drop(std::fs::remove_file(partial.with_extension(ending)));
        }
        fill(&partial, ROWS);
        std::fs::rename(partial, &path).unwrap();
    }
    path
}

/// Creates a store with so many old, confirmed notifications of a thousand senders.
pub(crate) fn fill(path: &Path, rows: u32) {
    Server::start(Design::Countersign, path, &["--no-worker"]).stop();
    let conn = Connection::open(path).unwrap();
    // Indexes and triggers are made again when the rows are there: the same store, in a tenth of the time.
    let made: Vec<(String, String, String)> = conn
        .prepare(
            "SELECT type, name, sql FROM sqlite_schema
             WHERE tbl_name = 'verdicts' AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        )
        .and_then(|mut made| made.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
        .unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN;",
    )
    .unwrap();
    for (kind, name, _) in &made {
        conn.execute_batch(&format!("DROP {kind} {name}")).unwrap();
    }
    conn.execute_batch(&format!(
        "INSERT INTO intake (id, source, provider, received_at, remote_addr, content_type, headers, body)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         SELECT i, 'shop', 'ecwid', strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i, 'unixepoch'), '198.51.100.' || i % 1000,
           'application/json', '{{\"content-length\":\"210\",\"content-type\":\"application/json\",\"host\":\"bench\"}}',
           '{{\"eventId\":\"' || i || '\",\"eventCreated\":' || (1700000000 + i) || ',\"storeId\":4400551,\"entityId\":' || i
             || ',\"eventType\":\"order.updated\",\"data\":{{\"orderId\":\"SALE-' || i || '\",\"newPaymentStatus\":\"PAID\"}}}}'
         FROM n;
         INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, claim,
           claim_key, state, reason, attempts, probes_since, asked, decided_at)
         SELECT id, source, received_at, substr(received_at, 1, 10), remote_addr, 'order.updated', 'order', 'SALE-' || id,
           '{{\"payment_status\":\"PAID\"}}', printf('%08x', id * 2654435761 & 4294967295) || id, 'confirmed', 'match', 1,
           received_at, 1, received_at FROM intake;
         INSERT INTO senders (sender, kept) SELECT sender, count(*) FROM verdicts GROUP BY sender;
         INSERT INTO hour_index SELECT substr(received_at, 1, 13), min(notification_id) FROM verdicts GROUP BY 1;
         INSERT INTO daily_counts SELECT day, source, state, reason, count(*) FROM verdicts
           GROUP BY 1, 2, 3, 4;"
    ))
    .unwrap();
    for (_, _, sql) in &made {
        conn.execute_batch(sql).unwrap();
    }
    conn.execute_batch("COMMIT; PRAGMA journal_mode = WAL;").unwrap();
}

/// Puts a copy of a store in the place of another one.
pub(crate) fn copy(filled: &Path, store: &Path) {
    for ending in ["db", "db-wal", "db-shm"] {
        drop(std::fs::remove_file(store.with_extension(ending)));
    }
    std::fs::copy(filled, store).unwrap();
    // Else the first sync of the store waits for all of the copy to reach the disk.
    std::fs::File::open(store).and_then(|copied| copied.sync_all()).unwrap();
}

/// Measures the intake into the large store against that into an empty one, by turns, and prints both.
pub(crate) fn print() {
    let large = store();
    let load = Load::full(64, Duration::from_secs(3));
    let empty = || Design::Countersign.measure(&load, Duration::ZERO);
    let filled = || {
        let server = Server::start(Design::Countersign, &large, &["--no-worker"]);
        let outcome = server.load(&load);
        server.stop();
        outcome
    };
    let rounds: Vec<(Outcome, Outcome)> = (0..ROUNDS).map(|_| (empty(), filled())).collect();
    let spread = |of: &dyn Fn(&(Outcome, Outcome)) -> f64| Spread::of(rounds.iter().map(of).collect());
    println!("| 64 connections | acknowledged/s | p99 ms |\n|---|--:|--:|");
    println!(
        "| empty store | {} | {} |",
        spread(&|(empty, _)| empty.run.rate).shown(0),
        spread(&|(empty, _)| empty.run.p99_ms).shown(2)
    );
    println!(
        "| {ROWS} notifications | {} | {} |",
        spread(&|(_, filled)| filled.run.rate).shown(0),
        spread(&|(_, filled)| filled.run.p99_ms).shown(2)
    );
    println!("| ratio | {} | |", spread(&|(empty, filled)| filled.run.rate / empty.run.rate).shown(2));
}
