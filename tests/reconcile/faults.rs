//! Shops that fail: a report that is not complete is never a clean one, and the window does not move.

use std::time::{Duration, Instant};

use countersign::simulator::ecwid::{EcwidStore, Order};
use countersign::simulator::{Fault, Trouble};

use super::{Run, ecwid_env, ecwid_lines, reconcile, reconcile_all, sell_and_tell};
use crate::support::TestEnv;

const ORDERS: u64 = 250;

/// A shop with [`ORDERS`] untold orders, beside another one, `twin`, with the same.
fn full_env() -> (TestEnv, EcwidStore) {
    let (env, shop) = ecwid_env();
    let twin = env.simulator.shops().open_ecwid(77, "secret_twin");
    let lines =
        ecwid_lines(&env).replace(&super::STORE.to_string(), "77").replace(super::TOKEN, "secret_twin");
    let env = env.source("twin", &lines);
    env.serve().stop();
    for n in 0..ORDERS {
        shop.put_order(Order::new(&order_id(n), 10_000 + n).paid());
    }
    twin.put_order(Order::new("TWIN-1", 1).paid());
    (env, shop)
}

fn order_id(n: u64) -> String {
    format!("SALE-{n:04}")
}

/// A fault of the second page of the shop's list.
fn in_the_middle(fault: Fault) -> Fault {
    fault.store(super::STORE.to_string()).path("limit=100&offset=100")
}

/// The first page again, as if it were the second.
fn repeated_page() -> Fault {
    let item = |n: u64| {
        format!(
            r#"{{"id":"{}","internalId":{},"orderNumber":{n},"paymentStatus":"PAID",
               "fulfillmentStatus":"AWAITING_PROCESSING"}}"#,
            order_id(n),
            10_000 + n
        )
    };
    let items: Vec<String> = (0..100).map(item).collect();
    let body =
        format!(r#"{{"total":{ORDERS},"count":100,"offset":100,"limit":100,"items":[{}]}}"#, items.join(","));
    Fault::new(Trouble::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() })
}

#[track_caller]
fn assert_incomplete(env: &TestEnv, run: &Run) {
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert_eq!(run.source("shop")["complete"], false);
    assert!(run.errors.contains("source shop"), "{}", run.errors);
    assert_eq!(run.source("twin")["complete"], true);
    assert_eq!(run.findings("twin"), ["missed TWIN-1 - PAID/AWAITING_PROCESSING"]);
    assert_eq!(env.value("SELECT count(*) FROM reconciliations").as_deref(), Some("0"));
}

#[track_caller]
fn assert_complete(env: &TestEnv, run: &Run) {
    assert_eq!(run.code, Some(3), "{run:#?}");
    assert_eq!(run.source("shop")["listed"], ORDERS);
    assert_eq!(run.source("shop")["omitted"]["missed"], ORDERS - 100);
    assert_eq!(env.value("SELECT count(*) FROM reconciliations").as_deref(), Some("2"));
}

/// Runs a case for each fault, all of them at once.
fn at_once(faults: impl IntoIterator<Item = Fault>, case: impl Fn(Fault) + Sync) {
    let case = &case;
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || case(fault));
        }
    });
}

#[test]
fn a_list_that_keeps_failing_midway_is_no_report() {
    let lasting = [
        Fault::status(500),
        Fault::status(403),
        Fault::new(Trouble::NotJson),
        Fault::new(Trouble::Reset),
        Fault::too_many(Some("7200")),
    ];
    // A run waits before it tries again.
    at_once(lasting, |fault| {
        let (env, _shop) = full_env();
        env.simulator.shops().add_fault(in_the_middle(fault.clone()));
        let run = reconcile_all(&env, &[]);
        assert_incomplete(&env, &run);
        let from = run.report["from"].clone();
        env.simulator.shops().clear_faults();
        let again = reconcile_all(&env, &[]);
        assert_complete(&env, &again);
        assert_eq!(again.report["from"], from, "{fault:?}: nothing of the window is lost");
    });
}

#[test]
fn a_list_that_fails_for_the_moment_is_read_to_its_end() {
    let passing =
        [Fault::status(502), Fault::new(Trouble::Reset), Fault::new(Trouble::Truncate), Fault::status(408)];
    at_once(passing, |fault| {
        let (env, _shop) = full_env();
        env.simulator.shops().add_fault(in_the_middle(fault).times(2));
        assert_complete(&env, &reconcile_all(&env, &[]));
    });
}

#[test]
fn a_shop_that_asks_for_patience_in_the_middle_gets_it() {
    let (env, _shop) = full_env();
    env.simulator.shops().add_fault(in_the_middle(Fault::too_many(Some("1"))).times(1));
    let begun = Instant::now();
    assert_complete(&env, &reconcile_all(&env, &[]));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_page_that_repeats_is_read_again_and_never_taken_for_the_whole_list() {
    let (env, _shop) = full_env();
    let shops = env.simulator.shops();
    shops.add_fault(in_the_middle(repeated_page()));
    assert_incomplete(&env, &reconcile_all(&env, &[]));
    shops.clear_faults();
    shops.add_fault(in_the_middle(repeated_page()).times(2));
    assert_complete(&env, &reconcile_all(&env, &[]));
}

#[test]
fn an_order_that_moves_to_a_page_already_read_is_neither_lost_nor_counted_twice() {
    let (env, shop) = full_env();
    let shops = env.simulator.shops();
    let held = shops.add_fault(in_the_middle(Fault::new(Trouble::Hold)).times(1));
    let run = std::thread::scope(|scope| {
        let run = scope.spawn(|| reconcile_all(&env, &[]));
        let is_second = |call: &countersign::simulator::Call| call.target.contains("offset=100");
        assert!(shops.wait_for_call(is_second, Duration::from_secs(20)));
        // One of the first page leaves: what stood first on the third page is now last on the second.
        assert!(shop.vanish_order(&order_id(7)));
        shops.clear_fault(held);
        run.join().unwrap()
    });
    assert_eq!((run.code, &run.source("shop")["complete"]), (Some(3), &true.into()), "{run:#?}");
    assert_eq!(run.source("shop")["listed"], ORDERS - 1);
    assert_eq!(run.source("shop")["omitted"]["missed"], ORDERS - 1 - 100);
}

#[test]
fn a_shop_that_is_down_hides_nothing_of_the_others() {
    let (env, shop) = ecwid_env();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lines = ecwid_lines(&env).replace(&env.simulator.addr().to_string(), &dead.to_string());
    let env = env.source("dead", &lines);
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "SALE-1", 1001);
    serve.settled(1);
    shop.put_order(Order::new("SALE-2", 1002).paid());
    let run = reconcile(&env, &[]);
    assert_eq!(run.code, Some(1), "1 beats 3: {run:#?}");
    assert_eq!(
        (&run.source("dead")["complete"], &run.source("shop")["complete"]),
        (&false.into(), &true.into())
    );
    assert_eq!(run.findings("shop"), ["missed SALE-2 - PAID/AWAITING_PROCESSING"]);
    assert!(run.errors.contains("source dead"), "{}", run.errors);
}

#[test]
fn an_order_whose_own_call_fails_makes_the_report_incomplete_and_hides_no_other() {
    let (env, shop) = ecwid_env();
    env.serve().stop();
    for n in 0..5 {
        shop.put_order(Order::new(&order_id(n), 10_000 + n).paid());
    }
    env.simulator.shops().add_fault(Fault::status(500).path("orders/SALE-0002"));
    let run = reconcile_all(&env, &["--recover"]);
    assert_eq!((run.code, run.findings("shop").len()), (Some(1), 4), "{run:#?}");
    assert!(run.errors.contains("SALE-0002"), "{}", run.errors);
    env.simulator.shops().clear_faults();
    let run = reconcile_all(&env, &["--recover"]);
    assert_eq!((run.code, run.findings("shop").len()), (Some(3), 1), "{run:#?}");
}
