//! `prune`.

use super::{SHOP, Shop, done, failed, order};
use crate::support::{TestEnv, assert_verdict, countersign};

/// Two confirmed, one of them with a duplicate, one invented, all old; one young; one pending.
fn stocked() -> Shop {
    let shop = Shop::new();
    for (days_ago, n, event) in [(100, 1, "a"), (99, 1, "a"), (98, 2, "b"), (97, 77, "c"), (3, 3, "d")] {
        shop.came_in(days_ago, SHOP, order(n, event));
    }
    shop.settle();
    shop.came_in(100, SHOP, order(4, "e"));
    shop
}

#[test]
fn what_is_old_and_settled_goes_and_is_counted_by_state() {
    let shop = stocked();
    let daily = shop.daily();
    let said = done(&shop.env.run(&["prune", "--older-than", "90d"]));
    assert_eq!(said, "removed 4 notifications: 2 confirmed, 2 ignored (1 of them duplicates)\n");
    assert_eq!(shop.ids(), [5, 6]);
    assert_eq!(shop.daily(), daily, "pruned rows still count");
    assert_eq!(shop.value("SELECT count(*) FROM orders").as_deref(), Some("3"));
    assert_eq!(done(&shop.env.run(&["prune", "--older-than", "90d"])), "removed 0 notifications\n");
    assert_eq!(shop.value("SELECT sum(kept) FROM senders").as_deref(), Some("1"));
}

#[test]
fn a_dry_run_says_the_same_and_removes_nothing() {
    let shop = stocked();
    let said = done(&shop.env.run(&["prune", "--older-than", "90d", "--dry-run"]));
    assert_eq!(said, "would remove 4 notifications: 2 confirmed, 2 ignored (1 of them duplicates)\n");
    assert_eq!(shop.ids(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn an_age_without_a_unit_is_wrong_usage() {
    for age in ["90", "d", "-1d", ""] {
        let output = countersign().args(["prune", "--older-than", age]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{age}");
    }
    assert_eq!(countersign().arg("prune").output().unwrap().status.code(), Some(2));
    let unconfigured = TestEnv::new().run(&["prune", "--older-than", "1d"]);
    failed(&unconfigured, 2);
}

#[test]
fn what_came_in_before_and_comes_in_after_the_newest_were_pruned_is_still_read() {
    let shop = Shop::new();
    shop.came_in(9, SHOP, order(1, "a"));
    shop.came_in(9, SHOP, order(2, "b"));
    shop.settle();
    let serve = shop.env.serve_with(&["--no-worker"]);
    assert_eq!(serve.post("shop", order(3, "c")).status, 200);
    done(&shop.env.run(&["prune", "--older-than", "0s"]));
    assert_eq!(shop.ids(), [3]);
    shop.settle();
    assert_verdict(&shop.env.row(3), "confirmed", "match");
    done(&shop.env.run(&["prune", "--older-than", "0s"]));
    assert_eq!(shop.ids(), [] as [i64; 0]);
    assert_eq!(serve.post("shop", order(4, "d")).status, 200);
    assert_eq!(shop.ids(), [4], "an id is never used twice");
    shop.settle();
    assert_verdict(&shop.env.row(4), "confirmed", "match");
    assert_eq!(
        shop.value("SELECT sum(received) || ' ' || sum(confirmed) FROM daily").as_deref(),
        Some("4 4")
    );
}
