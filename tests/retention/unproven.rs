//! `store.max_unproven`.

use countersign::store::{Keep, Store};

use super::{SHOP, Shop, order};

const STRANGER: &str = "203.0.113.66";

/// Invented orders of the shop's own address (1, 2) and a true one (3); five invented ones of a stranger (4 to 8) and
/// one that waits (9); one of another stranger (10).
fn flooded(keys: &str) -> Shop {
    let shop = Shop::new().store_keys(keys);
    for (n, from) in [(71, SHOP), (72, SHOP), (1, SHOP)].into_iter().chain((73..=77).map(|n| (n, STRANGER))) {
        shop.came_in(40, from, order(n, &format!("e-{n}")));
    }
    shop.settle();
    shop.came_in(40, STRANGER, order(78, "e-78"));
    shop.came_in(40, "2001:db8::1", order(79, "e-79"));
    shop.settle();
    shop.sql("UPDATE verdicts SET state = 'undecided', reason = 'api_error' WHERE notification_id = 9;");
    shop
}

#[test]
fn beyond_max_unproven_the_oldest_ignored_of_senders_without_any_confirmation_go_first() {
    let shop = flooded("max_unproven = 3");
    let daily = shop.daily();
    let serve = shop.serve_and_keep();
    let said = serve.wait_for_line("the rules are kept", |line| line.contains("kept within bounds"));
    assert!(said.contains("4 notifications removed by store.max_unproven"), "{said}");
    assert_eq!(shop.ids(), [1, 2, 3, 8, 9, 10]);
    assert_eq!(shop.daily(), daily, "their count stays in daily");
}

#[test]
fn what_is_not_ignored_stays_even_beyond_max_unproven() {
    let shop = flooded("max_unproven = 1");
    shop.sql(&format!(
        "UPDATE verdicts SET state = 'undecided', reason = 'api_error' WHERE sender = '{STRANGER}' OR sender LIKE '2001:%';
         UPDATE verdicts SET state = 'ignored', reason = 'not_found' WHERE notification_id = 5"
    ));
    let _serve = shop.serve_and_keep();
    assert_eq!(shop.ids(), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
}

#[test]
fn within_max_unproven_nothing_goes() {
    let shop = flooded("max_unproven = 7");
    let serve = shop.house.serve();
    assert!(serve.stop().success());
    assert_eq!(shop.ids().len(), 10);
}

#[test]
fn a_flood_is_cut_back_to_max_unproven_once_it_is_more_than_a_tenth_above() {
    let shop = Shop::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let flood_check = || {
        let store = Store::open(&shop.house.store_path()).unwrap();
        let rules = Keep { keep: None, keep_personal: None, max_unproven: 20 };
        let kept = runtime.block_on(store.keep_flood(&rules)).unwrap();
        store.close();
        (kept.unproven, shop.ids())
    };
    (1..=22).for_each(|n| assert_eq!(shop.came_in(1, STRANGER, format!("broken {n}")), n));
    shop.settle();
    assert_eq!(flood_check(), (0, (1..=22).collect()));
    shop.came_in(1, "2001:db8::1", "broken".to_owned());
    shop.settle();
    let daily = shop.daily();
    assert_eq!(flood_check(), (3, (4..=23).collect()));
    assert_eq!(shop.daily(), daily, "their count stays in daily");
}

#[test]
fn notifications_whose_address_was_emptied_still_count_as_unproven() {
    let shop = flooded("max_unproven = 3\nkeep_personal = \"30d\"");
    let _serve = shop.serve_and_keep();
    assert_eq!(shop.ids(), [1, 2, 3, 8, 9, 10]);
    assert_eq!(
        shop.value("SELECT group_concat(DISTINCT sender) FROM verdicts WHERE emptied = 1").as_deref(),
        Some(",unproven")
    );
}

#[test]
fn how_many_of_each_sender_are_kept_is_always_the_number_of_their_rows() {
    let shop = flooded("max_unproven = 3\nkeep_personal = \"30d\"\nkeep = \"60d\"");
    shop.came_in(70, SHOP, order(2, "older"));
    shop.settle();
    let _serve = shop.serve_and_keep();
    let counted = "SELECT json_group_array(json_array(sender, kept, confirmed)) FROM senders";
    let real = "SELECT json_group_array(json_array(sender, n, c)) FROM (SELECT sender, count(*) AS n,
                  sum(state = 'confirmed') AS c FROM verdicts GROUP BY sender ORDER BY sender)";
    assert_eq!(shop.value(counted), shop.value(real));
}
