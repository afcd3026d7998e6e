//! What the ledger costs and gives, with a real PostgreSQL beside it on the same machine; see `benches/README.md`.
//!
//! `cargo bench --bench ledger` runs all parts, `cargo bench --bench ledger -- PART…` some: filling, lag, intake.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[path = "../reports/filled.rs"]
mod filled;
mod filling;
mod intake;
mod lag;
#[expect(dead_code, reason = "the load of a given pace is not needed here")]
#[path = "../intake/load.rs"]
mod load;
#[expect(dead_code, reason = "the engine is not killed here")]
#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod served;

/// The parts by name.
const PARTS: [(&str, fn()); 3] = [
    // The first filling from a store of a million notifications.
    ("filling", filling::print),
    // From a verdict in the file to the same in the ledger, on an idle system.
    ("lag", lag::print),
    // 64 connections without a ledger, with the change log alone, and while it ships.
    ("intake", intake::print),
];

/// What a local PostgreSQL does by default: every commit is on disk.
const DURABLE: [&str; 3] = ["fsync=on", "autovacuum=on", "shared_buffers=128MB"];

fn main() {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for (name, part) in PARTS {
        if words.is_empty() || words.iter().any(|word| word == name) {
            println!("\n## {name}\n");
            part();
        }
    }
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
