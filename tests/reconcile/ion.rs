//! Instant Order Notifications: the format has no word for some statuses.

use countersign::simulator::ecwid::{EcwidStore, Order};

use super::{STORE, TOKEN, ecwid_lines, reconcile};
use crate::support::{Serve, TestEnv};

fn shop() -> (TestEnv, EcwidStore) {
    let env = TestEnv::new();
    let shop = env.simulator.shops().open_ecwid(STORE, TOKEN);
    let lines = ecwid_lines(&env).replace("\"ecwid\"", "\"ecwid-ion\"");
    (env.source("old", &lines), shop)
}

fn tell(serve: &Serve, number: u64, payment: &str, fulfillment: &str) {
    let body = format!(
        "owner_id={STORE}&event_type=new_order&date=2014-11-02+09%3A41%3A00&order_id={number}\
         &payment_status={payment}&fulfillment_status={fulfillment}"
    );
    serve.post("old", body);
}

#[test]
fn drift_is_told_in_statuses_that_the_format_has_a_word_for() {
    let (env, shop) = shop();
    let serve = env.serve();
    for number in 1..=5 {
        shop.put_order(Order::new(&format!("OLD-{number}"), 40_000 + number).order_number(number).paid());
        tell(&serve, number, "ACCEPTED", "NEW");
        serve.settled(i64::try_from(number).unwrap());
    }
    shop.edit_order("OLD-1", |order| order.payment("PARTIALLY_REFUNDED"));
    shop.edit_order("OLD-2", |order| order.fulfillment("READY_FOR_PICKUP"));
    shop.edit_order("OLD-3", |order| order.payment("CUSTOM_PAYMENT_STATUS_1").fulfillment("SHIPPED"));
    shop.edit_order("OLD-4", |order| order.payment("REFUNDED"));
    shop.put_order(Order::new("OLD-6", 40_006).order_number(6));
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(
        run.findings("old"),
        [
            "missed OLD-6 - AWAITING_PAYMENT/AWAITING_PROCESSING",
            "drift OLD-3 PAID/AWAITING_PROCESSING CUSTOM_PAYMENT_STATUS_1/SHIPPED",
            "drift OLD-4 PAID/AWAITING_PROCESSING REFUNDED/AWAITING_PROCESSING"
        ]
    );
}

#[test]
fn an_order_whose_notification_waits_under_its_old_number_counts_as_told() {
    let (env, shop) = shop();
    let serve = env.serve_with(&["--no-worker"]);
    shop.put_order(Order::new("OLD-1", 40_001).order_number(1).paid());
    tell(&serve, 1, "ACCEPTED", "NEW");
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("old")), (Some(0), vec![]), "{run:#?}");
}
