//! Durable acknowledgements a second: countersign beside a bare handler that reads the same body and stores nothing, and
//! beside the naive design (a pool, one insert a request on the blocking threads). All in one run, so that the ratios hold
//! however fast the machine is. Each run checks that the store holds exactly what was acknowledged.
//!
//! `cargo bench --bench intake` (three seconds a cell; `-- 10` for ten).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod designs;
mod load;

use std::time::Duration;

use designs::Design;

/// Connections at once.
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

/// Runs of each cell; the median counts.
const ROUNDS: usize = 3;

fn main() {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(3);
    println!("| connections | design | acknowledged/s | of bare | of naive | p50 ms | p99 ms |");
    println!("|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let mut runs: Vec<(Design, Vec<load::Run>)> =
            Design::ALL.iter().map(|design| (*design, Vec::new())).collect();
        for _ in 0..ROUNDS {
            for (design, done) in &mut runs {
                done.push(design.run(connections, Duration::from_secs(seconds)));
            }
        }
        let medians: Vec<(Design, load::Run)> =
            runs.into_iter().map(|(design, done)| (design, median(done))).collect();
        let rate_of = |wanted: Design| {
            medians.iter().find(|(design, _)| *design == wanted).map_or(1.0, |(_, run)| run.rate)
        };
        for (design, run) in &medians {
            println!(
                "| {connections} | {design:?} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} |",
                run.rate,
                run.rate / rate_of(Design::Bare),
                run.rate / rate_of(Design::Naive),
                run.p50_ms,
                run.p99_ms,
            );
        }
    }
}

fn median(mut runs: Vec<load::Run>) -> load::Run {
    runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    runs.swap_remove(runs.len() / 2)
}
