//! Which settled notifications a confirmed one explains: a worklist. Each one that counts looks once for those that it
//! explains, however many there are, and each of those counts from then on.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::domain::{StatusKey, Timestamp};

/// A settled notification, as far as superseding goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The notification's id: ascending in the order of receipt.
    pub id: i64,
    /// The provider's time as sent.
    pub order: Option<Timestamp>,
    /// The statuses that it asserts.
    pub statuses: Option<StatusKey>,
    /// The statuses before it, in its sender's words.
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
    /// Superseded: it goes on explaining what was before it.
    Superseded,
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

/// The confirmations of the subject before those that settle now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The keys of the statuses, all of them first, then those of some of them; empty: nothing was confirmed.
    pub confirmed: Vec<StatusKey>,
    /// The notification that was confirmed.
    pub id: i64,
    /// Its provider's time.
    pub order: Option<Timestamp>,
}

/// The extent to which a notification's statement about the past counts.
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

/// The result of [`supersede`].
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
