//! `store.keep_personal`.

use super::{CALLER, SHOP, STORE, Shop, failed, order, product};
use crate::support::assert_verdict;

fn strict() -> Shop {
    Shop::new().store_keys("keep_personal = \"30d\"")
}

/// Whether the bytes stand anywhere in the store's file, free pages included.
fn file_holds(shop: &Shop, text: &str) -> bool {
    let bytes = std::fs::read(shop.env.store_path()).unwrap();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn bodies_headers_addresses_emails_answers_and_raw_are_emptied_not_verdicts() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "e-1"));
    shop.came_in(31, SHOP, order(77, "e-2"));
    shop.settle();
    shop.sql(
        "INSERT INTO refusals (source, day, cause, count, last_at, last_remote_addr) VALUES
           ('shop', '2020-01-01', 'wrong_secret', 7, '2020-01-01T00:00:00.000Z', '203.0.113.66');
         PRAGMA wal_checkpoint(TRUNCATE);",
    );
    let personal = [CALLER, SHOP, "buyer@example.test", "203.0.113.66"];
    for text in personal {
        assert!(file_holds(&shop, text), "{text}");
    }
    let line = "SELECT json_group_array(json_array(id, source, provider, received_at, event, subject_kind, subject_id,
                  resolved_id, event_time, state, reason, detail, duplicate_of, news, attempts, decided_at, origin))
                FROM notifications";
    let before = shop.value(line);
    let serve = shop.serve_and_keep();
    assert!(serve.stop().success());
    assert_eq!(shop.value(line), before, "the verdict line stays");
    let left =
        "SELECT count(*) FROM intake WHERE coalesce(remote_addr, content_type, headers, body) IS NOT NULL";
    assert_eq!(shop.value(left).as_deref(), Some("0"));
    assert_eq!(
        shop.value("SELECT claim FROM notifications WHERE id = 1").as_deref(),
        Some(&*format!(
            r#"{{"storeId":"{STORE}","entityId":"1001","data":{{"orderId":"ORDER-1","newPaymentStatus":"PAID"}}}}"#
        ))
    );
    assert_eq!(
        shop.value("SELECT group_concat(outcome) || count(answer) FROM verifications").as_deref(),
        Some("match,not_found0")
    );
    assert_eq!(
        shop.value("SELECT status || ifnull(email, '-') || ifnull(raw, '-') FROM orders").as_deref(),
        Some("PAID--")
    );
    assert_eq!(
        shop.value("SELECT count || ifnull(last_remote_addr, '-') FROM refusals").as_deref(),
        Some("7-")
    );
    shop.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    for text in personal {
        assert!(!file_holds(&shop, text), "{text} is still in the file");
    }
    let shown = super::done(&shop.env.run(&["show", "1"]));
    assert!(shown.contains("confirmed"), "{shown}");
}

#[test]
fn what_is_young_or_not_settled_is_left_alone() {
    let shop = strict();
    shop.came_in(29, SHOP, order(1, "young"));
    shop.came_in(31, SHOP, order(2, "undecided"));
    shop.came_in(31, SHOP, order(3, "old"));
    shop.settle();
    shop.sql("UPDATE verdicts SET state = 'undecided', reason = 'api_error' WHERE notification_id = 2");
    shop.came_in(31, SHOP, order(4, "pending"));
    let serve = shop.env.serve_with(&["--no-worker"]);
    serve.wait_for_line("the rules are kept", |line| line.contains("retention: "));
    let full = "SELECT group_concat(id) FROM notifications WHERE body IS NOT NULL AND headers IS NOT NULL
                AND remote_addr IS NOT NULL";
    assert_eq!(shop.value(full).as_deref(), Some("1,2,4"));
    let unemptied = "SELECT group_concat(order_id) FROM orders WHERE email IS NOT NULL AND raw IS NOT NULL";
    assert_eq!(shop.value(unemptied).as_deref(), Some("ORDER-1"));
}

#[test]
fn an_emptied_order_stays_so_when_it_is_fetched_again() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "e-1"));
    shop.settle();
    let serve = shop.serve_and_keep();
    shop.ecwid.edit_order("ORDER-1", |order| order.field("fulfillmentStatus", "SHIPPED"));
    serve.post("shop", order(1, "e-2"));
    serve.settled(2);
    assert_verdict(&shop.env.row(2), "confirmed", "match");
    assert_eq!(
        shop.value("SELECT fulfillment_status || ifnull(email, '-') || ifnull(raw, '-') FROM orders")
            .as_deref(),
        Some("SHIPPED--")
    );
    serve.post("shop", order(2, "e-3"));
    serve.settled(3);
    let other = "SELECT email FROM orders WHERE order_id = 'ORDER-2'";
    assert_eq!(shop.value(other).as_deref(), Some("buyer@example.test"));
}

#[test]
fn an_order_that_a_younger_notification_asked_about_is_not_emptied_yet() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "e-1"));
    shop.came_in(5, SHOP, order(1, "e-2"));
    shop.settle();
    let _serve = shop.serve_and_keep();
    assert_eq!(
        shop.value("SELECT group_concat(id) FROM notifications WHERE body IS NULL").as_deref(),
        Some("1")
    );
    assert_eq!(shop.value("SELECT email FROM orders").as_deref(), Some("buyer@example.test"));
}

#[test]
fn a_difference_that_is_found_again_and_again_postpones_nothing() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "drifts"));
    shop.came_in(31, SHOP, order(2, "vanishes"));
    shop.settle();
    shop.ecwid.edit_order("ORDER-1", |order| order.payment("REFUNDED"));
    assert!(shop.ecwid.vanish_order("ORDER-2"));
    for _ in 0..2 {
        let found = shop.env.run(&["reconcile", "--since", "1h", "--format", "csv"]);
        let table = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(found.status.code(), Some(3), "{found:?}");
        assert!(table.contains("drift,ORDER-1") && table.contains("vanished,ORDER-2"), "{table}");
    }
    let _serve = shop.serve_and_keep();
    let left = "SELECT group_concat(order_id) FROM orders WHERE order_id IN ('ORDER-1', 'ORDER-2')
                AND coalesce(email, raw) IS NOT NULL";
    assert_eq!(shop.value(left), None);
}

#[test]
fn a_recovery_is_a_notification_and_its_order_is_kept_as_long_as_any() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "e-1"));
    shop.settle();
    shop.ecwid.edit_order("ORDER-1", |order| order.payment("REFUNDED"));
    assert_eq!(shop.env.run(&["reconcile", "--since", "1h", "--recover"]).status.code(), Some(3));
    let _serve = shop.serve_and_keep();
    let held = "SELECT status || email FROM orders WHERE order_id = 'ORDER-1'";
    assert_eq!(shop.value(held).as_deref(), Some("REFUNDEDbuyer@example.test"));
}

#[test]
fn a_product_has_its_raw_answer_again_after_a_younger_notification() {
    let shop = strict();
    shop.came_in(31, SHOP, product("e-1"));
    shop.settle();
    let raw = "SELECT raw IS NOT NULL FROM products";
    assert_eq!(shop.value(raw).as_deref(), Some("1"));
    let serve = shop.serve_and_keep();
    assert_eq!(shop.value(raw).as_deref(), Some("0"));
    serve.post("shop", product("e-2"));
    serve.settled(2);
    assert_verdict(&shop.env.row(2), "confirmed", "match");
    assert_eq!(shop.value(raw).as_deref(), Some("1"));
}

#[test]
fn retry_refuses_a_notification_whose_body_was_emptied() {
    let shop = strict();
    shop.came_in(31, SHOP, order(77, "e-1"));
    shop.settle();
    let serve = shop.serve_and_keep();
    assert!(serve.stop().success());
    let said = failed(&shop.env.run(&["retry", "1"]), 1);
    assert!(said.contains("notification 1 ") && said.contains("its body was emptied"), "{said}");
    let all = shop.env.run(&["retry", "--state", "ignored"]);
    assert!(String::from_utf8_lossy(&all.stdout).contains("0 notifications reset; 1 refused"), "{all:?}");
    assert_verdict(&shop.env.row(1), "ignored", "not_found");
}

#[test]
fn a_repeat_of_an_emptied_notification_is_still_its_duplicate() {
    let shop = strict();
    shop.came_in(31, SHOP, order(1, "e-1"));
    shop.settle();
    let serve = shop.serve_and_keep();
    serve.post("shop", order(1, "e-1"));
    serve.settled(2);
    assert_verdict(&shop.env.row(2), "ignored", "duplicate");
    assert_eq!(shop.env.row(2).duplicate_of, Some(1));
}
