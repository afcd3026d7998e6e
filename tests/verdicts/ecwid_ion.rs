//! `ecwid-ion`: Instant Order Notifications.

use countersign::simulator::ecwid::Order;
use serde_json::{Value, json};

use super::ecwid_shop::{Ion, asked, by_ids, post_and_settle, shop};
use crate::support::{Request, assert_verdict};

#[test]
fn an_order_that_the_shop_shows_with_both_statuses_is_confirmed() {
    let (env, _store) = shop();
    let serve = env.serve();
    let answer = serve.post("old", Ion::paid("1207").form());
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!((row.source.as_str(), row.provider.as_str()), ("old", "ecwid-ion"));
    assert_eq!(
        (row.event.as_deref(), row.subject_kind.as_deref(), row.subject_id.as_deref()),
        (Some("new_order"), Some("order"), Some("1207"))
    );
    assert_eq!((row.news, row.attempts, row.resolved_id.as_deref()), (1, 1, Some("1207")));
    assert_eq!(row.outcomes, ["match"]);
    assert_eq!(asked(&env), ["orders/1207"]);
    assert_eq!(env.value("SELECT status FROM orders").as_deref(), Some("PAID"));
}

#[test]
fn an_order_that_the_shop_does_not_know_is_ignored_as_not_found() {
    let (env, _store) = shop();
    let serve = env.serve();
    post_and_settle(&serve, "old", Ion::paid("9999").form(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    assert_eq!(asked(&env), ["orders/9999".to_owned(), by_ids("9999")]);
    assert_eq!(env.value("SELECT count(*) FROM orders").as_deref(), Some("0"));
    assert_eq!(env.value("SELECT id FROM fakes").as_deref(), Some("1"));
}

#[test]
fn the_same_claim_again_is_a_duplicate_and_is_not_asked_about() {
    let (env, _store) = shop();
    let serve = env.serve();
    post_and_settle(&serve, "old", Ion::paid("1207").form(), 1);
    post_and_settle(&serve, "old", Ion::paid("1207").form(), 2);
    let row = env.row(2);
    assert_verdict(&row, "ignored", "duplicate");
    assert_eq!((row.duplicate_of, row.news), (Some(1), 0));
    assert_eq!(asked(&env), ["orders/1207"]);
}

#[test]
fn the_claim_holds_what_is_compared_and_a_date_without_zone_is_no_time() {
    let (env, _store) = shop();
    let serve = env.serve();
    let body = Ion::paid("1207").changed_from("QUEUED", "NEW").set("gift", "yes").form();
    post_and_settle(&serve, "old", body, 1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.event.as_deref(), Some("order_status_change"));
    let claim: Value = serde_json::from_str(&row.claim.unwrap()).unwrap();
    let wanted = json!({"owner_id": "1003", "order_id": "1207", "payment_status": "ACCEPTED",
        "fulfillment_status": "NEW",
        "before": {"old_payment_status": "QUEUED", "old_fulfillment_status": "NEW"}});
    assert_eq!(claim, wanted);
    assert_eq!(row.event_time, None);
}

/// (payment and fulfilment as notified, as the shop has them, whether that is the same).
const WORDS: [(&str, &str, &str, &str, bool); 26] = [
    ("QUEUED", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", true),
    ("CHARGEABLE", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", true),
    ("ACCEPTED", "PROCESSING", "PAID", "PROCESSING", true),
    ("DECLINED", "WILL_NOT_DELIVER", "CANCELLED", "WILL_NOT_DELIVER", true),
    ("CANCELLED", "WILL_NOT_DELIVER", "CANCELLED", "WILL_NOT_DELIVER", true),
    ("REFUNDED", "RETURNED", "REFUNDED", "RETURNED", true),
    ("ACCEPTED", "SHIPPED", "PAID", "SHIPPED", true),
    ("ACCEPTED", "DELIVERED", "PAID", "DELIVERED", true),
    ("PAID", "AWAITING_PROCESSING", "PAID", "AWAITING_PROCESSING", true),
    ("AWAITING_PAYMENT", "READY_FOR_PICKUP", "AWAITING_PAYMENT", "READY_FOR_PICKUP", true),
    ("PARTIALLY_REFUNDED", "OUT_FOR_DELIVERY", "PARTIALLY_REFUNDED", "OUT_FOR_DELIVERY", true),
    ("INCOMPLETE", "NEW", "INCOMPLETE", "AWAITING_PROCESSING", true),
    ("CUSTOM_PAYMENT_STATUS_1", "NEW", "CUSTOM_PAYMENT_STATUS_1", "AWAITING_PROCESSING", true),
    ("A_WORD_OF_TOMORROW", "ANOTHER", "A_WORD_OF_TOMORROW", "ANOTHER", true),
    ("QUEUED", "NEW", "PAID", "AWAITING_PROCESSING", false),
    ("CHARGEABLE", "NEW", "PAID", "AWAITING_PROCESSING", false),
    ("ACCEPTED", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", false),
    ("ACCEPTED", "NEW", "PARTIALLY_REFUNDED", "AWAITING_PROCESSING", false),
    ("ACCEPTED", "NEW", "PAID", "SHIPPED", false),
    ("ACCEPTED", "SHIPPED", "PAID", "AWAITING_PROCESSING", false),
    ("DECLINED", "NEW", "AWAITING_PAYMENT", "AWAITING_PROCESSING", false),
    ("accepted", "NEW", "PAID", "AWAITING_PROCESSING", false),
    ("ACCEPTED", "new", "PAID", "AWAITING_PROCESSING", false),
    (" ACCEPTED", "NEW", "PAID", "AWAITING_PROCESSING", false),
    // The old words mean nothing at the shop of today, and no word crosses to the other status.
    ("PAID", "NEW", "ACCEPTED", "AWAITING_PROCESSING", false),
    ("NEW", "ACCEPTED", "AWAITING_PROCESSING", "PAID", false),
];

#[test]
fn each_old_word_means_its_v3_word_and_every_other_word_itself() {
    let (env, store) = shop();
    let serve = env.serve();
    for (place, (payment, fulfillment, shop_payment, shop_fulfillment, _)) in (1..).zip(WORDS) {
        let id = format!("W{place}");
        store.put_order(Order::new(&id, 50_000 + place).payment(shop_payment).fulfillment(shop_fulfillment));
        assert_eq!(serve.post("old", Ion::new(&id, payment, fulfillment).form()).status, 200);
    }
    for (id, (.., is_same)) in (1..).zip(WORDS) {
        serve.settled(id);
        let (state, reason) = if is_same { ("confirmed", "match") } else { ("ignored", "mismatch") };
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn another_store_s_notification_is_wrong_store_and_the_shop_is_not_asked() {
    let (env, _store) = shop();
    let serve = env.serve();
    for (id, owner) in (1..).zip(["1004", "10030", "01003", "1003 "]) {
        post_and_settle(&serve, "old", Ion::paid("1207").set("owner_id", owner).form(), id);
        assert_verdict(&env.row(id), "ignored", "wrong_store");
    }
    assert!(asked(&env).is_empty());
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("4"));
}

#[test]
fn without_a_required_field_it_is_malformed_and_the_detail_names_the_field() {
    let (env, _store) = shop();
    let serve = env.serve();
    let mut id = 0;
    for field in ["owner_id", "event_type", "order_id", "payment_status", "fulfillment_status"] {
        let (missing, empty) = (Ion::paid("1207").without(field), Ion::paid("1207").set(field, ""));
        let null = missing.json().replacen('{', &format!("{{\"{field}\":null,"), 1);
        let list = missing.json().replacen('{', &format!("{{\"{field}\":[\"1\"],"), 1);
        for body in [missing.form(), empty.form(), missing.json(), empty.json(), null, list] {
            id += 1;
            post_and_settle(&serve, "old", body, id);
            let row = env.row(id);
            assert_verdict(&row, "ignored", "malformed");
            assert!(row.detail.as_deref().unwrap().contains(field), "{row:#?}");
        }
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn a_body_that_is_neither_form_nor_json_object_is_stored_as_malformed() {
    let (env, _store) = shop();
    let serve = env.serve();
    let bodies: [&[u8]; 7] =
        [b"", b"{", b"{}", b"\xff\xfe\x00", b"owner_id=%FF", b"&&&", b"{\"owner_id\":1003} trailing"];
    for (id, body) in (1..).zip(bodies) {
        post_and_settle(&serve, "old", body, id);
        assert_verdict(&env.row(id), "ignored", "malformed");
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn an_event_that_this_version_does_not_know_is_unsupported_whatever_else_is_missing() {
    let (env, _store) = shop();
    let serve = env.serve();
    for (id, event) in (1..).zip(["order_deleted", "NEW_ORDER", "new_order "]) {
        post_and_settle(&serve, "old", Ion::paid("1207").set("event_type", event).form(), id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "unsupported");
        assert_eq!(row.event.as_deref(), Some(event));
    }
    post_and_settle(&serve, "old", "event_type=stock_changed", 4);
    assert_verdict(&env.row(4), "ignored", "unsupported");
    assert!(asked(&env).is_empty());
}

#[test]
fn a_json_body_says_the_same_as_a_form_whatever_the_content_type() {
    let (env, _store) = shop();
    let serve = env.serve();
    let post = |content_type: &str, body: String| {
        let request = Request::post("/hooks/old").header("Content-Type", content_type).body(body);
        assert_eq!(serve.send(&request).status, 200);
    };
    post("application/x-www-form-urlencoded", format!(" \n{}", Ion::paid("1207").json()));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    post("application/json", Ion::paid("1207").form());
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "duplicate");
}

#[test]
fn a_field_that_repeats_counts_only_when_it_says_the_same() {
    let (env, _store) = shop();
    let serve = env.serve();
    let form = Ion::paid("1207").form();
    let bodies = [
        (format!("{form}&order_id=9999"), "ignored", "malformed"),
        (format!("owner_id=1004&{form}"), "ignored", "malformed"),
        (format!("payment_status=QUEUED&{form}"), "ignored", "malformed"),
        (format!("event_type=nothing&{form}"), "ignored", "malformed"),
        (format!("{form}&order_id=1207&note=a&note=b"), "confirmed", "match"),
    ];
    for (id, (body, state, reason)) in (1..).zip(bodies) {
        post_and_settle(&serve, "old", body, id);
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn no_date_is_a_cause_for_refusal_and_another_date_is_another_claim() {
    let (env, _store) = shop();
    let serve = env.serve();
    let dates = ["2014-11-02 09:41:01", "yesterday", "0000-99-99 99:99:99", "2999-01-01 00:00:00"];
    let dated = dates.map(|date| Ion::paid("1207").set("date", date));
    for (id, ion) in (1..).zip(dated.into_iter().chain([Ion::paid("1207").without("date")])) {
        post_and_settle(&serve, "old", ion.form(), id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.event_time.as_deref(), row.news), (None, i64::from(id == 1)));
    }
}
