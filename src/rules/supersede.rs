//! Which settled notifications a confirmed one explains: a worklist. Each one that counts looks once for those that it
//! explains, however many there are, and each of those counts from then on.

use std::collections::VecDeque;

use crate::domain::{StatusKey, Timestamp};

/// A settled notification, as far as superseding goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The notification's id: ascending in the order of receipt.
    pub id: i64,
    /// The provider's time as sent.
    pub order: Option<Timestamp>,
    /// What it says of statuses.
    pub statuses: Option<StatusKey>,
    /// The statuses before it, in its sender's words.
    pub before: Option<StatusKey>,
    /// The statuses that it explains.
    pub explains: Vec<StatusKey>,
    /// What became of it.
    pub is: Kind,
}

/// What a [`Link`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ignored as `mismatch`.
    Mismatch,
    /// Ignored as `not_found`.
    NotFound,
    /// Superseded: it goes on explaining what was before it.
    Superseded,
    /// Confirmed.
    Confirmed {
        /// Whether the API said something new.
        is_news: bool,
    },
    /// Confirmed as deleted: explains all that was not found.
    Deleted,
}

impl Link {
    /// Whether this one is not earlier than `other`: by the provider's time where both have one, otherwise by receipt.
    #[must_use]
    pub fn is_not_earlier_than(&self, other: &Self) -> bool {
        match (self.order, other.order) {
            (Some(own), Some(other)) => own >= other,
            _ => self.id > other.id,
        }
    }
}

/// What was confirmed about the subject before all that settles now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The keys of the statuses, all of them first, then those of some of them; empty: nothing was confirmed.
    pub confirmed: Vec<StatusKey>,
    /// The notification that was confirmed.
    pub id: i64,
    /// Its provider's time.
    pub order: Option<Timestamp>,
}

/// What a notification's word for the past is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explains {
    /// It contradicts nothing, or is no word of the sender's.
    All,
    /// Something else was confirmed before: it explains only what says that it came directly from there.
    From(StatusKey),
    /// It contradicts what was confirmed before, and the API says the same as then.
    Nothing,
}

impl Past {
    /// What `link` may explain.
    #[must_use]
    pub fn lets(&self, link: &Link) -> Explains {
        let (Some(before), Some(told)) = (&link.before, self.confirmed.first()) else { return Explains::All };
        let was_before = match (self.order, link.order) {
            (Some(told), Some(own)) if told != own => told < own,
            _ => self.id < link.id,
        };
        if !was_before || self.confirmed.contains(before) {
            Explains::All
        } else if link.is == (Kind::Confirmed { is_news: true }) {
            Explains::From(told.clone())
        } else {
            Explains::Nothing
        }
    }
}

/// The settled notifications of one subject, wherever they are kept.
pub trait History {
    /// How looking or writing fails.
    type Error;

    /// Whether something that counts explains `link`.
    ///
    /// # Errors
    /// The history failed.
    fn is_explained(&mut self, link: &Link) -> Result<bool, Self::Error>;

    /// At most `most` of those that `link` explains and that are not superseded yet, nothing else.
    ///
    /// # Errors
    /// The history failed.
    fn explained_by(&mut self, link: &Link, lets: &Explains, most: usize) -> Result<Vec<Link>, Self::Error>;

    /// From now on `link` counts, for what is settled later.
    ///
    /// # Errors
    /// The history failed.
    fn count(&mut self, link: &Link, lets: &Explains) -> Result<(), Self::Error>;

    /// `link` is superseded.
    ///
    /// # Errors
    /// The history failed.
    fn supersede(&mut self, link: &Link) -> Result<(), Self::Error>;
}

/// What came of [`supersede`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superseded {
    /// Those that are superseded now.
    pub ids: Vec<i64>,
    /// Those that have not looked for all that they explain.
    pub left: Vec<Link>,
}

/// Supersedes at most `most`: those of `fresh` that are explained, and whatever those of `fresh` explain, directly or over
/// others. Where more is `left` it goes on with that.
///
/// # Errors
/// The history failed.
pub fn supersede<H: History>(
    history: &mut H,
    fresh: Vec<Link>,
    past: &Past,
    most: usize,
) -> Result<Superseded, H::Error> {
    let mut done = Superseded::default();
    let mut queue = VecDeque::new();
    let (open, counting): (Vec<Link>, Vec<Link>) =
        fresh.into_iter().partition(|link| matches!(link.is, Kind::Mismatch | Kind::NotFound));
    for link in counting {
        history.count(&link, &past.lets(&link))?;
        queue.push_back(link);
    }
    for link in open {
        if history.is_explained(&link)? {
            queue.push_back(take(history, link, past, &mut done)?);
        }
    }
    while let Some(link) = queue.pop_front() {
        let room = most.saturating_sub(done.ids.len());
        let found =
            if room == 0 { Vec::new() } else { history.explained_by(&link, &past.lets(&link), room)? };
        if found.len() == room {
            done.left.push(link);
        }
        for explained in found {
            queue.push_back(take(history, explained, past, &mut done)?);
        }
    }
    Ok(done)
}

fn take<H: History>(
    history: &mut H,
    link: Link,
    past: &Past,
    done: &mut Superseded,
) -> Result<Link, H::Error> {
    history.supersede(&link)?;
    done.ids.push(link.id);
    let link = Link { is: Kind::Superseded, ..link };
    history.count(&link, &past.lets(&link))?;
    Ok(link)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Remembers all, and counts its steps.
    #[derive(Default)]
    struct Memory {
        links: Vec<Link>,
        counting: Vec<(Link, Explains)>,
        steps: usize,
    }

    fn explains(counting: &Link, lets: &Explains, link: &Link) -> bool {
        if !counting.is_not_earlier_than(link) || counting.id == link.id {
            return false;
        }
        if counting.is == Kind::Deleted {
            return link.is == Kind::NotFound;
        }
        let is_named = link.statuses.as_ref().is_some_and(|key| counting.explains.contains(key));
        is_named
            && match lets {
                Explains::All => true,
                Explains::From(from) => link.before.as_ref() == Some(from),
                Explains::Nothing => false,
            }
    }

    impl History for Memory {
        type Error = Infallible;

        fn is_explained(&mut self, link: &Link) -> Result<bool, Infallible> {
            self.steps += 1;
            Ok(self.counting.iter().any(|(counting, lets)| explains(counting, lets, link)))
        }

        fn explained_by(
            &mut self,
            link: &Link,
            lets: &Explains,
            most: usize,
        ) -> Result<Vec<Link>, Infallible> {
            let open = self.links.iter().filter(|link| matches!(link.is, Kind::Mismatch | Kind::NotFound));
            let found: Vec<_> = open.filter(|open| explains(link, lets, open)).take(most).cloned().collect();
            self.steps += 1 + found.len();
            Ok(found)
        }

        fn count(&mut self, link: &Link, lets: &Explains) -> Result<(), Infallible> {
            self.steps += 1;
            self.counting.push((link.clone(), lets.clone()));
            Ok(())
        }

        fn supersede(&mut self, link: &Link) -> Result<(), Infallible> {
            self.steps += 1;
            let found = self.links.iter_mut().find(|known| known.id == link.id).unwrap();
            assert!(matches!(found.is, Kind::Mismatch | Kind::NotFound), "{} twice", link.id);
            found.is = Kind::Superseded;
            Ok(())
        }
    }

    fn key(status: u8) -> StatusKey {
        StatusKey::from_stored(&status.to_string())
    }

    /// It says that the status is now `status`, and was `before`.
    fn link(id: i64, is: Kind, before: Option<u8>, status: u8) -> Link {
        let before = before.map(key);
        let explains = before.iter().cloned().collect();
        Link { id, order: None, statuses: Some(key(status)), before, explains, is }
    }

    const CONFIRMED: Kind = Kind::Confirmed { is_news: true };

    fn settle(memory: &mut Memory, fresh: Vec<Link>, past: &Past, most: usize) -> Vec<i64> {
        memory.links.extend(fresh.iter().cloned());
        let (mut ids, mut fresh) = (Vec::new(), fresh);
        loop {
            let Superseded { ids: some, left } = supersede(memory, fresh, past, most).unwrap();
            ids.extend(some);
            if left.is_empty() {
                ids.sort_unstable();
                return ids;
            }
            fresh = left;
        }
    }

    #[test]
    fn a_thousand_claims_cost_a_few_steps_each_however_many_stay_unexplained() {
        let unexplained = (1..500).map(|id| link(id, Kind::Mismatch, None, 9));
        let links = unexplained.chain((500..1000).map(|id| link(id, Kind::Mismatch, Some(9), 1))).collect();
        let mut memory = Memory { links, ..Memory::default() };
        let superseded = settle(&mut memory, vec![link(1000, CONFIRMED, Some(1), 2)], &Past::default(), 100);
        assert_eq!(superseded, (1..1000).collect::<Vec<_>>(), "over those that were before them");
        assert!(memory.steps < 10 * 1000, "{} steps", memory.steps);

        let links = (1..1000).map(|id| link(id, Kind::Mismatch, None, 9)).collect();
        let mut memory = Memory { links, ..Memory::default() };
        let superseded = settle(&mut memory, vec![link(1000, CONFIRMED, Some(1), 2)], &Past::default(), 100);
        assert_eq!((superseded, memory.steps), (Vec::new(), 2));
    }

    #[test]
    fn a_word_about_the_past_explains_nothing_that_contradicts_what_was_confirmed() {
        let past = Past { confirmed: vec![key(1)], id: 1, order: None };
        let claim = |status, before| link(2, Kind::Mismatch, before, status);
        let confirmed = |before, is_news| link(3, Kind::Confirmed { is_news }, Some(before), 5);
        let cases = [
            // What was confirmed before was so; and it was before.
            (claim(1, None), confirmed(1, true), true),
            (claim(1, None), confirmed(1, false), true),
            // The sender invents a past.
            (claim(2, None), confirmed(2, true), false),
            (claim(2, Some(7)), confirmed(2, true), false),
            // It was so on the way from there to here.
            (claim(2, Some(1)), confirmed(2, true), true),
            // Nothing has changed: there was no way.
            (claim(2, Some(1)), confirmed(2, false), false),
        ];
        for (claim, confirmed, is_superseded) in cases {
            for backwards in [false, true] {
                let mut memory = Memory::default();
                let mut fresh = [claim.clone(), confirmed.clone()];
                fresh[..].rotate_left(usize::from(backwards));
                let superseded: Vec<i64> =
                    fresh.into_iter().flat_map(|one| settle(&mut memory, vec![one], &past, 9)).collect();
                assert_eq!(superseded == [2], is_superseded, "{claim:?} {confirmed:?}");
            }
        }
        let later = Past { id: 9, ..past };
        let mut memory = Memory::default();
        let superseded = settle(&mut memory, vec![claim(2, None), confirmed(2, true)], &later, 9);
        assert_eq!(superseded, [2], "what was confirmed of a later time says nothing about the past");
    }

    #[test]
    fn times_decide_where_both_have_one_else_receipt() {
        let at = |id, order: Option<i64>| Link {
            order: order.map(Timestamp::from_millis),
            ..link(id, Kind::Mismatch, None, 1)
        };
        for (own, other, expected) in [
            (at(1, Some(5)), at(2, Some(5)), true),
            (at(1, Some(6)), at(2, Some(5)), true),
            (at(2, Some(4)), at(1, Some(5)), false),
            (at(2, None), at(1, Some(5)), true),
            (at(1, None), at(2, Some(5)), false),
            (at(1, Some(9)), at(2, None), false),
            (at(1, None), at(2, None), false),
        ] {
            assert_eq!(own.is_not_earlier_than(&other), expected, "{own:?} {other:?}");
        }
    }

    fn any_link() -> impl Strategy<Value = Link> {
        let kinds = prop_oneof![
            3 => Just(Kind::Mismatch),
            2 => Just(Kind::NotFound),
            2 => Just(CONFIRMED),
            1 => Just(Kind::Deleted)
        ];
        (kinds, proptest::option::of(0_i64..4), proptest::option::of(0_u8..4), 0_u8..4).prop_map(
            |(is, order, before, status)| Link {
                order: order.map(Timestamp::from_millis),
                ..link(0, is, before, status)
            },
        )
    }

    /// As long as one is found that anything which counts explains.
    fn closure(links: &[Link]) -> Vec<i64> {
        let mut counting: Vec<Link> = links
            .iter()
            .filter(|link| !matches!(link.is, Kind::Mismatch | Kind::NotFound))
            .cloned()
            .collect();
        let mut found = Vec::new();
        loop {
            let next = links.iter().find(|link| {
                matches!(link.is, Kind::Mismatch | Kind::NotFound)
                    && !found.contains(&link.id)
                    && counting.iter().any(|counting| explains(counting, &Explains::All, link))
            });
            let Some(next) = next else { break };
            found.push(next.id);
            counting.push(Link { is: Kind::Superseded, ..next.clone() });
        }
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn whatever_settles_together_and_first_the_same_are_superseded(
            links in proptest::collection::vec(any_link(), 1..12),
            parts in proptest::collection::vec(1_usize..4, 12),
            order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
            most in 1_usize..4,
        ) {
            let links: Vec<Link> = (1..).zip(links).map(|(id, link)| Link { id, ..link }).collect();
            let mut waiting: Vec<Link> = order.iter().filter_map(|place| links.get(*place)).cloned().collect();
            let (mut memory, mut superseded) = (Memory::default(), Vec::new());
            for part in parts {
                let fresh: Vec<Link> = waiting.drain(..part.min(waiting.len())).collect();
                superseded.extend(settle(&mut memory, fresh, &Past::default(), most));
            }
            superseded.sort_unstable();
            prop_assert_eq!(superseded, closure(&links));
        }
    }
}
