//! What a flood may occupy while it lasts.

use std::cell::Cell;

use super::load::{self, Forwarded};
use crate::support::House;

#[test]
fn what_a_flood_leaves_is_bounded_while_it_lasts_and_still_counted() {
    const FORGED: usize = 3_000;
    let house = House::new().store_keys("max_unproven = 1000").ion_shop("shop", 1003, 1);
    let serve = house.serve();
    let broken =
        |n: usize| Forwarded { sender: format!("203.0.113.{}", n % 3), body: format!("order_id={n}") };
    load::send(serve.intake, "/hooks/shop", (0..FORGED).map(broken));
    let removed = Cell::new(0);
    serve.wait_for_line("the rule is kept", |line| {
        let words = line.strip_suffix(" notifications removed by store.max_unproven");
        let count = words.and_then(|words| words.rsplit(' ').next()?.parse::<usize>().ok());
        removed.set(removed.get() + count.unwrap_or(0));
        removed.get() >= FORGED - 1_100
    });
    serve.settled(i64::try_from(FORGED).unwrap());
    assert!(serve.stop().success());
    let ids: Vec<usize> = house.rows().iter().map(|row| usize::try_from(row.id).unwrap()).collect();
    assert!((1_000..=1_100).contains(&ids.len()), "{} are kept", ids.len());
    assert!(ids.into_iter().rev().eq((1..=FORGED).rev().take(house.rows().len())), "not the oldest went");
    let counted = house.value("SELECT sum(received) || ' ' || sum(ignored) FROM daily");
    assert_eq!(counted.as_deref(), Some("3000 3000"));
}
