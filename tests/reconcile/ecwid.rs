//! Webhooks: every finding, and none that is invented.

use countersign::simulator::ecwid::Order;

use super::{ecwid_env, reconcile, sell_and_tell, webhook};

#[test]
fn an_order_that_was_told_as_it_is_is_no_finding() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    env.simulator.shops().clear_calls();
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]), "{run:#?}");
    let source = run.source("shop");
    assert_eq!((&source["complete"], &source["listed"]), (&true.into(), &1.into()));
    assert_eq!((&source["counts"]["received"], &source["counts"]["confirmed"]), (&1.into(), &1.into()));
    let calls = env.simulator.shops().calls();
    assert_eq!(calls.len(), 1, "{calls:#?}");
    assert!(calls[0].target.contains("/orders?updatedFrom="), "{calls:#?}");
}

#[test]
fn a_missed_order_names_the_ignored_notification_that_came() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    serve.post("shop", webhook("order.updated", "SALE-1", 1001, "REFUNDED", "AWAITING_PROCESSING"));
    serve.settled(1);
    let run = reconcile(&env, &[]);
    let findings = run.source("shop")["findings"].as_array().unwrap();
    let missed = findings.iter().find(|finding| finding["kind"] == "missed").expect("it is missed");
    assert_eq!((&missed["subject_id"], &missed["notification_id"]), (&"SALE-1".into(), &1.into()));
    let detail = missed["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("no notification of it was confirmed: the newest, 1, is ignored (mismatch)"),
        "{detail}"
    );
}

#[test]
fn an_order_that_nothing_told_is_missed_once_its_own_call_shows_it() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("SALE-1", 1001).paid());
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.findings("shop"), ["missed SALE-1 - PAID/AWAITING_PROCESSING"]);
    let asked = env.simulator.shops().calls_matching(|call| call.target.ends_with("/orders/SALE-1"));
    assert_eq!(asked.len(), 1);
    drop(serve);
}

#[test]
fn a_status_that_went_astray_is_drift() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    sell_and_tell(&shop, &serve, "SALE-2", 1002);
    serve.settled(1);
    serve.settled(2);
    shop.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    shop.edit_order("SALE-2", |order| order.fulfillment("CUSTOM_FULFILLMENT_STATUS_2"));
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(
        run.findings("shop"),
        [
            "drift SALE-1 PAID/AWAITING_PROCESSING REFUNDED/AWAITING_PROCESSING",
            "drift SALE-2 PAID/AWAITING_PROCESSING PAID/CUSTOM_FULFILLMENT_STATUS_2"
        ]
    );
    assert_eq!(run.source("shop")["findings"][0]["notification_id"], 1);
}

#[test]
fn an_edit_that_changes_no_status_is_no_finding() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    shop.edit_order("SALE-1", |order| order.total("99.90").field("trackingNumber", "X1"));
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]));
}

#[test]
fn a_confirmed_order_that_is_gone_has_vanished_unless_its_deletion_was_told() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    for (n, order_id) in ["SALE-1", "SALE-2", "SALE-3"].into_iter().enumerate() {
        sell_and_tell(&shop, &serve, order_id, 1001 + u64::try_from(n).unwrap());
        serve.settled(i64::try_from(n).unwrap() + 1);
    }
    assert!(shop.vanish_order("SALE-1") && shop.delete_order("SALE-2") && shop.delete_order("SALE-3"));
    serve.post("shop", webhook("order.deleted", "SALE-3", 1003, "PAID", "AWAITING_PROCESSING"));
    serve.settled(4);
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(
        run.findings("shop"),
        ["vanished SALE-1 PAID/AWAITING_PROCESSING -", "vanished SALE-2 PAID/AWAITING_PROCESSING -"]
    );
    let gone = "SELECT group_concat(order_id) FROM orders WHERE gone_at IS NOT NULL";
    assert_eq!(env.value(gone).as_deref(), Some("SALE-1,SALE-2,SALE-3"));
}

#[test]
fn a_fake_is_told_and_is_no_difference() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.post("shop", webhook("order.created", "SALE-9", 1009, "PAID", "AWAITING_PROCESSING"));
    serve.settled(1);
    serve.settled(2);
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let source = run.source("shop");
    assert_eq!(source["findings"].as_array().unwrap().len(), 1);
    assert_eq!((&source["findings"][0]["kind"], &source["counts"]["fakes"]), (&"fake".into(), &1.into()));
}

#[test]
fn unfinished_orders_are_no_findings_however_the_shop_shows_them() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    shop.put_order(Order::new("CART-1", 1001).payment("INCOMPLETE"));
    sell_and_tell(&shop, &serve, "SALE-2", 1002);
    serve.settled(1);
    shop.edit_order("SALE-2", |order| order.payment("INCOMPLETE"));
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]), "{run:#?}");
}

#[test]
fn a_list_that_lags_behind_makes_no_finding_of_what_the_orders_own_call_shows() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    let stale = format!(
        r#"{{"total":1,"count":1,"offset":0,"limit":100,"items":[{{"id":"SALE-1","internalId":1001,
           "orderNumber":1001,"paymentStatus":"AWAITING_PAYMENT","fulfillmentStatus":"AWAITING_PROCESSING",
           "updateTimestamp":{}}}]}}"#,
        super::now().seconds()
    );
    let answer =
        countersign::simulator::Trouble::Answer { status: 200, headers: Vec::new(), body: stale.into() };
    env.simulator.shops().add_fault(countersign::simulator::Fault::new(answer).path("updatedFrom"));
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop")), (Some(0), vec![]), "{run:#?}");
}

#[test]
fn a_hundred_findings_of_a_kind_are_told_and_the_rest_is_counted() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    for n in 0..105 {
        shop.put_order(Order::new(&format!("SALE-{n:03}"), 1000 + n).paid());
    }
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3));
    let source = run.source("shop");
    assert_eq!(source["findings"].as_array().unwrap().len(), 100);
    assert_eq!((&source["omitted"]["missed"], &source["listed"]), (&5.into(), &105.into()));
    drop(serve);
}

#[test]
fn an_answer_too_large_to_read_is_asked_again_with_half_the_page() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    for n in 0..30 {
        shop.put_order(Order::new(&format!("SALE-{n:03}"), 1000 + n).paid());
    }
    let huge = countersign::simulator::Trouble::Huge(9 * 1024 * 1024);
    env.simulator.shops().add_fault(countersign::simulator::Fault::new(huge).path("limit=100"));
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("shop").len()), (Some(3), 30), "{}", run.errors);
    drop(serve);
}
