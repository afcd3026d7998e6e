//! The table `news`.

use super::{about_order, about_product, column, env, mug, order, tell};
use crate::support::assert_verdict;

#[test]
fn a_first_confirmation_is_news_with_what_the_shop_says_and_no_previous() {
    let (env, store) = env();
    store.put_order(order(1));
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "a"), 1);
    let row = "SELECT concat_ws(' ', seq, type, notification_id, source, provider, event, origin, subject_kind, subject_id,
                 previous IS NULL) FROM news";
    let expected = "1 order.changed 1 shop ecwid order.created intake order SALE-1 1";
    assert_eq!(env.value(row).as_deref(), Some(expected));
    let same_time = "SELECT n.at = v.decided_at FROM news n JOIN notifications v ON v.id = n.notification_id";
    assert_eq!(env.value(same_time).as_deref(), Some("1"));
    let current = env.value("SELECT json_remove(current, '$.updated_at') FROM news").unwrap();
    assert_eq!(
        current,
        r#"{"status":"PAID","fulfillment_status":"AWAITING_PROCESSING","total":"99","currency":null}"#
    );
}

#[test]
fn each_change_is_news_once_and_shows_what_was_before() {
    let (env, store) = env();
    store.put_order(order(1));
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "a"), 1);
    tell(&serve, about_order("order.updated", 1, "again"), 2);
    store.put_order(order(1).payment("REFUNDED"));
    tell(&serve, about_order("order.updated", 1, "refund"), 3);
    store.put_order(order(1).payment("REFUNDED").total("89.00"));
    tell(&serve, about_order("order.updated", 1, "rebate"), 4);
    assert_eq!(column(&env, "notification_id"), "1 3 4");
    assert_eq!(column(&env, "current ->> 'total'"), "99 99 89");
    assert_eq!(column(&env, "previous ->> 'status'"), "- PAID REFUNDED");
    assert_eq!(column(&env, "previous ->> 'total'"), "- 99 99");
    let flags: Vec<i64> = env.rows().iter().map(|row| row.news).collect();
    assert_eq!(flags, [1, 0, 1, 1]);
}

#[test]
fn a_deletion_is_news_with_the_last_known_values() {
    let (env, store) = env();
    store.put_order(order(1));
    store.put_product(mug());
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "a"), 1);
    tell(&serve, about_product("product.created", 9001, "b"), 2);
    assert!(store.delete_order("SALE-1") && store.delete_product(9001));
    tell(&serve, about_order("order.deleted", 1, "c"), 3);
    tell(&serve, about_product("product.deleted", 9001, "d"), 4);
    assert_eq!(column(&env, "type"), "order.changed product.changed order.deleted product.deleted");
    assert_eq!(column(&env, "coalesce(current ->> 'total', current ->> 'price')"), "99 12.5 99 12.5");
    assert_eq!(column(&env, "previous ->> 'available'"), "- - - 1");
    assert_eq!(column(&env, "subject_id"), "SALE-1 9001 SALE-1 9001");
}

#[test]
fn another_price_quantity_or_availability_of_a_product_is_news() {
    let (env, store) = env();
    store.put_product(mug());
    let serve = env.serve();
    for (id, product) in
        (1..).zip([mug(), mug().price("11.00"), mug().price("11.00"), mug().quantity(2), mug().quantity(0)])
    {
        store.put_product(product);
        tell(&serve, about_product("product.updated", 9001, &format!("e{id}")), id);
    }
    assert_eq!(column(&env, "notification_id"), "1 2 4 5");
    assert_eq!(column(&env, "current ->> 'qty'"), "3 3 2 0");
    assert_eq!(column(&env, "current ->> 'available'"), "1 1 1 0");
}

#[test]
fn what_was_made_up_is_no_news() {
    let (env, store) = env();
    store.put_order(order(1).payment("AWAITING_PAYMENT"));
    let serve = env.serve();
    let paid = about_order("order.updated", 1, "a")
        .replace(r#""orderId":"SALE-1""#, r#""orderId":"SALE-1","newPaymentStatus":"PAID""#);
    tell(&serve, paid, 1);
    tell(&serve, about_order("order.updated", 2, "b"), 2);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_verdict(&env.row(2), "ignored", "not_found");
    assert_eq!(env.value("SELECT count(*) FROM news").as_deref(), Some("0"));
}

#[test]
fn a_recovered_order_is_news_of_origin_reconcile() {
    let (env, store) = env();
    let serve = env.serve();
    store.put_order(order(1));
    let window = ["reconcile", "--since", "1h", "--recover"];
    assert_eq!(env.run(&window).status.code(), Some(3));
    assert_eq!(column(&env, "type || '/' || origin || '/' || event"), "order.changed/reconcile/reconcile");
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    assert_eq!(env.run(&window).status.code(), Some(3));
    assert_eq!(column(&env, "previous ->> 'status'"), "- PAID");
    assert_eq!(column(&env, "seq"), "1 2");
    drop(serve);
}

#[test]
fn pruned_notifications_take_their_news_along_and_no_number_comes_again() {
    let (env, store) = env();
    store.put_order(order(1));
    store.put_order(order(2));
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "a"), 1);
    let pruned = env.run(&["prune", "--older-than", "0s"]);
    assert!(pruned.status.success(), "{pruned:?}");
    assert_eq!(env.value("SELECT count(*) FROM news").as_deref(), Some("0"));
    tell(&serve, about_order("order.created", 2, "b"), 2);
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    tell(&serve, about_order("order.updated", 1, "c"), 3);
    assert_eq!(column(&env, "seq"), "2 3");
    assert_eq!(column(&env, "previous ->> 'status'"), "- PAID", "what was told survives prune");
}
