//! `ecwid`: webhooks about orders, judged.

use countersign::simulator::Fault;
use countersign::simulator::ecwid::Order;
use serde_json::{Value, json};

use super::ecwid_shop::{CREATED, Hook, asked, by_ids, fault, post_and_settle, shop, whole};
use crate::support::assert_verdict;

#[test]
fn order_created_and_updated_are_confirmed_by_one_call_for_the_order_s_id() {
    let (env, _store) = shop();
    let serve = env.serve();
    for (id, event) in [(1, "order.created"), (2, "order.updated")] {
        env.simulator.shops().clear_calls();
        let hook = Hook::sale("PAID", "AWAITING_PROCESSING").set("eventType", event);
        let answer = serve.post("hook", hook.body());
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.provider.as_str(), row.event.as_deref()), ("ecwid", Some(event)));
        assert_eq!(
            (row.subject_kind.as_deref(), row.subject_id.as_deref(), row.resolved_id.as_deref()),
            (Some("order"), Some("SALE-H4K9P"), Some("SALE-H4K9P"))
        );
        assert_eq!(row.event_time.as_deref(), Some("2025-11-24T16:00:00.000Z"));
        assert_eq!(
            (row.news, row.outcomes.as_slice()),
            (i64::from(id == 1), ["match".to_owned()].as_slice())
        );
        assert_eq!(asked(&env), ["orders/SALE-H4K9P"]);
    }
}

#[test]
fn the_claim_holds_what_is_compared_and_what_held_before_and_nothing_else() {
    let (env, _store) = shop();
    let serve = env.serve();
    let hook =
        Hook::sale("PAID", "AWAITING_PROCESSING").changed_from("AWAITING_PAYMENT", "AWAITING_PROCESSING");
    let hook = hook.set("somethingNew", json!({"a": [1]})).data("cartId", "C-1");
    post_and_settle(&serve, "hook", hook.body(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    let claim: Value = serde_json::from_str(&env.row(1).claim.unwrap()).unwrap();
    let before =
        json!({"oldPaymentStatus": "AWAITING_PAYMENT", "oldFulfillmentStatus": "AWAITING_PROCESSING"});
    let data = json!({"orderId": "SALE-H4K9P", "newPaymentStatus": "PAID",
        "newFulfillmentStatus": "AWAITING_PROCESSING"});
    let wanted =
        json!({"storeId": "1003", "entityId": "731200456", "data": data, "before": {"data": before}});
    assert_eq!(claim, wanted);
}

#[test]
fn a_sent_status_must_be_the_current_one_and_a_missing_one_asserts_nothing() {
    let (env, _store) = shop();
    let serve = env.serve();
    let bare = Hook::new("order.updated", 731_200_456).order("SALE-H4K9P");
    let sale = Hook::sale("PAID", "AWAITING_PROCESSING");
    let cases = [
        (bare.clone(), "match"),
        (bare.clone().data("newPaymentStatus", "PAID"), "match"),
        (bare.clone().data("newFulfillmentStatus", "AWAITING_PROCESSING"), "match"),
        (sale.clone().data("newPaymentStatus", Value::Null), "match"),
        (sale.clone().data("newFulfillmentStatus", ""), "match"),
        (sale.clone().data("newPaymentStatus", "AWAITING_PAYMENT"), "mismatch"),
        (sale.clone().data("newFulfillmentStatus", "SHIPPED"), "mismatch"),
        (sale.clone().data("newPaymentStatus", "paid"), "mismatch"),
        // An old word of Instant Order Notifications is not mapped here.
        (sale.clone().data("newPaymentStatus", "ACCEPTED"), "mismatch"),
        (sale.data("newPaymentStatus", "A_WORD_OF_TOMORROW"), "mismatch"),
        (bare.data("oldPaymentStatus", "REFUNDED"), "match"),
    ];
    for (id, (hook, reason)) in (1..).zip(cases) {
        let event = u64::try_from(id).unwrap();
        post_and_settle(&serve, "hook", hook.later(event).body(), id);
        let state = if reason == "match" { "confirmed" } else { "ignored" };
        assert_verdict(&env.row(id), state, reason);
    }
    assert!(asked(&env).iter().all(|path| path == "orders/SALE-H4K9P"));
}

#[test]
fn both_ids_must_be_the_order_s() {
    let (env, store) = shop();
    store.put_order(Order::new("NO-INTERNAL", 8001).paid().without("internalId"));
    store.put_order(Order::new("QUOTED", 8002).paid().field("internalId", "8002"));
    let direct = |id: &str| vec![format!("orders/{id}")];
    let both = |id: &str, entity: &str| vec![format!("orders/{id}"), by_ids(entity)];
    let cases = [
        (731_200_456, "SALE-H4K9P", direct("SALE-H4K9P"), "match"),
        (731_200_457, "SALE-H4K9P", direct("SALE-H4K9P"), "mismatch"),
        (41_207, "SALE-H4K9P", direct("SALE-H4K9P"), "mismatch"),
        // The order of the internal id is there, under another id than the notified one.
        (
            731_200_456,
            "SALE-OTHER",
            both("SALE-OTHER", "731200456").into_iter().chain([whole("731200456", 0)]).collect(),
            "mismatch",
        ),
        (999, "SALE-OTHER", both("SALE-OTHER", "999"), "not_found"),
        // An order number is no internal id where the order's id was sent.
        (1207, "SALE-OTHER", both("SALE-OTHER", "1207"), "not_found"),
        // The direct call takes this internal id and shows another order.
        (731_200_456, "731200456", direct("731200456"), "mismatch"),
        (8001, "NO-INTERNAL", direct("NO-INTERNAL"), "match"),
        (8002, "QUOTED", direct("QUOTED"), "match"),
    ];
    let serve = env.serve();
    for (id, (entity, order_id, calls, reason)) in (1..).zip(cases) {
        env.simulator.shops().clear_calls();
        let hook = Hook::new("order.updated", entity).order(order_id).data("newPaymentStatus", "PAID");
        post_and_settle(&serve, "hook", hook.later(u64::try_from(id).unwrap()).body(), id);
        let state = if reason == "match" { "confirmed" } else { "ignored" };
        assert_verdict(&env.row(id), state, reason);
        assert_eq!(asked(&env), calls, "{entity} {order_id}");
    }
}

#[test]
fn without_an_order_id_the_list_finds_the_entity_by_internal_id_or_number() {
    let (env, store) = shop();
    store.put_order(Order::new("A-555", 8003).paid());
    let cases = [
        (731_200_456, "match", Some("SALE-H4K9P")),
        (41_207, "match", Some("1207")),
        (1207, "match", Some("1207")),
        (555, "not_found", None),
        (999, "not_found", None),
    ];
    let serve = env.serve();
    for (id, (entity, reason, resolved)) in (1..).zip(cases) {
        env.simulator.shops().clear_calls();
        let hook = Hook::new("order.created", entity);
        let hook = if id % 2 == 0 {
            hook
        } else {
            hook.data("newPaymentStatus", "PAID").data("orderId", Value::Null)
        };
        post_and_settle(&serve, "hook", hook.body(), id);
        let row = env.row(id);
        assert_verdict(&row, if reason == "match" { "confirmed" } else { "ignored" }, reason);
        let entity = entity.to_string();
        assert_eq!(
            (row.subject_id.as_deref(), row.resolved_id.as_deref()),
            (Some(entity.as_str()), resolved)
        );
        let fetched = resolved.map(|_| whole(&entity, 0));
        assert_eq!(asked(&env), [by_ids(&entity)].into_iter().chain(fetched).collect::<Vec<_>>());
    }
}

#[test]
fn a_strange_order_id_chooses_no_other_path() {
    let (env, _store) = shop();
    let serve = env.serve();
    let entity = by_ids("999");
    let cases = [
        ("a b", vec!["orders/a%20b".to_owned(), entity.clone()]),
        ("1207,SALE-H4K9P", vec!["orders/1207%2CSALE-H4K9P".to_owned(), entity.clone()]),
        ("../1207", vec![by_ids("..%2F1207"), entity.clone()]),
        ("50%", vec![by_ids("50%25"), entity.clone()]),
        ("a\\b", vec![by_ids("a%5Cb"), entity.clone()]),
        ("deleted?x", vec!["orders/deleted%3Fx".to_owned(), entity]),
    ];
    for (id, (order_id, calls)) in (1..).zip(cases) {
        env.simulator.shops().clear_calls();
        post_and_settle(&serve, "hook", Hook::new("order.updated", 999).order(order_id).body(), id);
        assert_verdict(&env.row(id), "ignored", "not_found");
        assert_eq!(asked(&env), calls, "{order_id}");
    }
}

#[test]
fn an_entity_of_text_with_a_comma_widens_no_list() {
    let (env, _store) = shop();
    let serve = env.serve();
    let hook = Hook::new("order.updated", 0).set("entityId", "731200456,41207");
    post_and_settle(&serve, "hook", hook.body(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    assert_eq!(asked(&env), [by_ids("731200456%2C41207")]);
}

#[test]
fn numbers_may_come_quoted_and_say_the_same() {
    let (env, _store) = shop();
    let serve = env.serve();
    let hook = Hook::sale("PAID", "AWAITING_PROCESSING").set("eventId", 77);
    post_and_settle(&serve, "hook", hook.body(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    let quoted = hook.set("eventId", "77").set("storeId", "1003").set("entityId", "731200456");
    post_and_settle(&serve, "hook", quoted.set("eventCreated", CREATED.to_string()).body(), 2);
    assert_verdict(&env.row(2), "ignored", "duplicate");
}

#[test]
fn an_order_that_only_a_second_ask_shows_is_not_lost() {
    let (env, store) = shop();
    store.put_order(Order::new("SLOW", 8010).paid().visible_after_asks(4));
    let env = env.verify("grace = \"1h\"");
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::new("order.created", 8010).order("SLOW").body(), 1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    let (last, before) = row.outcomes.split_last().unwrap();
    assert_eq!(last, "match");
    assert!(!before.is_empty() && before.iter().all(|outcome| outcome == "not_yet"), "{row:#?}");
}

#[test]
fn a_bare_404_of_the_direct_call_is_undone_by_the_list() {
    let (env, _store) = shop();
    fault(&env, "orders/SALE-H4K9P", Fault::status(404));
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(asked(&env), ["orders/SALE-H4K9P".to_owned(), by_ids("731200456"), whole("731200456", 0)]);
}
