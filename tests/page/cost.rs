//! What the page may cost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{filled, page, told_of};

#[test]
fn a_filter_that_no_index_serves_looks_at_10_000_rows_and_offers_to_go_on() {
    let house = filled(10_500);
    let serve = house.serve_with(&["--no-worker"]);
    let html = page(&serve, "/notifications?sender=127.0.0.1");
    assert!(html.contains("The filter looked at 10000 notifications, back to "), "{html}");
    assert!(
        html.contains("None of these passes the filter; look further back.") && html.contains("before=501"),
        "{html}"
    );
    let html = page(&serve, "/notifications?sender=127.0.0.1&before=501");
    assert!(html.contains("<tr id=\"n1\">") && !html.contains("rel=\"next\""), "{html}");
}

#[test]
fn at_most_8_views_read_at_once_and_a_further_one_gets_503_after_2_s() {
    let house = filled(30_000);
    let serve = house.serve_with(&["--no-worker"]);
    // Eight readers who stop reading hold their places.
    let held: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(serve.admin).unwrap();
            write!(stream, "GET /notifications.jsonl HTTP/1.1\r\nHost: {}\r\n\r\n", serve.admin).unwrap();
            stream.read_exact(&mut [0; 1]).unwrap();
            stream
        })
        .collect();
    let asked = Instant::now();
    let answer = serve.admin_page("/");
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{}", answer.text());
    assert!(asked.elapsed() >= Duration::from_millis(1900), "{:?}", asked.elapsed());
    assert_eq!(serve.admin_page("/healthz").status, 200);
    drop(held);
    let until = Instant::now() + Duration::from_secs(60);
    while serve.admin_page("/").status != 200 {
        assert!(Instant::now() < until, "the places of readers who are gone stay taken");
    }
}

#[test]
fn no_page_weighs_more_than_100_kb_with_everything_that_it_loads() {
    let (_house, serve) = told_of(&[1207]);
    let long = "<&\u{e9}>".repeat(60);
    for _ in 0..60 {
        let body = format!(
            r#"{{"eventId":"e","eventCreated":1764000000,"storeId":1003,"entityId":1,"eventType":"order.updated",
            "data":{{"orderId":"{long}","newPaymentStatus":"{long}"}}}}"#
        );
        serve.post("shop", body);
    }
    serve.settled(61);
    let shared: usize =
        ["/page.css", "/page.js", "/page.svg"].iter().map(|path| serve.admin_page(path).body.len()).sum();
    for path in [
        "/",
        "/notifications",
        "/notifications/61",
        "/order?source=old&id=1207",
        "/fakes",
        "/deliveries",
        "/report",
        "/settings",
    ] {
        let weight = page(&serve, path).len() + shared;
        assert!(weight <= 100_000, "{path} weighs {weight}");
    }
}

#[test]
fn looking_writes_nothing() {
    let (house, serve) = told_of(&[1207, 2000]);
    let conn = rusqlite::Connection::open(house.store_path()).unwrap();
    // It changes with each commit of another connection.
    let version = || conn.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let wrote_nothing = || {
        let before = version();
        for path in ["/", "/notifications", "/notifications/1", "/fakes", "/report", "/settings"] {
            page(&serve, path);
        }
        version() == before
    };
    // What serve writes by itself now and then may fall into one look, not into each.
    assert!((0..5).any(|_| wrote_nothing()));
}
