//! Store operations of `reconcile`.

use rusqlite::Connection;

use super::Store;
use super::error::Result;
use super::reconcile::compare::{self, ComparedOrder, OrderComparison};
use crate::domain::{Timestamp, Window};

impl Store {
    /// Compares a shop's answer about one order with the store, in one transaction: the answer is stored in
    /// `orders`, and if requested, a missed or drifted order becomes a confirmed notification.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn compare_order(&self, comparison: OrderComparison, now: Timestamp) -> Result<ComparedOrder> {
        let subscriptions = self.outbox.subscriptions.load_full();
        let recovers = comparison.recovers;
        let compare_order =
            move |conn: &Connection| compare::compare_order(conn, &comparison, &subscriptions, now);
        let (compared, left) = self.writer.run(compare_order).await?;
        if recovers
            && matches!(&compared, ComparedOrder::Compared(Some(finding)) if finding.notification_id.is_some())
        {
            self.outbox.changed.send_replace(());
        }
        self.supersede(left, now).await?;
        Ok(compared)
    }

    /// Records a complete `reconcile` over everything since the last one: the windows of its sources.
    pub async fn complete_reconcile(&self, windows: Vec<(String, Window)>, now: Timestamp) -> Result<()> {
        self.writer.run(move |conn| compare::complete(conn, &windows, now)).await
    }

    /// Stores the report of a `reconcile` as JSON, in place of the previous one.
    pub async fn remember_reconcile(&self, report: String, made_at: Timestamp) -> Result<()> {
        self.writer.run(move |conn| compare::remember(conn, &report, made_at)).await
    }
}
