//! Memory of a whole `serve` with many deliveries under way to a target that never answers, and more that wait.

use std::time::{Duration, Instant};

use crate::NEWS;
use crate::env::BenchEnv;
use crate::shops::Shops;
use crate::target::Target;

/// Deliveries under way; the others of [`NEWS`] wait. No action may have more places.
const UNDER_WAY: usize = 1024;

const PATIENCE: Duration = Duration::from_secs(60);

/// Measures and prints the table.
pub(crate) fn print() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    // Each delivery under way is a connection, for the target too.
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    println!("| `serve`, its target never answers | MiB resident | the most |\n|---|--:|--:|");
    let shops = Shops::open(0);
    for (name, deliveries) in [("nothing waits", 0), ("1024 under way, 8,976 wait", NEWS)] {
        let mut target = Target::open(None);
        let env = BenchEnv::new(&shops, 8, &target.action("erp", UNDER_WAY));
        env.fill("erp", deliveries);
        let mut serve = env.spawn();
        let began = Instant::now();
        let wanted = UNDER_WAY.min(usize::try_from(deliveries).unwrap());
        while target.count() < wanted {
            assert!(began.elapsed() < PATIENCE, "only {} of {wanted} are under way", target.count());
            std::thread::sleep(Duration::from_millis(20));
        }
        // Until it has nothing more to do.
        std::thread::sleep(Duration::from_secs(3));
        let status = std::fs::read_to_string(format!("/proc/{}/status", serve.id())).unwrap();
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
        };
        println!("| {name} | {:.1} | {:.1} |", mib("VmRSS:"), mib("VmHWM:"));
        serve.kill().unwrap();
        serve.wait().unwrap();
    }
}
