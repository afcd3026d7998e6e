//! Tables and random histories of what explains what.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// Remembers all, and counts its steps.
#[derive(Default)]
struct Memory {
    links: Vec<Link>,
    counting: Vec<(Link, Explained)>,
    steps: usize,
}

fn explains(counting: &Link, which: &Explained, link: &Link) -> bool {
    let asserts = match &which.statuses {
        Some(_) => which.statuses == link.statuses,
        None => link.is == LinkKind::NotFound,
    };
    let is_from = which.from.is_none() || which.from == link.before;
    counting.is_not_earlier_than(link) && counting.id != link.id && asserts && is_from
}

impl History for Memory {
    type Error = Infallible;

    fn is_explained(&mut self, link: &Link) -> Result<bool, Infallible> {
        self.steps += 1;
        Ok(self.counting.iter().any(|(counting, which)| explains(counting, which, link)))
    }

    fn explained_by(&mut self, link: &Link, which: &Explained, most: usize) -> Result<Vec<Link>, Infallible> {
        let open =
            self.links.iter().filter(|link| matches!(link.is, LinkKind::Mismatch | LinkKind::NotFound));
        let found: Vec<_> = open.filter(|open| explains(link, which, open)).take(most).cloned().collect();
        self.steps += 1 + found.len();
        Ok(found)
    }

    fn count(&mut self, link: &Link, which: &Explained) -> Result<(), Infallible> {
        self.steps += 1;
        self.counting.push((link.clone(), which.clone()));
        Ok(())
    }

    fn supersede(&mut self, link: &Link) -> Result<(), Infallible> {
        self.steps += 1;
        let found = self.links.iter_mut().find(|known| known.id == link.id).unwrap();
        assert!(matches!(found.is, LinkKind::Mismatch | LinkKind::NotFound), "{} twice", link.id);
        found.is = LinkKind::Superseded;
        Ok(())
    }
}

fn key(status: u8) -> StatusKey {
    StatusKey::from_stored(&status.to_string())
}

/// It says that the status is now `status`, and was `before`.
fn link(id: i64, is: LinkKind, before: Option<u8>, status: u8) -> Link {
    let before = before.map(key);
    let explains = before.iter().cloned().collect();
    Link { id, order: None, statuses: Some(key(status)), before, explains, is }
}

const CONFIRMED: LinkKind = LinkKind::Confirmed { is_news: true };

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
    let unexplained = (1..500).map(|id| link(id, LinkKind::Mismatch, None, 9));
    let links = unexplained.chain((500..1000).map(|id| link(id, LinkKind::Mismatch, Some(9), 1))).collect();
    let mut memory = Memory { links, ..Memory::default() };
    let superseded = settle(&mut memory, vec![link(1000, CONFIRMED, Some(1), 2)], &Past::default(), 100);
    assert_eq!(superseded, (1..1000).collect::<Vec<_>>(), "over those that were before them");
    assert!(memory.steps < 10 * 1000, "{} steps", memory.steps);

    let links = (1..1000).map(|id| link(id, LinkKind::Mismatch, None, 9)).collect();
    let mut memory = Memory { links, ..Memory::default() };
    let superseded = settle(&mut memory, vec![link(1000, CONFIRMED, Some(1), 2)], &Past::default(), 100);
    assert_eq!((superseded, memory.steps), (Vec::new(), 2));
}

#[test]
fn a_word_about_the_past_explains_nothing_that_contradicts_what_was_confirmed() {
    let past = Past { confirmed: vec![key(1)], id: 1, order: None };
    let claim = |status, before| link(2, LinkKind::Mismatch, before, status);
    let confirmed = |before, is_news| link(3, LinkKind::Confirmed { is_news }, Some(before), 5);
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
        ..link(id, LinkKind::Mismatch, None, 1)
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
        3 => Just(LinkKind::Mismatch),
        2 => Just(LinkKind::NotFound),
        2 => Just(CONFIRMED),
        1 => Just(LinkKind::Deleted)
    ];
    (kinds, proptest::option::of(0_i64..4), proptest::option::of(0_u8..4), 0_u8..4).prop_map(
        |(is, order, before, status)| Link {
            order: order.map(Timestamp::from_millis),
            ..link(0, is, before, status)
        },
    )
}

/// Where nothing was confirmed before.
fn explains_all(counting: &Link, link: &Link) -> bool {
    let is_named = link.statuses.as_ref().is_some_and(|key| counting.explains.contains(key));
    let is_meant = if counting.is == LinkKind::Deleted { link.is == LinkKind::NotFound } else { is_named };
    counting.is_not_earlier_than(link) && counting.id != link.id && is_meant
}

/// As long as one is found that anything which counts explains.
fn closure(links: &[Link]) -> Vec<i64> {
    let mut counting: Vec<Link> = links
        .iter()
        .filter(|link| !matches!(link.is, LinkKind::Mismatch | LinkKind::NotFound))
        .cloned()
        .collect();
    let mut found = Vec::new();
    loop {
        let next = links.iter().find(|link| {
            matches!(link.is, LinkKind::Mismatch | LinkKind::NotFound)
                && !found.contains(&link.id)
                && counting.iter().any(|counting| explains_all(counting, link))
        });
        let Some(next) = next else { break };
        found.push(next.id);
        counting.push(Link { is: LinkKind::Superseded, ..next.clone() });
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
