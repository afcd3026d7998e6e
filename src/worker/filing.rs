//! Parses notifications: each becomes a claim, or is settled at once if it needs no verification.

use std::collections::VecDeque;

use super::WorkerParts;
use crate::domain::{Course, RawNotification, State};
use crate::providers::{self, Provider, Read};
use crate::store::{self, BATCH as STORE_BATCH, Filing, StateChange, StoreError};

/// The limits of one turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    /// Maximum number of transactions.
    pub(super) batches: usize,
    /// So many notifications in each, or as many as the store gives at once: more cost less together, and keep the intake
    /// waiting for longer.
    pub(super) notifications: usize,
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filed {
    /// The number of parsed notifications.
    pub(super) count: usize,
    /// Whether there may be more.
    pub(super) is_more_left: bool,
}

/// Parses a portion of the new notifications, oldest first. The next batch is read while the last one is written.
pub(super) async fn file_new(parts: &WorkerParts, portion: Portion) -> Result<Filed, StoreError> {
    let (mut count, mut after, mut is_last) = (0, 0, false);
    let mut under_way = VecDeque::new();
    for _ in 0..portion.batches {
        let batch = parts.store.reader().unfiled(after, portion.notifications).await?;
        is_last = !batch.is_full;
        let next = read_all(parts, batch.notifications);
        if let Some(last) = next.last().map(|filing| filing.id) {
            under_way.push_back(parts.store.file_after(after, next, parts.clock.now()));
            after = last;
        }
        if is_last {
            break;
        }
        if under_way.len() > 1
            && let Some(filed) = under_way.pop_front()
        {
            count += tell(parts, &filed.await?);
        }
    }
    for filed in under_way {
        count += tell(parts, &filed.await?);
    }
    Ok(Filed { count, is_more_left: !is_last })
}

/// Reports the settled notifications, and returns the number of parsed ones.
fn tell(parts: &WorkerParts, filed: &[store::Filed]) -> usize {
    for filed in filed {
        if filed.state != State::Pending {
            let moved = StateChange { id: filed.id, state: filed.state, reason: filed.reason };
            super::verifier::announce(parts, &filed.source, &moved);
        }
    }
    filed.len()
}

/// Parses the notifications that were recorded unparsed while their source was not configured.
pub(super) async fn file_unread(parts: &WorkerParts) -> Result<(), StoreError> {
    for name in parts.sources.keys() {
        loop {
            let unread = parts.store.reader().unread(name.clone(), STORE_BATCH).await?;
            if unread.notifications.is_empty() {
                break;
            }
            parts.store.retry(read_all(parts, unread.notifications), None, parts.clock.now()).await?;
        }
    }
    Ok(())
}

fn read_all(parts: &WorkerParts, notifications: Vec<(i64, RawNotification)>) -> Vec<Filing> {
    read_notifications(notifications, |source| {
        parts.sources.get(source).map(|source| source.provider.as_ref())
    })
}

/// Parses notifications by the rules of their sources. Those of a source unknown to `provider_of` stay unparsed.
pub fn read_notifications<'a>(
    notifications: Vec<(i64, RawNotification)>,
    provider_of: impl Fn(&str) -> Option<&'a dyn Provider>,
) -> Vec<Filing> {
    let read = |(id, notification): (i64, RawNotification)| match provider_of(&notification.source)
        .map(|provider| providers::read(provider, &notification))
    {
        None => Filing { id, notification, reading: None, is_listable: false, course: Course::default() },
        Some(Read { reading, is_listable, course }) => {
            Filing { id, notification, reading: Some(reading), is_listable, course }
        }
    };
    notifications.into_iter().map(read).collect()
}
