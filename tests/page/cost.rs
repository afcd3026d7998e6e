//! What the page may cost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{filled, page, told_of};
use crate::support::Serve;
use crate::support::formats::{self, OLD, SHOP};

#[test]
fn a_filter_that_no_index_serves_looks_at_10_000_rows_and_offers_to_go_on() {
    let env = filled(10_500);
    let serve = env.serve_with(&["--no-worker"]);
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
    let env = filled(30_000);
    let serve = env.serve_with(&["--no-worker"]);
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

/// What makes the heaviest pages: long texts of characters that take the most room in HTML.
fn heavy(serve: &Serve) {
    let long = "<&\u{e9}>".repeat(50);
    let sent = |n: u32, data: &str| {
        let body = format!(
            r#"{{"eventId":"e{n}","eventCreated":1764000000,"storeId":1003,"entityId":1,"eventType":"order.updated",
            "data":{{"orderId":"{n}{long}","newPaymentStatus":"{long}"{data}}}}}"#
        );
        let sender = format!("198.51.{}.{}", 100 + n / 200, n % 200);
        let request = SHOP.request(body).header("X-Forwarded-For", &sender);
        (0..40).fold(request, |request, at| request.header(&format!("X-Long-{at}"), &"<&>".repeat(60)))
    };
    for n in 0..120 {
        assert_eq!(serve.send(&sent(n, "")).status, 200);
    }
    let many: String = (0..300).map(|at| format!(r#","<{at}>":"{long}""#)).collect();
    assert_eq!(serve.send(&sent(120, &many)).status, 200);
    let quotes = format!(r#","x":[{}0]"#, "\"a\",".repeat(20_000));
    assert_eq!(serve.send(&SHOP.request(format!(r#"{{"eventType":"x"{quotes}}}"#))).status, 200);
    assert_eq!(serve.send(&SHOP.request("<".repeat(80_000))).status, 200);
}

#[test]
fn no_page_weighs_more_than_100_kb_with_everything_that_it_loads() {
    let env = formats::env().action(
        "bad",
        "command = [\"/bin/sh\", \"-c\", \"cat > /dev/null; yes '<&>' | head -c 1000 >&2; exit 65\"]",
    );
    let serve = env.serve();
    for (id, number) in (1..).zip([1207, 1208, 1209]) {
        serve.send(&OLD.request(OLD.truth(number)));
        serve.settled(id);
    }
    heavy(&serve);
    serve.settled(126);
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'dead'", "3");
    env.wait_for_value("SELECT count(*) FROM notifications WHERE state = 'pending'", "0");
    let shared: usize =
        ["/page.css", "/page.js", "/page.svg"].iter().map(|path| serve.admin_page(path).body.len()).sum();
    let subject = env.value("SELECT subject_id FROM notifications WHERE id = 124").unwrap();
    let subject: String = form_urlencoded::byte_serialize(subject.as_bytes()).collect();
    for path in [
        "/",
        "/notifications",
        "/notifications?state=ignored&sender=198.51.100.7",
        "/notifications/1",
        "/notifications/124",
        "/notifications/125",
        "/notifications/126",
        "/notifications/retry?state=ignored",
        &format!("/order?source=shop&id={subject}"),
        "/order?source=old&id=1207",
        "/find?id=nothing",
        "/fakes",
        "/deliveries",
        "/deliveries/redeliver?state=dead",
        "/report",
        "/report?from=30d",
        "/settings",
        "/done?change=retry&done=3&refused=1&left=2&back=/notifications",
    ] {
        let weight = page(&serve, path).len() + shared;
        assert!(weight <= 100_000, "{path} weighs {weight}");
    }
    let answer = serve.admin_page(&format!("/notifications?subject={}", "%3C".repeat(301)));
    assert!(answer.status == 400 && answer.body.len() + shared <= 100_000, "{}", answer.text());
    let shown = page(&serve, "/notifications/125");
    assert!(shown.contains("the first 65536 of "), "quotes take no more room than they are");
    assert!(page(&serve, "/notifications/126").contains(" of 80000 bytes"));
}

#[test]
fn rows_that_a_page_has_no_room_for_are_on_the_next_one() {
    let (_env, serve) = told_of(&[]);
    heavy(&serve);
    serve.settled(123);
    let mut address = "/notifications".to_owned();
    let mut ids: Vec<u32> = Vec::new();
    let mut pages = 0;
    loop {
        let html = page(&serve, &address);
        let rows = html
            .split("<tr id=\"n")
            .skip(1)
            .map(|row| row.split('"').next().unwrap().parse::<u32>().unwrap());
        ids.extend(rows);
        pages += 1;
        let Some(next) = html.split("rel=\"next\" href=\"").nth(1) else { break };
        address = next.split('"').next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(ids, (1..=123).rev().collect::<Vec<_>>());
    assert!(pages > 3, "50 rows would be too heavy");
}

#[test]
fn looking_writes_nothing() {
    let (env, serve) = told_of(&[1207, 2000]);
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
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
