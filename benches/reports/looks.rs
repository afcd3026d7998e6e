//! What is timed: commands as the real binary, process and all; SQL as its owner writes it; leasing through the store.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use countersign::domain::{Clock, Rate};
use countersign::store::{LeaseRequest, Store};
use rusqlite::{Connection, OpenFlags};

/// One way to look.
pub(crate) enum Look {
    /// A command.
    Command(&'static [&'static str]),
    /// A statement.
    Sql(&'static str),
    /// Leasing, with so many questions in a list call at most.
    Lease(usize),
}

/// What is timed, by the names that the table has for it. What is rare is there three times in every store.
pub(crate) const LOOKS: [(&str, Look); 20] = [
    ("lease one call of one question", Look::Lease(1)),
    ("lease one list call of 100 questions", Look::Lease(100)),
    ("`list`", Look::Command(&["list"])),
    ("`list --state pending`", Look::Command(&["list", "--state", "pending"])),
    ("`list --state ignored`", Look::Command(&["list", "--state", "ignored"])),
    ("`list --state undecided`", Look::Command(&["list", "--state", "undecided"])),
    ("`list --reason dismissed` (3 rows)", Look::Command(&["list", "--reason", "dismissed"])),
    ("`list --source shop`", Look::Command(&["list", "--source", "shop"])),
    ("`list --source old` (3 rows)", Look::Command(&["list", "--source", "old"])),
    (
        "`list --source game --state confirmed --since 24h`",
        Look::Command(&["list", "--source", "game", "--state", "confirmed", "--since", "24h"]),
    ),
    ("`list --since 1m` (nothing)", Look::Command(&["list", "--since", "1m"])),
    ("`list --subject SALE-77-1`", Look::Command(&["list", "--subject", "SALE-77-1"])),
    ("`show 1234`", Look::Command(&["show", "1234"])),
    ("`SELECT * FROM open LIMIT 50`", Look::Sql("SELECT * FROM open LIMIT 50")),
    ("`SELECT * FROM daily`", Look::Sql("SELECT * FROM daily")),
    ("`status`", Look::Command(&["status"])),
    ("`report --since 24h`", Look::Command(&["report", "--since", "24h"])),
    ("`report --since 7d`", Look::Command(&["report", "--since", "7d"])),
    ("`report --since 30d`", Look::Command(&["report", "--since", "30d"])),
    ("`report --from 2000-01-01`", Look::Command(&["report", "--from", "2000-01-01"])),
];

/// Each is timed so often after a first time, which reads what the others need into memory.
const TIMES: usize = 5;

/// The one in the middle.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A command from its start to its end.
pub(crate) fn command(store: &Path, arguments: &[&str]) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("countersign.toml");
    fs::write(&config, configuration(store)).unwrap();
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--config").arg(&config).args(arguments);
        let begun = Instant::now();
        let done = command.output().unwrap();
        let took = begun.elapsed();
        // 3: it looked, and something is to be seen.
        assert!(matches!(done.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&done.stderr));
        took
    };
    run();
    median((0..TIMES).map(|_| run()).collect())
}

/// A statement on a connection that is there already.
pub(crate) fn sql(store: &Path, sql: &str) -> Duration {
    let conn = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let run = || {
        let begun = Instant::now();
        let mut statement = conn.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                row.get_ref(column).unwrap();
            }
        }
        begun.elapsed()
    };
    run();
    median((0..TIMES).map(|_| run()).collect())
}

/// Leasing one call, its commit included. What is leased is put back as if it had never been asked about.
pub(crate) async fn lease(path: &Path, most_in_list: usize) -> Duration {
    let store = Store::open(path).unwrap();
    let conn = Connection::open(path).unwrap();
    let clock = Clock::system();
    let mut times = Vec::new();
    // Some hundred senders at a time take their places before anybody is asked about; those that were put back do it
    // every time.
    let to_enter =
        "SELECT count(*) FROM fair_queue WHERE source = 'shop' AND position IS NULL AND due_at <= ?1";
    while times.len() < 4 * TIMES {
        let now = clock.now();
        let to_enter: i64 = conn.query_row(to_enter, [now.to_string()], |row| row.get(0)).unwrap();
        let request = LeaseRequest {
            source: "shop".to_owned(),
            owner: "bench".to_owned(),
            rate: Rate { limit: 1_000_000, window: Duration::from_secs(1) },
            most_in_list,
            begun: 0,
            last_begun_at: None,
        };
        let begun = Instant::now();
        let (_, leased, _) = store.lease(vec![request], |_| vec![()], now).await.unwrap().remove(0);
        let leased = leased.unwrap();
        if to_enter <= 100 {
            times.push(begun.elapsed());
        }
        assert_eq!(leased.calls.iter().map(Vec::len).collect::<Vec<_>>(), [most_in_list]);
        let put_back =
            "UPDATE verdicts SET lease = NULL, lease_until = NULL, asked = 0 WHERE lease IS NOT NULL";
        conn.execute(put_back, []).unwrap();
    }
    store.close();
    median(times)
}

/// A configuration on this store, under which nothing is removed from it.
pub(crate) fn configuration(store: &Path) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
         [store]\npath = {store:?}\nmax_unproven = 100000000\n\
         [sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"secret_bench\"\nexpect_every = \"12h\"\n\
         [sources.keys]\nprovider = \"kinguin\"\napi_key = \"bench\"\n\
         [sources.old]\nprovider = \"kinguin\"\napi_key = \"bench\"\n\
         [actions.erp]\nurl = \"http://127.0.0.1:9/\"\n[actions.ship]\nurl = \"http://127.0.0.1:9/\"\n"
    )
}
