//! Weighted fair queueing between senders (stride scheduling). Senders that wait for the same kind of call each have
//! a position (a virtual time). The lowest position is next, and each turn moves its sender forward by a stride. The
//! stride is shorter the more of the sender's recent notifications were confirmed, and bounded, so that no sender
//! starves.

use crate::domain::{Reason, State};

/// A sender's weight: the recent share of confirmations among its verdicts, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(i64);

/// A weight of 1.
const WHOLE: i64 = 65_536;

/// The part of the way by which one verdict moves the weight, so that about the last dozen count.
const AGEING: i64 = 8;

/// A verdict that says nothing about the truth takes this part of a good weight away, down to that of an
/// unknown sender: one true notification outweighs about three hundred of them, many true ones a thousand.
const FORGETTING: i64 = 512;

/// Maximum ratio between the turns of two senders.
const HEAVIEST: i64 = 64;

/// The stride of a sender without confirmations.
const LONGEST_STRIDE: i64 = 65_536;

/// The unproven senders of one network together get as many turns as this many unknown senders.
const SENDERS_IN_A_NETWORK: i64 = 16;

impl Weight {
    /// The weight of a sender without verdicts: better than after a fake, worse than after a confirmation.
    pub const UNKNOWN: Self = Self(WHOLE / 8);

    /// A weight as [`Weight::stored`] returned it; anything outside 0 to 1 is clamped.
    #[must_use]
    pub fn from_stored(stored: i64) -> Self {
        Self(stored.clamp(0, WHOLE))
    }

    /// The weight as the store keeps it, in 65536ths.
    #[must_use]
    pub fn stored(self) -> i64 {
        self.0
    }

    /// The weight after one more verdict. A verdict that says whether the notification was true moves it up
    /// or down. Others, such as a duplicate, which may copy another sender's notification, lower it slowly,
    /// so that a sender of nothing else becomes an unknown sender again. A shop that could not be asked
    /// changes nothing.
    #[must_use]
    pub fn after(self, state: State, reason: Option<Reason>) -> Self {
        match (state, reason) {
            (State::Confirmed, _) => Self(self.0 + (WHOLE - self.0) / AGEING),
            (State::Ignored, Some(reason)) if reason.is_fake() => Self(self.0 - self.0 / AGEING),
            (State::Ignored, _) | (State::Undecided, Some(Reason::ApiError | Reason::NotYet)) => {
                Self((self.0 - self.0 / FORGETTING).max(self.0.min(Self::UNKNOWN.0)))
            }
            _ => self,
        }
    }

    /// Whether the sender is proven: only confirmations raise it above an unknown sender.
    #[must_use]
    pub fn is_proven(self) -> bool {
        self > Self::UNKNOWN
    }

    /// Whether less of its recent notifications was true than is expected of an unknown sender.
    #[must_use]
    pub fn is_doubtful(self) -> bool {
        self < Self::UNKNOWN
    }

    /// The turns it gets per turn of a sender without confirmations: 1 to 64; 8 for an unknown one.
    fn turns(self) -> i64 {
        (self.0 * HEAVIEST / WHOLE).clamp(1, HEAVIEST)
    }

    fn stride(self) -> i64 {
        LONGEST_STRIDE / self.turns()
    }

    /// The position of a sender that joins a queue whose last turn was at `reached`: one stride later, so that
    /// newcomers cannot overtake others forever.
    #[must_use]
    pub fn join_at(self, reached: i64) -> i64 {
        reached.saturating_add(self.stride())
    }

    /// The position of a sender after its turn.
    #[must_use]
    pub fn next_position(self, position: i64) -> i64 {
        position.saturating_add(self.stride())
    }

    /// The position of a sender whose own would be `position`, behind the `last` of its network. A sender with a better
    /// weight than an unknown one is not grouped.
    #[must_use]
    pub fn behind(self, position: i64, last: Option<i64>) -> i64 {
        match last {
            Some(last) if self.counts_with_its_network() => {
                position.max(last.saturating_add(Self::UNKNOWN.stride() / SENDERS_IN_A_NETWORK))
            }
            _ => position,
        }
    }

    /// Whether it shares its turns with others of its network.
    #[must_use]
    pub fn counts_with_its_network(self) -> bool {
        self <= Self::UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const RIGHT: (State, Option<Reason>) = (State::Confirmed, Some(Reason::Match));
    const WRONG: (State, Option<Reason>) = (State::Ignored, Some(Reason::NotFound));

    fn after(mut weight: Weight, verdicts: &[((State, Option<Reason>), usize)]) -> Weight {
        for ((state, reason), times) in verdicts {
            for _ in 0..*times {
                weight = weight.after(*state, *reason);
            }
        }
        weight
    }

    #[test]
    fn the_recent_verdicts_make_the_weight() {
        for (verdicts, weight) in [
            (&[][..], 8),
            (&[(RIGHT, 1)], 15),
            (&[(RIGHT, 8)], 44),
            (&[(RIGHT, 100)], 63),
            (&[(WRONG, 1)], 7),
            (&[(WRONG, 16)], 1),
            // A good address gone bad, and one lucky hit among many fakes.
            (&[(RIGHT, 1000), (WRONG, 8)], 21),
            (&[(RIGHT, 1000), (WRONG, 30)], 1),
            (&[(WRONG, 1000), (RIGHT, 1)], 8),
            (&[(WRONG, 1000), (RIGHT, 1), (WRONG, 16)], 1),
        ] {
            assert_eq!(after(Weight::UNKNOWN, verdicts).turns(), weight, "{verdicts:?}");
        }
    }

    #[test]
    fn verdicts_without_truth_make_a_good_sender_unknown_again_and_none_worse() {
        let caught = after(Weight::UNKNOWN, &[(WRONG, 3)]);
        let [once, often] = [1, 1000].map(|times| after(Weight::UNKNOWN, &[(RIGHT, times)]));
        for (state, reason) in [
            (State::Ignored, Reason::Duplicate),
            (State::Ignored, Reason::Superseded),
            (State::Ignored, Reason::Unavailable),
            (State::Ignored, Reason::Malformed),
            (State::Ignored, Reason::Unsupported),
            (State::Undecided, Reason::ApiError),
            (State::Undecided, Reason::NotYet),
        ] {
            let verdict = (state, Some(reason));
            assert_eq!(after(caught, &[(verdict, 2000)]), caught, "{reason}");
            assert_eq!(after(Weight::UNKNOWN, &[(verdict, 2000)]), Weight::UNKNOWN, "{reason}");
            for (weight, least, most) in [(once, 300, 350), (often, 1000, 1100)] {
                assert!(after(weight, &[(verdict, least)]).is_proven(), "{reason}");
                assert_eq!(after(weight, &[(verdict, most)]), Weight::UNKNOWN, "{reason}");
            }
        }
    }

    #[test]
    fn a_shop_that_could_not_be_asked_says_nothing_about_a_sender() {
        let good = after(Weight::UNKNOWN, &[(RIGHT, 1)]);
        for (state, reason) in [
            (State::Undecided, Reason::ApiUnreachable),
            (State::Undecided, Reason::ApiDenied),
            (State::Undecided, Reason::ApiRateLimited),
            (State::Pending, Reason::NotYet),
            (State::Pending, Reason::ApiError),
        ] {
            assert_eq!(after(good, &[((state, Some(reason)), 2000)]), good, "{reason}");
        }
    }

    #[test]
    fn a_sender_is_proven_while_its_weight_is_above_an_unknown_senders() {
        let unsupported = (State::Ignored, Some(Reason::Unsupported));
        for (verdicts, is_proven) in [
            (&[][..], false),
            (&[(RIGHT, 1)], true),
            (&[(RIGHT, 1), (WRONG, 4)], true),
            (&[(RIGHT, 1), (WRONG, 5)], false),
            (&[(RIGHT, 1000), (WRONG, 15)], true),
            (&[(RIGHT, 1000), (WRONG, 16)], false),
            // A shop that also sends a hundred unverifiable notifications per order.
            (
                &[
                    (RIGHT, 1),
                    (unsupported, 100),
                    (RIGHT, 1),
                    (unsupported, 100),
                    (RIGHT, 1),
                    (unsupported, 300),
                ],
                true,
            ),
        ] {
            assert_eq!(after(Weight::UNKNOWN, verdicts).is_proven(), is_proven, "{verdicts:?}");
        }
    }

    /// A queue of senders by name, as the store keeps one.
    #[derive(Default)]
    struct FairQueue {
        senders: BTreeMap<usize, (i64, Weight)>,
        reached: i64,
    }

    impl FairQueue {
        fn join(&mut self, name: usize, weight: Weight) {
            self.senders.insert(name, (weight.join_at(self.reached), weight));
        }

        fn next(&mut self) -> (usize, i64, Weight) {
            let positions = self.senders.iter().map(|(name, (position, weight))| (*name, *position, *weight));
            let next = positions.min_by_key(|(name, position, _)| (*position, *name)).unwrap();
            self.reached = next.1;
            next
        }

        fn turn(&mut self) -> usize {
            let (name, position, weight) = self.next();
            self.senders.insert(name, (weight.next_position(position), weight));
            name
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_sender_has_a_turn_within_a_bounded_number_of_turns(
            weights in prop::collection::vec(0..=WHOLE, 1..8),
            joining in prop::collection::vec(0..=WHOLE, 0..30),
        ) {
            let mut queue = FairQueue::default();
            for (name, weight) in weights.iter().enumerate() {
                queue.join(name, Weight(*weight));
            }
            let bound = (weights.len() + joining.len()) * usize::try_from(HEAVIEST + 1).unwrap();
            let mut waits = vec![0; weights.len()];
            let mut joining = joining.into_iter().enumerate();
            for _ in 0..bound * 2 {
                if let Some((name, weight)) = joining.next() {
                    queue.join(1000 + name, Weight(weight));
                }
                let name = queue.turn();
                for (other, waited) in waits.iter_mut().enumerate() {
                    *waited = if other == name { 0 } else { *waited + 1 };
                    prop_assert!(*waited <= bound, "{other} waited for {waited} turns");
                }
            }
        }

        #[test]
        fn equal_weights_get_equally_many_turns(weight in 0..=WHOLE, senders in 1_usize..20, rounds in 1_usize..20) {
            let mut queue = FairQueue::default();
            for name in 0..senders {
                queue.join(name, Weight(weight));
            }
            let mut turns = vec![0; senders];
            for _ in 0..senders * rounds {
                turns[queue.turn()] += 1;
            }
            prop_assert!(turns.iter().all(|turns: &usize| turns.abs_diff(rounds) <= 1), "{turns:?}");
        }

        #[test]
        fn a_newcomer_waits_for_a_few_turns_of_each_other_at_most(others in prop::collection::vec(0..=WHOLE, 1..20)) {
            let mut queue = FairQueue::default();
            for (name, weight) in others.iter().enumerate() {
                queue.join(name, Weight(*weight));
            }
            for _ in 0..500 {
                queue.turn();
            }
            queue.join(1000, Weight::UNKNOWN);
            let before = std::iter::from_fn(|| Some(queue.turn())).take_while(|name| *name != 1000).count();
            prop_assert!(before <= others.len() * 9, "{before} turns for {}", others.len());
        }
    }

    #[test]
    fn a_network_of_any_number_of_unknown_senders_gets_the_turns_of_sixteen() {
        let mut queue = FairQueue::default();
        let mut last = None;
        for name in 0..5_000 {
            let position = Weight::UNKNOWN.behind(Weight::UNKNOWN.join_at(queue.reached), last);
            last = Some(position);
            queue.senders.insert(name, (position, Weight::UNKNOWN));
        }
        queue.join(9_999, Weight::UNKNOWN);
        let mut own = 0;
        for _ in 0..1_700 {
            let (name, position, weight) = queue.next();
            let mut next = weight.next_position(position);
            if name == 9_999 {
                own += 1;
            } else {
                next = weight.behind(next, last);
                last = Some(next);
            }
            queue.senders.insert(name, (next, weight));
        }
        assert!((99..=101).contains(&own), "{own} of 1700 turns");
    }
}
