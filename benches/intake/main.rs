//! What the intake can do, in parts that each take less than two minutes; see `benches/README.md` for the figures and
//! how to read them. Each design runs as a process of its own, the load in this one. Every run checks that the store
//! holds exactly what was acknowledged and that flushes are at least as many as commits; else the bench fails.
//!
//! `cargo bench --bench intake` runs all parts, `cargo bench --bench intake -- PART…` some: see [`PARTS`].
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod beside;
mod designs;
#[expect(
    dead_code,
    reason = "of the disk that fails on demand only the counting and the slowness are needed here"
)]
#[path = "../../tests/support/disk.rs"]
mod disk;
mod large;
mod load;
mod memory;
mod readers;
mod table;
mod yardsticks;

use std::path::Path;
use std::time::Duration;

/// The parts by name.
const PARTS: [(&str, fn()); 6] = [
    // Against a bare handler and the naive design.
    ("table", || table::print(&[1, 16, 64, 256], 5, Duration::from_millis(1500), Duration::ZERO)),
    // The same with every sync 2 ms slower, as on a small rented server.
    ("slow-disk", || table::print(&[1, 64], 5, Duration::from_secs(2), Duration::from_millis(2))),
    // With 10 million stored notifications, against an empty store.
    ("large", large::print),
    // Resident memory idle, after a burst, and on 10 million notifications.
    ("memory", memory::print),
    // Beside `prune` and `backup`.
    ("beside", beside::print),
    // Beside ten people who look at the page.
    ("readers", readers::print),
];

fn main() {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", _] => yardsticks::bare(),
        ["naive", store] => yardsticks::naive(Path::new(store)),
        // Only the load, for a look at a running program with other tools.
        ["load", addr, connections, seconds] => {
            let lasting = Duration::from_secs(seconds.parse().unwrap());
            println!(
                "{:?}",
                load::Load::full(connections.parse().unwrap(), lasting).run(addr.parse().unwrap())
            );
        }
        chosen => {
            for (name, part) in PARTS {
                if chosen.is_empty() || chosen.contains(&name) {
                    println!("\n## {name}\n");
                    part();
                }
            }
        }
    }
}
