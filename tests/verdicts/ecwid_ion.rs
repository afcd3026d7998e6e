//! `ecwid-ion`: Instant Order Notifications.

use countersign::simulator::ecwid::{EcwidStore, Order};

use crate::support::{House, assert_verdict};

const TOKEN: &str = "secret_ion_token";

fn shop() -> (House, EcwidStore) {
    let house = House::new();
    let base = house.simulator.ecwid_base();
    let store = house.simulator.shops().open_ecwid(1003, TOKEN);
    store.put_order(Order::new("1207", 41_207).order_number(1207).paid());
    let house = house.source(
        "old",
        &format!("provider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"{TOKEN}\"\napi_base = \"{base}\""),
    );
    (house, store)
}

fn ion(order_id: &str, payment: &str, fulfillment: &str) -> String {
    format!(
        "owner_id=1003&event_type=new_order&date=2014-11-02+09%3A41%3A00&order_id={order_id}&payment_status={payment}\
         &fulfillment_status={fulfillment}"
    )
}

#[test]
fn an_order_that_the_shop_shows_with_both_statuses_is_confirmed() {
    let (house, _store) = shop();
    let serve = house.serve();
    let answer = serve.post("old", ion("1207", "ACCEPTED", "NEW"));
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    serve.settled(1);
    let row = house.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!((row.news, row.attempts, row.resolved_id.as_deref()), (1, 1, Some("1207")));
    assert_eq!(house.value("SELECT status FROM orders").as_deref(), Some("PAID"));
}

#[test]
fn an_order_that_the_shop_does_not_know_is_ignored_as_not_found() {
    let (house, _store) = shop();
    let serve = house.serve();
    serve.post("old", ion("9999", "ACCEPTED", "NEW"));
    serve.settled(1);
    assert_verdict(&house.row(1), "ignored", "not_found");
}

#[test]
fn the_same_claim_again_is_a_duplicate_and_is_not_asked_about() {
    let (house, _store) = shop();
    let serve = house.serve();
    serve.post("old", ion("1207", "ACCEPTED", "NEW"));
    serve.settled(1);
    serve.post("old", ion("1207", "ACCEPTED", "NEW"));
    serve.settled(2);
    let row = house.row(2);
    assert_verdict(&row, "ignored", "duplicate");
    assert_eq!(row.duplicate_of, Some(1));
    assert_eq!(house.simulator.shops().calls().len(), 1);
}
