//! A stop, seen from the connections that are open.

use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Sockets;
use super::restart::Kept;
use crate::support::formats;
use crate::support::formats::SHOP;

const STOPPING: &str = "stopping: finishing requests and calls in flight";

#[test]
fn an_idle_connection_that_sends_during_a_stop_is_answered_and_told_to_close() {
    let (env, sockets) = (formats::env(), Sockets::open());
    let serve = sockets.serve(&env, &["--no-worker"]);
    let mut kept = Kept::connect(serve.intake).unwrap();
    let first = kept.post("/hooks/shop", SHOP.truth(1207).as_bytes()).unwrap();
    assert_eq!((first.status, first.closes), (200, false));
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains(STOPPING));
    let last = kept.post("/hooks/shop", SHOP.truth(1208).as_bytes()).unwrap();
    assert_eq!((last.status, last.closes), (200, true));
    assert!(kept.is_closed());
    assert_eq!(serve.stop().code(), Some(0));
    assert_eq!(env.rows().len(), 2);
}

#[test]
fn a_stop_with_idle_connections_alone_does_not_take_the_whole_drain() {
    let env = formats::env().server_keys("drain = \"60s\"");
    let serve = env.serve();
    let mut idle: Vec<Kept> = (0..5).map(|_| Kept::connect(serve.intake).unwrap()).collect();
    for kept in &mut idle {
        assert_eq!(kept.post("/hooks/shop", SHOP.truth(1207).as_bytes()).unwrap().status, 200);
    }
    let never_used = TcpStream::connect(serve.intake).unwrap();
    let began = Instant::now();
    assert_eq!(serve.stop().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
    assert!(idle.iter_mut().all(Kept::is_closed));
    drop(never_used);
}

#[test]
fn a_request_under_way_is_finished_while_new_connections_are_refused() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let mut slow = Kept::connect(serve.intake).unwrap();
    let body = SHOP.truth(1207);
    let head = format!("POST /hooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    slow.stream().write_all(head.as_bytes()).unwrap();
    slow.stream().write_all(&body.as_bytes()[..10]).unwrap();
    // Its head was read before this later one was answered: both are on one thread, or it would be answered all the same.
    assert_eq!(serve.post("shop", SHOP.truth(1208)).status, 200);
    serve.signal("TERM");
    serve.wait_for_line("it stops", |line| line.contains(STOPPING));
    let deadline = Instant::now() + Duration::from_secs(8);
    let refused = std::iter::repeat_with(|| TcpStream::connect(serve.intake))
        .find_map(Result::err)
        .filter(|_| Instant::now() < deadline);
    assert!(refused.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused));
    slow.stream().write_all(&body.as_bytes()[10..]).unwrap();
    let answer = slow.answer().unwrap();
    assert_eq!((answer.status, answer.closes), (200, true));
    assert_eq!(serve.stop().code(), Some(0));
    assert_eq!(env.rows().len(), 2);
}
