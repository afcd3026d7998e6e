//! How fast confirmed changes reach the owner's actions, and what that leaves to everything else.
//!
//! `cargo bench --bench actions -- first` (or `news`, `intake`, `dead`, `lease`, `memory`; all without one).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod env;
mod first;
mod lease;
#[expect(dead_code, reason = "the intake's bench uses all of it")]
#[path = "../intake/load.rs"]
mod load;
mod memory;
#[expect(dead_code, reason = "the bench of verification uses all of it")]
#[path = "../verification/shops.rs"]
mod shops;
mod target;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use countersign::domain::State;
use countersign::service::ServiceOptions;
use tokio::sync::mpsc;

use env::BenchEnv;
use load::Load;
use shops::Shops;
use target::Target;

/// Deliveries of a full run.
const NEWS: u32 = 10_000;

/// How long an endpoint takes.
const TAKES: Duration = Duration::from_millis(5);

/// Requests to it at once.
const AT_ONCE: usize = 64;

/// Rounds of a ratio; the median counts.
const ROUNDS: usize = 3;

/// Rounds of what is told in seconds; the least counts.
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [shops::ROLE, orders] => return shops::play(orders.parse().unwrap()),
        [target::ROLE, takes] => return target::play(takes),
        _ => {}
    }
    let parts: [(&str, fn()); 6] = [
        ("first", first::print),
        ("news", news),
        ("intake", intake),
        ("dead", dead),
        ("lease", lease::print),
        ("memory", memory::print),
    ];
    for (name, part) in parts {
        if arguments.is_empty() || arguments.iter().any(|wanted| wanted == name) {
            part();
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn least(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::INFINITY, f64::min)
}

/// Posts a true notification about order `n` of the Kinguin account.
fn announce(intake: SocketAddr, n: usize) {
    let body = format!(
        r#"{{"orderId":"{}","status":"completed","updatedAt":"2025-03-04T10:15:00+00:00"}}"#,
        shops::kinguin_id(n)
    );
    let request = format!(
        "POST /hooks/keys HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-Event-Name: order.status\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(intake).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
}

/// Many news to one endpoint.
fn news() {
    println!("| {NEWS} requests to an endpoint that takes 5 ms, {AT_ONCE} at once | s (least of {RUNS}) |");
    println!("|---|--:|");
    let requests = usize::try_from(NEWS).unwrap();
    let alone = (0..RUNS).map(|_| target::alone(Target::open(Some(TAKES)).addr, AT_ONCE, requests));
    println!("| the endpoint alone | {:.2} |", least(alone));
    let shops = Shops::open(0);
    let told = (0..RUNS).map(|_| {
        let mut target = Target::open(Some(TAKES));
        let env = BenchEnv::new(&shops, 8, &target.action("erp", AT_ONCE));
        env.fill("erp", NEWS);
        let began = Instant::now();
        let service = env.start(ServiceOptions::default());
        env.wait_until_delivered("erp", requests);
        let took = began.elapsed().as_secs_f64();
        assert_eq!(target.count(), requests);
        env.runtime.block_on(service.stop());
        took
    });
    println!("| from the start of `serve` until all are recorded | {:.2} |", least(told));
}

/// What is left to the intake while news goes out, with the load on the same processors. What it sends names another store,
/// so that no question follows from it.
fn intake() {
    /// More than can go out meanwhile.
    const ENOUGH: u32 = 60_000;
    let load = Load::full(64, Duration::from_secs(3));
    let shops = Shops::open(0);
    let once = |deliveries: u32, no_worker: bool| {
        let target = Target::open(Some(TAKES));
        let env = BenchEnv::new(&shops, 8, &target.action("erp", AT_ONCE));
        env.fill("erp", deliveries);
        let service = env.start(ServiceOptions { no_worker, ..ServiceOptions::default() });
        let run = load.run(service.intake_addr);
        let delivered = env.delivered("erp");
        env.runtime.block_on(service.stop());
        let most = usize::try_from(deliveries).unwrap();
        assert!(most == 0 || (1..most).contains(&delivered), "{delivered} of {most}");
        (run.rate, run.p99_ms, delivered)
    };
    println!("| 64 connections | acknowledged/s | of nothing else to do | p99 ms | deliveries meanwhile |");
    println!("|---|--:|--:|--:|---|");
    let rounds: Vec<_> = (0..ROUNDS).map(|_| [once(0, true), once(0, false), once(ENOUGH, false)]).collect();
    let names =
        ["nothing else (`--no-worker`)", "what comes in is read", "and news goes out, 64 requests at once"];
    for (at, name) in names.into_iter().enumerate() {
        let rate = median(rounds.iter().map(|round| round[at].0).collect());
        let kept = median(rounds.iter().map(|round| round[at].0 / round[0].0).collect());
        let p99_ms = median(rounds.iter().map(|round| round[at].1).collect());
        let meanwhile: Vec<usize> = rounds.iter().map(|round| round[at].2).collect();
        println!("| {name} | {rate:.0} | {kept:.2} | {p99_ms:.2} | {meanwhile:?} |");
    }
}

/// What a target that never answers takes from the others: orders are announced and verified, their news goes to one that
/// does, and a paced load is acknowledged meanwhile.
fn dead() {
    const ORDERS: usize = 3_000;
    println!(
        "| {ORDERS} orders are verified, 32 at once | s to the last verdict | s to its delivery | ack p50 ms | ack p99 ms |"
    );
    println!("|---|--:|--:|--:|--:|");
    let once = |with_dead: bool| {
        let shops = Shops::open(ORDERS);
        let (well, dead) = (Target::open(Some(TAKES)), Target::open(None));
        let mut actions = well.action("well", 8);
        if with_dead {
            actions += &dead.action("dead", 8);
        }
        let env = BenchEnv::new(&shops, 32, &actions);
        let (moves, mut moved) = mpsc::unbounded_channel();
        let service = env.start(ServiceOptions { moves: Some(moves), ..ServiceOptions::default() });
        let intake = service.intake_addr;
        let began = Instant::now();
        let load = std::thread::spawn(move || Load::paced(16, 1000, Duration::from_millis(2500)).run(intake));
        let announcing = std::thread::spawn(move || (0..ORDERS).for_each(|n| announce(intake, n)));
        let mut confirmed = 0;
        while confirmed < ORDERS {
            let moved = env.runtime.block_on(moved.recv()).unwrap();
            confirmed += usize::from(moved.state == State::Confirmed);
        }
        let verdicts = began.elapsed().as_secs_f64();
        env.wait_until_delivered("well", ORDERS);
        let delivered = began.elapsed().as_secs_f64();
        announcing.join().unwrap();
        let run = load.join().unwrap();
        env.runtime.block_on(service.stop());
        [verdicts, delivered, run.p50_ms, run.p99_ms]
    };
    let rounds: Vec<_> = (0..ROUNDS).map(|_| [once(false), once(true)]).collect();
    for (at, name) in ["one target that answers in 5 ms", "beside it one that never answers, 8 places"]
        .into_iter()
        .enumerate()
    {
        let of = |figure: usize| median(rounds.iter().map(|round| round[at][figure]).collect());
        println!("| {name} | {:.2} | {:.2} | {:.2} | {:.2} |", of(0), of(1), of(2), of(3));
    }
    let ratio = |figure: usize| {
        median(rounds.iter().map(|round| round[1][figure] / round[0][figure]).collect::<Vec<f64>>())
    };
    println!("| ratio | {:.2} | {:.2} | {:.2} | {:.2} |", ratio(0), ratio(1), ratio(2), ratio(3));
}
