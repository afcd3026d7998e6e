//! `ecwid-ion`: which order an `order_id` means, and by which calls the shop is asked about it.

use countersign::simulator::Fault;
use countersign::simulator::ecwid::{ErrorBodies, Order};

use super::ecwid_shop::{Ion, asked, by_ids, fault, post_and_settle, shop, wait_for_call, whole};
use crate::support::assert_verdict;

#[test]
fn an_order_is_known_by_its_number_or_its_id_and_never_by_its_internal_id() {
    let (env, store) = shop();
    store.put_order(Order::new("OLD-88-X", 5088).order_number(88).paid());
    // Its number is the internal id of order 1207, which the direct call shows first.
    store.put_order(Order::new("B-41207", 5999).order_number(41_207).paid());
    let serve = env.serve();
    let cases = [
        ("1207", vec!["orders/1207".to_owned()], Some("1207")),
        ("OLD-88-X", vec!["orders/OLD-88-X".to_owned()], Some("OLD-88-X")),
        ("88", vec!["orders/88".to_owned(), by_ids("88"), whole("88", 0)], Some("OLD-88-X")),
        ("41207", vec!["orders/41207".to_owned(), by_ids("41207"), whole("41207", 1)], Some("B-41207")),
        ("731200456", vec!["orders/731200456".to_owned()], Some("SALE-H4K9P")),
        ("5088", vec!["orders/5088".to_owned(), by_ids("5088")], None),
        ("sale-h4k9p", vec!["orders/sale-h4k9p".to_owned(), by_ids("sale-h4k9p")], None),
    ];
    for (id, (order_id, calls, resolved)) in (1..).zip(cases) {
        env.simulator.shops().clear_calls();
        post_and_settle(&serve, "old", Ion::paid(order_id).form(), id);
        let row = env.row(id);
        match resolved {
            Some(_) => assert_verdict(&row, "confirmed", "match"),
            None => assert_verdict(&row, "ignored", "not_found"),
        }
        assert_eq!((row.resolved_id.as_deref(), row.subject_id.as_deref()), (resolved, Some(order_id)));
        assert_eq!(asked(&env), calls, "{order_id}");
    }
}

#[test]
fn near_matches_in_the_list_are_no_match() {
    let (env, store) = shop();
    for (internal, near) in (60..).zip(["A-555", "555-B", "5550", " 555", "0555"]) {
        store.put_order(Order::new(near, internal).paid());
    }
    let serve = env.serve();
    post_and_settle(&serve, "old", Ion::paid("555").form(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    assert_eq!(asked(&env), ["orders/555".to_owned(), by_ids("555")]);
}

#[test]
fn an_exact_match_is_found_behind_a_page_of_near_ones() {
    let (env, store) = shop();
    for near in 0..150 {
        store.put_order(Order::new(&format!("A77-{near:03}"), 6000 + near).paid());
    }
    store.put_order(Order::new("Z77", 9077).order_number(77).paid());
    let serve = env.serve();
    post_and_settle(&serve, "old", Ion::paid("77").form(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    let second = format!("{}&offset=100", by_ids("77"));
    assert_eq!(asked(&env), ["orders/77".to_owned(), by_ids("77"), second, whole("77", 150)]);
}

#[test]
fn more_than_ten_pages_of_near_matches_are_an_api_error_and_no_verdict() {
    let (env, store) = shop();
    for near in 0..1001 {
        store.put_order(Order::new(&format!("A77-{near:04}"), 6000 + near).paid());
    }
    let env = env.verify("retry_base = \"1h\"\nretry_cap = \"1h\"");
    let serve = env.serve();
    serve.post("old", Ion::paid("77").form());
    serve.pending(1, "api_error");
    assert_eq!(env.row(1).outcomes, ["api_error"]);
    assert_eq!(asked(&env).iter().filter(|path| path.starts_with("orders?ids=77")).count(), 10);
}

/// (an id that no order has, the calls that ask about it).
fn strange_ids() -> Vec<(String, Vec<String>)> {
    let both = |id: &str, encoded: &str| (id.to_owned(), vec![format!("orders/{encoded}"), by_ids(encoded)]);
    let query = |id: &str, encoded: &str| (id.to_owned(), vec![by_ids(encoded)]);
    let longest = "x".repeat(255);
    let longest_é = "é".repeat(127);
    vec![
        both("a b", "a%20b"),
        both("1207,SALE-H4K9P", "1207%2CSALE-H4K9P"),
        both("1207,", "1207%2C"),
        both("a/b,c", "a%2Fb%2Cc"),
        both("...", "..."),
        both(".a", ".a"),
        both("1207.", "1207."),
        both("last ", "last%20"),
        both("LAST", "LAST"),
        both("deleted?x=1#y", "deleted%3Fx%3D1%23y"),
        both("1207&limit=1", "1207%26limit%3D1"),
        both("last;v=1", "last%3Bv%3D1"),
        both("a+b", "a%2Bb"),
        both("@:'\"<>", "%40%3A%27%22%3C%3E"),
        both("Nº☃", "N%C2%BA%E2%98%83"),
        both(&longest, &longest),
        both(&longest_é, &longest_é.replace('é', "%C3%A9")),
        query("a/b", "a%2Fb"),
        query("a\\b", "a%5Cb"),
        query("50%", "50%25"),
        query("%2e%2e", "%252e%252e"),
        query("%00", "%2500"),
        query("../deleted", "..%2Fdeleted"),
        query("1207/../../products/9001", "1207%2F..%2F..%2Fproducts%2F9001"),
        query("//example.test/", "%2F%2Fexample.test%2F"),
        query("http://example.test", "http%3A%2F%2Fexample.test"),
    ]
}

#[test]
fn whatever_an_id_holds_it_chooses_no_other_path_and_finds_no_other_order() {
    let (env, _store) = shop();
    let serve = env.serve();
    for (id, (order_id, calls)) in (1..).zip(strange_ids()) {
        env.simulator.shops().clear_calls();
        post_and_settle(&serve, "old", Ion::paid(&order_id).form(), id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "not_found");
        assert_eq!(row.subject_id.as_deref(), Some(order_id.as_str()));
        assert_eq!(asked(&env), calls, "{order_id}");
    }
}

#[test]
fn a_true_order_with_a_strange_id_is_confirmed() {
    let (env, store) = shop();
    let serve = env.serve();
    let ids = ["A/1", "A,1", "A 1", "50%", "A\\1", "Nº☃", "a+b", "last ", "...", "x?y=z#w"];
    for (id, order_id) in (1..).zip(ids) {
        let internal = 7000 + u64::try_from(id).unwrap();
        store.put_order(Order::new(order_id, internal).paid());
        post_and_settle(&serve, "old", Ion::paid(order_id).form(), id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.resolved_id.as_deref(), Some(order_id));
    }
}

#[test]
fn an_id_that_could_reach_another_path_or_is_none_is_malformed_and_not_asked_about() {
    let (env, _store) = shop();
    let serve = env.serve();
    let (long, long_é) = ("x".repeat(256), "é".repeat(128));
    let ids = [
        "", ".", "..", "last", "deleted", &long, &long_é, "a\0", "a\nb", "\t1207", "1207\r\n", "\u{7f}",
        "\u{85}",
    ];
    for (id, order_id) in (1..).zip(ids) {
        post_and_settle(&serve, "old", Ion::paid(order_id).form(), id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.as_deref().unwrap().contains("order_id"), "{row:#?}");
    }
    assert!(asked(&env).is_empty());
}

#[test]
fn each_way_to_say_404_leads_to_the_list_and_only_then_to_not_found() {
    let (env, store) = shop();
    let serve = env.serve();
    let bodies =
        [ErrorBodies::Coded, ErrorBodies::MessageOnly, ErrorBodies::CodeAsMessage, ErrorBodies::Empty];
    for (id, body) in (1..).zip(bodies) {
        env.simulator.shops().clear_calls();
        store.configure(|settings| settings.error_bodies = body);
        let order_id = format!("404{id}");
        post_and_settle(&serve, "old", Ion::paid(&order_id).form(), id);
        assert_verdict(&env.row(id), "ignored", "not_found");
        assert_eq!(asked(&env), [format!("orders/{order_id}"), by_ids(&order_id)]);
    }
}

#[test]
fn a_list_that_fails_after_the_404_is_no_answer() {
    let (env, _store) = shop();
    fault(&env, "orders?ids=", Fault::status(500));
    let serve = env.serve();
    serve.post("old", Ion::paid("9999").form());
    serve.pending(1, "api_error");
    assert_eq!(env.row(1).state, "pending");
    env.simulator.shops().clear_faults();
    serve.settled(1);
    assert_verdict(&env.row(1), "ignored", "not_found");
}

#[test]
fn a_word_of_the_notification_in_an_error_message_does_not_become_the_shop_s_word() {
    let (env, store) = shop();
    // "Order #STORE_NOT_FOUND not found" speaks of an order.
    store.configure(|settings| settings.error_bodies = ErrorBodies::MessageOnly);
    let serve = env.serve();
    post_and_settle(&serve, "old", Ion::paid("STORE_NOT_FOUND").form(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    wait_for_call(&env, "orders?ids=STORE_NOT_FOUND");
}
