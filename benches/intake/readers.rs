//! The intake beside people who look at the page: ten browsers, each of which loads a view anew every second, half of them
//! the overview and half the list.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::designs::{Design, Server};
use crate::large;
use crate::load::{Load, Run};
use crate::table::Spread;

/// Old notifications in the store.
const ROWS: u32 = 400_000;

const ROUNDS: usize = 5;

const LASTING: Duration = Duration::from_secs(5);

const READERS: u32 = 10;

const EVERY: Duration = Duration::from_secs(1);

/// What a browser asks for when a view is loaded anew.
const LOADED: [[&str; 3]; 2] = [["/", "/page.css", "/page.svg"], ["/notifications", "/page.css", "/page.js"]];

/// Measures and prints the table.
pub(crate) fn print() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let filled = folder.path().join("filled.db");
    large::fill(&filled, ROWS);
    let rounds: Vec<_> =
        (0..ROUNDS).map(|_| [0, READERS].map(|readers| beside(readers, &filled, folder.path()))).collect();
    println!("| 64 connections | acknowledged/s | p99 ms | views | slowest view ms |\n|---|--:|--:|--:|--:|");
    for (place, name) in ["no reader", "ten readers"].iter().enumerate() {
        let spread = |of: &dyn Fn(&(Run, Views)) -> f64| {
            Spread::of(rounds.iter().map(|round| of(&round[place])).collect())
        };
        println!(
            "| {name} | {} | {} | {} | {} |",
            spread(&|(run, _)| run.rate).shown(0),
            spread(&|(run, _)| run.p99_ms).shown(2),
            spread(&|(_, views)| f64::from(views.count)).shown(0),
            spread(&|(_, views)| views.slowest.as_secs_f64() * 1000.0).shown(1),
        );
    }
    let ratio = Spread::of(rounds.iter().map(|[alone, beside]| beside.0.rate / alone.0.rate).collect());
    println!("| ratio | {} | | | |", ratio.shown(2));
}

/// What readers got.
#[derive(Clone, Copy, Debug, Default)]
struct Views {
    count: u32,
    slowest: Duration,
}

fn beside(readers: u32, filled: &Path, folder: &Path) -> (Run, Views) {
    let store = folder.join("bench.db");
    large::copy(filled, &store);
    let server = Server::start(Design::Countersign, &store, &["--no-worker"]);
    let is_over = AtomicBool::new(false);
    let admin = server.admin.unwrap();
    let (outcome, views) = std::thread::scope(|scope| {
        let is_over = &is_over;
        let readers: Vec<_> = (0..readers).map(|n| scope.spawn(move || read(n, admin, is_over))).collect();
        let outcome = server.load(&Load::full(64, LASTING));
        is_over.store(true, Ordering::Relaxed);
        (outcome, readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>())
    });
    server.stop();
    let count = views.iter().map(|views| views.count).sum();
    let slowest = views.iter().map(|views| views.slowest).max().unwrap_or_default();
    (outcome.run, Views { count, slowest })
}

/// One reader, who begins a tenth of a second after the one before.
fn read(n: u32, admin: SocketAddr, is_over: &AtomicBool) -> Views {
    let mut views = Views::default();
    let mut due = Instant::now() + EVERY * n / READERS;
    while !is_over.load(Ordering::Relaxed) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()).min(Duration::from_millis(20)));
        if Instant::now() < due {
            continue;
        }
        due += EVERY;
        let begun = Instant::now();
        for path in LOADED[usize::from(n.is_multiple_of(2))] {
            get(admin, path);
        }
        views.count += 1;
        views.slowest = views.slowest.max(begun.elapsed());
    }
    views
}

fn get(admin: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
}
