//! The outbox: the news that each action is still to receive, and the results of tries. Deliveries are
//! created in the transaction of the verdict, leased by the deliverer, and recorded by the rules of
//! [`crate::rules::delivery`].

use std::sync::Arc;

use arc_swap::ArcSwap;
use rusqlite::{Connection, params};
use tokio::sync::watch;

use crate::domain::{News, NewsFilter, Timestamp};
use crate::rules::delivery::passes;
use crate::store::error::Result;

pub(super) mod clock_step;
pub(super) mod decide;
pub(super) mod health;
pub(super) mod lease;
pub(super) mod list;
pub(super) mod page;
pub(super) mod record;

/// An action in force, as far as the store needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub action: String,
    /// The filter for its news.
    pub filter: NewsFilter,
}

/// The state that all handles of one store share about the outbox.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    /// The actions in force.
    pub(super) subscriptions: Arc<ArcSwap<Vec<Subscription>>>,
    /// Notified after each commit that has news in it or makes deliveries due.
    pub(super) changed: watch::Sender<()>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { subscriptions: Arc::default(), changed: watch::Sender::new(()) }
    }
}

/// Creates a delivery for each action whose filter this news passes.
pub(super) fn enqueue(
    conn: &Connection,
    news: &News,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<()> {
    for subscription in subscriptions.iter().filter(|subscription| passes(&subscription.filter, news)) {
        insert(conn, &subscription.action, news, now)?;
    }
    Ok(())
}

/// Creates a delivery; `false` if the action already has one of this news.
fn insert(conn: &Connection, action: &str, news: &News, now: Timestamp) -> Result<bool> {
    let made = conn
        .prepare_cached(
            "INSERT INTO deliveries (action, seq, source, subject_kind, subject_id, state, next_attempt_at, since, is_first)
             SELECT ?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?6, NOT EXISTS (
               SELECT 1 FROM deliveries WHERE action = ?1 AND source = ?3 AND subject_kind = ?4 AND subject_id = ?5
                 AND state = 'waiting')
             WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE seq = ?2 AND action = ?1)",
        )?
        .execute(params![
            action,
            news.seq,
            news.source,
            news.subject_kind.as_str(),
            news.subject_id,
            now.to_string(),
        ])?;
    Ok(made == 1)
}

/// After a delivery stops waiting, makes the next one of its action and subject the first.
fn promote(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE deliveries SET is_first = 1 WHERE id = (
           SELECT w.id FROM deliveries d JOIN deliveries w INDEXED BY deliveries_in_order
             ON w.action = d.action AND w.source = d.source AND w.subject_kind = d.subject_kind
             AND w.subject_id = d.subject_id AND w.state = 'waiting'
           WHERE d.id = ?1 ORDER BY w.id LIMIT 1)",
    )?
    .execute([id])?;
    Ok(())
}
