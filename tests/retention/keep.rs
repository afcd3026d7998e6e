//! `store.keep`.

use super::{SHOP, Shop, order};
use crate::support::assert_verdict;
use crate::support::disk::{Disk, Word};

const UNDECIDED: &str =
    "UPDATE verdicts SET state = 'undecided', reason = 'api_error' WHERE notification_id = ";

#[test]
fn keep_removes_old_settled_notifications_and_verifications_at_start() {
    let shop = Shop::new().store_keys("keep = \"30d\"");
    for (days_ago, n) in [(31, 1), (31, 77), (29, 2), (29, 78)] {
        shop.came_in(days_ago, SHOP, order(n, &format!("e-{n}")));
    }
    shop.settle();
    assert_verdict(&shop.env.row(1), "confirmed", "match");
    assert_verdict(&shop.env.row(2), "ignored", "not_found");
    let daily = shop.daily();
    let serve = shop.serve_and_keep();
    let said = serve.wait_for_line("the rules are kept", |line| line.contains("retention: "));
    assert!(said.contains("2 notifications removed by store.keep,"), "{said}");
    assert_eq!(shop.ids(), [3, 4]);
    assert_eq!(
        shop.value("SELECT group_concat(DISTINCT notification_id) FROM verifications").unwrap(),
        "3,4"
    );
    assert_eq!(shop.daily(), daily, "pruned rows still count");
    assert!(serve.stop().success());
}

#[test]
fn a_pending_or_undecided_notification_never_goes() {
    let shop = Shop::new().store_keys("keep = \"30d\"");
    for n in 1..=3 {
        shop.came_in(300, SHOP, order(n, "e"));
    }
    shop.settle();
    shop.sql(&format!("{UNDECIDED} 2"));
    shop.came_in(300, SHOP, order(4, "e"));
    let old = shop.env.serve_with(&["--no-worker"]);
    old.wait_for_line("the rules are kept", |line| line.contains("retention: "));
    assert_eq!(shop.ids(), [2, 4]);
    assert_eq!(shop.env.row(2).state, "undecided");
    assert_eq!(shop.env.row(4).state, "pending");
}

#[test]
fn a_duplicate_goes_with_its_original_and_never_before_it() {
    let shop = Shop::new().store_keys("keep = \"30d\"");
    shop.came_in(90, SHOP, order(1, "old-original"));
    shop.came_in(80, SHOP, order(1, "old-original"));
    shop.came_in(2, SHOP, order(1, "old-original"));
    shop.came_in(90, SHOP, order(2, "young-original"));
    shop.settle();
    // One given up on became the duplicate of one that came later.
    shop.sql("UPDATE verdicts SET claim_key = NULL WHERE notification_id = 4");
    shop.came_in(2, SHOP, order(2, "young-original"));
    shop.settle();
    shop.sql(
        "UPDATE verdicts SET state = 'ignored', reason = 'duplicate', duplicate_of = 5 WHERE notification_id = 4",
    );
    for id in [2, 3] {
        assert_eq!(shop.env.row(id).duplicate_of, Some(1));
    }
    let daily = shop.daily();
    let _serve = shop.serve_and_keep();
    assert_eq!(shop.ids(), [4, 5]);
    assert_eq!(shop.daily(), daily);
}

#[test]
fn without_keep_nothing_goes() {
    let shop = Shop::new();
    shop.came_in(4000, SHOP, order(1, "e"));
    shop.settle();
    let serve = shop.env.serve();
    assert!(serve.stop().success());
    assert_eq!(shop.ids(), [1]);
}

#[test]
fn orders_and_what_was_told_outlive_their_notifications() {
    let shop = Shop::new().store_keys("keep = \"30d\"");
    shop.came_in(31, SHOP, order(1, "first"));
    shop.settle();
    assert_eq!(shop.env.row(1).news, 1);
    let serve = shop.serve_and_keep();
    assert_eq!(shop.ids(), [] as [i64; 0]);
    assert_eq!(shop.value("SELECT email FROM orders").as_deref(), Some("buyer@example.test"));
    serve.post("shop", order(1, "second"));
    serve.settled(2);
    let row = shop.env.row(2);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.news, 0, "the same was told before");
}

#[test]
fn a_clock_that_jumped_ahead_while_no_serve_ran_removes_nothing() {
    let shop = Shop::new().store_keys("keep = \"400d\"");
    shop.came_in(0, SHOP, order(1, "e"));
    shop.settle();
    let disk = Disk::new();
    disk.set(Word::ClockSeconds, 500 * 24 * 3600);
    let serve = shop.env.serve_on(&disk);
    serve.wait_for_line("the rules wait", |line| line.contains("the retention rules by age pause"));
    assert!(serve.stop().success());
    assert_eq!(shop.ids(), [1]);
}
