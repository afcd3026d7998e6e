//! What is not shipped yet is kept for a while, and what goes all the same is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Ledger, everything, logging_env, now};
use crate::news::{about_order, env, order, tell};
use crate::support::TestEnv;

const DAY: u64 = 24 * 3600;

#[track_caller]
fn prune(env: &TestEnv) -> String {
    let output = env.run(&["prune", "--older-than", "0s"]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes everything in the store so many days old.
fn age(env: &TestEnv, days: u64) {
    let then = now().minus(Duration::from_secs(days * DAY));
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch(&format!(
        "UPDATE intake SET received_at = '{then}'; UPDATE verdicts SET received_at = '{then}', decided_at = '{then}';
         UPDATE ledger_state SET filling_since = '{then}';"
    ))
    .unwrap();
}

#[test]
fn prune_waits_for_the_ledger_and_takes_nothing_from_it() {
    let (env, shop) = logging_env();
    shop.put_order(order(1));
    shop.put_order(order(2));
    let serve = env.serve();
    let mut ledger = Ledger::of(&env, everything());
    tell(&serve, about_order("order.created", 1, "a"), 1);
    tell(&serve, about_order("order.created", 1, "a"), 2);
    assert_eq!(prune(&env), "removed 0 notifications\n");
    ledger.ship_all();
    tell(&serve, about_order("order.created", 2, "b"), 3);
    assert_eq!(prune(&env), "removed 2 notifications: 1 confirmed, 1 ignored (1 of them duplicates)\n");
    ledger.ship_all();
    assert!(prune(&env).starts_with("removed 1 notification"));
    assert_eq!(ledger.rows.values().map(BTreeMap::len).sum::<usize>(), 3 + 2 + 2 + 2);
    assert_eq!(ledger.state().unwrap().gap, 0);
    assert!(ledger.ship_all().is_empty(), "what is gone from the file stays in the ledger");
}

#[test]
fn a_change_of_what_was_shipped_is_waited_for_as_well() {
    let (env, shop) = logging_env();
    shop.put_order(order(1));
    let serve = env.serve();
    tell(&serve, about_order("order.created", 7, "fake"), 1);
    let mut ledger = Ledger::of(&env, everything());
    ledger.ship_all();
    assert!(env.run(&["retry", "1"]).status.success());
    env.wait_for_value("SELECT count(*) FROM verifications", "2");
    serve.settled(1);
    assert_eq!(prune(&env), "removed 0 notifications\n");
    ledger.ship_all();
    assert_eq!(prune(&env), "removed 1 notification: 0 confirmed, 1 ignored\n");
}

#[test]
fn after_thirty_days_nothing_waits_any_longer_and_the_gap_is_counted() {
    let (env, shop) = logging_env();
    shop.put_order(order(1));
    let serve = env.serve();
    let ledger = Ledger::of(&env, everything());
    tell(&serve, about_order("order.created", 1, "a"), 1);
    tell(&serve, about_order("order.created", 7, "fake"), 2);
    assert!(serve.stop().success());
    age(&env, 29);
    assert_eq!(prune(&env), "removed 0 notifications\n");
    age(&env, 31);
    assert_eq!(prune(&env), "removed 2 notifications: 1 confirmed, 1 ignored\n");
    let state = ledger.state().unwrap();
    // Two notifications with a verification each, and one news.
    assert_eq!(state.gap, 5);
    assert!(state.gap_at.is_some());
}

#[test]
fn nothing_waits_for_the_ledger_at_the_cost_of_the_disk() {
    let (env, shop) = logging_env();
    shop.put_order(order(1));
    let serve = env.serve();
    let _ledger = Ledger::of(&env, everything());
    tell(&serve, about_order("order.created", 1, "a"), 1);
    assert!(serve.stop().success());
    assert_eq!(prune(&env), "removed 0 notifications\n");
    let env = env.store_keys("min_free = \"1000000GiB\"");
    assert_eq!(prune(&env), "removed 1 notification: 1 confirmed, 0 ignored\n");
}

#[test]
fn nothing_waits_for_the_ledger_at_the_cost_of_max_unproven() {
    let (env, _shop) = logging_env();
    let env = env.store_keys("max_unproven = 2");
    let serve = env.serve();
    let ledger = Ledger::of(&env, everything());
    for n in 1..=2 {
        tell(&serve, about_order("order.created", 70 + n, "fake"), i64::try_from(n).unwrap());
    }
    assert_eq!(serve.post("shop", about_order("order.created", 73, "fake")).status, 200);
    serve.settled(3);
    env.wait_for_value("SELECT count(*) FROM intake", "2");
    assert_eq!(ledger.state().unwrap().gap, 2, "a notification and its verification");
}

#[test]
fn ids_are_never_used_again() {
    let (env, shop) = env();
    let endpoint = crate::actions::Endpoint::new();
    let env = env.action("erp", &format!("url = \"{}\"\n", endpoint.url()));
    shop.put_order(order(1));
    shop.put_order(order(2));
    let serve = env.serve();
    let ids = "SELECT (SELECT max(id) FROM intake) || ' ' || (SELECT max(id) FROM verifications) || ' ' ||
      (SELECT max(seq) FROM news) || ' ' || (SELECT max(id) FROM deliveries)";
    for n in 1..=2 {
        tell(&serve, about_order("order.created", n, "a"), i64::try_from(n).unwrap());
        endpoint.wait_for(usize::try_from(n).unwrap());
        env.wait_for_value("SELECT state FROM deliveries", "delivered");
        assert_eq!(env.value(ids).as_deref(), Some(format!("{n} {n} {n} {n}").as_str()));
        assert!(prune(&env).starts_with("removed 1 notification"));
        assert_eq!(env.value("SELECT count(*) FROM intake").as_deref(), Some("0"));
    }
}
