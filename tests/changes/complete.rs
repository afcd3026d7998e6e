//! Nothing that changes a row escapes the change log.

use std::sync::atomic::{AtomicBool, Ordering};

use countersign::domain::shipping::{Cell, Included, LedgerTable};

use super::{Ledger, everything, logging, logging_env};
use crate::actions::{Endpoint, ok, status};
use crate::news::{about_order, about_product, env, mug, order, tell};
use crate::support::TestEnv;

/// Runs a command that has to succeed.
#[track_caller]
fn done(env: &TestEnv, arguments: &[&str]) {
    let output = env.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn the_ledger_ends_with_every_row_as_it_is_whatever_changed_it() {
    let endpoint = Endpoint::answering(|_| status(500, "", "no"));
    let (env, shop) = logging_env();
    let keys = format!("url = \"{}\"\nretry = [\"10ms\"]\ngive_up_after = \"10ms\"\n", endpoint.url());
    let env = env.action("erp", &keys).store_keys("keep_personal = \"400d\"");
    let env = env.source("signed", "provider = \"kinguin\"\napi_key = \"k\"\nsecret = \"s\"\n");
    for n in 1..=40 {
        shop.put_order(order(n));
    }
    shop.put_product(mug());
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "before"), 1);
    let mut ledger = Ledger::of(&env, everything());
    ledger.limit.rows = 7;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ledger = &mut ledger;
        let shipping = scope.spawn(|| {
            let mut batches = 0;
            while !is_over.load(Ordering::Relaxed) {
                batches += ledger.ship_all().len();
            }
            batches
        });
        let mut id = 1;
        let mut next = |body: String| {
            id += 1;
            tell(&serve, body, id);
        };
        for n in 2..=40 {
            next(about_order("order.created", n, "a"));
        }
        next(about_order("order.created", 2, "a"));
        next(about_order("order.created", 77, "fake"));
        next("{}".to_owned());
        next(about_product("product.created", 9001, "p"));
        shop.put_product(mug().price("11.00"));
        next(about_product("product.updated", 9001, "q"));
        shop.edit_order("SALE-3", |order| order.payment("REFUNDED"));
        next(about_order("order.updated", 3, "refund"));
        shop.delete_order("SALE-4");
        next(about_order("order.deleted", 4, "gone"));
        for _ in 0..3 {
            assert_eq!(serve.post("signed", "{\"a\":1}").status, 401);
        }
        env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'waiting'", "0");
        endpoint.answer(|_| ok());
        done(&env, &["redeliver", "--action", "erp", "--yes"]);
        env.wait_for_value("SELECT count(*) FROM deliveries WHERE state <> 'delivered'", "0");
        done(&env, &["retry", "42"]);
        serve.settled(42);
        shop.edit_order("SALE-5", |order| order.payment("CANCELLED"));
        assert_eq!(
            env.run(&["reconcile", "--since", "1h", "--source", "shop", "--recover"]).status.code(),
            Some(3)
        );
        assert!(serve.stop().success());
        is_over.store(true, Ordering::Relaxed);
        assert!(shipping.join().unwrap() > 10);
    });
    ledger.ship_all();
    ledger.equals(&env);
    assert_eq!(ledger.table(LedgerTable::Refusals).len(), 1);
    // What loses its personal content loses it there as well.
    let (mut emptied, before) = (0, ledger.table(LedgerTable::Notifications));
    let env = env.store_keys("keep_personal = \"1ms\"");
    let serve = env.serve();
    serve.wait_for_line("the rules are kept", |line| line.contains("rows emptied"));
    assert!(serve.stop().success());
    ledger.ship_all();
    ledger.equals(&env);
    for (key, cells) in ledger.table(LedgerTable::Notifications) {
        emptied += usize::from(cells[7] == Cell::Null && before[&key][7] != Cell::Null);
    }
    assert!(emptied > 40, "{emptied}");
}

#[test]
fn without_a_ledger_nothing_is_logged_and_a_ledger_that_goes_takes_its_log_along() {
    let (env, shop) = env();
    for n in 1..=3 {
        shop.put_order(order(n));
    }
    let serve = env.serve();
    let entries = "SELECT count(*) FROM changes";
    let triggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'changes_*'";
    tell(&serve, about_order("order.created", 1, "a"), 1);
    assert_eq!(env.value(entries).as_deref(), Some("0"));
    assert_eq!(env.value(triggers).as_deref(), Some("0"));
    let env = logging(env);
    let reload = |env: &TestEnv| {
        env.write_config();
        serve.signal("HUP");
    };
    reload(&env);
    env.wait_for_value("SELECT is_on FROM ledger_state", "1");
    assert_ne!(env.value(triggers).as_deref(), Some("0"));
    tell(&serve, about_order("order.created", 2, "b"), 2);
    assert_ne!(env.value(entries).as_deref(), Some("0"));
    let env = env.without_ledger();
    reload(&env);
    env.wait_for_value("SELECT is_on FROM ledger_state", "0");
    env.wait_for_value(entries, "0");
    tell(&serve, about_order("order.created", 3, "c"), 3);
    assert_eq!(env.value(entries).as_deref(), Some("0"));
    assert_eq!(env.value(triggers).as_deref(), Some("0"));
}

#[test]
fn what_is_not_included_is_left_out() {
    let (env, shop) = env();
    shop.put_order(order(1));
    let serve = env.serve();
    tell(&serve, about_order("order.created", 1, "a"), 1);
    assert!(serve.stop().success());
    let mut ledger = Ledger::of(&env, [Included::Headers].into());
    ledger.ship_all();
    assert!(ledger.table(LedgerTable::Verifications).is_empty());
    for table in LedgerTable::ALL {
        for cells in ledger.table(*table).values() {
            for (cell, column) in cells.iter().zip(table.columns()) {
                let is_left_out = column.needs.is_some_and(|needs| needs != Included::Headers);
                assert!(!is_left_out || *cell == Cell::Null, "{table}.{}", column.name);
            }
        }
    }
    let notification = ledger.table(LedgerTable::Notifications).into_values().next().unwrap();
    assert!(matches!(&notification[6], Cell::Text(headers) if headers.contains("host")), "{notification:?}");
    // Other columns: all rows again.
    ledger.configure(Some([Included::Verifications, Included::Body].into()));
    ledger.ship_all();
    let notification = ledger.table(LedgerTable::Notifications).into_values().next().unwrap();
    assert_eq!(notification[6], Cell::Null);
    assert!(matches!(&notification[7], Cell::Text(body) if body.contains("SALE-1")), "{notification:?}");
    assert_eq!(ledger.table(LedgerTable::Verifications).len(), 1);
}

#[test]
fn refusals_go_when_their_time_has_come_and_keep_nothing_else_waiting() {
    let (env, shop) = logging_env();
    let env = env.source("signed", "provider = \"kinguin\"\napi_key = \"k\"\nsecret = \"s\"\n");
    shop.put_order(order(1));
    let serve = env.serve();
    let mut ledger = Ledger::of(&env, everything());
    ledger.ship_all();
    ledger.limit.refusals = false;
    assert_eq!(serve.post("signed", "{\"a\":1}").status, 401);
    tell(&serve, about_order("order.created", 1, "a"), 1);
    ledger.ship_all();
    assert!(ledger.table(LedgerTable::Refusals).is_empty());
    assert_eq!(ledger.table(LedgerTable::News).len(), 1);
    assert_eq!(ledger.state().unwrap().waiting, 0, "refusals do not count");
    assert_eq!(serve.post("signed", "{\"a\":1}").status, 401);
    ledger.limit.refusals = true;
    assert_eq!(ledger.ship_all(), [1]);
    ledger.equals(&env);
}
