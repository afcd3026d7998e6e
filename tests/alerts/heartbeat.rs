//! The heartbeat: silence is the alarm.

use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::actions::Endpoint;
use crate::news::env;
use crate::service::Sockets;
use crate::support::disk::{Disk, Word};
use crate::support::{Request, TestEnv};

/// An environment whose heartbeat goes to `monitor` every second.
fn watched(monitor: &Endpoint) -> TestEnv {
    let lines = format!("heartbeat_url = \"{}\"\nheartbeat_every = \"1s\"\n", monitor.url());
    env().0.section("alerts", &lines)
}

#[test]
fn the_heartbeat_stops_while_nothing_can_be_written_and_goes_on_after_it() {
    let monitor = Endpoint::new();
    let env = watched(&monitor);
    let serve = env.serve();
    assert_eq!(monitor.wait_for(2)[1].line, "GET /orders HTTP/1.1");
    let beats = || env.value("SELECT at FROM liveness").unwrap();
    assert!(!beats().is_empty(), "a row of its own");
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    serve.wait_for_line("silence", |line| line.contains("no heartbeat: "));
    let count = monitor.seen().len();
    other.execute_batch("COMMIT").unwrap();
    serve.wait_for_line("the heartbeat", |line| line.contains("the heartbeat resumes"));
    assert!(monitor.wait_for(count + 1).len() > count);
}

#[test]
fn the_heartbeat_stops_while_the_intake_is_not_bound() {
    let (monitor, sockets) = (Endpoint::new(), Sockets::open());
    let env = watched(&monitor);
    let serve = sockets.serve(&env, &[]);
    monitor.wait_for(1);
    // The socket is shared with this process, which ends its listening.
    let listening = TcpStream::from(OwnedFd::from(sockets.intake.try_clone().unwrap()));
    listening.shutdown(Shutdown::Both).unwrap();
    let is_silent = |line: &str| line.contains("no heartbeat: the intake listener accepts no connections");
    serve.wait_for_line("silence", is_silent);
    let count = monitor.seen().len();
    serve.wait_for_lines("it stays silent", 3, is_silent);
    assert_eq!(monitor.seen().len(), count);
}

#[test]
fn the_heartbeat_stops_while_the_worker_is_stuck_and_goes_on_after_it() {
    let (monitor, disk) = (Endpoint::new(), Disk::new());
    let env = watched(&monitor);
    let serve = env.serve_on(&disk);
    monitor.wait_for(1);
    // The worker's turn waits for the store, whose sync takes very long.
    disk.set(Word::SyncDelay, 8_000_000);
    let intake = serve.intake;
    let sender =
        std::thread::spawn(move || Request::post("/hooks/shop").body("not understood").try_send(intake));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !serve.log().contains("no heartbeat: the worker makes no progress") {
        assert!(Instant::now() < deadline, "the heartbeat goes on: {}", serve.log());
        disk.set(Word::SteadySeconds, disk.get(Word::SteadySeconds) + 61);
        std::thread::sleep(Duration::from_secs(1));
    }
    let count = monitor.seen().len();
    disk.set(Word::SyncDelay, 0);
    serve.wait_for_line("the heartbeat", |line| line.contains("the heartbeat resumes"));
    monitor.wait_for(count + 1);
    drop(sender.join());
}
