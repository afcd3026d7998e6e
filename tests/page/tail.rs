//! The live tail.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{page, told_of};
use crate::support::Serve;
use crate::support::disk::Disk;
use crate::support::formats::{self, OLD};

/// An open tail, read a line at a time.
pub(super) struct Tail(BufReader<TcpStream>);

impl Tail {
    pub(super) fn open(serve: &Serve, path: &str) -> Self {
        let mut stream = TcpStream::connect(serve.admin).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", serve.admin).unwrap();
        Self(BufReader::new(stream))
    }

    /// Its status.
    pub(super) fn status(&mut self) -> u16 {
        self.line().unwrap().split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).unwrap() > 0).then_some(line)
    }

    /// The first line that holds this text; `None`: the tail ended.
    fn until(&mut self, text: &str) -> Option<String> {
        loop {
            let line = self.line()?;
            if line.contains(text) {
                return Some(line);
            }
        }
    }
}

/// The address of the tail that a list opens.
fn tail_of(serve: &Serve, list: &str) -> String {
    let html = page(serve, list);
    let address = html.split("data-href=\"").nth(1).unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&").replace("&#38;", "&")
}

#[test]
fn a_verdict_is_on_the_open_page_within_a_second() {
    let (_env, serve) = told_of(&[1207]);
    let mut tail = Tail::open(&serve, &tail_of(&serve, "/notifications"));
    assert!(tail.until("text/event-stream").is_some());
    let mut best = Duration::MAX;
    // A busy machine may delay one of them.
    for (at, number) in [(2, 2000), (3, 2001), (4, 2002)] {
        serve.send(&OLD.request(OLD.truth(number)));
        serve.settled(at);
        let settled = Instant::now();
        let row = tail.until("not_found").unwrap();
        best = best.min(settled.elapsed());
        assert!(row.contains(&format!("id=\"n{at}\"")) && row.contains("ignored"), "{row}");
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[test]
fn a_tail_keeps_to_the_filter_and_takes_away_what_left_it() {
    let (_env, serve) = told_of(&[1207]);
    let mut tail = Tail::open(&serve, &tail_of(&serve, "/notifications?state=confirmed&source=old"));
    assert_eq!(tail.status(), 200);
    for (at, number) in [(2, 2000), (3, 1208)] {
        serve.send(&OLD.request(OLD.truth(number)));
        serve.settled(at);
    }
    let first = tail.until("data: ").unwrap();
    assert!(first.contains("id=\"n3\""), "{first}");
    assert_eq!(serve.admin_page("/tail?state=open").status, 400);
}

#[test]
fn what_came_in_while_the_page_was_on_its_way_is_sent() {
    let (_env, serve) = told_of(&[1207]);
    let address = tail_of(&serve, "/notifications");
    serve.send(&OLD.request(OLD.truth(2000)));
    serve.settled(2);
    let mut tail = Tail::open(&serve, &address);
    let first = tail.until("data: ").unwrap();
    assert!(first.contains("id=\"n2\""), "{first}");
}

#[test]
fn at_most_16_tails_are_open_and_a_closed_one_makes_room() {
    let (env, disk) = (formats::env(), Disk::new());
    let serve = env.serve_on(&disk);
    let mut tails: Vec<Tail> = (0..16).map(|_| Tail::open(&serve, "/tail")).collect();
    for tail in &mut tails {
        assert_eq!(tail.status(), 200);
    }
    assert_eq!(serve.admin_page("/tail").status, 503);
    drop(tails.pop());
    let until = Instant::now() + Duration::from_secs(60);
    while Tail::open(&serve, "/tail").status() != 200 {
        assert!(Instant::now() < until, "the place of a closed tail stays taken");
        // It is found out when the next comment is sent, every five seconds.
        disk.pass(5);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_tail_closes_at_once_on_shutdown() {
    let (_env, serve) = told_of(&[]);
    let mut tail = Tail::open(&serve, "/tail");
    assert_eq!(tail.status(), 200);
    let asked = Instant::now();
    assert!(serve.stop().success());
    assert_eq!(tail.until("data: "), None);
    // The drain of 10 s is not waited for.
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
}
