//! What no history may break.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::shop::{Fails, claim};
use super::world::{Verdict, World};

#[derive(Clone, Debug)]
pub(super) enum Step {
    Receive {
        order: u8,
        status: u8,
        event: u8,
    },
    Change {
        order: u8,
        status: Option<u8>,
    },
    /// Everything due is asked and recorded, but not what is in flight.
    Work,
    Lease(usize),
    Answer(usize),
    Fail(usize, Fails),
    Record(usize),
    /// An answer on its way is overtaken by a newer one.
    Overtake {
        order: u8,
        status: u8,
    },
    /// Whatever is asked for so long fails.
    Outage(Fails),
    GiveUp,
    Crash {
        is_restarted: bool,
    },
    MoveClock(i64),
    Retry(i64),
    Dismiss(i64),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let fails = prop_oneof![
        Just(Fails::Unreachable),
        Just(Fails::RateLimited),
        Just(Fails::Denied),
        Just(Fails::CallKindDenied),
        Just(Fails::SubjectRefused),
        Just(Fails::SubjectBroken),
    ];
    let seconds = prop_oneof![
        4 => 0..5_i64,
        2 => 30..90_i64,
        1 => 600..7200_i64,
        1 => Just(40_000_i64),
        1 => -90..0_i64,
        1 => -7200..0_i64,
        1 => Just(-40_000_i64)
    ];
    let event = proptest::bool::weighted(0.15).prop_map(u8::from);
    prop_oneof![
        10 => (0..2_u8, 0..3_u8, event)
            .prop_map(|(order, status, event)| Step::Receive { order, status, event }),
        4 => (0..2_u8, proptest::option::weighted(0.85, 0..3_u8))
            .prop_map(|(order, status)| Step::Change { order, status }),
        4 => Just(Step::Work),
        7 => (1..4_usize).prop_map(Step::Lease),
        8 => (0..4_usize).prop_map(Step::Answer),
        2 => (0..4_usize, fails.clone()).prop_map(|(place, fails)| Step::Fail(place, fails)),
        7 => (0..4_usize).prop_map(Step::Record),
        2 => (0..2_u8, 0..3_u8).prop_map(|(order, status)| Step::Overtake { order, status }),
        2 => fails.clone().prop_map(Step::Outage),
        1 => Just(Step::GiveUp),
        1 => any::<bool>().prop_map(|is_restarted| Step::Crash { is_restarted }),
        4 => seconds.prop_map(Step::MoveClock),
        1 => (1..12_i64).prop_map(Step::Retry),
        1 => (1..12_i64).prop_map(Step::Dismiss),
    ]
}

/// Whether a row may go from one verdict to the other without a person.
fn may_move(from: &Verdict, to: &Verdict) -> bool {
    match (from.state.as_str(), from.reason.as_deref()) {
        ("pending", _) => true,
        ("ignored", Some("mismatch" | "not_found")) => to.reason.as_deref() == Some("superseded"),
        ("undecided", _) => to.reason.as_deref() == Some("duplicate"),
        _ => false,
    }
}

fn check_moves(step: &Step, before: &BTreeMap<i64, Verdict>, after: &BTreeMap<i64, Verdict>) {
    for (id, from) in before {
        let to = &after[id];
        let is_decided = match step {
            Step::Retry(chosen) => chosen == id && from.state != "confirmed",
            Step::Dismiss(chosen) => chosen == id && from.state == "undecided",
            _ => false,
        };
        let is_same =
            (&from.state, &from.reason, from.duplicate_of) == (&to.state, &to.reason, to.duplicate_of);
        assert!(is_same || is_decided || may_move(from, to), "{id} went from {from:?} to {to:?} by {step:?}");
    }
}

fn check_copies(verdicts: &BTreeMap<i64, Verdict>) {
    let mut confirmed = BTreeMap::new();
    for (id, verdict) in verdicts.iter().filter(|(_, verdict)| verdict.state == "confirmed") {
        let first = confirmed.insert(verdict.key.clone(), *id);
        assert_eq!(first, None, "{id} repeats a confirmed one");
    }
    for (id, verdict) in verdicts {
        if let Some(first) = verdict.duplicate_of {
            assert_eq!(verdicts[&first].state, "confirmed", "{id} repeats {first}, which is not confirmed");
            assert_eq!(verdicts[&first].key, verdict.key, "{id} is no copy of {first}");
        }
    }
}

fn check_owed(world: &World, verdicts: &BTreeMap<i64, Verdict>) {
    for key in world.owed.lock().unwrap().iter() {
        let copies = verdicts.values().filter(|verdict| verdict.key.as_deref() == Some(key.as_str()));
        let confirmed = copies.filter(|verdict| verdict.state == "confirmed").count();
        assert_eq!(confirmed, 1, "an answer agreed with {key:?}");
    }
}

fn count(verdicts: &BTreeMap<i64, Verdict>, states: &[&str]) -> usize {
    verdicts.values().filter(|verdict| states.contains(&verdict.state.as_str())).count()
}

pub(super) fn apply(world: &mut World, step: &Step) -> bool {
    match step {
        Step::Receive { order, status, event } => world.receive(*order, *status, *event),
        Step::Change { order, status } => world.change_order(*order, *status),
        Step::Work => work(world),
        Step::Lease(most) => drop(world.lease(*most)),
        Step::Answer(place) => world.answer(*place, None),
        Step::Fail(place, fails) => world.answer(*place, Some(*fails)),
        Step::Record(place) => return world.record(*place),
        Step::Overtake { order, status } => {
            world.receive(*order, 0, 0);
            if world.lease(1) == 1 {
                world.answer(world.under_way_count() - 1, None);
            }
            world.change_order(*order, Some(*status));
            world.receive(*order, *status, 0);
            work(world);
        }
        Step::Outage(fails) => outage(world, *fails),
        Step::GiveUp => world.give_up(),
        Step::Crash { is_restarted } => world.crash(*is_restarted),
        Step::MoveClock(seconds) => world.move_clock(*seconds),
        Step::Retry(id) => world.retry(*id),
        Step::Dismiss(id) => world.dismiss(*id),
    }
    false
}

/// Asks and records, truly, until nothing is due; what was in flight before stays so.
fn work(world: &mut World) {
    loop {
        let count = world.lease(4);
        if count == 0 {
            return;
        }
        for _ in 0..count {
            let last = world.under_way_count() - 1;
            world.answer(last, None);
            world.record(last);
        }
    }
}

/// Long enough and often enough for patience to end.
fn outage(world: &mut World, fails: Fails) {
    for _ in 0..9 {
        let before = count(&world.verdicts(), &["confirmed", "ignored"]);
        for _ in 0..world.lease(4) {
            let last = world.under_way_count() - 1;
            world.answer(last, Some(fails));
            world.record(last);
        }
        world.give_up();
        assert_eq!(count(&world.verdicts(), &["confirmed", "ignored"]), before, "a failure decides nothing");
        world.move_clock(4000);
    }
}

/// A good worker, a good clock and a shop that answers: everything has to settle.
pub(super) fn settle_all(world: &mut World) {
    world.crash(true);
    world.set_clock_right();
    for _ in 0..100 {
        if count(&world.verdicts(), &["pending"]) == 0 {
            return;
        }
        work(world);
        world.move_clock(1800);
    }
    panic!("something is stuck: {:#?}", world.verdicts());
}

/// Enough for every run; more where somebody hunts.
pub(super) fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_what_the_contract_promises(steps in proptest::collection::vec(step(), 10..80)) {
        let mut world = World::new();
        for step in &steps {
            let (before, truth_before) = (world.verdicts(), world.truth_times());
            let is_failure = apply(&mut world, step);
            let after = world.verdicts();
            check_moves(step, &before, &after);
            check_copies(&after);
            check_owed(&world, &after);
            if is_failure {
                let decided = ["confirmed", "ignored"];
                prop_assert_eq!(count(&before, &decided), count(&after, &decided), "a failure decides nothing");
            }
            for (order, updated_at) in world.truth_times() {
                let older = truth_before.get(&order).is_some_and(|before| *before > updated_at);
                prop_assert!(!older, "the truth about {} went back to {}", order, updated_at);
            }
        }
        let before = world.verdicts();
        settle_all(&mut world);
        let after = world.verdicts();
        prop_assert_eq!(after.len(), world.delivered.len(), "nothing is lost");
        check_moves(&Step::GiveUp, &before, &after);
        check_copies(&after);
        check_owed(&world, &after);
        for (order, status, event) in world.delivered.clone() {
            let key = claim(order, status, event).key();
            let is_copy = |verdict: &&Verdict| verdict.key.as_deref() == Some(key.as_str());
            let waited = before.values().filter(is_copy).any(|verdict| verdict.state == "pending");
            if waited && world.is_true_now(order, status) {
                let confirmed = after.values().filter(is_copy).filter(|verdict| verdict.state == "confirmed");
                prop_assert_eq!(confirmed.count(), 1, "true, waited for, and asked about");
            }
        }
    }
}
