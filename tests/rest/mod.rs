//! A service with nothing to do: it commits nothing and hardly uses the processor, whatever waits in its store.

use std::time::{Duration, Instant};

use countersign::simulator::Fault;
use rusqlite::{Connection, OpenFlags};

use crate::support::{Serve, TestEnv, paid};

/// How long rest is watched.
const WINDOW: Duration = Duration::from_secs(2);

/// What a service at rest may use of that: 50 ms. A worker that never rests uses all of it.
const MOST_TICKS: u64 = 5;

/// How long it may take until what was begun is over.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the service did so far.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Done {
    /// Transactions of its own, as `/metrics` counts them.
    commits: String,
    /// What SQLite shows every other connection of them.
    data_version: i64,
    /// Processor time, in hundredths of a second.
    ticks: u64,
}

fn done(serve: &Serve, store: &Connection) -> Done {
    let metrics = serve.admin_page("/metrics").text();
    let commits = metrics.lines().find(|line| line.starts_with("countersign_commits_total "));
    Done {
        commits: commits.expect("the count of commits").to_owned(),
        data_version: store.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap(),
        ticks: serve.processor_ticks(),
    }
}

/// Waits for a window in which nothing is committed and the processor is left alone.
#[track_caller]
fn comes_to_rest(env: &TestEnv, serve: &Serve) {
    let store = Connection::open_with_flags(env.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = done(serve, &store);
        std::thread::sleep(WINDOW);
        let after = done(serve, &store);
        let is_quiet = (&before.commits, before.data_version) == (&after.commits, after.data_version);
        if is_quiet && after.ticks - before.ticks <= MOST_TICKS {
            return;
        }
        assert!(Instant::now() < deadline, "no rest: {before:?}, {WINDOW:?} later {after:?}");
    }
}

#[test]
fn a_service_whose_notifications_are_all_settled_rests() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve();
    comes_to_rest(&env, &serve);
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    comes_to_rest(&env, &serve);
}

#[test]
fn a_service_that_asks_again_later_rests_until_then() {
    let env = TestEnv::new().verify("retry_base = \"1h\"\nretry_cap = \"1h\"").ion_shop("shop", 1003, 2);
    env.simulator.shops().add_fault(Fault::status(500).path("/orders/o.2"));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    serve.post("shop", paid(1003, "o.2"));
    serve.pending(2, "api_error");
    comes_to_rest(&env, &serve);
}

#[test]
fn a_service_whose_source_is_paused_rests_until_the_pause_is_over() {
    let env = TestEnv::new().verify("denied_pause = \"1h\"").ion_shop("shop", 1003, 3);
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    env.simulator.shops().add_fault(Fault::status(403));
    serve.post("shop", paid(1003, "o.2"));
    serve.pending(2, "api_denied");
    serve.post("shop", paid(1003, "o.3"));
    comes_to_rest(&env, &serve);
}

#[test]
fn a_service_whose_budget_is_spent_rests_until_the_next_call() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 3, "rate_limit = \"1/h\"");
    let serve = env.serve();
    for order in ["o.1", "o.2", "o.3"] {
        serve.post("shop", paid(1003, order));
    }
    serve.settled(1);
    comes_to_rest(&env, &serve);
}

#[test]
fn a_service_rests_beside_unread_notifications_of_a_source_that_was_removed() {
    let both = TestEnv::new().ion_shop("gone", 1004, 1);
    let with_both = both.serve_with(&["--no-worker"]);
    with_both.post("gone", paid(1004, "o.1"));
    assert!(with_both.stop().success());
    let env = both.without_sources().ion_shop("shop", 1003, 1);
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(2);
    comes_to_rest(&env, &serve);
}

#[test]
fn a_service_without_a_worker_rests_beside_what_it_only_stores() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let serve = env.serve_with(&["--no-worker"]);
    for _ in 0..50 {
        assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    }
    comes_to_rest(&env, &serve);
}
