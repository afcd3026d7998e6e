//! What no history may break.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::{Fails, Verdict, World, claim};

#[derive(Clone, Debug)]
enum Step {
    Deliver { order: u8, status: u8, event: u8 },
    Change { order: u8, status: Option<u8> },
    Lease(usize),
    Answer(usize),
    Fail(usize, Fails),
    Record(usize),
    GiveUp,
    Crash { is_restarted: bool },
    MoveClock(i64),
    Retry(i64),
    Dismiss(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let fails = prop_oneof![
        Just(Fails::Unreachable),
        Just(Fails::RateLimited),
        Just(Fails::Denied),
        Just(Fails::LaneDenied),
        Just(Fails::SubjectRefused),
        Just(Fails::SubjectBroken),
    ];
    let seconds =
        prop_oneof![0..5_i64, 30..90_i64, 600..7200_i64, Just(40_000_i64), -7200..0_i64, Just(-40_000_i64)];
    prop_oneof![
        6 => (0..3_u8, 0..3_u8, 0..2_u8).prop_map(|(order, status, event)| Step::Deliver { order, status, event }),
        3 => (0..3_u8, proptest::option::weighted(0.8, 0..3_u8))
            .prop_map(|(order, status)| Step::Change { order, status }),
        6 => (1..4_usize).prop_map(Step::Lease),
        6 => (0..4_usize).prop_map(Step::Answer),
        3 => (0..4_usize, fails).prop_map(|(place, fails)| Step::Fail(place, fails)),
        8 => (0..4_usize).prop_map(Step::Record),
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

fn apply(world: &mut World, step: &Step) -> bool {
    match step {
        Step::Deliver { order, status, event } => world.deliver(*order, *status, *event),
        Step::Change { order, status } => world.change_order(*order, *status),
        Step::Lease(most) => drop(world.lease(*most)),
        Step::Answer(place) => world.answer(*place, None),
        Step::Fail(place, fails) => world.answer(*place, Some(*fails)),
        Step::Record(place) => return world.record(*place),
        Step::GiveUp => world.give_up(),
        Step::Crash { is_restarted } => world.crash(*is_restarted),
        Step::MoveClock(seconds) => world.move_clock(*seconds),
        Step::Retry(id) => world.retry(*id),
        Step::Dismiss(id) => world.dismiss(*id),
    }
    false
}

/// A good worker, a good clock and a shop that answers: everything has to settle.
fn settle_all(world: &mut World) {
    world.crash(true);
    world.set_clock_right();
    for _ in 0..100 {
        if count(&world.verdicts(), &["pending"]) == 0 {
            return;
        }
        while world.lease(4) > 0 {
            for _ in 0..4 {
                for place in 0..4 {
                    world.answer(place, None);
                }
                world.record(0);
            }
        }
        world.move_clock(1800);
    }
    panic!("something is stuck: {:#?}", world.verdicts());
}

/// Enough for every run; more where somebody hunts.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_what_the_contract_promises(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let mut delivered = Vec::new();
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
            if let Step::Deliver { order, status, event } = step {
                delivered.push((*order, *status, *event));
            }
        }
        let before = world.verdicts();
        settle_all(&mut world);
        let after = world.verdicts();
        prop_assert_eq!(after.len(), delivered.len(), "nothing is lost");
        check_moves(&Step::GiveUp, &before, &after);
        check_copies(&after);
        check_owed(&world, &after);
        for (order, status, event) in delivered {
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
