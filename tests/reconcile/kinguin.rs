//! Kinguin: a list by creation date alone, so that older orders are seen again.

use chrono::{TimeDelta, Utc};
use countersign::simulator::kinguin::{KinguinAccount, Order};

use super::reconcile;
use crate::support::{Request, Serve, TestEnv};

const KEY: &str = "reconcile-api-key";

fn account(provider: &str) -> (TestEnv, KinguinAccount) {
    let env = TestEnv::new();
    let account = env.simulator.shops().open_kinguin("keys", KEY);
    let lines = format!(
        "provider = \"{provider}\"\napi_key = \"{KEY}\"\nrate_limit = \"10000/s\"\napi_base = \"{}\"\n",
        env.simulator.kinguin_base()
    );
    (env.source("keys", &lines), account)
}

/// Puts an order created so many days ago into the account.
fn buy(account: &KinguinAccount, order_id: &str, status: &str, days_ago: i64) {
    let created = Utc::now() - TimeDelta::days(days_ago);
    account.put_order(Order::new(order_id).status(status).created_at(created));
}

fn tell(serve: &Serve, order_id: &str, status: &str) {
    let body =
        format!(r#"{{"orderId":"{order_id}","status":"{status}","updatedAt":"2025-03-04T10:15:09+00:00"}}"#);
    serve.send(&Request::post("/hooks/keys").header("X-Event-Name", "order.status").body(body));
}

#[test]
fn missed_drift_and_vanished_are_found_and_nothing_else() {
    let (env, account) = account("kinguin");
    let serve = env.serve();
    for (n, order_id) in ["SAME", "DRIFT", "GONE"].into_iter().enumerate() {
        buy(&account, order_id, "completed", 0);
        tell(&serve, order_id, "completed");
        serve.settled(i64::try_from(n).unwrap() + 1);
    }
    buy(&account, "MISSED", "processing", 0);
    account.edit_order("DRIFT", |order| order.status("refunded"));
    account.vanish_order("GONE");
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(
        run.findings("keys"),
        ["missed MISSED - processing", "drift DRIFT completed refunded", "vanished GONE completed -"]
    );
    assert_eq!(run.source("keys")["listed"], 3);
}

#[test]
fn older_orders_of_ours_are_seen_by_the_list_and_the_oldest_by_own_calls() {
    let (env, account) = account("kinguin");
    let serve = env.serve();
    let orders = [
        ("RECENT", "completed", 10),
        ("OLD", "completed", 60),
        ("OLD-FINAL", "canceled", 60),
        ("OLD-SAME", "processing", 60),
    ];
    for (n, (order_id, status, days_ago)) in orders.into_iter().enumerate() {
        buy(&account, order_id, status, days_ago);
        tell(&serve, order_id, status);
        serve.settled(i64::try_from(n).unwrap() + 1);
    }
    buy(&account, "NOT-OURS", "completed", 10);
    account.edit_order("RECENT", |order| order.status("refunded"));
    account.edit_order("OLD", |order| order.status("refunded"));
    env.simulator.shops().clear_calls();
    let run = reconcile(&env, &["--recheck", "30d"]);
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.findings("keys"), ["drift OLD completed refunded", "drift RECENT completed refunded"]);
    let list = env.simulator.shops().calls_matching(|call| call.target.contains("/v1/order?"));
    assert_eq!(list.len(), 1, "{list:#?}");
}

#[test]
fn in_a_later_window_old_orders_are_asked_about_unless_they_are_final() {
    let (env, account) = account("kinguin");
    let serve = env.serve();
    for (n, (order_id, status)) in [("FINAL", "refunded"), ("OPEN", "completed")].into_iter().enumerate() {
        buy(&account, order_id, status, 60);
        tell(&serve, order_id, status);
        serve.settled(i64::try_from(n).unwrap() + 1);
    }
    assert_eq!(super::reconcile_all(&env, &[]).code, Some(0));
    // They were confirmed before the six hours by which windows overlap.
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch(
        "UPDATE verdicts SET decided_at = '2020-01-01T00:00:00.000Z';
         UPDATE last_confirmed SET confirmed_at = '2020-01-01T00:00:00.000Z'",
    )
    .unwrap();
    env.simulator.shops().clear_calls();
    account.edit_order("OPEN", |order| order.status("refunded"));
    let later = super::reconcile_all(&env, &[]);
    assert_eq!(
        (later.code, later.findings("keys")),
        (Some(3), vec!["drift OPEN completed refunded".to_owned()])
    );
    let asked = |id: &str| {
        let end = format!("/order/{id}");
        env.simulator.shops().calls_matching(|call| call.target.ends_with(&end)).len()
    };
    assert_eq!((asked("FINAL"), asked("OPEN")), (0, 1));
}

#[test]
fn a_postback_tells_of_completed_orders_alone() {
    let (env, account) = account("kinguin-postback");
    let serve = env.serve();
    buy(&account, "TOLD", "completed", 0);
    serve.post("keys", r#"{"orderId":"TOLD","updatedAt":"2025-03-04T10:15:09+00:00"}"#);
    serve.settled(1);
    for status in ["processing", "canceled", "refunded"] {
        buy(&account, &status.to_uppercase(), status, 0);
    }
    buy(&account, "MISSED", "completed", 0);
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.findings("keys")), (Some(3), vec!["missed MISSED - completed".to_owned()]));
    account.edit_order("TOLD", |order| order.status("refunded"));
    let run = reconcile(&env, &[]);
    assert_eq!(run.findings("keys"), ["missed MISSED - completed"]);
}

#[test]
fn all_pages_are_read_and_a_page_too_large_is_asked_for_in_parts() {
    let (env, account) = account("kinguin");
    let serve = env.serve();
    for n in 0..230 {
        buy(&account, &format!("ORDER-{n:03}"), "completed", 0);
    }
    let huge = countersign::simulator::Trouble::Huge(9 * 1024 * 1024);
    env.simulator.shops().add_fault(countersign::simulator::Fault::new(huge).path("limit=100&page=2"));
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, &run.source("keys")["listed"]), (Some(3), &230.into()), "{}", run.errors);
    assert_eq!(run.source("keys")["omitted"]["missed"], 130);
    drop(serve);
}
