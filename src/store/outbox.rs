//! Store operations of the deliverer: read the news, lease deliveries, record tries, and a person's decisions
//! about deliveries.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use super::Store;
use super::deliveries::decide::{self, DeliveryDecided};
use super::deliveries::lease::{self, DeliveryRequest, LeasedDeliveries};
use super::deliveries::list::{self, AttemptRow, DeliveryFilter, DeliveryRow};
use super::deliveries::page::{self, Deliveries, DeliveryQuery};
use super::deliveries::record::{self, Recorded};
use super::deliveries::{Subscription, health};
use super::error::Result;
use super::news::feed::{self, FeedEdge, NewsQuery};
use super::reader::Reader;
use crate::domain::health::ActionHealth;
use crate::domain::{Attempt, Clock, News, RetryPolicy, Timestamp};

impl Store {
    /// Puts actions in force: news committed later goes to them.
    pub fn subscribe(&self, subscriptions: Vec<Subscription>) {
        self.outbox.subscriptions.store(Arc::new(subscriptions));
    }

    /// Notified after each commit that made news or deliveries through this store, but not after commits of
    /// other processes.
    #[must_use]
    pub fn outbox_changed(&self) -> watch::Receiver<()> {
        self.outbox.changed.subscribe()
    }

    /// Gives the file a random id if it has none: when a `serve` opens a new store or a copy.
    pub async fn identify(&self) -> Result<()> {
        let work = |conn: &Connection| {
            conn.execute("UPDATE identity SET file = lower(hex(randomblob(8))) WHERE file IS NULL", [])?;
            Ok(())
        };
        self.writer.run(work).await
    }

    /// Leases the deliveries that each action may be sent now.
    pub async fn lease_deliveries(
        &self,
        requests: Vec<DeliveryRequest>,
        owner: String,
        now: Timestamp,
    ) -> Result<Vec<LeasedDeliveries>> {
        let work = move |conn: &Connection| {
            requests.iter().map(|request| lease::lease(conn, request, &owner, now)).collect()
        };
        self.writer.run_batched(work).await
    }

    /// Records a try of a delivery that `owner` holds; `jitter` is from 0 to 1. The clock is read in the transaction:
    /// a time written while the schedules are still being moved may come too early, never too late.
    ///
    /// # Errors
    /// The store failed; the lease expires by itself, and the delivery is tried again.
    pub async fn record_delivery(
        &self,
        id: i64,
        owner: String,
        attempt: Attempt,
        policy: RetryPolicy,
        jitter: f64,
        clock: Clock,
    ) -> Result<Recorded> {
        let work =
            move |conn: &Connection| record::record(conn, id, &owner, &attempt, &policy, jitter, clock.now());
        self.writer.run_batched(work).await
    }

    /// Releases leases that were not used: their deliveries wait as before.
    ///
    /// # Errors
    /// The store failed; the leases expire by themselves.
    pub async fn release_deliveries(&self, ids: Vec<i64>, owner: String) -> Result<()> {
        self.writer.run_batched(move |conn| lease::release(conn, &ids, &owner)).await
    }

    /// Renews the leases of these deliveries, if `owner` still holds them.
    pub async fn renew_deliveries(&self, ids: Vec<i64>, owner: String, now: Timestamp) -> Result<()> {
        self.writer.run_batched(move |conn| lease::renew(conn, &ids, &owner, now)).await
    }

    /// Releases every lease whose owner's name begins with `prefix`; returns how many.
    pub async fn free_deliveries(&self, prefix: String) -> Result<usize> {
        self.writer.run(move |conn| lease::free_of(conn, &prefix)).await
    }

    /// Wakes actions that answered "gone"; returns those that were resting.
    pub async fn wake_actions(&self, actions: Vec<String>) -> Result<Vec<String>> {
        let work = move |conn: &Connection| {
            let mut woken = Vec::new();
            for action in actions {
                if record::wake(conn, &action)? {
                    woken.push(action);
                }
            }
            Ok(woken)
        };
        let woken = self.writer.run(work).await?;
        self.outbox.changed.send_replace(());
        Ok(woken)
    }

    /// Makes at most [`super::ROWS_AT_ONCE`] deliveries due at once, with all their tries ahead. `detail` says who
    /// decided.
    pub async fn redeliver(
        &self,
        ids: Vec<i64>,
        detail: Option<&'static str>,
        now: Timestamp,
    ) -> Result<Vec<DeliveryDecided>> {
        let decided = self.writer.run(move |conn| decide::redeliver(conn, &ids, detail, now)).await?;
        self.outbox.changed.send_replace(());
        Ok(decided)
    }

    /// Skips at most [`super::ROWS_AT_ONCE`] deliveries. `detail` says who decided.
    pub async fn skip_deliveries(
        &self,
        ids: Vec<i64>,
        detail: &'static str,
        now: Timestamp,
    ) -> Result<Vec<DeliveryDecided>> {
        let decided = self.writer.run(move |conn| decide::skip(conn, &ids, detail, now)).await?;
        self.outbox.changed.send_replace(());
        Ok(decided)
    }

    /// Creates the deliveries of at most [`super::ROWS_AT_ONCE`] news rows that an action never had; returns how
    /// many.
    pub async fn add_missing_deliveries(
        &self,
        action: String,
        seqs: Vec<i64>,
        now: Timestamp,
    ) -> Result<u64> {
        let made = self.writer.run(move |conn| decide::add_missing(conn, &action, &seqs, now)).await?;
        self.outbox.changed.send_replace(());
        Ok(made)
    }
}

impl Reader {
    /// The matching news, oldest first, and the first and last seq of the feed, in one transaction.
    pub async fn news(&self, query: NewsQuery) -> Result<(Vec<News>, FeedEdge)> {
        self.pool().read(move |conn| Ok((feed::news(conn, &query)?, feed::edge(conn)?))).await
    }

    /// The matching deliveries, newest first.
    pub async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<DeliveryRow>> {
        self.pool().read(move |conn| list::list(conn, &filter)).await
    }

    /// At most `query.limit` deliveries in its order; reads no more than `looks` rows.
    pub async fn delivery_page(&self, query: DeliveryQuery, looks: usize) -> Result<Deliveries> {
        self.pool().read(move |conn| page::page(conn, &query, looks)).await
    }

    /// The news of a notification; `None` if it made none.
    pub async fn news_of(&self, notification: i64) -> Result<Option<News>> {
        self.pool().read(move |conn| feed::of_notification(conn, notification)).await
    }

    /// The ids of the matching deliveries, newest first.
    pub async fn delivery_ids(&self, filter: DeliveryFilter) -> Result<Vec<i64>> {
        self.pool().read(move |conn| list::ids(conn, &filter)).await
    }

    /// The deliveries of a notification's news, each with its tries.
    pub async fn deliveries_of(&self, notification: i64) -> Result<Vec<(DeliveryRow, Vec<AttemptRow>)>> {
        let work = move |conn: &Connection| {
            let mut deliveries = Vec::new();
            for delivery in list::of_notification(conn, notification)? {
                let attempts = list::attempts(conn, delivery.id)?;
                deliveries.push((delivery, attempts));
            }
            Ok(deliveries)
        };
        self.pool().read(work).await
    }

    /// Of the matching news since then, those that an action never had, and the last one read; `None` after
    /// the last.
    pub async fn missing_deliveries(
        &self,
        subscription: Subscription,
        since: Option<Timestamp>,
        query: NewsQuery,
    ) -> Result<(Vec<i64>, Option<i64>)> {
        let Subscription { action, filter } = subscription;
        self.pool().read(move |conn| list::missing(conn, &action, &filter, since, &query)).await
    }

    /// When each of these actions, each with its longest pause, may be sent something; `None`: nothing is
    /// waiting, or all of it waits for deliveries in flight or for a person.
    pub async fn deliveries_due(
        &self,
        actions: Vec<(String, Duration)>,
        now: Timestamp,
    ) -> Result<Vec<Option<Timestamp>>> {
        let look = move |conn: &Connection| {
            actions.iter().map(|(action, longest)| lease::due_at(conn, action, *longest, now)).collect()
        };
        self.pool().read(look).await
    }

    /// The health of each action's deliveries: the configured actions, then those that only the store knows.
    pub async fn action_health(&self, configured: Vec<String>) -> Result<Vec<ActionHealth>> {
        self.pool().read(move |conn| health::health(conn, &configured)).await
    }
}
