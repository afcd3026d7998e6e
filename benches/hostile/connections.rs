//! Clients that hold back the last byte of large bodies, and a true notification beside them.

use std::time::Instant;

use crate::served::{ORDER, Place, hook};

const LENGTH: usize = 250 * 1024;

pub(crate) fn print() {
    println!(
        "| connections, each with 250 KiB but for a byte | `serve`, MiB | a true notification, ms | its answer |"
    );
    println!("|---|--:|--:|--:|");
    for connections in [300, 1000] {
        let place = Place::new();
        let served = place.serve(&[]);
        let body = "x".repeat(LENGTH);
        let held: Vec<_> = (0..connections).map(|_| served.begin(&body, 1)).collect();
        let began = Instant::now();
        let status = served.post(&hook(1, ORDER, None, "PAID", ""));
        let took = began.elapsed().as_secs_f64() * 1000.0;
        println!("| {connections} | {} | {took:.1} | {status} |", served.most_memory());
        drop(held);
        served.stop();
    }
}
