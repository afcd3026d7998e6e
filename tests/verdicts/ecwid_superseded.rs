//! Both Ecwid formats: what a later confirmed notification explains.

use countersign::simulator::ecwid::Order;

use super::ecwid_shop::{Hook, Ion, post_and_settle, shop};
use crate::support::{Row, Serve, TestEnv, assert_verdict};

/// The order's course: created unpaid, paid, refunded. The shop shows its end.
fn course() -> [Hook; 3] {
    let sale = |payment: &str| Hook::sale(payment, "AWAITING_PROCESSING");
    [
        sale("AWAITING_PAYMENT").set("eventType", "order.created").later(1),
        sale("PAID").changed_from("AWAITING_PAYMENT", "AWAITING_PROCESSING").later(2),
        sale("REFUNDED").changed_from("PAID", "AWAITING_PROCESSING").later(3),
    ]
}

/// The same about another order.
fn of_order(hook: Hook, name: &str, number: u64) -> Hook {
    hook.order(name).set("entityId", number)
}

fn ion_course() -> [Ion; 3] {
    [
        Ion::new("1207", "QUEUED", "NEW").set("date", "2014-11-02 09:41:00"),
        Ion::paid("1207").changed_from("QUEUED", "NEW").set("date", "2014-11-02 09:42:00"),
        Ion::new("1207", "REFUNDED", "NEW")
            .changed_from("ACCEPTED", "NEW")
            .set("date", "2014-11-02 09:43:00"),
    ]
}

fn refunded() -> (TestEnv, Serve) {
    let (env, store) = shop();
    for id in ["1207", "SALE-H4K9P"] {
        assert!(store.edit_order(id, |order| order.payment("REFUNDED")));
    }
    let serve = env.serve();
    (env, serve)
}

/// Posts one after the other, each settled before the next; returns the rows in the order of posting.
fn settled_in_turn<'a>(
    env: &TestEnv,
    serve: &Serve,
    source: &str,
    bodies: impl IntoIterator<Item = &'a String>,
) -> Vec<Row> {
    for (id, body) in (1..).zip(bodies) {
        post_and_settle(serve, source, body.as_str(), id);
    }
    env.rows()
}

#[test]
fn a_chain_is_superseded_in_whatever_order_it_settles() {
    let orders = [[0, 1, 2], [2, 1, 0], [2, 0, 1], [1, 2, 0], [0, 2, 1], [1, 0, 2]];
    let (env, store) = shop();
    let serve = env.serve();
    let mut ids = 1..;
    for (number, order) in (5001..).zip(orders) {
        let name = format!("C-{number}");
        store.put_order(Order::new(&name, number).payment("REFUNDED"));
        let hooks = course().map(|hook| of_order(hook, &name, number).body());
        let ions = ion_course().map(|ion| ion.set("order_id", &name).form());
        for (source, bodies) in [("hook", hooks), ("old", ions)] {
            let settled = order.map(|at| (at, ids.next().unwrap()));
            for (at, id) in settled {
                post_and_settle(&serve, source, bodies[at].as_str(), id);
            }
            for (at, id) in settled {
                match at {
                    2 => assert_verdict(&env.row(id), "confirmed", "match"),
                    _ => assert_verdict(&env.row(id), "ignored", "superseded"),
                }
            }
            assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("0"), "{source} {order:?}");
        }
    }
}

#[test]
fn a_chain_that_waits_together_is_superseded_too() {
    let (env, store) = shop();
    assert!(store.edit_order("SALE-H4K9P", |order| order.payment("REFUNDED")));
    let serve = env.serve_with(&["--no-worker"]);
    for hook in course() {
        serve.post("hook", hook.body());
    }
    assert!(serve.stop().success());
    assert!(env.run(&["verify"]).status.success());
    assert_verdict(&env.row(1), "ignored", "superseded");
    assert_verdict(&env.row(2), "ignored", "superseded");
    assert_verdict(&env.row(3), "confirmed", "match");
}

#[test]
fn a_mismatch_stays_one_unless_a_later_confirmed_one_says_that_it_was_so() {
    let [created, paid, refund] = course();
    let bare = Hook::sale("REFUNDED", "AWAITING_PROCESSING").later(9);
    let cases = [
        // The confirmed one tells no old values, and Ecwid's statuses have no course.
        (paid.clone(), bare.clone()),
        // It tells others.
        (created.clone(), refund.clone()),
        (paid.clone(), bare.clone().changed_from("PARTIALLY_REFUNDED", "AWAITING_PROCESSING")),
        (paid.clone(), bare.clone().changed_from("PAID", "SHIPPED")),
        // It is the earlier one by the sender's time, whatever came in first.
        (paid.clone().later(20), refund.clone()),
    ];
    let (env, store) = shop();
    let serve = env.serve();
    for (number, (mismatch, confirmed)) in (5001..).zip(cases) {
        let name = format!("C-{number}");
        store.put_order(Order::new(&name, number).payment("REFUNDED"));
        let first = i64::try_from(number - 5001).unwrap() * 2 + 1;
        for (id, hook) in (first..).zip([mismatch, confirmed]) {
            post_and_settle(&serve, "hook", of_order(hook, &name, number).body(), id);
        }
        assert_verdict(&env.row(first), "ignored", "mismatch");
        assert_verdict(&env.row(first + 1), "confirmed", "match");
    }
}

#[test]
fn a_confirmed_deletion_supersedes_not_found_in_both_orders_but_no_mismatch() {
    let deleted = Hook::new("order.deleted", 731_200_456).order("SALE-H4K9P").later(9).body();
    let [_, paid, _] = course();
    let paid = paid.body();
    for bodies in [[paid.clone(), deleted.clone()], [deleted.clone(), paid.clone()]] {
        let (env, store) = shop();
        assert!(store.delete_order("SALE-H4K9P"));
        let serve = env.serve();
        for row in settled_in_turn(&env, &serve, "hook", &bodies) {
            match row.event.as_deref() {
                Some("order.deleted") => assert_verdict(&row, "confirmed", "deleted"),
                _ => assert_verdict(&row, "ignored", "superseded"),
            }
        }
    }
    let (env, store) = shop();
    assert!(store.edit_order("SALE-H4K9P", |order| order.payment("REFUNDED")));
    let serve = env.serve();
    post_and_settle(&serve, "hook", paid, 1);
    assert!(store.delete_order("SALE-H4K9P"));
    post_and_settle(&serve, "hook", deleted, 2);
    assert_verdict(&env.row(1), "ignored", "mismatch");
    assert_verdict(&env.row(2), "confirmed", "deleted");
}

#[test]
fn a_product_s_confirmed_deletion_supersedes_what_was_not_found() {
    let (env, store) = shop();
    assert!(store.delete_product(9001));
    let serve = env.serve();
    post_and_settle(&serve, "hook", Hook::new("product.updated", 9001).later(1).body(), 1);
    assert_verdict(&env.row(1), "ignored", "not_found");
    post_and_settle(&serve, "hook", Hook::new("product.deleted", 9001).later(2).body(), 2);
    assert_verdict(&env.row(2), "confirmed", "deleted");
    assert_verdict(&env.row(1), "ignored", "superseded");
    // Claimed for a time after the deletion, it is explained by nothing.
    post_and_settle(&serve, "hook", Hook::new("product.updated", 9001).later(3).body(), 3);
    assert_verdict(&env.row(3), "ignored", "not_found");
}

#[test]
fn another_source_s_or_another_order_s_confirmation_explains_nothing() {
    let (env, serve) = refunded();
    let [_, paid, _] = course();
    post_and_settle(&serve, "hook", paid.body(), 1);
    let [.., ion] = ion_course();
    post_and_settle(&serve, "old", ion.form(), 2);
    let other = Hook::new("order.updated", 41_207).order("1207").statuses("REFUNDED", "AWAITING_PROCESSING");
    post_and_settle(&serve, "hook", other.changed_from("PAID", "AWAITING_PROCESSING").later(3).body(), 3);
    assert_verdict(&env.row(2), "confirmed", "match");
    assert_verdict(&env.row(3), "confirmed", "match");
    assert_verdict(&env.row(1), "ignored", "mismatch");
}

#[test]
fn of_equal_times_old_values_decide_whatever_was_received_first() {
    let (env, store) = shop();
    let serve = env.serve();
    for (number, backwards) in (5001..).zip([false, true]) {
        let name = format!("C-{number}");
        store.put_order(Order::new(&name, number).payment("PAID"));
        let [created, paid, _] = course().map(|hook| of_order(hook.later(1), &name, number).body());
        let mut bodies = [created, paid];
        bodies.rotate_left(usize::from(backwards));
        let ids = if backwards { [3, 4] } else { [1, 2] };
        for (id, body) in ids.into_iter().zip(bodies) {
            post_and_settle(&serve, "hook", body.as_str(), id);
        }
        for row in ids.map(|id| env.row(id)) {
            match row.event.as_deref() {
                Some("order.created") => assert_verdict(&row, "ignored", "superseded"),
                _ => assert_verdict(&row, "confirmed", "match"),
            }
        }
    }
}

#[test]
fn a_sender_s_word_about_the_past_hides_no_fake_from_what_was_confirmed_before() {
    let (env, store) = shop();
    assert!(store.edit_order("SALE-H4K9P", |order| order.payment("AWAITING_PAYMENT")));
    let serve = env.serve();
    let [created, paid, _] = course();
    post_and_settle(&serve, "hook", created.body(), 1);
    assert_verdict(&env.row(1), "confirmed", "match");
    // Forged; and then a true status, with the forged one as the one before: nothing has changed meanwhile.
    post_and_settle(&serve, "hook", paid.clone().body(), 2);
    let cover = |payment: &str, second| {
        Hook::sale(payment, "AWAITING_PROCESSING").changed_from("PAID", "AWAITING_PROCESSING").later(second)
    };
    post_and_settle(&serve, "hook", cover("AWAITING_PAYMENT", 5).body(), 3);
    assert_verdict(&env.row(3), "confirmed", "match");
    assert_verdict(&env.row(2), "ignored", "mismatch");
    // The order is refunded indeed: what says that it came from where the order was known to be is on the way, nothing else.
    let bare = Hook::sale("PAID", "AWAITING_PROCESSING").later(3);
    post_and_settle(&serve, "hook", bare.body(), 4);
    assert!(store.edit_order("SALE-H4K9P", |order| order.payment("REFUNDED")));
    post_and_settle(&serve, "hook", cover("REFUNDED", 6).body(), 5);
    assert_verdict(&env.row(5), "confirmed", "match");
    assert_verdict(&env.row(2), "ignored", "superseded");
    assert_verdict(&env.row(4), "ignored", "mismatch");
}

#[test]
fn hundreds_of_forged_claims_hide_no_true_one_from_what_explains_it() {
    const FORGED: usize = 600;
    let (env, serve) = refunded();
    let [_, paid, refund] = course();
    post_and_settle(&serve, "hook", paid.body(), 1);
    let forged = |n: usize| {
        Hook::sale("CANCELLED", "AWAITING_PROCESSING").later(2).set("eventId", format!("forged-{n}"))
    };
    for n in 0..FORGED {
        serve.post("hook", forged(n).body());
    }
    for id in (2..).take(FORGED) {
        serve.settled(id);
    }
    let last = i64::try_from(FORGED).unwrap() + 2;
    post_and_settle(&serve, "hook", refund.body(), last);
    assert_verdict(&env.row(last), "confirmed", "match");
    assert_verdict(&env.row(1), "ignored", "superseded");
    assert_eq!(env.value("SELECT count(*) FROM fakes"), Some(FORGED.to_string()));
}
