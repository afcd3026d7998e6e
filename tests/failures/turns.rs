//! What one call settles, who comes first, and who takes turns.

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Trouble};

use super::{PATIENCE, orders_asked, times};
use crate::support::{Request, TestEnv, assert_verdict, ion, paid};

#[test]
fn an_answer_judges_only_what_was_stored_before_its_question_was_sent() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", 1003, 0);
    let store = env.ion_store(1003);
    store.put_order(Order::new("o.1", 41).order_number(1).payment("AWAITING_PAYMENT"));
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold).times(1));
    let serve = env.serve();
    serve.post("shop", ion(1003, "o.1", "QUEUED"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    assert!(store.edit_order("o.1", Order::paid));
    serve.post("shop", ion(1003, "o.1", "ACCEPTED"));
    shops.clear_fault(held);
    for id in [1, 2] {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.outcomes, ["match"], "{row:#?}");
    }
    let calls = env.value("SELECT count(DISTINCT call_id) FROM verifications");
    assert_eq!(calls.as_deref(), Some("2"));
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("PAID"));
}

#[test]
fn an_answer_older_than_the_truth_held_settles_nothing_and_overwrites_nothing() {
    let env = TestEnv::new().verify("concurrency = 4").ion_shop("shop", 1003, 0);
    let store = env.ion_store(1003);
    store.put_order(Order::new("o.1", 41).order_number(1).payment("AWAITING_PAYMENT"));
    store.put_order(Order::new("o.2", 42).order_number(2).paid());
    let shops = env.simulator.shops();
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.2"));
    serve.settled(1);
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("/orders/o.1").times(1));
    serve.post("shop", ion(1003, "o.1", "QUEUED"));
    assert!(shops.wait_for_call(|call| call.target.ends_with("/orders/o.1"), PATIENCE));
    let later = shops.now() + chrono::TimeDelta::seconds(60);
    assert!(store.edit_order("o.1", |order| order.paid().updated_at(later)));
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(3);
    assert_verdict(&env.row(3), "confirmed", "match");
    shops.clear_fault(held);
    serve.settled(2);
    let row = env.row(2);
    assert_verdict(&row, "ignored", "mismatch");
    assert_eq!(row.outcomes, ["not_yet", "mismatch"], "{row:#?}");
    assert_eq!(env.value("SELECT status FROM orders WHERE order_id = 'o.1'").as_deref(), Some("PAID"));
}

#[test]
fn first_questions_go_before_repeated_ones() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", 1003, 3);
    let shops = env.simulator.shops();
    let fault = shops.add_fault(Fault::status(500).path("/orders/o.1"));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_error");
    assert!(serve.stop().success());
    shops.clear_fault(fault);
    shops.clear_calls();
    let serve = env.serve_with(&["--no-worker"]);
    serve.post("shop", paid(1003, "o.2"));
    serve.post("shop", paid(1003, "o.3"));
    // The repeated question is due long before this command begins.
    env.run(&["retry", "99"]);
    assert_eq!(env.run(&["verify"]).status.code(), Some(0));
    let asked = orders_asked(shops);
    assert_eq!(asked[..2], ["o.2", "o.3"]);
}

#[test]
fn sender_addresses_take_turns() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", 1003, 9);
    let serve = env.serve_with(&["--no-worker"]);
    let post = |sender: &str, order: u64| {
        let body = paid(1003, &format!("o.{order}"));
        serve.send(&Request::post("/hooks/shop").header("X-Forwarded-For", sender).body(body));
    };
    for order in 1..=7 {
        post("203.0.113.66", order);
    }
    post("198.51.100.1", 8);
    post("203.0.113.99", 9);
    assert_eq!(env.run(&["verify"]).status.code(), Some(0));
    let asked = orders_asked(env.simulator.shops());
    assert_eq!(asked.len(), 9);
    for order in ["o.8", "o.9"] {
        let place = asked.iter().position(|asked| asked == order).unwrap();
        assert!(place < 3, "{order} came only after {place} others: {asked:?}");
    }
}

#[test]
fn what_serve_stores_without_a_worker_is_settled_by_verify() {
    let env = TestEnv::new().ion_shop("shop", 1003, 5);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 1..=5 {
        serve.post("shop", paid(1003, &format!("o.{n}")));
    }
    assert!(serve.stop().success());
    assert!(times(env.simulator.shops(), "").is_empty(), "nothing is asked without a worker");
    assert!(env.rows().iter().all(|row| row.state == "pending"));
    assert_eq!(env.run(&["verify"]).status.code(), Some(0));
    assert!(env.rows().iter().all(|row| row.state == "confirmed"));
    let before = env.simulator.shops().calls().len();
    assert_eq!(env.run(&["verify"]).status.code(), Some(0), "with nothing left to do");
    assert_eq!(env.simulator.shops().calls().len(), before);
}
