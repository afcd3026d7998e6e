//! A stop in the midst of everything.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign::simulator::{Fault, Trouble};

use super::PATIENCE;
use crate::support::load::Load;
use crate::support::{Response, TestEnv, bodies, paid};

/// Stops a loaded service by this signal and holds it to its promises; `is_held`: the shop answers nothing.
fn stop_under_load(signal: &str, is_held: bool) {
    const DRAIN: Duration = Duration::from_secs(12);
    let env = TestEnv::new()
        .verify("timeout = \"60s\"\nconcurrency = 16")
        .server_keys("drain = \"12s\"")
        .ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
    let shops = env.simulator.shops();
    if is_held {
        shops.add_fault(Fault::new(Trouble::Hold));
    }
    let load = Load::new(env.ion_store(1003));
    let serve = env.serve();
    let mut answered = 0;
    let mut begun = Instant::now();
    load.run(serve.intake, 8, |_| {
        answered += 1;
        if answered == 100 {
            begun = Instant::now();
            serve.signal(signal);
        }
        // The senders end when no answer comes any more.
        false
    });
    assert_eq!(serve.end().code(), Some(0));
    assert!(begun.elapsed() <= DRAIN, "{signal} took {:?}", begun.elapsed());
    load.assert_kept(&env.bodies());
    assert!(load.answers().acknowledged.len() >= 100);
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
    let alone = env.folder().join("alone.db");
    std::fs::copy(env.store_path(), &alone).unwrap();
    load.assert_kept(&bodies(&alone));
}

#[test]
fn a_term_under_load_keeps_every_promise_and_ends_well() {
    stop_under_load("TERM", false);
}

#[test]
fn an_interrupt_under_load_keeps_every_promise_and_ends_well() {
    stop_under_load("INT", false);
}

#[test]
fn a_term_under_load_while_the_shop_hangs_ends_within_drain() {
    stop_under_load("TERM", true);
}

#[test]
fn clients_that_drip_do_not_hold_up_a_stop() {
    let env = TestEnv::new().server_keys("drain = \"12s\"").ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let open: Vec<TcpStream> = (0..40)
        .map(|n| {
            let mut stream = TcpStream::connect(serve.intake).unwrap();
            let head = "POST /hooks/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nowner_id=";
            stream.write_all(&head.as_bytes()[..if n % 2 == 0 { head.len() } else { 30 }]).unwrap();
            stream
        })
        .collect();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    serve.settled(1);
    let begun = Instant::now();
    assert_eq!(serve.stop().code(), Some(0));
    assert!(begun.elapsed() <= Duration::from_secs(12), "it took {:?}", begun.elapsed());
    for mut stream in open {
        if let Ok(answer) = Response::read(&mut stream) {
            assert_ne!(answer.status, 200);
        }
    }
    assert_eq!(env.bodies().len(), 1);
}

#[test]
fn an_interrupt_during_a_stop_ends_it_at_once_and_says_so() {
    let env =
        TestEnv::new().verify("timeout = \"60s\"").server_keys("drain = \"60s\"").ion_shop("shop", 1003, 1);
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    assert!(shops.wait_for_calls(1, PATIENCE));
    let begun = Instant::now();
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains("stopping"));
    serve.signal("TERM");
    serve.signal("INT");
    serve.wait_for_line("it says what it leaves", |line| line.contains("interrupted while draining"));
    assert_eq!(serve.end().code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
    shops.clear_fault(held);
    let serve = env.serve();
    serve.settled(1);
    assert_eq!(env.row(1).state, "confirmed");
}
