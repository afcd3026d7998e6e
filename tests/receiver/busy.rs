//! When the store cannot take it: 503 with Retry-After, and no row, now or later.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::formats::{self, FORMATS, SHOP};
use crate::support::{Request, Response};

#[track_caller]
fn assert_turned_away(answer: &Response, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    let seconds: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!(seconds >= 1);
    assert!(answer.text().starts_with(r#"{"processed":false,"message":""#), "{}", answer.text());
}

#[test]
fn a_store_locked_for_three_seconds_is_503_and_no_row_appears_later() {
    let env = formats::env();
    let serve = env.serve();
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let answers: Vec<(Response, Duration)> = std::thread::scope(|scope| {
        let sent = FORMATS.map(|format| {
            let serve = &serve;
            scope.spawn(move || (serve.send(&format.request(format.truth(1207))), began.elapsed()))
        });
        let health = Request::new("GET", "/healthz").send(serve.intake);
        assert_eq!(health.status, 200);
        sent.map(|thread| thread.join().unwrap()).into()
    });
    for (answer, took) in &answers {
        assert_turned_away(answer, 503);
        assert!(*took > Duration::from_millis(2900) && *took < Duration::from_secs(25), "{took:?}");
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1208))).status, 200);
    serve.settled(env.rows()[0].id);
    assert!(serve.stop().success());
    let bodies = env.value("SELECT group_concat(body) FROM notifications");
    assert_eq!(bodies, Some(SHOP.truth(1208)), "only the one that was acknowledged");
}

#[test]
fn a_store_locked_for_less_is_waited_for() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| serve.send(&SHOP.request(SHOP.truth(1207))));
        // The other listener answers from the same process: by then the notification is on its way.
        assert_eq!(serve.admin_page("/healthz").status, 200);
        assert!(!sent.is_finished());
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(sent.join().unwrap().status, 200);
    });
    assert_eq!(env.rows().len(), 1);
}

#[test]
fn less_free_disk_than_min_free_is_503_without_a_row() {
    let env = formats::env().store_keys("min_free = \"1000000GiB\"");
    let serve = env.serve();
    for format in FORMATS {
        assert_turned_away(&serve.send(&format.request(format.truth(1207))), 503);
    }
    assert_eq!(serve.send(&Request::new("GET", "/healthz")).status, 200);
    assert_eq!(env.rows().len(), 0);
}

#[test]
fn an_address_over_its_limit_gets_429_with_retry_after_and_others_do_not() {
    let env = formats::env().server_keys("per_address_limit = \"3/h\"");
    let serve = env.serve_with(&["--no-worker"]);
    let from = |address: &str| SHOP.request("{}").header("X-Forwarded-For", address);
    for _ in 0..3 {
        assert_eq!(serve.send(&from("198.51.100.7")).status, 200);
    }
    assert_turned_away(&serve.send(&from("198.51.100.7")), 429);
    assert_turned_away(&serve.send(&from("203.0.113.5, 198.51.100.7")), 429);
    assert_eq!(serve.send(&from("198.51.100.8")).status, 200);
    assert_eq!(env.rows().len(), 4);
}
