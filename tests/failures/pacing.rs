//! Rate limit, concurrency, and shops that must not wait for each other.

use chrono::TimeDelta;
use countersign::simulator::{Fault, Trouble};

use super::{PATIENCE, assert_rate, times};
use crate::support::{Request, TestEnv, assert_verdict, paid};

#[test]
fn a_slow_or_dead_shop_delays_neither_another_shops_verdicts_nor_an_acknowledgement() {
    for concurrency in [2, 8] {
        let env = TestEnv::new()
            .verify(&format!("concurrency = {concurrency}\ntimeout = \"60s\""))
            .ion_shop("dead", 1003, 10)
            .ion_shop("alive", 1004, 10);
        let shops = env.simulator.shops();
        let held = shops.add_fault(Fault::new(Trouble::Hold).store("1003"));
        let serve = env.serve();
        for n in 1..=10 {
            assert_eq!(serve.post("dead", paid(1003, &format!("o.{n}"))).status, 200);
        }
        assert!(shops.wait_for_call(|call| call.store == "1003", PATIENCE));
        for n in 1..=10 {
            assert_eq!(serve.post("alive", paid(1004, &format!("o.{n}"))).status, 200);
        }
        for id in 11..=20 {
            serve.settled(id);
            assert_verdict(&env.row(id), "confirmed", "match");
        }
        assert!(env.rows().iter().filter(|row| row.id <= 10).all(|row| row.state == "pending"));
        shops.clear_fault(held);
        for id in 1..=10 {
            serve.settled(id);
        }
        assert!(shops.max_in_flight() <= concurrency, "{} at once", shops.max_in_flight());
    }
}

#[test]
fn a_shop_that_was_well_and_is_slow_now_leaves_a_place_to_the_others() {
    let env = TestEnv::new()
        .verify("concurrency = 2\ntimeout = \"60s\"")
        .ion_shop("slow", 1003, 6)
        .ion_shop("other", 1004, 1);
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.post("slow", paid(1003, "o.1"));
    serve.settled(1);
    let held = shops.add_fault(Fault::new(Trouble::Hold).store("1003"));
    for n in 2..=6 {
        serve.post("slow", paid(1003, &format!("o.{n}")));
    }
    assert!(shops.wait_for_calls(2, PATIENCE));
    serve.post("other", paid(1004, "o.1"));
    serve.settled(7);
    assert_verdict(&env.row(7), "confirmed", "match");
    shops.clear_fault(held);
    for id in 2..=6 {
        serve.settled(id);
    }
}

#[test]
fn no_more_calls_are_under_way_at_once_than_concurrency_allows() {
    let env = TestEnv::new().verify("concurrency = 3").ion_shop("shop", 1003, 30);
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(1);
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    for n in 2..=30 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(shops.wait_for_calls(4, PATIENCE), "three at once");
    shops.clear_fault(held);
    for id in 2..=30 {
        serve.settled(id);
    }
    assert_eq!(shops.max_in_flight(), 3);
}

#[test]
fn no_window_sees_more_calls_than_the_rate_limit() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 25, "rate_limit = \"10/s\"");
    let serve = env.serve();
    for n in 1..=25 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    for id in 1..=25 {
        serve.settled(id);
    }
    assert_eq!(env.simulator.shops().calls().len(), 25);
    assert_rate(env.simulator.shops(), 10, TimeDelta::seconds(1));
}

#[test]
fn half_of_a_minutes_calls_go_at_once_and_the_others_one_after_the_other() {
    let lines = "rate_limit = \"60/min\"";
    let env = TestEnv::new().verify("concurrency = 64").ion_shop_with("shop", 1003, 36, lines);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 1..=35 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(serve.stop().success());
    let serve = env.serve();
    (1..=30).for_each(|id| serve.settled(id));
    // What comes in now, from somebody who sent nothing yet, need not wait for the end of the minute.
    let late = Request::post("/hooks/shop").header("X-Forwarded-For", "198.51.100.1");
    assert_eq!(serve.send(&late.body(paid(1003, "o.36"))).status, 200);
    (31..=36).for_each(|id| serve.settled(id));
    let times = times(env.simulator.shops(), "");
    // 0.4 s before the first of the last six, and a little more before each of the others.
    assert!(times[35] - times[29] >= TimeDelta::seconds(2), "{times:#?}");
    assert!(times[35] - times[0] < TimeDelta::seconds(55), "not at the minute's end: {times:#?}");
}

#[test]
fn serve_and_verify_share_one_rate_limit_and_verify_settles_all_that_is_due() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 30, "rate_limit = \"10/s\"");
    let serve = env.serve();
    for n in 1..=30 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    let verify = env.run(&["verify"]);
    assert_eq!(verify.status.code(), Some(0), "{}", String::from_utf8_lossy(&verify.stderr));
    serve.stop();
    assert_eq!(env.run(&["verify"]).status.code(), Some(0));
    assert!(env.rows().iter().all(|row| row.state == "confirmed" && row.outcomes.len() == 1));
    assert_rate(env.simulator.shops(), 10, TimeDelta::seconds(1));
}

#[test]
fn a_second_question_about_one_subject_counts_against_the_rate_limit_too() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"4/s\"");
    let serve = env.serve();
    for n in 1..=5 {
        serve.post("shop", paid(1003, &format!("gone.{n}")));
    }
    for id in 1..=5 {
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "not_found");
    }
    assert_eq!(env.simulator.shops().calls().len(), 10, "each by its path and by the list");
    assert_rate(env.simulator.shops(), 4, TimeDelta::seconds(1));
}
