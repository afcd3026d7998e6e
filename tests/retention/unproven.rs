//! `store.max_unproven`.

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
fn beyond_max_unproven_the_oldest_ignored_of_senders_that_are_not_proven_go_first() {
    let shop = flooded("max_unproven = 3");
    let daily = shop.daily();
    let serve = shop.serve_and_keep();
    let said = serve.wait_for_line("the rules are kept", |line| line.contains("retention: "));
    assert!(said.contains("4 notifications removed by store.max_unproven"), "{said}");
    assert_eq!(shop.ids(), [1, 2, 3, 8, 9, 10]);
    assert_eq!(shop.daily(), daily, "their count stays in daily");
}

/// Seven notifications of strangers: one ignored (5), four undecided (4, 6, 9, 10), two that wait (7, 8).
fn unsettled(keys: &str) -> Shop {
    let shop = flooded(keys);
    shop.sql(&format!(
        "UPDATE verdicts SET state = 'undecided', reason = 'api_error' WHERE sender = '{STRANGER}' OR sender LIKE '2001:%';
         UPDATE verdicts SET state = 'ignored', reason = 'not_found' WHERE notification_id = 5;
         UPDATE verdicts SET state = 'pending', decided_at = NULL,
           next_attempt_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 hour') WHERE notification_id IN (7, 8)"
    ));
    shop
}

#[test]
fn the_oldest_ignored_ones_go_first_then_undecided_ones_and_never_pending_ones() {
    for (max, left) in [(3, &[1, 2, 3, 7, 8, 10][..]), (5, &[1, 2, 3, 6, 7, 8, 9, 10]), (1, &[1, 2, 3, 7, 8])]
    {
        let shop = unsettled(&format!("max_unproven = {max}"));
        let daily = shop.daily();
        let serve = shop.serve_and_keep();
        assert!(serve.stop().success());
        assert_eq!(shop.ids(), left, "max_unproven = {max}");
        assert_eq!(shop.daily(), daily, "their count stays in daily");
    }
}

#[test]
fn one_true_notification_does_not_exempt_its_sender_from_the_bound() {
    let shop = Shop::new().store_keys("max_unproven = 3");
    for (n, event) in [(1, "true"), (71, "a"), (72, "b"), (73, "c"), (74, "d"), (75, "e")] {
        shop.came_in(1, SHOP, order(n, event));
        shop.settle();
    }
    let _serve = shop.serve_and_keep();
    assert_eq!(shop.ids(), [1, 5, 6]);
}

#[test]
fn within_max_unproven_nothing_goes() {
    let shop = flooded("max_unproven = 7");
    let serve = shop.env.serve();
    assert!(serve.stop().success());
    assert_eq!(shop.ids().len(), 10);
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
    let counted = "SELECT json_group_array(json_array(sender, kept)) FROM senders";
    let real =
        "SELECT json_group_array(json_array(sender, n)) FROM (SELECT sender, count(*) AS n FROM verdicts
                  GROUP BY sender ORDER BY sender)";
    assert_eq!(shop.value(counted), shop.value(real));
}
