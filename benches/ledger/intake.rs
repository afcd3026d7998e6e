//! What is left of the intake's rate while the ledger is kept.

use std::sync::Arc;
use std::time::Duration;

use crate::load::Load;
use crate::postgres::{Database, Postgres, free_port};
use crate::served::Served;
use crate::{DURABLE, median};

const ROUNDS: usize = 5;

const CONNECTIONS: usize = 64;

const LASTING: Duration = Duration::from_secs(5);

/// What is done beside the intake.
#[derive(Clone, Copy)]
enum Beside {
    Nothing,
    /// A ledger is configured, and nothing listens there.
    Log,
    Shipping,
}

/// Measures and prints the table.
pub(crate) fn print() {
    let postgres = Arc::new(Postgres::start_with(&DURABLE));
    let mut rates: [Vec<f64>; 3] = Default::default();
    let mut delays: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (at, beside) in [Beside::Nothing, Beside::Log, Beside::Shipping].into_iter().enumerate() {
            let (rate, p99_ms) = run(beside, &postgres.database());
            rates[at].push(rate);
            delays[at].push(p99_ms);
        }
    }
    let [alone, log, shipping] = rates.map(median);
    let [alone_ms, log_ms, shipping_ms] = delays.map(median);
    println!("| {CONNECTIONS} connections | acknowledged/s | of nothing else to do | p99 ms |");
    println!("|---|--:|--:|--:|");
    println!("| no ledger | {alone:.0} | 1.00 | {alone_ms:.2} |");
    println!("| the change log alone | {log:.0} | {:.2} | {log_ms:.2} |", log / alone);
    println!("| while it ships | {shipping:.0} | {:.2} | {shipping_ms:.2} |", shipping / alone);
}

fn run(beside: Beside, database: &Database) -> (f64, f64) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 4400551\ntoken = \"t\"\n";
    let ledger = match beside {
        Beside::Nothing => String::new(),
        Beside::Log => {
            let nowhere = database.url_at(([127, 0, 0, 1], free_port()).into());
            format!("[ledger]\n{}\n", database.keys_at(&nowhere, "bench"))
        }
        Beside::Shipping => format!("[ledger]\n{}\n", database.keys("bench")),
    };
    let served = Served::start(folder.path(), &format!("{source}{ledger}"), &["--no-worker"]);
    match beside {
        Beside::Nothing => {}
        Beside::Log => drop(served.line(|line| line.contains("nothing is shipped"))),
        Beside::Shipping => drop(served.line(|line| line.contains("connected as writer"))),
    }
    let run = Load::full(CONNECTIONS, LASTING).run(served.intake);
    if matches!(beside, Beside::Shipping) {
        let shipped = database.value("SELECT count(*) FROM countersign.notifications").unwrap();
        assert_ne!(shipped, "0", "nothing was shipped meanwhile");
    }
    (run.rate, run.p99_ms)
}
