//! A waiting notification that says what the shop says counts as told; what waits for too long is a finding itself.

use std::time::Duration;

use countersign::simulator::ecwid::Order;

use super::{ecwid_env, ecwid_lines, notification, now, receive, reconcile, sell_and_tell, webhook};
use crate::support::TestEnv;

#[test]
fn a_waiting_notification_that_says_so_counts_as_told_whether_it_was_read_or_not() {
    let (env, shop) = ecwid_env();
    let serve = env.serve_with(&["--no-worker"]);
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    shop.put_order(Order::new("SALE-2", 1002).paid());
    serve.post("shop", webhook("order.created", "SALE-2", 1002, "REFUNDED", "AWAITING_PROCESSING"));
    for _ in 0..2 {
        let run = reconcile(&env, &[]);
        assert_eq!(run.code, Some(3), "{run:#?}");
        assert_eq!(run.findings("shop"), ["missed SALE-2 - PAID/AWAITING_PROCESSING"]);
        assert_eq!(run.source("shop")["counts"]["pending"], 2);
    }
}

#[test]
fn a_waiting_notification_of_the_new_status_is_no_drift() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    serve.stop();
    shop.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    let told = webhook("order.updated", "SALE-1", 1001, "REFUNDED", "AWAITING_PROCESSING");
    receive(&env, vec![notification("shop", "ecwid", now(), told)]);
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]), "{run:#?}");
}

#[test]
fn a_waiting_deletion_is_no_vanished_order() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    serve.stop();
    shop.delete_order("SALE-1");
    let told = webhook("order.deleted", "SALE-1", 1001, "PAID", "AWAITING_PROCESSING");
    receive(&env, vec![notification("shop", "ecwid", now(), told)]);
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]), "{run:#?}");
}

#[test]
fn what_has_been_pending_for_longer_than_an_hour_is_open() {
    let (env, shop) = ecwid_env();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let told = || webhook("order.created", "SALE-1", 1001, "PAID", "AWAITING_PROCESSING");
    let minutes_ago = |minutes: u64| now().minus(Duration::from_secs(60 * minutes));
    let notifications =
        [90, 61, 59].map(|minutes| notification("shop", "ecwid", minutes_ago(minutes), told())).to_vec();
    receive(&env, notifications);
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    let findings = run.source("shop")["findings"].as_array().unwrap();
    let ids: Vec<_> =
        findings.iter().map(|finding| (&finding["kind"], &finding["notification_id"])).collect();
    assert_eq!(ids, [(&"open".into(), &1.into()), (&"open".into(), &2.into())]);
}

#[test]
fn what_is_undecided_is_open() {
    let (env, _shop) = ecwid_env();
    let env = env.verify("give_up_after = \"1ms\"");
    let serve = env.serve();
    env.simulator.shops().add_fault(countersign::simulator::Fault::status(400).path("SALE-1"));
    serve.post("shop", webhook("order.created", "SALE-1", 1001, "PAID", "AWAITING_PROCESSING"));
    serve.settled(1);
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, &run.source("shop")["findings"][0]["kind"]), (Some(3), &"open".into()), "{run:#?}");
}

#[test]
fn a_source_that_is_silent_for_too_long_is_a_finding() {
    let env = TestEnv::new();
    env.simulator.shops().open_ecwid(super::STORE, super::TOKEN);
    let lines = ecwid_lines(&env);
    let env = env
        .source("shop", &format!("{lines}expect_every = \"1ms\""))
        .source("calm", &format!("{lines}expect_every = \"12h\""));
    env.serve().stop();
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.source("shop")["findings"][0]["kind"], "silent");
    assert_eq!(run.findings("calm"), [""; 0]);
}
