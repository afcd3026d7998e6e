//! Durable acknowledgements a second and how long they take, beside the bare and the naive design. The designs take
//! turns, and a ratio is made of two runs of one turn, so that it holds however the machine drifts.

use std::time::Duration;

use crate::designs::{Design, Outcome};
use crate::load::Load;

const DESIGNS: [Design; 3] = [Design::Bare, Design::Naive, Design::Countersign];

/// Each design once.
type Round = [Outcome; 3];

/// Measures every number of connections and prints the table.
pub(crate) fn print(connections: &[usize], rounds: usize, lasting: Duration, sync_delay: Duration) {
    println!(
        "| connections | design | acknowledged/s | of bare | times naive | p50 ms | p99 ms | flushes per ack | acks per commit |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|");
    for connections in connections {
        let load = Load::full(*connections, lasting);
        let rounds: Vec<Round> =
            (0..rounds).map(|_| DESIGNS.map(|design| design.measure(&load, sync_delay))).collect();
        for (place, design) in DESIGNS.iter().enumerate() {
            let spread = |of: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(of).collect());
            let rate = spread(&|round| round[place].run.rate);
            let of_bare = spread(&|round| round[place].run.rate / round[0].run.rate);
            let of_naive = spread(&|round| round[place].run.rate / round[1].run.rate);
            let (p50, p99) =
                (spread(&|round| round[place].run.p50_ms), spread(&|round| round[place].run.p99_ms));
            let flushes = spread(&|round| per(round[place].flushes, acknowledged(&round[place])));
            let group = spread(&|round| per(acknowledged(&round[place]), round[place].commits));
            println!(
                "| {connections} | {design:?} | {} | {} | {} | {:.2} | {} | {:.3} | {:.1} |",
                rate.shown(0),
                of_bare.shown(2),
                of_naive.shown(2),
                p50.median,
                p99.shown(2),
                flushes.median,
                group.median,
            );
        }
    }
}

fn acknowledged(outcome: &Outcome) -> i64 {
    i64::try_from(outcome.run.acknowledged).unwrap()
}

fn per(a: i64, b: i64) -> f64 {
    let float = |n: i64| f64::from(u32::try_from(n).unwrap());
    if b == 0 { 0.0 } else { float(a) / float(b) }
}

/// The median of some figures and how far they lie apart.
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub(crate) fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self { median: figures[figures.len() / 2], least: figures[0], most: figures[figures.len() - 1] }
    }

    /// `median (least–most)`.
    pub(crate) fn shown(&self, digits: usize) -> String {
        format!("{:.digits$} ({:.digits$}–{:.digits$})", self.median, self.least, self.most)
    }
}
