//! What crafted requests cost: memory of `serve` and `verify` for nested bodies, memory and answers beside clients that hold
//! back the ends of large bodies, and the worst acknowledgement while much is judged about one order.
//!
//! `cargo bench --bench hostile` runs all parts, `cargo bench --bench hostile -- PART…` some: see [`PARTS`]. The program
//! under test is that of this checkout, or the one that `COUNTERSIGN_BINARY` names.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod bodies;
mod connections;
mod judging;
#[expect(
    dead_code,
    reason = "only the load at a steady pace, and the one that takes all it can get, are needed here"
)]
#[path = "../intake/load.rs"]
mod load;
mod served;

/// The parts by name.
const PARTS: [(&str, fn()); 3] = [
    // Sixty nested bodies of 256 KiB.
    ("bodies", bodies::print),
    // Bodies of 250 KiB without their last byte.
    ("connections", connections::print),
    // The worst acknowledgement while much is superseded, and while one of very many is judged.
    ("judging", judging::print),
];

fn main() {
    // Cargo adds --bench.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for (name, part) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|wanted| wanted == name) {
            println!("\n## {name}\n");
            part();
        }
    }
}
