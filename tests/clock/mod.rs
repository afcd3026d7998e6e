//! A clock that jumps by hours, ahead and back: no work is lost or forgotten, and no shop is asked more than it allows.

use std::time::Duration;

use chrono::TimeDelta;
use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Shops, Trouble};

use crate::actions::Endpoint;
use crate::support::disk::{Disk, Word};
use crate::support::load::Load;
use crate::support::{Request, Serve, TestEnv, assert_verdict, paid};

const PATIENCE: Duration = Duration::from_secs(20);
const HOUR: i64 = 3600;

/// Sets the clock of a running service, and waits until it has noticed.
pub(crate) fn jump(serve: &Serve, disk: &Disk, by_seconds: i64) {
    let noticed = |log: &str| log.matches("the clock was set").count();
    let before = noticed(&serve.log());
    disk.set(Word::ClockSeconds, disk.get(Word::ClockSeconds) + by_seconds);
    let lines = std::cell::Cell::new(0);
    serve.wait_for_line("it notices the clock", |line| {
        lines.set(lines.get() + usize::from(line.contains("the clock was set")));
        lines.get() > before
    });
}

/// Asserts that no window of a second saw more than `limit` calls, by a clock that was not set.
#[track_caller]
fn assert_rate(shops: &Shops, limit: usize) {
    let times: Vec<_> = shops.calls().iter().map(|call| call.at).collect();
    for pair in times.windows(limit + 1) {
        assert!(pair[limit] - pair[0] >= TimeDelta::seconds(1), "too many calls: {times:#?}");
    }
}

#[test]
fn a_question_planned_before_the_clock_was_set_back_keeps_its_delay() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let fault = shops.add_fault(Fault::status(500));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_error");
    jump(&serve, &disk, -3 * HOUR);
    shops.clear_fault(fault);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn the_rate_limit_holds_across_jumps_in_both_directions() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 30, "rate_limit = \"5/s\"");
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let serve = env.serve_on(&disk);
    for n in 1..=30 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    for (answers, by) in [(4, 2 * HOUR), (9, -5 * HOUR), (14, 26 * HOUR), (19, -HOUR)] {
        assert!(shops.wait_for_answers(answers, PATIENCE));
        jump(&serve, &disk, by);
    }
    for id in 1..=30 {
        serve.settled(id);
        assert_eq!(env.row(id).outcomes, ["match"]);
    }
    assert_eq!(shops.calls().len(), 30);
    assert_rate(shops, 5);
}

#[test]
fn a_pause_that_the_shop_asked_for_lasts_also_when_the_clock_is_set_ahead() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    shops.add_fault(Fault::too_many(Some("3")).times(1));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_rate_limited");
    jump(&serve, &disk, 5 * HOUR);
    serve.settled(1);
    let calls = shops.calls();
    assert!(calls[1].at - calls[0].at >= TimeDelta::milliseconds(2900), "{calls:#?}");
}

#[test]
fn what_is_being_asked_is_asked_once_and_counts_whatever_the_clock_does() {
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 1);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    for by in [2 * HOUR, -9 * HOUR, 30 * HOUR] {
        jump(&serve, &disk, by);
    }
    // Stored and seen by the worker: by then it would have asked again.
    serve.post("shop", "too broken to be asked about");
    serve.settled(2);
    assert_eq!(shops.calls().len(), 1);
    shops.clear_fault(held);
    serve.settled(1);
    assert_eq!(env.row(1).outcomes, ["match"]);
}

#[test]
fn what_is_not_there_yet_is_not_judged_because_the_clock_was_set_ahead() {
    let env = TestEnv::new().verify("grace = \"3s\"").ion_shop("shop", 1003, 0);
    let disk = Disk::new();
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "late"));
    serve.pending(1, "not_yet");
    jump(&serve, &disk, HOUR);
    env.ion_store(1003).put_order(Order::new("late", 7).order_number(7).paid());
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn nor_is_what_was_never_asked_about_before_and_a_reload_changes_nothing() {
    let env = TestEnv::new()
        .verify("grace = \"4s\"\nconcurrency = 1\ntimeout = \"60s\"")
        .server_keys("drain = \"1s\"")
        .ion_shop("shop", 1003, 0);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "held"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.post("shop", paid(1003, "late"));
    jump(&serve, &disk, HOUR);
    serve.signal("HUP");
    serve.wait_for_line("the reload is over", |line| line.ends_with("reloaded the configuration"));
    shops.clear_fault(held);
    // The second one is read in another turn than the first one, in which the new worker could have asked.
    for id in [3, 4] {
        serve.post("shop", "too broken to be asked about");
        serve.settled(id);
    }
    env.ion_store(1003).put_order(Order::new("late", 7).order_number(7).paid());
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
}

#[test]
fn a_first_question_that_came_while_the_clock_was_ahead_is_due_at_once() {
    let env = TestEnv::new().verify("denied_pause = \"1h\"").ion_shop("shop", 1003, 2);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let denied = shops.add_fault(Fault::status(401));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_denied");
    jump(&serve, &disk, 5 * HOUR);
    env.wait_for_value("SELECT resume_at > strftime('%FT%TZ', 'now', '+5 hours') FROM outages", "1");
    let another = Request::post("/hooks/shop").header("x-forwarded-for", "203.0.113.9");
    serve.send(&another.body(paid(1003, "o.2")));
    env.wait_for_value("SELECT count(*) FROM fair_queue WHERE sender = '203.0.113.9'", "1");
    jump(&serve, &disk, -5 * HOUR);
    shops.clear_fault(denied);
    // It ends the pause.
    serve.signal("HUP");
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn a_question_under_way_while_the_clock_is_set_back_keeps_its_delay() {
    let env = TestEnv::new().verify("grace = \"1h\"").ion_shop("shop", 1003, 0);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "late"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    jump(&serve, &disk, -5 * HOUR);
    shops.clear_fault(held);
    serve.pending(1, "not_yet");
    env.ion_store(1003).put_order(Order::new("late", 7).order_number(7).paid());
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn a_jump_of_weeks_is_no_reason_to_give_up_before_eight_questions() {
    let env = TestEnv::new().verify("retry_base = \"1h\"\nretry_cap = \"1h\"").ion_shop("shop", 1003, 1);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    // The order's own trouble: each question is followed by the control question, which is answered.
    let fault = shops.add_fault(Fault::status(500).path("/orders/o.1"));
    let serve = env.serve_on(&disk);
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_error");
    for questions in 2..=7 {
        jump(&serve, &disk, 9 * 24 * HOUR);
        assert!(shops.wait_for_answers(2 * questions, PATIENCE), "not asked again");
    }
    serve.stop();
    let row = env.row(1);
    assert_eq!(row.state, "pending", "{row:#?}");
    shops.clear_fault(fault);
    disk.set(Word::ClockSeconds, disk.get(Word::ClockSeconds) + 2 * HOUR);
    let serve = env.serve_on(&disk);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn everything_that_was_acknowledged_under_load_settles_whatever_the_clock_does() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
    let (disk, load) = (Disk::new(), Load::new(env.ion_store(1003)));
    let serve = env.serve_on(&disk);
    let mut answered = 0;
    load.run(serve.intake, 4, |_| {
        answered += 1;
        match answered {
            20 => disk.set(Word::ClockSeconds, 5 * HOUR),
            40 => disk.set(Word::ClockSeconds, -20 * HOUR),
            60 => disk.set(Word::ClockSeconds, 365 * 24 * HOUR),
            80 => disk.set(Word::ClockSeconds, 0),
            _ => {}
        }
        answered == 100
    });
    for row in env.rows() {
        serve.settled(row.id);
    }
    load.assert_kept(&env.bodies());
    for row in env.rows() {
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.outcomes, ["match"]);
    }
}

/// An environment whose action gets 500, `serve` on a disk with a clock to set, and a delivery that was tried once.
fn failing_delivery(retry: &str) -> (TestEnv, Endpoint, Disk, Serve) {
    let endpoint = Endpoint::answering(|_| crate::actions::status(500, "", ""));
    let (env, store) = crate::news::env();
    let env = env.action("erp", &format!("url = \"{}\"\nretry = [\"{retry}\"]\n", endpoint.url()));
    let disk = Disk::new();
    let serve = env.serve_on(&disk);
    store.put_order(crate::news::order(1));
    crate::news::tell(&serve, crate::news::about_order("order.updated", 1, "e1"), 1);
    env.wait_for_value("SELECT attempts >= 1 FROM deliveries", "1");
    (env, endpoint, disk, serve)
}

#[test]
fn a_delivery_planned_before_the_clock_was_set_back_keeps_its_delay() {
    let (env, endpoint, disk, serve) = failing_delivery("2s");
    jump(&serve, &disk, -3 * HOUR);
    endpoint.answer(|_| crate::actions::ok());
    env.wait_for_value("SELECT state FROM deliveries", "delivered");
    let since = "SELECT julianday(since) <= julianday(at) FROM deliveries, (SELECT max(at) AS at FROM delivery_attempts)";
    assert_eq!(env.value(since).as_deref(), Some("1"), "it is as old as it was");
}

#[test]
fn a_jump_of_weeks_is_no_reason_to_give_up_on_a_delivery() {
    let (env, endpoint, disk, serve) = failing_delivery("1h");
    jump(&serve, &disk, 30 * 24 * HOUR);
    endpoint.wait_for(2);
    env.wait_for_value("SELECT attempts FROM deliveries", "2");
    assert_eq!(env.value("SELECT state FROM deliveries").as_deref(), Some("waiting"));
}

#[test]
fn times_further_ahead_than_any_that_is_planned_keep_nothing_waiting() {
    let (env, endpoint, disk, serve) = failing_delivery("1h");
    let shops = env.simulator.shops();
    let fault = shops.add_fault(Fault::status(503));
    serve.post("shop", crate::news::about_order("order.updated", 1, "e2"));
    serve.pending(2, "api_error");
    serve.stop();
    shops.clear_fault(fault);
    endpoint.answer(|_| crate::actions::ok());
    // As a process leaves them that died while the clock was wrong.
    let conn = rusqlite::Connection::open(env.store_path()).expect("the store");
    let changed = conn.execute_batch(
        "UPDATE verdicts SET next_attempt_at = '2055-01-01T00:00:00.000Z' WHERE state = 'pending';
             UPDATE fair_queue SET due_at = '2055-01-01T00:00:00.000Z', position = NULL;
             UPDATE outages SET resume_at = '2055-01-01T00:00:00.000Z';
             UPDATE api_calls SET counts_until = 2682374400000;
             UPDATE deliveries SET next_attempt_at = '2055-01-01T00:00:00.000Z', lease = 'dead-1',
               lease_until = '2055-01-01T00:00:00.000Z';
             UPDATE action_states SET held_until = '2055-01-01T00:00:00.000Z'",
    );
    changed.expect("the times are set");
    drop(conn);
    let serve = env.serve_on(&disk);
    serve.settled(2);
    env.wait_for_value("SELECT DISTINCT state FROM deliveries", "delivered");
}
