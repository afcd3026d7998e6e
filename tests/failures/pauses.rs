//! A pause that a shop asks for holds for the whole source.

use chrono::TimeDelta;
use countersign::simulator::{Fault, Trouble};

use super::{PATIENCE, times};
use crate::support::{TestEnv, assert_verdict, paid};

const SECOND: TimeDelta = TimeDelta::seconds(1);

#[test]
fn after_a_429_nothing_of_that_source_is_asked_and_the_others_go_on() {
    let env = TestEnv::new().ion_shop("shop", 1003, 3).ion_shop("other", 1004, 1);
    let shops = env.simulator.shops();
    shops.add_fault(Fault::too_many(Some("3600")).store("1003").times(1));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_rate_limited");
    serve.post("shop", paid(1003, "o.2"));
    serve.post("shop", paid(1003, "o.3"));
    serve.post("other", paid(1004, "o.1"));
    serve.settled(4);
    assert_eq!(times(shops, "/1003/").len(), 1, "the other source goes on, this one waits");
}

#[test]
fn when_retry_after_is_over_all_of_that_source_are_asked_about() {
    let env = TestEnv::new().ion_shop("shop", 1003, 3);
    let shops = env.simulator.shops();
    shops.add_fault(Fault::too_many(Some("1")).store("1003").times(1));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_rate_limited");
    serve.post("shop", paid(1003, "o.2"));
    serve.post("shop", paid(1003, "o.3"));
    for id in 1..=3 {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.outcomes, if id == 1 { &["api_rate_limited", "match"][..] } else { &["match"] });
    }
    let asked = times(shops, "/1003/");
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked[1] - asked[0] >= SECOND, "{asked:?}");
}

#[test]
fn an_answer_to_an_earlier_question_does_not_end_the_pause() {
    let env = TestEnv::new().ion_shop("shop", 1003, 3);
    let shops = env.simulator.shops();
    let serve = env.serve();
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("/orders/o.1"));
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_call(|call| call.target.ends_with("/orders/o.1"), PATIENCE));
    shops.add_fault(Fault::too_many(Some("1")).path("/orders/o.2").times(1));
    serve.post("shop", paid(1003, "o.2"));
    serve.pending(2, "api_rate_limited");
    shops.clear_fault(held);
    serve.settled(1);
    serve.post("shop", paid(1003, "o.3"));
    serve.settled(3);
    let paused_at = times(shops, "/orders/o.2")[0];
    let asked = times(shops, "/orders/o.3");
    assert!(asked[0] - paused_at >= SECOND, "asked {} after the 429", asked[0] - paused_at);
}

#[test]
fn further_calls_of_a_question_under_way_honour_the_pause_too() {
    let env = TestEnv::new().ion_shop("shop", 1003, 2);
    let shops = env.simulator.shops();
    let serve = env.serve();
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("/orders/gone"));
    serve.post("shop", paid(1003, "gone"));
    assert!(shops.wait_for_call(|call| call.target.ends_with("/orders/gone"), PATIENCE));
    shops.add_fault(Fault::too_many(Some("1")).path("/orders/o.2").times(1));
    serve.post("shop", paid(1003, "o.2"));
    serve.pending(2, "api_rate_limited");
    shops.clear_fault(held);
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    let paused_at = times(shops, "/orders/o.2")[0];
    let searched = times(shops, "orders?ids=gone");
    assert!(searched[0] - paused_at >= SECOND, "searched {} after the 429", searched[0] - paused_at);
}

#[test]
fn neither_a_restart_nor_a_retry_breaks_a_pause_that_the_shop_asked_for() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let shops = env.simulator.shops();
    shops.add_fault(Fault::too_many(Some("2")).times(1));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_rate_limited");
    serve.kill();
    let serve = env.serve();
    assert!(env.run(&["retry", "1"]).status.success());
    serve.settled(1);
    let asked = times(shops, "/1003/");
    assert!(asked[1] - asked[0] >= SECOND + SECOND, "{asked:?}");
}
