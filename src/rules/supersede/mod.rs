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
    /// Its verdict.
    pub is: LinkKind,
}

/// The role of a [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Ignored as `mismatch`.
    Mismatch,
    /// Ignored as `not_found`.
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

/// How far a notification's statement about the past counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explains {
    /// It contradicts nothing, or the statement is not the sender's.
    All,
    /// Something else was confirmed before: it explains only notifications that it follows directly.
    From(StatusKey),
    /// It contradicts what was confirmed before, and the API says the same as then.
    Nothing,
}

impl Past {
    /// The notifications that `link` may explain.
    #[must_use]
    pub fn lets(&self, link: &Link) -> Explains {
        let (Some(before), Some(told)) = (&link.before, self.confirmed.first()) else { return Explains::All };
        let was_before = match (self.order, link.order) {
            (Some(told), Some(own)) if told != own => told < own,
            _ => self.id < link.id,
        };
        if !was_before || self.confirmed.contains(before) {
            Explains::All
        } else if link.is == (LinkKind::Confirmed { is_news: true }) {
            Explains::From(told.clone())
        } else {
            Explains::Nothing
        }
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

    /// At most `most` of those that `link` explains and that are not superseded yet.
    ///
    /// # Errors
    /// The history failed.
    fn explained_by(&mut self, link: &Link, lets: &Explains, most: usize) -> Result<Vec<Link>, Self::Error>;

    /// Makes `link` count for notifications that are settled later.
    ///
    /// # Errors
    /// The history failed.
    fn count(&mut self, link: &Link, lets: &Explains) -> Result<(), Self::Error>;

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
    let link = Link { is: LinkKind::Superseded, ..link };
    history.count(&link, &past.lets(&link))?;
    Ok(link)
}
