//! How fast notifications are verified, and what of the machine is left to the intake meanwhile. Everything is stored before
//! the service starts; the shops run in a process of their own and take 20 ms a call.
//!
//! `cargo bench --bench verification -- speed` (or `128`, its last row alone, `ecwid`, `calls`, `intake`; all without one).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod env;
#[expect(dead_code, reason = "only the load that takes all it can get is needed here")]
#[path = "../intake/load.rs"]
mod load;
mod naive;
mod shops;

use std::time::Duration;

use env::{BenchEnv, Shop};
use load::Load;
use shops::Shops;

/// Orders of a full run.
const ORDERS: usize = 10_000;

/// Of what asks one by one, only so many: the rest would take as long each.
const SAMPLE: usize = 1_000;

/// Rounds of each cell; the median counts.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [role, orders] = arguments.as_slice()
        && role == shops::ROLE
    {
        return shops::play(orders.parse().unwrap());
    }
    let is_wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|wanted| wanted == part);
    if is_wanted("speed") {
        speed();
    } else if is_wanted("128") {
        at_once(128);
    }
    if is_wanted("ecwid") {
        ecwid();
    }
    if is_wanted("calls") {
        calls();
    }
    if is_wanted("intake") {
        intake();
    }
}

/// Different orders that are asked about one by one.
fn speed() {
    println!("| 10,000 different orders, no list calls, no rate limit | s | verdicts/s |");
    println!("|---|---|---|");
    let shops = Shops::open(ORDERS);
    let scaled = |seconds: f64| seconds * f64::from(u32::try_from(ORDERS / SAMPLE).unwrap());
    row("naive loop (1,000 of them, times 10)", scaled(naive::run(&shops, SAMPLE).as_secs_f64()));
    row("countersign, 1 at once (1,000 of them, times 10)", scaled(settle(Shop::Kinguin, 1, SAMPLE)));
    at_once(32);
    at_once(128);
}

fn at_once(questions: usize) {
    let mut seconds: Vec<f64> = (0..ROUNDS).map(|_| settle(Shop::Kinguin, questions, ORDERS)).collect();
    seconds.sort_by(f64::total_cmp);
    row(&format!("countersign, {questions} at once"), seconds[ROUNDS / 2]);
}

fn row(what: &str, seconds: f64) {
    println!("| {what} | {seconds:.2} | {:.0} |", f64::from(u32::try_from(ORDERS).unwrap()) / seconds);
}

/// Seconds to settle one notification on each of so many orders.
fn settle(shop: Shop, at_once: usize, orders: usize) -> f64 {
    let mut shops = Shops::open(orders);
    let env = BenchEnv::new(&shops, at_once);
    env.store((0..orders).map(|n| shop.notification(n, 0)));
    let settled = env.settle(orders);
    assert_eq!(settled.confirmed, orders);
    if shop == Shop::Kinguin {
        assert_eq!(shops.calls(), orders);
    }
    settled.took.as_secs_f64()
}

/// Different Ecwid orders under the real limit.
fn ecwid() {
    let mut shops = Shops::open(ORDERS);
    let env = BenchEnv::new(&shops, 8);
    env.store((0..ORDERS).map(|n| Shop::Ecwid.notification(n, 0)));
    let settled = env.settle(ORDERS);
    assert_eq!(settled.confirmed, ORDERS);
    println!("| 10,000 different Ecwid orders, 600 calls a minute, 8 at once | s | API calls |");
    println!("|---|---|---|");
    println!("| countersign | {:.2} | {} |", settled.took.as_secs_f64(), shops.calls());
}

/// Many notifications on each of some subjects.
fn calls() {
    const SUBJECTS: usize = 1_000;
    const EACH: usize = 10;
    println!("| 10 notifications on each of 1,000 subjects | API calls | a subject | s |");
    println!("|---|---|---|---|");
    for (shop, name) in [(Shop::Kinguin, "without list calls (Kinguin)"), (Shop::Ecwid, "with them (Ecwid)")]
    {
        let mut shops = Shops::open(SUBJECTS);
        let env = BenchEnv::new(&shops, 8);
        env.store((0..SUBJECTS * EACH).map(|n| shop.notification(n % SUBJECTS, n / SUBJECTS)));
        let settled = env.settle(SUBJECTS * EACH);
        assert_eq!(settled.confirmed, SUBJECTS * EACH);
        let calls = shops.calls();
        let a_subject =
            f64::from(u32::try_from(calls).unwrap()) / f64::from(u32::try_from(SUBJECTS).unwrap());
        println!("| {name} | {calls} | {a_subject:.3} | {:.2} |", settled.took.as_secs_f64());
    }
}

/// What is left to the intake while orders are verified, with the load on the same processors. What it sends names another
/// store, so that no question follows from it.
fn intake() {
    let load = Load::full(64, Duration::from_secs(3));
    let once = |orders: usize, no_worker: bool| {
        let shops = Shops::open(orders);
        let env = BenchEnv::new(&shops, 128);
        env.store((0..orders).map(|n| Shop::Kinguin.notification(n, 0)));
        let (service, mut moves) = env.start(no_worker);
        let run = load.run(service.intake_addr);
        let confirmed = moves.confirmed_so_far();
        env.runtime.block_on(service.stop());
        assert!(orders == 0 || (1..orders).contains(&confirmed), "{confirmed} of {orders}");
        (run.rate, run.p99_ms, confirmed)
    };
    println!("| 64 connections | acknowledged/s | of nothing else to do | p99 ms | verdicts meanwhile |");
    println!("|---|---|---|---|---|");
    let rounds: Vec<_> = (0..ROUNDS).map(|_| [once(0, true), once(0, false), once(ORDERS, false)]).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    let names = [
        "nothing is read or asked (`--no-worker`)",
        "what comes in is read",
        "and 10,000 orders are verified",
    ];
    for (at, name) in names.into_iter().enumerate() {
        let rate = median(rounds.iter().map(|round| round[at].0).collect());
        let kept = median(rounds.iter().map(|round| round[at].0 / round[0].0).collect());
        let p99_ms = median(rounds.iter().map(|round| round[at].1).collect());
        let verdicts: Vec<usize> = rounds.iter().map(|round| round[at].2).collect();
        println!("| {name} | {rate:.0} | {kept:.2} | {p99_ms:.2} | {verdicts:?} |");
    }
}
