//! The newest fakes, grouped by sender address.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::matching_ids::{self, Filter};
use crate::domain::{Reason, State};
use crate::store::error::Result;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakesOfSender {
    /// The address; `None` if it was emptied.
    pub remote_addr: Option<String>,
    /// Its fakes among those read.
    pub count: u64,
    /// Their number by reason.
    pub reasons: BTreeMap<String, u64>,
    /// The sources that received them.
    pub sources: BTreeMap<String, u64>,
    /// When the latest was received.
    pub latest_at: String,
}

/// The senders of the newest fakes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakesBySender {
    pub senders: Vec<FakesOfSender>,
    /// The number of fakes read.
    pub looked_at: usize,
    /// The id to continue from; `None`: these are all.
    pub continue_before: Option<i64>,
    /// When the oldest of them was received.
    pub oldest_at: Option<String>,
}

pub(in crate::store) const FAKE: &str = "SELECT i.remote_addr, i.received_at, i.source, v.reason
     FROM verdicts v JOIN intake i ON i.id = v.notification_id WHERE v.notification_id = ?1";

/// Reads at most `looks` fakes, those below the id `before`, newest first.
pub(in crate::store) fn fakes_by_sender(
    conn: &Connection,
    before: Option<i64>,
    looks: usize,
) -> Result<FakesBySender> {
    let mut ids = Vec::new();
    for reason in Reason::ALL.iter().filter(|reason| reason.is_fake()) {
        let (state, reason) = (Some(State::Ignored), Some(*reason));
        let filter = Filter { state, reason, before_id: before, limit: looks + 1, ..Filter::default() };
        ids.extend(matching_ids::ids(conn, &filter)?);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let is_more = ids.len() > looks;
    ids.truncate(looks);
    let mut of_sender: BTreeMap<Option<String>, FakesOfSender> = BTreeMap::new();
    let mut oldest_at = None;
    let mut statement = conn.prepare_cached(FAKE)?;
    for id in &ids {
        let found = statement.query_row([id], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        });
        let Some((remote_addr, received_at, source, reason)) = found.optional()? else { continue };
        let sender = of_sender.entry(remote_addr).or_default();
        sender.count += 1;
        *sender.reasons.entry(reason).or_default() += 1;
        *sender.sources.entry(source).or_default() += 1;
        if sender.latest_at.is_empty() {
            sender.latest_at.clone_from(&received_at);
        }
        oldest_at = Some(received_at);
    }
    let mut senders: Vec<FakesOfSender> =
        of_sender.into_iter().map(|(remote_addr, sender)| FakesOfSender { remote_addr, ..sender }).collect();
    senders.sort_by_key(|sender| std::cmp::Reverse(sender.count));
    Ok(FakesBySender {
        senders,
        looked_at: ids.len(),
        continue_before: ids.last().copied().filter(|_| is_more),
        oldest_at,
    })
}
