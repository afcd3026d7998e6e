//! `ecwid`: webhooks about products, and about what was deleted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use countersign::simulator::Fault;
use countersign::simulator::ecwid::{EcwidStore, Order, Product};

use super::ecwid_shop::{Hook, asked, by_ids, fault, post_and_settle, sale, shop, whole};
use crate::support::{TestEnv, assert_verdict};

fn product(event: &str) -> Hook {
    Hook::new(event, 9001)
}

fn order_deleted() -> Hook {
    Hook::new("order.deleted", 731_200_456).order("SALE-H4K9P")
}

/// The calls so far, a list of deletions without its parameters.
fn asked_shortly(env: &TestEnv) -> Vec<String> {
    let short = |path: String| match path.split_once("/deleted?") {
        Some((objects, _)) => format!("{objects}/deleted"),
        None => path,
    };
    asked(env).into_iter().map(short).collect()
}

#[test]
fn product_created_and_updated_are_confirmed_by_one_call() {
    let (env, _store) = shop();
    let serve = env.serve();
    for (id, event) in [(1, "product.created"), (2, "product.updated")] {
        env.simulator.shops().clear_calls();
        post_and_settle(&serve, "hook", product(event).body(), id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(
            (row.subject_kind.as_deref(), row.subject_id.as_deref(), row.resolved_id.as_deref()),
            (Some("product"), Some("9001"), Some("9001"))
        );
        assert_eq!(row.news, i64::from(id == 1));
        assert_eq!(asked(&env), ["products/9001"]);
    }
}

#[test]
fn products_keep_what_the_api_shows() {
    let (env, store) = shop();
    store.put_product(Product::new(9001, "Mug").price("12345678901234567.8900"));
    store.put_product(Product::new(9002, "Song").unlimited());
    store.put_product(Product::new(9003, "Hidden").field("enabled", false));
    store.put_product(Product::new(9004, "Gone").quantity(0));
    let serve = env.serve();
    for (id, entity) in (1..).zip(9001..=9004) {
        post_and_settle(&serve, "hook", Hook::new("product.updated", entity).body(), id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
    let rows =
        "SELECT group_concat(concat_ws(' ', product_id, name, price, coalesce(qty, '-'), available), '; ')
                FROM (SELECT * FROM products ORDER BY product_id)";
    let wanted =
        "9001 Mug 12345678901234567.89 41 1; 9002 Song 10 - 1; 9003 Hidden 10 41 0; 9004 Gone 10 0 0";
    assert_eq!(env.value(rows).as_deref(), Some(wanted));
    let raw = env.value("SELECT raw FROM products WHERE product_id = '9001'").unwrap();
    assert!(raw.contains("12345678901234567.8900") && raw.contains("\"sku\""), "{raw}");
}

/// A change in the shop, and whether the next confirmation is news.
type Step = (fn(Product) -> Product, i64);

#[test]
fn a_product_s_news_are_its_price_its_quantity_and_whether_it_can_be_bought() {
    let (env, store) = shop();
    let serve = env.serve();
    let steps: [Step; 7] = [
        (|p| p, 1),
        (|p| p, 0),
        (|p| p.field("name", "Cup"), 0),
        (|p| p.price("11"), 1),
        (|p| p.price("11.00"), 0),
        (|p| p.quantity(40), 1),
        (|p| p.field("enabled", false), 1),
    ];
    for (id, (change, news)) in (1..).zip(steps) {
        assert!(store.edit_product(9001, change));
        let hook = product("product.updated").later(u64::try_from(id).unwrap());
        post_and_settle(&serve, "hook", hook.body(), id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.news, news, "{row:#?}");
    }
}

#[test]
fn a_product_is_not_found_by_the_shops_own_word_or_by_its_list() {
    let (env, _store) = shop();
    let serve = env.serve();
    let hook = Hook::new("product.updated", 9999);
    post_and_settle(&serve, "hook", hook.body(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    assert_eq!(asked(&env), ["products/9999"]);
    env.simulator.shops().clear_calls();
    fault(&env, "products/", Fault::status(404));
    post_and_settle(&serve, "hook", hook.later(1).body(), 2);
    assert_verdict(&env.row(2), "ignored", "not_found");
    let list = |id: u64| format!("products?productId={id}&limit=100");
    assert_eq!(asked(&env), ["products/9999".to_owned(), list(9999)]);
    env.simulator.shops().clear_calls();
    post_and_settle(&serve, "hook", product("product.updated").body(), 3);
    assert_verdict(&env.row(3), "confirmed", "match");
    assert_eq!(asked(&env), ["products/9001".to_owned(), list(9001)]);
}

#[test]
fn a_deletion_that_is_listed_is_confirmed_and_the_truth_says_gone() {
    let (env, store) = shop();
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 1);
    post_and_settle(&serve, "hook", product("product.updated").body(), 2);
    assert!(store.delete_order("SALE-H4K9P") && store.delete_product(9001));
    env.simulator.shops().clear_calls();
    post_and_settle(&serve, "hook", order_deleted().later(1).body(), 3);
    assert_eq!(asked_shortly(&env), ["orders/SALE-H4K9P", "orders/deleted"]);
    env.simulator.shops().clear_calls();
    post_and_settle(&serve, "hook", product("product.deleted").later(2).body(), 4);
    assert_eq!(asked_shortly(&env), ["products/9001", "products/deleted"]);
    for id in [3, 4] {
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "deleted");
        assert_eq!((row.news, row.outcomes.as_slice()), (1, ["deleted".to_owned()].as_slice()));
    }
    let gone = "SELECT status || (gone_at IS NOT NULL) FROM orders WHERE order_id = 'SALE-H4K9P'";
    assert_eq!(env.value(gone).as_deref(), Some("PAID1"));
    assert_eq!(env.value("SELECT available FROM products").as_deref(), Some("0"));
}

/// (what happens in the shop, the notified orderId, the outcome, the calls).
type Deletion = (fn(&EcwidStore), Option<&'static str>, &'static str, Vec<String>);

fn deletions() -> Vec<Deletion> {
    let (direct, list, deleted) = ("orders/SALE-H4K9P", by_ids("731200456"), "orders/deleted");
    let calls = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>();
    let sale = Some("SALE-H4K9P");
    vec![
        (|_| (), sale, "mismatch", calls(&[direct])),
        (|_| (), None, "mismatch", calls(&[&list, &whole("731200456", 0)])),
        (
            |store| assert!(store.vanish_order("SALE-H4K9P")),
            sale,
            "not_found",
            calls(&[direct, deleted, &list]),
        ),
        (|store| assert!(store.vanish_order("SALE-H4K9P")), None, "not_found", calls(&[&list, deleted])),
        (|store| assert!(store.delete_order("SALE-H4K9P")), sale, "deleted", calls(&[direct, deleted])),
        (|store| assert!(store.delete_order("SALE-H4K9P")), None, "deleted", calls(&[&list, deleted])),
        (
            |store| {
                assert!(store.delete_order("SALE-H4K9P"));
                store.configure(|settings| settings.deleted_order_ids = true);
            },
            sale,
            "deleted",
            calls(&[direct, deleted]),
        ),
        (
            |store| {
                assert!(store.delete_order("SALE-H4K9P"));
                store.configure(|settings| settings.deleted_order_ids = true);
            },
            Some("SALE-OTHER"),
            "mismatch",
            calls(&["orders/SALE-OTHER", deleted]),
        ),
    ]
}

#[test]
fn an_order_s_deletion_needs_a_404_and_a_row_in_the_list() {
    for (happens, order_id, outcome, calls) in deletions() {
        let (env, store) = shop();
        happens(&store);
        let serve = env.serve();
        let hook = Hook::new("order.deleted", 731_200_456);
        let hook = order_id.map_or(hook.clone(), |order_id| hook.order(order_id));
        post_and_settle(&serve, "hook", hook.body(), 1);
        let row = env.row(1);
        assert_verdict(&row, if outcome == "deleted" { "confirmed" } else { "ignored" }, outcome);
        assert_eq!(row.outcomes, [outcome]);
        assert_eq!(asked_shortly(&env), calls, "{row:#?}");
    }
}

#[test]
fn a_product_s_deletion_needs_a_404_and_a_row_in_the_list() {
    let (env, store) = shop();
    store.put_product(Product::new(9002, "Cup"));
    assert!(store.delete_product(9002));
    let serve = env.serve();
    let cases =
        [(9001, "ignored", "mismatch"), (9002, "confirmed", "deleted"), (9003, "ignored", "not_found")];
    for (id, (entity, state, reason)) in (1..).zip(cases) {
        post_and_settle(&serve, "hook", Hook::new("product.deleted", entity).body(), id);
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn the_list_of_deletions_begins_eight_days_before_receipt_and_is_read_to_its_end() {
    let (env, store) = shop();
    for place in 0..120 {
        let id = format!("D{place}");
        store.put_order(Order::new(&id, 9_000_000 + place));
        assert!(store.delete_order(&id));
    }
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::new("order.deleted", 9_000_119).order("D119").body(), 1);
    assert_verdict(&env.row(1), "confirmed", "deleted");
    let lists: Vec<String> = asked(&env).into_iter().filter(|path| path.contains("/deleted?")).collect();
    assert_eq!(lists.len(), 2, "{lists:?}");
    assert!(lists[0].contains("limit=100") && lists[1].contains("offset=100"), "{lists:?}");
    let from = form_urlencoded::parse(lists[0].split_once('?').unwrap().1.as_bytes())
        .find_map(|(name, value)| (name == "from_date").then(|| value.parse::<i64>().unwrap()))
        .unwrap();
    let received = env.value("SELECT received_at FROM notifications").unwrap();
    let received: DateTime<Utc> = received.parse().unwrap();
    let eight_days = received - Duration::from_secs(8 * 86_400);
    assert!((0..86_400).contains(&(eight_days.timestamp() - from)), "{from} for {received}");
}

#[test]
fn a_list_of_deletions_that_fails_is_no_verdict() {
    let (env, store) = shop();
    assert!(store.delete_order("SALE-H4K9P") && store.delete_product(9001));
    fault(&env, "/deleted", Fault::status(500));
    let serve = env.serve();
    serve.post("hook", order_deleted().body());
    serve.post("hook", product("product.deleted").later(1).body());
    serve.pending(1, "api_error");
    serve.pending(2, "api_error");
    env.simulator.shops().clear_faults();
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "deleted");
    }
}

#[test]
fn what_vanishes_without_a_deletion_is_marked_gone_and_what_comes_back_is_not() {
    let (env, store) = shop();
    let serve = env.serve();
    let hook = Hook::sale("PAID", "AWAITING_PROCESSING");
    post_and_settle(&serve, "hook", hook.body(), 1);
    assert!(store.vanish_order("SALE-H4K9P"));
    post_and_settle(&serve, "hook", hook.clone().later(1).body(), 2);
    assert_verdict(&env.row(2), "ignored", "not_found");
    let gone = "SELECT status || (gone_at IS NOT NULL) FROM orders";
    assert_eq!(env.value(gone).as_deref(), Some("PAID1"));
    store.put_order(sale());
    post_and_settle(&serve, "hook", hook.later(2).body(), 3);
    assert_verdict(&env.row(3), "confirmed", "match");
    assert_eq!(env.value(gone).as_deref(), Some("PAID0"));
}
