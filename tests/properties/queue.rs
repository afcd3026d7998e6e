//! What the queue gives next, and when it says to come back: a time that has passed would keep the worker spinning.

use super::shop::Fails;
use super::world::World;

/// Asks the next question, which fails so.
fn fail(world: &mut World, fails: Fails) {
    assert_eq!(world.lease(1), 1);
    world.answer(0, Some(fails));
    world.record(0);
}

#[test]
fn what_is_overdue_in_a_closed_lane_waits_for_its_end() {
    let mut world = World::new();
    world.receive(0, 0, 0);
    fail(&mut world, Fails::SubjectBroken);
    world.receive(1, 0, 0);
    fail(&mut world, Fails::CallKindDenied);
    world.move_clock(60);
    assert_eq!(world.lease(4), 0);
    assert_eq!(world.come_back_in, Some(240_000));
    world.move_clock(240);
    assert_eq!(world.lease(4), 1, "one of them probes");
    assert_eq!(world.lease(4), 0, "the other waits for its answer");
}

#[test]
fn a_lane_that_failed_and_has_nothing_left_to_ask_calls_nobody_back() {
    let mut world = World::new();
    world.receive(0, 0, 0);
    fail(&mut world, Fails::CallKindDenied);
    for _ in 0..7 {
        world.move_clock(3600);
        fail(&mut world, Fails::CallKindDenied);
    }
    assert_eq!(world.verdicts()[&1].state, "undecided");
    world.move_clock(3600);
    assert_eq!((world.lease(4), world.come_back_in), (0, None));
}

#[test]
fn a_source_failing_before_the_clock_was_set_back_is_asked_and_paused_again() {
    let mut world = World::new();
    world.receive(0, 0, 0);
    fail(&mut world, Fails::Denied);
    world.move_clock(-86_400);
    fail(&mut world, Fails::Denied);
    assert_eq!(world.lease(1), 0);
    assert_eq!(world.come_back_in, Some(600_000), "the pause doubles");
}

#[test]
fn retries_wait_behind_first_questions_and_overdue_ones_get_every_fourth_call() {
    const REPEATED: [u8; 3] = [0, 1, 2];
    let mut world = World::new();
    for order in REPEATED {
        world.receive(order, 0, order);
        fail(&mut world, Fails::SubjectBroken);
    }
    // Somebody else goes on sending.
    for order in 10..=90 {
        world.receive(order, 0, 9);
    }
    let is_repeated = |order: &u8| REPEATED.contains(order);
    world.move_clock(4);
    assert_eq!(world.lease(16), 16);
    assert_eq!(
        world.orders_asked().iter().filter(|order| is_repeated(order)).count(),
        0,
        "due, but not overdue"
    );
    world.move_clock(6);
    for _ in 0..4 {
        world.lease(4);
    }
    let asked = world.orders_asked().split_off(16);
    let places: Vec<usize> = (0..asked.len()).filter(|place| is_repeated(&asked[*place])).collect();
    assert_eq!(places.len(), 3, "{asked:?}");
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] == 4), "{asked:?}");
}

#[test]
fn a_sender_of_many_overdue_questions_keeps_another_waiting_for_one_call_only() {
    let mut world = World::new();
    for order in 0..=30 {
        world.receive(order, 0, 7);
        fail(&mut world, Fails::SubjectBroken);
    }
    world.receive(31, 0, 8);
    fail(&mut world, Fails::SubjectBroken);
    for order in 40..=90 {
        world.receive(order, 0, 9);
    }
    world.move_clock(60);
    world.lease(12);
    let asked = world.orders_asked();
    assert!(asked.contains(&31), "{asked:?}");
    assert_eq!(asked.iter().filter(|order| **order < 40).count(), 3, "{asked:?}");
}
