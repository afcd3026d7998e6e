//! Both Ecwid formats: what lands in `orders`, what is news, stale answers, and grace.

use chrono::{DateTime, TimeDelta, Utc};
use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Trouble};

use super::ecwid_shop::{Hook, Ion, asked, by_ids, fault, post_and_settle, sale, shop, wait_for_call};
use crate::support::assert_verdict;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn orders_keep_what_the_api_shows_in_exact_decimals() {
    let (env, store) = shop();
    let order = sale().total("12345678901234567.8900").email("a@example.test");
    store.put_order(order.updated_at(at("2025-11-24T16:00:00Z")).field("extra", "kept"));
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    let row = "SELECT concat_ws(' ', source, order_id, status, fulfillment_status, total, coalesce(currency, '-'), email,
               updated_at, coalesce(gone_at, '-')) FROM orders";
    let wanted = "hook SALE-H4K9P PAID AWAITING_PROCESSING 12345678901234567.89 - a@example.test \
                  2025-11-24T16:00:00.000Z -";
    assert_eq!(env.value(row).as_deref(), Some(wanted));
    let raw = env.value("SELECT raw FROM orders").unwrap();
    assert!(raw.contains("12345678901234567.8900") && raw.contains("\"extra\":\"kept\""), "{raw}");
    let answer = env.value("SELECT answer ->> 'paymentStatus' FROM verifications");
    assert_eq!(answer.as_deref(), Some("PAID"));
}

#[test]
fn the_api_s_answer_lands_in_orders_and_never_the_notification() {
    let (env, _store) = shop();
    let serve = env.serve();
    let bodies = [
        (
            "old",
            Ion::new("1207", "REFUNDED", "SHIPPED")
                .set("total", "1")
                .set("email", "evil@example.test")
                .form(),
        ),
        ("hook", Hook::sale("REFUNDED", "SHIPPED").data("email", "evil@example.test").set("total", 1).body()),
    ];
    for (id, (source, body)) in (1..).zip(bodies) {
        post_and_settle(&serve, source, body, id);
        assert_verdict(&env.row(id), "ignored", "mismatch");
    }
    let rows = "SELECT group_concat(DISTINCT status || fulfillment_status || total || email) FROM orders";
    assert_eq!(env.value(rows).as_deref(), Some("PAIDAWAITING_PROCESSING24.5buyer@example.test"));
    assert_eq!(env.value("SELECT count(*) FROM orders").as_deref(), Some("2"));
}

#[test]
fn a_date_with_another_offset_is_the_same_instant() {
    let (env, store) = shop();
    let order = sale().field("updateDate", "2025-11-24 20:00:00 +0400").without("updateTimestamp");
    store.put_order(order);
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    let updated = env.value("SELECT updated_at FROM orders");
    assert_eq!(updated.as_deref(), Some("2025-11-24T16:00:00.000Z"));
}

#[test]
fn news_is_told_once_per_change_however_often_a_status_is_repeated() {
    let (env, store) = shop();
    let serve = env.serve();
    let steps = [
        ("PAID", "AWAITING_PROCESSING", 1),
        ("PAID", "AWAITING_PROCESSING", 0),
        ("PAID", "SHIPPED", 1),
        ("PAID", "SHIPPED", 0),
        ("REFUNDED", "SHIPPED", 1),
        ("PAID", "SHIPPED", 1),
    ];
    for (id, (payment, fulfillment, news)) in (1..).zip(steps) {
        assert!(store.edit_order("SALE-H4K9P", |o| o.payment(payment).fulfillment(fulfillment)));
        let hook = Hook::sale(payment, fulfillment).later(u64::try_from(id).unwrap());
        post_and_settle(&serve, "hook", hook.body(), id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert_eq!(env.row(id).news, news, "{:#?}", env.row(id));
    }
    // Another e-mail is no news, another total is, though no claim is compared with either.
    let hook =
        || Hook::new("order.updated", 731_200_456).order("SALE-H4K9P").data("newPaymentStatus", "PAID");
    assert!(store.edit_order("SALE-H4K9P", |o| o.email("b@example.test")));
    post_and_settle(&serve, "hook", hook().later(7).body(), 7);
    assert_eq!((env.row(7).state.as_str(), env.row(7).news), ("confirmed", 0));
    assert!(store.edit_order("SALE-H4K9P", |o| o.total("99")));
    post_and_settle(&serve, "hook", hook().later(8).body(), 8);
    assert_eq!((env.row(8).state.as_str(), env.row(8).news), ("confirmed", 1));
    assert_eq!(env.value("SELECT total FROM orders").as_deref(), Some("99"));
}

#[test]
fn an_answer_with_an_older_update_time_settles_nothing_and_overwrites_nothing() {
    let (env, store) = shop();
    let now = at("2025-11-24T16:00:00Z");
    store.put_order(sale().updated_at(now));
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    // A replica that is behind: what it shows would confirm 2 and refute 3; 4 claims a time that is still to come.
    store.put_order(Order::new("SALE-H4K9P", 731_200_456).updated_at(now - TimeDelta::hours(1)));
    let old = Hook::sale("AWAITING_PAYMENT", "AWAITING_PROCESSING");
    serve.post("hook", old.clone().later(1).body());
    serve.post("hook", Hook::sale("REFUNDED", "AWAITING_PROCESSING").later(2).body());
    serve.post("hook", old.set("eventCreated", 4_000_000_000_u64).body());
    for id in [2, 3, 4] {
        serve.pending(id, "not_yet");
        assert_eq!(env.row(id).state, "pending");
        assert!(env.row(id).outcomes.iter().all(|outcome| outcome == "not_yet"));
    }
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("PAID"));
    store.put_order(sale().payment("REFUNDED").updated_at(now + TimeDelta::hours(1)));
    for id in [2, 3, 4] {
        serve.settled(id);
    }
    assert_verdict(&env.row(2), "ignored", "mismatch");
    assert_verdict(&env.row(3), "confirmed", "match");
    assert_verdict(&env.row(4), "ignored", "mismatch");
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("REFUNDED"));
}

#[test]
fn an_answer_older_than_the_stored_truth_settles_and_overwrites_nothing() {
    let (env, store) = shop();
    let now = at("2025-11-24T16:00:00Z");
    store.put_order(Order::new("OLD-88-X", 5088).order_number(88).paid().updated_at(now));
    fault(&env, "orders?ids=88", Fault::new(Trouble::Hold).times(1));
    let serve = env.serve();
    serve.post("old", Ion::paid("88").form());
    wait_for_call(&env, "orders?ids=88");
    assert!(store.edit_order("OLD-88-X", |order| order.payment("REFUNDED").updated_at(now)));
    post_and_settle(&serve, "old", Ion::new("OLD-88-X", "REFUNDED", "NEW").form(), 2);
    assert_verdict(&env.row(2), "confirmed", "match");
    env.simulator.shops().clear_faults();
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_eq!(env.row(1).outcomes, ["not_yet", "mismatch"]);
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("REFUNDED"));
}

#[test]
fn before_grace_is_over_not_found_and_mismatch_are_not_yet_and_after_it_final() {
    let (env, _store) = shop();
    let env = env.verify("grace = \"700ms\"");
    let serve = env.serve();
    serve.post("hook", Hook::new("order.created", 999).order("NOT-THERE").body());
    serve.post("hook", Hook::sale("REFUNDED", "AWAITING_PROCESSING").later(1).body());
    serve.post("hook", Hook::new("product.updated", 9999).later(2).body());
    serve.post("old", Ion::paid("9999").form());
    for (id, reason) in (1..).zip(["not_found", "mismatch", "not_found", "not_found"]) {
        serve.pending(id, "not_yet");
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", reason);
        let (last, before) = row.outcomes.split_last().unwrap();
        assert_eq!(last, reason);
        assert!(before.iter().all(|outcome| outcome == "not_yet"), "{row:#?}");
        let waited = format!(
            "SELECT (julianday(v.at) - julianday(n.received_at)) * 86400000 >= 699 FROM notifications n
             JOIN verifications v ON v.notification_id = n.id WHERE n.id = {id} AND v.outcome = '{reason}'"
        );
        assert_eq!(env.value(&waited).as_deref(), Some("1"), "{row:#?}");
    }
}

#[test]
fn an_order_that_appears_within_grace_is_confirmed() {
    let (env, store) = shop();
    let env = env.verify("grace = \"1h\"");
    let serve = env.serve();
    serve.post("old", Ion::paid("1300").form());
    serve.post("hook", Hook::new("order.created", 5300).order("1300").body());
    serve.pending(1, "not_yet");
    serve.pending(2, "not_yet");
    assert_eq!((env.row(1).state.as_str(), env.row(1).reason.as_deref()), ("pending", Some("not_yet")));
    store.put_order(Order::new("1300", 5300).order_number(1300).paid());
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
    assert!(asked(&env).contains(&by_ids("5300")));
}

#[test]
fn an_absence_marks_only_the_order_that_was_named_as_gone() {
    let (env, store) = shop();
    store.configure(|settings| settings.get_by_internal_id = false);
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    post_and_settle(&serve, "old", Ion::paid("1207").form(), 2);
    // A stranger names orders that are there by ids that are not theirs to be named by.
    let update = |entity: u64, order_id: &str| Hook::new("order.updated", entity).order(order_id);
    let strangers = [
        ("old", Ion::paid("41207").form(), "not_found"),
        ("hook", update(999, "731200456").body(), "not_found"),
        ("hook", update(731_200_456, "SALE-OTHER").body(), "mismatch"),
        ("hook", update(999, "SALE-OTHER").body(), "not_found"),
        ("hook", update(999, "SALE-OTHER").set("eventType", "order.deleted").body(), "not_found"),
    ];
    for (id, (source, body, reason)) in (3..).zip(strangers) {
        post_and_settle(&serve, source, body, id);
        assert_verdict(&env.row(id), "ignored", reason);
    }
    assert_eq!(env.value("SELECT count(*) FROM orders WHERE gone_at IS NULL").as_deref(), Some("2"));
    // By the internal id alone, or by the number that it was confirmed by, an order can be named.
    store.put_order(Order::new("OLD-88-X", 5088).order_number(88).paid());
    post_and_settle(&serve, "old", Ion::paid("88").form(), 8);
    assert!(store.vanish_order("OLD-88-X") && store.vanish_order("SALE-H4K9P"));
    post_and_settle(&serve, "old", Ion::paid("88").set("date", "2014-11-03 09:41:00").form(), 9);
    post_and_settle(&serve, "hook", Hook::new("order.updated", 731_200_456).later(9).body(), 10);
    let gone = "SELECT group_concat(order_id) FROM (SELECT * FROM orders WHERE gone_at IS NOT NULL ORDER BY order_id)";
    assert_eq!(env.value(gone).as_deref(), Some("OLD-88-X,SALE-H4K9P"));
}
