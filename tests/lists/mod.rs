//! One call may ask about many subjects; what a list confirms counts, everything else is asked alone.

use std::fmt::Write as _;

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Call, Fault};

use crate::support::{House, Serve};

const STORE: u64 = 4_400_551;
const KNOWN: u64 = 150;
const INVENTED: u64 = 10;

/// A shop with [`KNOWN`] paid orders, and a store in which all of them and [`INVENTED`] others were notified, unasked.
fn crowded_house() -> House {
    let house = House::new();
    let shop = house.simulator.shops().open_ecwid(STORE, "secret_list_token");
    let base = house.simulator.ecwid_base();
    for n in 0..KNOWN {
        shop.put_order(Order::new(&format!("ORDER-{n:03}"), 1000 + n).paid());
    }
    let mut source = String::new();
    write!(source, "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"secret_list_token\"\n").unwrap();
    write!(source, "api_base = \"{base}\"\nrate_limit = \"100000/min\"").unwrap();
    let house = house.source("shop", &source);
    let serve = house.serve_with(&["--no-worker"]);
    for n in 0..KNOWN + INVENTED {
        assert_eq!(notify(&serve, n), 200);
    }
    assert!(serve.stop().success());
    house
}

fn notify(serve: &Serve, n: u64) -> u16 {
    let body = format!(
        r#"{{"eventId":"e-{n}","eventCreated":1764000000,"storeId":{STORE},"entityId":{},"eventType":"order.updated",
           "data":{{"orderId":"ORDER-{n:03}","newPaymentStatus":"PAID"}}}}"#,
        1000 + n
    );
    serve.post("shop", body).status
}

fn is_list(call: &Call) -> bool {
    let ids = call.target.split_once("/orders?ids=").and_then(|(_, query)| query.split('&').next());
    ids.is_some_and(|ids| ids.contains("%2C") || ids.contains(','))
}

fn count(house: &House, state: &str, reason: &str) -> String {
    let sql = format!("SELECT count(*) FROM notifications WHERE state = '{state}' AND reason = '{reason}'");
    house.value(&sql).unwrap()
}

#[test]
fn a_crowd_of_first_questions_is_asked_by_list_calls_and_only_the_unconfirmed_alone() {
    let house = crowded_house();
    let done = house.run(&["verify"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(count(&house, "confirmed", "match"), KNOWN.to_string());
    assert_eq!(count(&house, "ignored", "not_found"), INVENTED.to_string());
    let calls = house.simulator.shops().calls();
    assert_eq!(calls.iter().filter(|call| is_list(call)).count(), 2, "{calls:#?}");
    assert_eq!(house.value("SELECT count(*) FROM orders").unwrap(), KNOWN.to_string());
    assert_eq!(
        house.value("SELECT count(DISTINCT call_id) FROM verifications WHERE outcome = 'match'").unwrap(),
        "2"
    );
}

#[test]
fn a_list_that_fails_is_asked_again_singly() {
    let house = crowded_house();
    house.simulator.shops().add_fault(Fault::status(500).path("limit=100"));
    let done = house.run(&["verify"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(count(&house, "confirmed", "match"), KNOWN.to_string());
}
