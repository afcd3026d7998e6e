//! The worst acknowledgement while much is judged about one order. The shop answers after a second, so that the load runs by
//! then; what the load sends names another store, and no question follows from it.

use std::time::Duration;

use crate::load::Load;
use crate::served::{OPEN, ORDER, Place, Served, hook};

/// Forged claims that nothing explains, and then as many that one confirmed claim explains.
const FORGED: usize = 500;

/// Copies of one true claim.
const COPIES: usize = 200_000;

const LATENCY: Duration = Duration::from_secs(1);

/// Long enough for an answer, and for what follows from it.
const LASTING: Duration = Duration::from_secs(12);

pub(crate) fn print() {
    println!("| acknowledgements, 200 a second | worst, ms | p99, ms |\n|---|--:|--:|");
    let place = Place::new();
    let served = place.serve(&[]);
    row("nothing else to do", &served, || ());
    served.stop();
    superseding();
    copies();
}

fn row(what: &str, served: &Served, work: impl FnOnce()) {
    let addr = served.intake;
    let load = std::thread::spawn(move || Load::paced(4, 200, LASTING).run(addr));
    work();
    let run = load.join().unwrap();
    println!("| {what} | {:.1} | {:.1} |", run.worst_ms, run.p99_ms);
}

fn superseding() {
    let place = Place::new();
    let served = place.serve(&[]);
    for n in 1..FORGED {
        assert_eq!(served.post(&hook(n, ORDER, None, "REFUNDED", "")), 200);
    }
    place.wait_until(OPEN, 0);
    served.stop();
    place.slow_down(LATENCY);
    let served = place.serve(&["--no-worker"]);
    for n in FORGED..2 * FORGED {
        assert_eq!(served.post(&hook(n, ORDER, Some("REFUNDED"), "CANCELLED", "")), 200);
    }
    assert_eq!(served.post(&hook(2 * FORGED, ORDER, Some("CANCELLED"), "PAID", "")), 200);
    served.stop();
    let served = place.serve(&[]);
    row("while 1,000 claims about one order are superseded", &served, || ());
    place.wait_until(OPEN, 0);
    println!(
        "| … of them superseded: {} | | |",
        place.value("SELECT count(*) FROM notifications WHERE reason = 'superseded'")
    );
    served.stop();
}

fn copies() {
    let place = Place::new();
    let served = place.serve(&[]);
    let copy = hook(1, ORDER, None, "PAID", "");
    assert_eq!(served.post(&copy), 200);
    place.wait_until(OPEN, 0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..COPIES / 16 {
                    assert_eq!(served.post(&copy), 200);
                }
            });
        }
    });
    place.wait_until(OPEN, 0);
    place.slow_down(LATENCY);
    row("while one is judged beside 200,000 copies of another", &served, || {
        assert_eq!(served.post(&hook(2, ORDER, None, "REFUNDED", "")), 200);
    });
    place.wait_until(OPEN, 0);
    served.stop();
}
