//! Decides which settled notifications a confirmed one explains, as a worklist. Each notification that counts
//! looks once for those that it explains, however many there are, and each of those counts from then on.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::domain::{StatusKey, Timestamp};

/// A settled notification, as far as superseding needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The notification's id, ascending in the order of receipt.
    pub id: i64,
    /// The provider's time as sent.
    pub order: Option<Timestamp>,
    /// The statuses that it asserts.
    pub statuses: Option<StatusKey>,
    /// The statuses before it, as its sender states them.
    pub before: Option<StatusKey>,
    /// The statuses that it explains.
    pub explains: Vec<StatusKey>,
    pub is: LinkKind,
}

/// The role of a [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// It is ignored as `mismatch`.
    Mismatch,
    /// It is ignored as `not_found`.
    NotFound,
    /// Superseded: it still explains earlier ones.
    Superseded,
    Confirmed {
        /// Whether the API said something new.
        is_news: bool,
    },
    /// Confirmed as deleted: it explains every `not_found`.
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

/// The confirmations of the subject before those that settle now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The keys of the statuses: all of them first, then those of subsets; empty if nothing was confirmed.
    pub confirmed: Vec<StatusKey>,
    /// The notification that was confirmed.
    pub id: i64,
    /// The provider's time of it.
    pub order: Option<Timestamp>,
}

/// Some of the notifications that one explains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Those that assert these statuses; `None`: all that was not found.
    pub statuses: Option<StatusKey>,
    /// Only those that say that they came directly from there; `None`: all.
    pub from: Option<StatusKey>,
}

impl Past {
    /// The notifications that `link` may explain. What contradicts this past explains only what says that it came directly
    /// from there; if the API also says the same as then, nothing.
    #[must_use]
    pub fn lets(&self, link: &Link) -> Vec<Explained> {
        if link.is == LinkKind::Deleted {
            return vec![Explained::default()];
        }
        let from = self.contradicted_by(link);
        if from.is_some() && link.is != (LinkKind::Confirmed { is_news: true }) {
            return Vec::new();
        }
        let of = |statuses: &StatusKey| Explained { statuses: Some(statuses.clone()), from: from.cloned() };
        link.explains.iter().map(of).collect()
    }

    /// The statuses confirmed before `link`, if its sender states other ones.
    fn contradicted_by(&self, link: &Link) -> Option<&StatusKey> {
        let was_before = match (self.order, link.order) {
            (Some(told), Some(own)) if told != own => told < own,
            _ => self.id < link.id,
        };
        let states_other = link.before.as_ref().is_some_and(|before| !self.confirmed.contains(before));
        self.confirmed.first().filter(|_| was_before && states_other)
    }
}

/// The settled notifications of one subject, wherever they are stored.
pub trait History {
    /// The error of reading or writing.
    type Error;

    /// Whether a notification that counts explains `link`.
    ///
    /// # Errors
    /// The history failed.
    fn is_explained(&mut self, link: &Link) -> Result<bool, Self::Error>;

    /// At most `most` of these that are not later than `link` and not superseded yet.
    ///
    /// # Errors
    /// The history failed.
    fn explained_by(&mut self, link: &Link, which: &Explained, most: usize)
    -> Result<Vec<Link>, Self::Error>;

    /// Makes `link` count for these if they are settled later.
    ///
    /// # Errors
    /// The history failed.
    fn count(&mut self, link: &Link, which: &Explained) -> Result<(), Self::Error>;

    /// Marks `link` as superseded.
    ///
    /// # Errors
    /// The history failed.
    fn supersede(&mut self, link: &Link) -> Result<(), Self::Error>;
}

/// The result of [`supersede`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superseded {
    /// The notifications that are superseded now.
    pub ids: Vec<i64>,
    /// Those that have not yet looked for everything that they explain.
    pub left: Vec<Link>,
}

/// Supersedes at most `most` notifications: those of `fresh` that are explained, and those that `fresh`
/// explains, directly or through others. With `left`, it continues where an earlier call stopped.
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
        fresh.into_iter().partition(|link| matches!(link.is, LinkKind::Mismatch | LinkKind::NotFound));
    for link in counting {
        queue.push_back(count(history, link, past)?);
    }
    for link in open {
        if history.is_explained(&link)? {
            queue.push_back(take(history, link, past, &mut done)?);
        }
    }
    while let Some(link) = queue.pop_front() {
        let room = most.saturating_sub(done.ids.len());
        let mut found = Vec::new();
        for which in past.lets(&link).iter().filter(|_| room > 0) {
            found.append(&mut history.explained_by(&link, which, room.saturating_sub(found.len()))?);
        }
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
    count(history, Link { is: LinkKind::Superseded, ..link }, past)
}

fn count<H: History>(history: &mut H, link: Link, past: &Past) -> Result<Link, H::Error> {
    for which in past.lets(&link) {
        history.count(&link, &which)?;
    }
    Ok(link)
}
