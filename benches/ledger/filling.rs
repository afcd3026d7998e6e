//! The first filling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::postgres::Postgres;
use crate::served::Served;
use crate::{DURABLE, filled};

const NOTIFICATIONS: u32 = 1_000_000;

/// The filling may take no longer.
const PATIENCE: Duration = Duration::from_secs(600);

const TABLES: [&str; 7] =
    ["notifications", "verifications", "orders", "products", "news", "deliveries", "refusals"];

/// Measures and prints the table.
pub(crate) fn print() {
    let amount = std::env::var("COUNTERSIGN_BENCH_ROWS").ok().and_then(|n| n.parse().ok());
    let amount = amount.unwrap_or(NOTIFICATIONS);
    let store = filled::store(amount);
    println!("| include | rows | s | rows/s | MiB at most | MiB before |");
    println!("|---|--:|--:|--:|--:|--:|");
    for include in
        ["", "\"body\", \"headers\", \"remote_addr\", \"email\", \"answer\", \"raw\", \"verifications\""]
    {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let copy = folder.path().join("bench.db");
        std::fs::copy(&store, &copy).unwrap();
        std::fs::File::open(&copy).and_then(|copied| copied.sync_all()).unwrap();
        let postgres = Arc::new(Postgres::start_with(&DURABLE));
        let database = postgres.database();
        let source = "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"t\"\n";
        let before = Served::start(folder.path(), source, &["--no-worker"]).memory("VmHWM");
        let ledger = format!("{source}[ledger]\n{}\ninclude = [{include}]\n", database.keys("bench"));
        let served = Served::start(folder.path(), &ledger, &["--no-worker"]);
        let (began, _) = served.line(|line| line.contains("connected as writer"));
        let connection = database.connect();
        let deadline = began + PATIENCE;
        let is_filled = "SELECT 1 FROM countersign.nodes WHERE shipped_until IS NOT NULL";
        while connection.rows(is_filled).is_empty() {
            assert!(Instant::now() < deadline, "the filling takes too long");
            std::thread::sleep(Duration::from_millis(50));
        }
        let took = began.elapsed().as_secs_f64();
        let rows: u64 = TABLES
            .iter()
            .map(|table| {
                let count = connection.rows(&format!("SELECT count(*) FROM countersign.{table}"));
                count[0][0].as_ref().unwrap().parse::<u64>().unwrap()
            })
            .sum();
        assert!(rows >= u64::from(amount));
        let most = served.memory("VmHWM");
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = rows as f64 / took;
        let name = if include.is_empty() { "nothing" } else { "everything" };
        println!("| {name} | {rows} | {took:.1} | {rate:.0} | {most} | {before} |");
    }
}
