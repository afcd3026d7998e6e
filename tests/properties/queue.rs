//! When the queue says to come back: a time that has passed would keep the worker spinning.

use super::world::{Fails, World};

/// Asks the next question, which fails so.
fn fail(world: &mut World, fails: Fails) {
    assert_eq!(world.lease(1), 1);
    world.answer(0, Some(fails));
    world.record(0);
}

#[test]
fn what_is_overdue_in_a_closed_lane_waits_for_its_end() {
    let mut world = World::new();
    world.deliver(0, 0, 0);
    fail(&mut world, Fails::SubjectBroken);
    world.deliver(1, 0, 0);
    fail(&mut world, Fails::LaneDenied);
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
    world.deliver(0, 0, 0);
    fail(&mut world, Fails::LaneDenied);
    for _ in 0..7 {
        world.move_clock(3600);
        fail(&mut world, Fails::LaneDenied);
    }
    assert_eq!(world.verdicts()[&1].state, "undecided");
    world.move_clock(3600);
    assert_eq!((world.lease(4), world.come_back_in), (0, None));
}

#[test]
fn a_source_that_failed_before_the_clock_was_set_back_is_asked_and_then_left_alone_again() {
    let mut world = World::new();
    world.deliver(0, 0, 0);
    fail(&mut world, Fails::Denied);
    world.move_clock(-86_400);
    fail(&mut world, Fails::Denied);
    assert_eq!(world.lease(1), 0);
    assert_eq!(world.come_back_in, Some(600_000), "the pause doubles");
}
