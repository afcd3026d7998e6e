//! One call may ask about many subjects; what a list confirms counts, everything else is asked alone.

use std::fmt::Write as _;

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Call, Fault};

use crate::support::{Request, Serve, TestEnv, paid};

const STORE: u64 = 4_400_551;
const KNOWN: u64 = 150;
const INVENTED: u64 = 10;

/// A shop with [`KNOWN`] paid orders, and a store in which all of them and [`INVENTED`] others were notified, unasked.
fn crowded_env() -> TestEnv {
    let env = TestEnv::new();
    let shop = env.simulator.shops().open_ecwid(STORE, "secret_list_token");
    let base = env.simulator.ecwid_base();
    for n in 0..KNOWN {
        shop.put_order(Order::new(&format!("ORDER-{n:03}"), 1000 + n).paid());
    }
    let mut source = String::new();
    write!(source, "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"secret_list_token\"\n").unwrap();
    write!(source, "api_base = \"{base}\"\nrate_limit = \"100000/min\"").unwrap();
    let env = env.source("shop", &source);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..KNOWN + INVENTED {
        assert_eq!(notify(&serve, n), 200);
    }
    assert!(serve.stop().success());
    env
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

fn count(env: &TestEnv, state: &str, reason: &str) -> String {
    let sql = format!("SELECT count(*) FROM notifications WHERE state = '{state}' AND reason = '{reason}'");
    env.value(&sql).unwrap()
}

#[test]
fn a_crowd_of_first_questions_is_asked_by_list_calls_and_only_the_unconfirmed_alone() {
    let env = crowded_env();
    let done = env.run(&["verify"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(count(&env, "confirmed", "match"), KNOWN.to_string());
    assert_eq!(count(&env, "ignored", "not_found"), INVENTED.to_string());
    let calls = env.simulator.shops().calls();
    assert_eq!(calls.iter().filter(|call| is_list(call)).count(), 2, "{calls:#?}");
    assert_eq!(env.value("SELECT count(*) FROM orders").unwrap(), KNOWN.to_string());
    assert_eq!(
        env.value("SELECT count(DISTINCT call_id) FROM verifications WHERE outcome = 'match'").unwrap(),
        "2"
    );
}

#[test]
fn a_list_that_fails_is_asked_again_singly() {
    let env = crowded_env();
    env.simulator.shops().add_fault(Fault::status(500).path("limit=100"));
    let done = env.run(&["verify"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(count(&env, "confirmed", "match"), KNOWN.to_string());
}

/// The calls that ask about one order by its own path, by its id.
fn alone(env: &TestEnv) -> Vec<String> {
    let order = |call: &Call| call.target.split_once("/orders/").map(|(_, order)| order.to_owned());
    env.simulator.shops().calls().iter().filter_map(order).collect()
}

/// A source of the same shop that receives Instant Order Notifications.
fn ion_env() -> TestEnv {
    let env = TestEnv::new();
    env.simulator.shops().open_ecwid(STORE, "secret_list_token");
    let base = env.simulator.ecwid_base();
    let keys = format!(
        "provider = \"ecwid-ion\"\nstore_id = {STORE}\ntoken = \"secret_list_token\"\napi_base = \"{base}\"\n\
         rate_limit = \"100000/min\""
    );
    env.source("shop", &keys)
}

/// Stores these notifications without asking about any.
fn came_in(env: &TestEnv, from: &str, bodies: impl Iterator<Item = String>) {
    let serve = env.serve_with(&["--no-worker"]);
    for body in bodies {
        let request = Request::post("/hooks/shop").header("X-Forwarded-For", from).body(body);
        assert_eq!(serve.send(&request).status, 200);
    }
    assert!(serve.stop().success());
}

#[test]
fn an_id_that_a_thousand_orders_begin_with_is_put_into_one_list_only() {
    let env = ion_env();
    let shop = env.simulator.shops().open_ecwid(STORE, "secret_list_token");
    for n in 0..1_001 {
        shop.put_order(Order::new(&format!("NEAR-{n:04}"), 5_000 + n).paid());
    }
    for n in 0..60 {
        shop.put_order(Order::new(&format!("ORDER-{n:03}"), 1000 + n).paid());
    }
    for (round, settled) in [(0_u64, "20 1"), (1, "40 2"), (2, "60 3")] {
        let near = format!("{}&n={round}", paid(STORE, "NEAR-"));
        let orders = (0..20).map(|n| paid(STORE, &format!("ORDER-{:03}", 20 * round + n)));
        came_in(&env, "198.51.100.1", [near].into_iter().chain(orders));
        assert!(env.run(&["verify"]).status.success());
        let now =
            "SELECT sum(state = 'confirmed') || ' ' || sum(state = 'undecided' AND reason = 'api_error')
                   FROM notifications";
        assert_eq!(env.value(now).as_deref(), Some(settled));
    }
    let lists = env.simulator.shops().calls_matching(is_list);
    let crowded =
        lists.iter().filter(|call| call.target.contains("NEAR-,") || call.target.contains(",NEAR-"));
    assert_eq!((crowded.count(), lists.len()), (1, 4), "{lists:#?}");
    let attempts = "SELECT group_concat(DISTINCT attempts) FROM notifications WHERE subject_id = 'NEAR-'";
    assert_eq!(env.value(attempts).as_deref(), Some("5"));
}

#[test]
fn what_a_list_omits_of_a_doubtful_sender_is_asked_alone_after_its_grace() {
    const DOUBTFUL: &str = "203.0.113.66";
    let env = ion_env();
    let invent = |env: &TestEnv, from: &str, orders: std::ops::Range<u64>| {
        came_in(env, from, orders.map(|n| paid(STORE, &format!("INVENTED-{n}"))));
    };
    invent(&env, DOUBTFUL, 0..1);
    assert!(env.run(&["verify"]).status.success());
    assert_eq!(count(&env, "ignored", "not_found"), "1");
    env.simulator.shops().clear_calls();
    let env = env.verify("grace = \"1h\"\nretry_base = \"10m\"\nretry_cap = \"10m\"");
    invent(&env, DOUBTFUL, 100..120);
    invent(&env, "198.51.100.1", 200..201);
    assert!(env.run(&["verify"]).status.success());
    assert_eq!(alone(&env), ["INVENTED-200"]);
    let waiting = "SELECT count(*) FROM notifications WHERE id > 1 AND state = 'pending' AND attempts = 0
                   AND next_attempt_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+50 minutes')";
    assert_eq!(env.value(waiting).as_deref(), Some("20"));
}
