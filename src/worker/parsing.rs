//! Parses notifications: each becomes a claim, or is settled at once if it needs no verification.

use std::collections::VecDeque;

use super::WorkerParts;
use crate::domain::{Course, RawNotification, State};
use crate::providers::{self, Provider, Read};
use crate::store::{self, ParsedNotification, ROWS_AT_ONCE, StateChange, StoreError};

/// The limits of one turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    /// Maximum number of transactions.
    pub(super) batches: usize,
    /// Maximum number of notifications in each, within what the store returns at once. More per transaction
    /// cost less in total, but intake waits longer.
    pub(super) notifications: usize,
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// The number of parsed notifications.
    pub(super) count: usize,
    /// Whether there may be more.
    pub(super) is_more_left: bool,
}

/// Parses a portion of the new notifications, oldest first. The next batch is read while the last one is written.
pub(super) async fn parse_new(parts: &WorkerParts, portion: Portion) -> Result<Parsed, StoreError> {
    let (mut count, mut after, mut is_last) = (0, 0, false);
    let mut in_flight = VecDeque::new();
    for _ in 0..portion.batches {
        let batch = parts.store.reader().unparsed(after, portion.notifications).await?;
        is_last = !batch.is_full;
        let next = parse_all(parts, batch.notifications);
        if let Some(last) = next.last().map(|parsed| parsed.id) {
            in_flight.push_back(parts.store.record_after(after, next, parts.clock.now()));
            after = last;
        }
        if is_last {
            break;
        }
        if in_flight.len() > 1
            && let Some(recorded) = in_flight.pop_front()
        {
            count += announce_all(parts, &recorded.await?);
        }
    }
    for recorded in in_flight {
        count += announce_all(parts, &recorded.await?);
    }
    Ok(Parsed { count, is_more_left: !is_last })
}

/// Reports the settled notifications, and returns the number of parsed ones.
fn announce_all(parts: &WorkerParts, recorded: &[store::FirstVerdict]) -> usize {
    for recorded in recorded {
        if recorded.state != State::Pending {
            let moved = StateChange { id: recorded.id, state: recorded.state, reason: recorded.reason };
            super::verifier::announce(parts, &recorded.source, &moved);
        }
    }
    recorded.len()
}

/// Parses the notifications that were recorded unparsed while their source was not configured.
pub(super) async fn parse_awaiting(parts: &WorkerParts) -> Result<(), StoreError> {
    for name in parts.sources.keys() {
        loop {
            let awaiting = parts.store.reader().awaiting_source(name.clone(), ROWS_AT_ONCE).await?;
            if awaiting.notifications.is_empty() {
                break;
            }
            parts.store.retry(parse_all(parts, awaiting.notifications), None, parts.clock.now()).await?;
        }
    }
    Ok(())
}

fn parse_all(parts: &WorkerParts, notifications: Vec<(i64, RawNotification)>) -> Vec<ParsedNotification> {
    read_notifications(notifications, |source| {
        parts.sources.get(source).map(|source| source.provider.as_ref())
    })
}

/// Parses notifications by the rules of their sources. Those of a source unknown to `provider_of` stay unparsed.
pub fn read_notifications<'a>(
    notifications: Vec<(i64, RawNotification)>,
    provider_of: impl Fn(&str) -> Option<&'a dyn Provider>,
) -> Vec<ParsedNotification> {
    let read = |(id, notification): (i64, RawNotification)| match provider_of(&notification.source)
        .map(|provider| providers::read(provider, &notification))
    {
        None => ParsedNotification {
            id,
            notification,
            reading: None,
            is_listable: false,
            course: Course::default(),
        },
        Some(Read { reading, is_listable, course }) => {
            ParsedNotification { id, notification, reading: Some(reading), is_listable, course }
        }
    };
    notifications.into_iter().map(read).collect()
}
