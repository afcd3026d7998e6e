//! `--recover` closes the gap once, and stands in nobody's way.

use countersign::simulator::ecwid::Order;

use super::{ecwid_env, reconcile, sell_and_tell, webhook};
use crate::support::assert_verdict;

#[test]
fn a_missed_order_becomes_a_confirmed_notification_with_its_evidence() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let run = reconcile(&env, &["--recover"]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.findings("shop"), ["missed SALE-1 - PAID/AWAITING_PROCESSING"]);
    assert_eq!(run.source("shop")["findings"][0]["notification_id"], 1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.event.as_deref(), Some("reconcile"));
    assert_eq!((row.subject_id.as_deref(), row.resolved_id.as_deref()), (Some("SALE-1"), Some("SALE-1")));
    assert_eq!((row.news, row.attempts, row.outcomes), (1, 1, vec!["match".to_owned()]));
    let claim: serde_json::Value = serde_json::from_str(&row.claim.unwrap()).unwrap();
    assert_eq!((&claim["id"], &claim["paymentStatus"]), (&"SALE-1".into(), &"PAID".into()));
    let empty = "SELECT count(*) FROM notifications WHERE origin = 'reconcile' AND provider = 'ecwid' AND body IS NULL
                 AND headers IS NULL AND remote_addr IS NULL AND content_type IS NULL AND event_time IS NULL";
    assert_eq!(env.value(empty).as_deref(), Some("1"));
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("PAID"));
    assert_eq!(
        env.value("SELECT json_extract(raw, '$.email') FROM orders").as_deref(),
        Some("buyer@example.test")
    );
    assert_eq!(env.value("SELECT http_status FROM verifications").as_deref(), Some("200"));
    drop(serve);
}

#[test]
fn twice_adds_nothing_and_the_second_run_finds_nothing() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    shop.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    shop.put_order(Order::new("SALE-2", 1002).paid());
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(3));
    assert_eq!(env.rows().len(), 3);
    let again = reconcile(&env, &["--recover"]);
    assert_eq!((again.code, again.findings("shop")), (Some(0), vec![]), "{again:#?}");
    assert_eq!(env.rows().len(), 3);
    assert_eq!(env.value("SELECT status FROM orders WHERE order_id = 'SALE-1'").as_deref(), Some("REFUNDED"));
    shop.edit_order("SALE-2", |order| order.fulfillment("SHIPPED"));
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(3));
    assert_eq!(env.rows().len(), 4, "once for each change");
}

#[test]
fn a_recovery_makes_no_later_delivery_a_duplicate_and_a_true_repeat_no_news() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(3));
    serve.post("shop", webhook("order.created", "SALE-1", 1001, "PAID", "AWAITING_PROCESSING"));
    serve.settled(2);
    let row = env.row(2);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.news, 0);
}

#[test]
fn without_being_asked_for_nothing_is_recovered() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    for _ in 0..2 {
        assert_eq!(reconcile(&env, &[]).code, Some(3));
    }
    assert!(env.rows().is_empty());
    drop(serve);
}

#[test]
fn vanished_orders_and_fakes_are_not_recovered() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.post("shop", webhook("order.created", "SALE-9", 1009, "PAID", "AWAITING_PROCESSING"));
    serve.settled(1);
    serve.settled(2);
    shop.vanish_order("SALE-1");
    assert_eq!(reconcile(&env, &["--recover"]).code, Some(3));
    assert_eq!(env.rows().len(), 2);
}

#[test]
fn what_nobody_has_read_yet_is_still_read_after_a_recovery() {
    let (env, shop) = ecwid_env();
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..130 {
        serve.post(
            "shop",
            webhook("order.created", &format!("SALE-{n:03}"), 2000 + n, "PAID", "AWAITING_PROCESSING"),
        );
        shop.put_order(Order::new(&format!("SALE-{n:03}"), 2000 + n).paid());
    }
    shop.put_order(Order::new("UNTOLD-1", 1001).paid());
    shop.put_order(Order::new("UNTOLD-2", 1002).paid());
    let run = reconcile(&env, &["--recover"]);
    assert_eq!(run.findings("shop").len(), 2, "{run:#?}");
    assert!(env.run(&["verify"]).status.success());
    let confirmed = "SELECT count(*) FROM notifications WHERE state = 'confirmed' AND origin = 'intake'";
    assert_eq!(env.value(confirmed).as_deref(), Some("130"));
    drop(serve);
}
