//! The intake alone, beside `prune` and beside `backup`, which are processes of their own: paced at what a busy shop
//! sends, where a wait is a wait for the store, and as much as goes, where all of them also share the processors.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::designs::{Design, Server};
use crate::large;
use crate::load::{Load, Run};
use crate::table::Spread;

/// Old notifications in the store.
const ROWS: u32 = 400_000;

const ROUNDS: usize = 3;

/// A command is ended after so long; all that it did until then counts.
const LASTING: Duration = Duration::from_millis(3500);

const COMMANDS: [(&str, &[&str]); 3] = [
    ("alone", &[]),
    ("beside `prune`", &["prune", "--older-than", "30d"]),
    ("beside `backup`", &["backup", "--force"]),
];

/// Measures and prints the table.
pub(crate) fn print() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let filled = folder.path().join("filled.db");
    large::fill(&filled, ROWS);
    println!("| 64 connections | | acknowledged/s | p50 ms | p99 ms | worst ms | what it did meanwhile |");
    println!("|---|---|--:|--:|--:|--:|---|");
    for (name, load) in
        [("paced", Load::paced(64, 2000, LASTING)), ("as much as goes", Load::full(64, LASTING))]
    {
        let mut done: [Vec<(Run, f64)>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for ((_, command), done) in COMMANDS.iter().zip(&mut done) {
                done.push(beside(command, &load, &filled, folder.path()));
            }
        }
        for ((what, command), done) in COMMANDS.iter().zip(&done) {
            let spread = |of: &dyn Fn(&(Run, f64)) -> f64| Spread::of(done.iter().map(of).collect());
            let did = spread(&|(_, did)| *did);
            let did = match command.first() {
                Some(&"prune") => format!("removed {} rows/s", did.shown(0)),
                Some(_) => format!("copied in {} s", did.shown(2)),
                None => String::new(),
            };
            println!(
                "| {name} | {what} | {} | {:.2} | {} | {} | {did} |",
                spread(&|(run, _)| run.rate).shown(0),
                spread(&|(run, _)| run.p50_ms).median,
                spread(&|(run, _)| run.p99_ms).shown(2),
                spread(&|(run, _)| run.worst_ms).shown(1),
            );
        }
    }
}

/// Returns what the intake did, and of `prune` the rows a second, of `backup` its seconds.
fn beside(command: &[&str], load: &Load, filled: &Path, folder: &Path) -> (Run, f64) {
    let store = folder.join("bench.db");
    large::copy(filled, &store);
    let server = Server::start(Design::Countersign, &store, &["--no-worker"]);
    let Some(name) = command.first() else { return (server.load(load).run, 0.0) };
    let mut ran = server.command(command);
    if *name == "backup" {
        ran.arg(folder.join("copy.db"));
    }
    let began = Instant::now();
    let mut child = ran.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let load = Load { is_over: Default::default(), ..load.clone() };
    let (outcome, took) = std::thread::scope(|scope| {
        let is_over = &load.is_over;
        let waited = scope.spawn(move || {
            while began.elapsed() < LASTING && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
            is_over.store(true, Ordering::Relaxed);
            let took = began.elapsed();
            drop(child.kill());
            child.wait().unwrap();
            took.as_secs_f64()
        });
        (server.load(&load), waited.join().unwrap())
    });
    let did = match *name {
        "prune" => f64::from(ROWS - left(&store)) / took,
        _ => took,
    };
    server.stop();
    (outcome.run, did)
}

fn left(store: &Path) -> u32 {
    let conn = Connection::open(store).unwrap();
    conn.query_row("SELECT count(*) FROM verdicts WHERE state = 'confirmed'", [], |row| row.get(0)).unwrap()
}
