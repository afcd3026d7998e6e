//! Section 11 of the contract: the page for people, asked for over HTTP as a browser, a script or a stranger would.

mod browser;
mod changes;
mod cost;
mod deliveries;
mod doors;
mod exports;
mod owner;
mod pictures;
mod strangers;
mod tail;
mod views;

use rusqlite::Connection;

use crate::support::formats::{self, OLD};
use crate::support::{Request, Response, Serve, TestEnv};

/// Presses a button as a browser does on the page itself.
pub(crate) fn press(serve: &Serve, path: &str, form: &str) -> Response {
    form_of(path, form).header("Sec-Fetch-Site", "same-origin").send(serve.admin)
}

fn form_of(path: &str, form: &str) -> Request {
    Request::post(path).header("Content-Type", "application/x-www-form-urlencoded").body(form)
}

/// A page that has to be there.
#[track_caller]
fn page(serve: &Serve, path: &str) -> String {
    let answer = serve.admin_page(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

/// The page that a change leads to.
#[track_caller]
fn follow(serve: &Serve, answer: &Response) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    page(serve, answer.header("location").unwrap())
}

/// The shops of five formats, and `serve` on them, after these orders came to the source `old`; an order from 2000 on is
/// invented.
fn told_of(orders: &[u64]) -> (TestEnv, Serve) {
    let env = formats::env();
    let serve = env.serve();
    for (at, number) in orders.iter().enumerate() {
        serve.send(&OLD.request(OLD.truth(*number)));
        serve.settled(i64::try_from(at).unwrap() + 1);
    }
    (env, serve)
}

/// A store in which the fake that is notification 1 stands so many times; the copies came from 198.51.100.7.
fn filled(rows: u32) -> TestEnv {
    let (env, serve) = told_of(&[2000]);
    assert!(serve.stop().success());
    let conn = Connection::open(env.store_path()).unwrap();
    conn.execute_batch(&format!(
        "BEGIN;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO intake (id, source, provider, received_at, remote_addr, content_type, headers, body)
         SELECT i, source, provider, received_at, '198.51.100.7', content_type, headers, body FROM n, intake WHERE i > 1 AND id = 1;
         INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, claim,
           claim_key, state, reason, detail, probes_since, decided_at)
         SELECT i.id, v.source, v.received_at, v.day, '198.51.100.7', event, subject_kind, subject_id, claim,
           claim_key || i.id, state, reason, detail, probes_since, decided_at
         FROM intake i, verdicts v WHERE i.id > 1 AND v.notification_id = 1;
         COMMIT;"
    ))
    .unwrap();
    env
}

/// The addresses that a page leads to and that begin so, as they stand in its HTML.
fn links<'a>(html: &'a str, start: &str) -> Vec<&'a str> {
    let after = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    after.filter(|address| address.starts_with(start)).collect()
}
