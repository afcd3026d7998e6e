//! Resident memory of a whole `serve`, its worker included; the shop's API is not there.

use std::time::Duration;

use crate::designs::{Design, Server};
use crate::large;
use crate::load::Load;

/// For as long nothing comes in before the memory is looked at.
const REST: Duration = Duration::from_secs(3);

/// Measures and prints the table.
pub(crate) fn print() {
    println!("| `serve` with its worker | MiB resident |\n|---|--:|");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Server::start(Design::Countersign, &folder.path().join("bench.db"), &[]);
    std::thread::sleep(REST);
    row("idle", &server);
    let burst = server.load(&Load::full(256, Duration::from_secs(3)));
    row(&format!("right after a burst of {} on 256 connections", burst.run.acknowledged), &server);
    std::thread::sleep(REST);
    row("a few seconds later", &server);
    server.stop();
    let server = Server::start(Design::Countersign, &large::store(), &[]);
    std::thread::sleep(REST);
    row("idle on 10 million notifications", &server);
    let burst = server.load(&Load::full(64, Duration::from_secs(3)));
    row(&format!("on them, right after {} more on 64 connections", burst.run.acknowledged), &server);
    server.stop();
}

fn row(what: &str, server: &Server) {
    println!("| {what} | {:.1} |", f64::from(u32::try_from(server.resident() / 1024).unwrap()) / 1024.0);
}
