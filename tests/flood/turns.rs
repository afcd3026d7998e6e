//! Who comes first beside smaller floods of other kinds. Everything is stored before the first question, so that the order
//! of the calls tells.

use countersign::simulator::ecwid::Order;

use crate::support::{Request, Serve, TestEnv, assert_verdict, ion, paid};

const STORE: u64 = 1003;

/// The orders asked about by their own calls, in this order.
fn asked(env: &TestEnv) -> Vec<String> {
    let order = |target: &str| target.split_once("/orders/").map(|(_, order)| order.to_owned());
    env.simulator.shops().calls().iter().filter_map(|call| order(&call.target)).collect()
}

fn post(serve: &Serve, source: &str, sender: &str, body: String) {
    let request = Request::post(&format!("/hooks/{source}")).header("X-Forwarded-For", sender).body(body);
    assert_eq!(serve.send(&request).status, 200);
}

#[track_caller]
fn assert_among_the_first(env: &TestEnv, order: &str, most: usize) {
    let asked = asked(env);
    let place = asked.iter().position(|asked| asked == order).unwrap();
    assert!(place < most, "{order} came after {place} others: {asked:?}");
}

fn verify(env: &TestEnv) {
    let done = env.run(&["verify"]);
    assert!(done.status.success(), "{done:?}");
}

#[test]
fn a_network_that_makes_up_addresses_gets_the_turns_of_sixteen() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", STORE, 1);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..100 {
        post(&serve, "shop", &format!("2001:db8:bad:{n:x}::1"), paid(STORE, &format!("fake.{n}")));
    }
    post(&serve, "shop", "2001:db8:900d::1", paid(STORE, "o.1"));
    verify(&env);
    assert_among_the_first(&env, "o.1", 18);
}

#[test]
fn a_true_notification_in_a_crowd_of_forged_ones_is_judged_by_the_first_answer() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", STORE, 1);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..1_200 {
        let forged = format!("{}&customer_name={n}", ion(STORE, "o.1", "DECLINED"));
        post(&serve, "shop", "203.0.113.66", forged);
    }
    post(&serve, "shop", "198.51.100.1", paid(STORE, "o.1"));
    verify(&env);
    assert_verdict(&env.row(1_201), "confirmed", "match");
    let call = "SELECT count(DISTINCT call_id) FROM verifications
                WHERE call_id < (SELECT call_id FROM verifications WHERE notification_id = 1201)";
    let before: usize = env.value(call).unwrap().parse().unwrap();
    assert!(before < 2, "{before} calls before");
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("1200"));
}

#[test]
fn copies_of_true_notifications_earn_their_sender_nothing() {
    let env = TestEnv::new().ion_shop("shop", STORE, 1);
    let serve = env.serve();
    post(&serve, "shop", "198.51.100.1", paid(STORE, "o.1"));
    serve.settled(1);
    for id in 2..=21 {
        post(&serve, "shop", "203.0.113.66", paid(STORE, "o.1"));
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "duplicate");
    }
    let share = |sender: &str| env.value(&format!("SELECT weight FROM senders WHERE sender = '{sender}'"));
    let unknown: i64 = share("203.0.113.66").unwrap().parse().unwrap();
    let proven: i64 = share("198.51.100.1").unwrap().parse().unwrap();
    assert_eq!(unknown, 8192);
    assert!(proven > unknown);
}

#[test]
fn an_address_whose_notifications_were_true_has_more_turns_than_one_that_was_caught() {
    let env = TestEnv::new().verify("concurrency = 1").ion_shop("shop", STORE, 30);
    let serve = env.serve();
    for n in 1..=10 {
        post(&serve, "shop", "198.51.100.1", paid(STORE, &format!("o.{n}")));
        post(&serve, "shop", "203.0.113.66", paid(STORE, &format!("fake.{n}")));
    }
    (1..=20).for_each(|id| serve.settled(id));
    assert!(serve.stop().success());
    env.simulator.shops().clear_calls();
    let serve = env.serve_with(&["--no-worker"]);
    for n in 11..=30 {
        post(&serve, "shop", "203.0.113.66", paid(STORE, &format!("fake.{n}")));
    }
    for n in 11..=30 {
        post(&serve, "shop", "198.51.100.1", paid(STORE, &format!("o.{n}")));
    }
    verify(&env);
    let asked = asked(&env);
    let true_ones = asked.iter().take(12).filter(|order| order.starts_with("o.")).count();
    assert!(true_ones >= 10, "{asked:?}");
    assert!(asked.iter().position(|order| order.starts_with("fake.")).unwrap() < 40, "{asked:?}");
}

#[test]
fn a_flooded_source_leaves_its_turns_to_another() {
    let env =
        TestEnv::new().verify("concurrency = 2").ion_shop("flooded", STORE, 0).ion_shop("shop", 1004, 1);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..100 {
        post(&serve, "flooded", "203.0.113.66", paid(STORE, &format!("fake.{n}")));
    }
    post(&serve, "shop", "203.0.113.66", paid(1004, "o.1"));
    verify(&env);
    assert_among_the_first(&env, "o.1", 6);
}

#[test]
fn behind_an_unlisted_proxy_a_true_notification_waits_for_the_list_calls_before_it() {
    const FORGED: u64 = 250;
    let env = TestEnv::new().verify("concurrency = 1").server_keys("trusted_proxies = []");
    let shop = env.simulator.shops().open_ecwid(STORE, "secret_flood_token");
    shop.put_order(Order::new("TRUE", 1).order_number(1).paid());
    let base = env.simulator.ecwid_base();
    let keys = format!(
        "provider = \"ecwid-ion\"\nstore_id = {STORE}\ntoken = \"secret_flood_token\"\napi_base = \"{base}\"\n\
         rate_limit = \"100000/s\""
    );
    let env = env.source("shop", &keys);
    let serve = env.serve_with(&["--no-worker"]);
    for n in 0..FORGED {
        post(&serve, "shop", &format!("203.0.113.{n}"), paid(STORE, &format!("FAKE-{n}")));
    }
    post(&serve, "shop", "198.51.100.1", paid(STORE, "TRUE"));
    verify(&env);
    let id = i64::try_from(FORGED).unwrap() + 1;
    assert_verdict(&env.row(id), "confirmed", "match");
    let calls = env.simulator.shops().calls();
    let place = calls.iter().position(|call| call.target.contains("TRUE")).unwrap();
    assert!(place < 3, "it was in call {place}");
}
