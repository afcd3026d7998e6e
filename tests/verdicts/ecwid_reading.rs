//! `ecwid`: webhooks that need no question: malformed, unsupported, of another store.

use serde_json::{Value, json};

use super::ecwid_shop::{Hook, asked, post_and_settle, shop};
use crate::support::assert_verdict;

const REQUIRED: [&str; 5] = ["eventType", "eventId", "eventCreated", "storeId", "entityId"];

#[test]
fn without_a_required_field_it_is_malformed_and_the_detail_names_the_field() {
    let (env, _store) = shop();
    let serve = env.serve();
    let mut id = 0;
    for event in ["order.updated", "order.deleted", "product.updated", "product.deleted"] {
        let hook = Hook::new(event, 9001);
        for field in REQUIRED {
            let missing = hook.clone().without(field);
            let nothing = [Value::Null, json!(""), json!({}), json!([1]), json!(true)];
            let bodies = nothing.into_iter().map(|value| hook.clone().set(field, value)).chain([missing]);
            for body in bodies.map(|hook| hook.body()) {
                id += 1;
                post_and_settle(&serve, "hook", body, id);
                let row = env.row(id);
                assert_verdict(&row, "ignored", "malformed");
                assert!(row.detail.as_deref().unwrap().contains(field), "{row:#?}");
            }
        }
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn a_field_of_another_kind_than_documented_is_malformed() {
    let (env, _store) = shop();
    let serve = env.serve();
    let order = || Hook::sale("PAID", "AWAITING_PROCESSING");
    let long = "x".repeat(256);
    let cases = [
        (order().set("eventCreated", "yesterday"), "eventCreated"),
        (order().set("eventCreated", -1), "eventCreated"),
        (order().set("eventCreated", 1.5), "eventCreated"),
        (order().set("entityId", 1.5), "entityId"),
        (order().set("entityId", "last"), "entityId"),
        (order().set("entityId", "deleted"), "entityId"),
        (order().set("entityId", ".."), "entityId"),
        (order().set("entityId", "a\nb"), "entityId"),
        (order().set("entityId", long.as_str()), "entityId"),
        (order().data("orderId", "last"), "orderId"),
        (order().data("orderId", "deleted"), "orderId"),
        (order().data("orderId", "."), "orderId"),
        (order().data("orderId", ".."), "orderId"),
        (order().data("orderId", "a\u{0}"), "orderId"),
        (order().data("orderId", long.as_str()), "orderId"),
        (order().data("orderId", json!([1])), "orderId"),
        (order().data("newPaymentStatus", 1), "newPaymentStatus"),
        (order().data("newFulfillmentStatus", json!({})), "newFulfillmentStatus"),
        (order().set("data", json!([])), "data"),
        (order().set("data", "SALE-H4K9P"), "data"),
        (Hook::new("product.updated", 0).set("entityId", "A-1"), "entityId"),
        (Hook::new("product.updated", 0).set("entityId", "9001,9002"), "entityId"),
        (Hook::new("product.deleted", 0).set("entityId", "9001/"), "entityId"),
    ];
    for (id, (hook, field)) in (1..).zip(cases) {
        post_and_settle(&serve, "hook", hook.body(), id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.as_deref().unwrap().contains(field), "{row:#?}");
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn a_body_that_is_no_json_object_is_stored_as_malformed() {
    let (env, _store) = shop();
    let serve = env.serve();
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 9] =
        [b"", b"{}", b"{", b"[]", b"null", b"\"order.updated\"", b"a=b", b"\xff\xfe\x00", deep.as_bytes()];
    for (id, body) in (1..).zip(bodies) {
        post_and_settle(&serve, "hook", body, id);
        assert_verdict(&env.row(id), "ignored", "malformed");
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn every_other_event_is_unsupported_and_never_malformed() {
    let (env, _store) = shop();
    let serve = env.serve();
    let events = [
        "unfinished_order.created",
        "customer.updated",
        "customer.personalDataRemovalRequest",
        "profile.updated",
        "profile.subscriptionStatusChanged",
        "application.installed",
        "application.subscription_status_changed",
        "review.created",
        "invoice.created",
        "promotion.deleted",
        "category.created",
        "size_chart.updated",
        "order.exploded",
        "Order.updated",
        "order.updated ",
    ];
    for (id, event) in (1..).zip(events) {
        let body = match id % 3 {
            0 => json!({"eventType": event, "entityId": -1}).to_string(),
            1 => Hook::new(event, 1).set("entityId", "app-name").body(),
            _ => Hook::sale("PAID", "x").set("eventType", event).body(),
        };
        post_and_settle(&serve, "hook", body, id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "unsupported");
        assert_eq!(row.event.as_deref(), Some(event));
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn another_store_s_webhook_is_wrong_store_and_the_shop_is_not_asked() {
    let (env, _store) = shop();
    let serve = env.serve();
    let hooks = [
        Hook::sale("PAID", "AWAITING_PROCESSING"),
        Hook::new("order.created", 731_200_456),
        Hook::new("order.deleted", 731_200_456).order("SALE-H4K9P"),
        Hook::new("product.created", 9001),
        Hook::new("product.deleted", 9001),
    ];
    for (id, (hook, store)) in
        (1..).zip(hooks.iter().flat_map(|hook| [(hook, json!(1004)), (hook, json!("1003 "))]))
    {
        post_and_settle(&serve, "hook", hook.clone().set("storeId", store).body(), id);
        assert_verdict(&env.row(id), "ignored", "wrong_store");
    }
    assert!(asked(&env).is_empty());
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("10"));
    assert_eq!(env.value("SELECT count(*) FROM verifications").as_deref(), Some("0"));
}
