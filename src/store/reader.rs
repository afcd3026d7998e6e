//! Reads beside the writer, on read-only connections and blocking threads.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::domain::health::{Contents, SourceHealth};
use crate::domain::statistics::DayCounts;
use crate::domain::{
    OurOrder, RawNotification, ReportedSource, SourceReport, SourceStatistics, SubjectKind, Timestamp, Window,
};
use crate::store::error::Result;
use crate::store::file::integrity::{self, Soundness};
use crate::store::file::pool::Pool;
use crate::store::queue::{fairness, pauses};
use crate::store::read::backlog::Backlog;
use crate::store::read::fakes_by_sender::{self, FakesBySender};
use crate::store::read::lines::{self, Lines, NotificationLine, RowFilter};
use crate::store::read::matching_ids::{self, Filter};
use crate::store::read::notifications::{self, Notification, VerificationRow};
use crate::store::read::reports::{self, Detail};
use crate::store::read::subject::{self, SubjectTruth};
use crate::store::read::{backlog, health, untrusted_proxies};
use crate::store::reconcile::known;
use crate::store::retention::steps::{self, SettledCount};
use crate::store::retention::unproven::{self, UnprovenRoom};
use crate::store::retention::unshipped::held_since;
use crate::store::verdicts::claims::{self, Batch};

/// A handle on the store that only reads.
#[derive(Clone, Debug)]
pub struct Reader {
    pool: Pool,
    backlog: Arc<Backlog>,
}

impl Reader {
    /// Opens an existing store for reading.
    ///
    /// # Errors
    /// There is no file, it is not a store of ours, or it is newer than this program.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { pool: Pool::open(path)?, backlog: Arc::default() })
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.pool.read(work).await
    }

    /// The damage found since the store was opened, in SQLite's words.
    #[must_use]
    pub fn damage_met(&self) -> Option<&str> {
        self.pool.damage().met()
    }

    /// The data for health: the store's size and the state of each source. Reads only indexes, counts and the ends of
    /// tables.
    pub async fn health(
        &self,
        sources: Vec<ReportedSource>,
        now: Timestamp,
    ) -> Result<(Contents, Vec<SourceHealth>)> {
        let backlog = Arc::clone(&self.backlog);
        self.read(move |conn| health::load(conn, &sources, &backlog, now)).await
    }

    /// The latest time at which anything was written, by the clock at that moment; `None`: never.
    pub async fn last_write_at(&self) -> Result<Option<Timestamp>> {
        self.read(health::last_write_at).await
    }

    /// At most `most` notifications that are not parsed yet, oldest first, with ids greater than `after`.
    pub async fn unparsed(&self, after: i64, most: usize) -> Result<Batch> {
        self.read(move |conn| claims::unparsed(conn, after, most)).await
    }

    /// At most `most` notifications of a source that were recorded unparsed while it was not configured.
    pub async fn awaiting_source(&self, source: String, most: usize) -> Result<Batch> {
        self.read(move |conn| claims::awaiting_source(conn, &source, most)).await
    }

    /// Sources and kinds of calls that fail as a whole.
    pub async fn failing(&self) -> Result<Vec<super::Outage>> {
        self.read(pauses::failing).await
    }

    /// Notifications that pass the filter, newest first.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Notification>> {
        self.read(move |conn| notifications::list(conn, &filter)).await
    }

    /// The ids of the notifications that pass the filter, newest first.
    pub async fn ids(&self, filter: Filter) -> Result<Vec<i64>> {
        self.read(move |conn| matching_ids::ids(conn, &filter)).await
    }

    /// At most `filter.limit` notifications that match both filters, newest first, without headers and
    /// bodies. A filter without an index reads at most `looks` rows.
    pub async fn lines(&self, filter: Filter, row_filter: RowFilter, looks: usize) -> Result<Lines> {
        self.read(move |conn| lines::lines(conn, &filter, &row_filter, looks)).await
    }

    /// The ids of the result of [`Reader::lines`], newest first.
    pub async fn line_ids(&self, filter: Filter, row_filter: RowFilter, looks: usize) -> Result<Vec<i64>> {
        self.read(move |conn| Ok(lines::ids(conn, &filter, &row_filter, looks)?.ids)).await
    }

    /// The notifications with these ids that still exist, in the order of the ids, without headers and
    /// bodies.
    pub async fn lines_of(&self, ids: Vec<i64>) -> Result<Vec<NotificationLine>> {
        self.read(move |conn| ids.iter().filter_map(|id| lines::line(conn, *id).transpose()).collect()).await
    }

    /// The ids of at most `limit` notifications received after the one with this id, oldest first.
    pub async fn ids_after(&self, id: i64, limit: usize) -> Result<Vec<i64>> {
        self.read(move |conn| lines::ids_after(conn, id, limit)).await
    }

    /// The senders of the newest fakes with an id below `before`; reads at most `looks` fakes.
    pub async fn fakes_by_sender(&self, before: Option<i64>, looks: usize) -> Result<FakesBySender> {
        self.read(move |conn| fakes_by_sender::fakes_by_sender(conn, before, looks)).await
    }

    /// The stored truth about an order or a product, by its id in `orders` or `products`.
    pub async fn truth(&self, source: String, kind: SubjectKind, id: String) -> Result<SubjectTruth> {
        self.read(move |conn| subject::truth(conn, &source, kind, &id)).await
    }

    /// Notifications received on each day from `since` on, over all sources; removed notifications still count.
    pub async fn days(&self, since: Timestamp) -> Result<Vec<DayCounts>> {
        self.read(move |conn| reports::days(conn, &since.day())).await
    }

    /// One notification with its verifications, oldest first.
    pub async fn show(&self, id: i64) -> Result<Option<(Notification, Vec<VerificationRow>)>> {
        let work = move |conn: &Connection| match notifications::notification(conn, id)? {
            Some(notification) => Ok(Some((notification, notifications::verifications(conn, id)?))),
            None => Ok(None),
        };
        self.read(work).await
    }

    /// One notification as received; `None` if there is none, or its body was emptied.
    pub async fn raw_notification(&self, id: i64) -> Result<Option<RawNotification>> {
        self.read(move |conn| notifications::raw_notification(conn, id)).await
    }

    /// The start of a `reconcile` over everything since the last complete one; `None` for a source that no `serve` ever
    /// knew.
    pub async fn reconcile_start(&self, source: String) -> Result<Option<Timestamp>> {
        self.read(move |conn| known::start(conn, &source)).await
    }

    /// When the last `reconcile` was made, and its report as JSON.
    pub async fn last_reconcile(&self) -> Result<Option<(String, Value)>> {
        self.read(known::last_report).await
    }

    /// The store's knowledge about these orders, in their order; each is given by its id in `orders`, then by
    /// the other ids that notifications may use.
    pub async fn our_orders(&self, source: String, orders: Vec<Vec<String>>) -> Result<Vec<OurOrder>> {
        self.read(move |conn| known::our_orders(conn, &source, &orders)).await
    }

    /// The ids of the orders about which a notification was confirmed in the window.
    pub async fn confirmed_orders(&self, source: String, window: Window) -> Result<Vec<String>> {
        self.read(move |conn| known::confirmed_orders(conn, &source, window)).await
    }

    /// At most `limit` confirmed orders that are not known to be gone, with their last confirmed values, by
    /// id after `after`.
    pub async fn orders_not_gone(
        &self,
        source: String,
        after: String,
        limit: usize,
    ) -> Result<Vec<(String, Map<String, Value>)>> {
        self.read(move |conn| known::orders_not_gone(conn, &source, &after, limit)).await
    }

    /// Peers whose X-Forwarded-For was ignored, with their number among the newest 1,000 notifications.
    pub async fn untrusted_proxies(&self) -> Result<Vec<(String, u64)>> {
        self.read(untrusted_proxies::untrusted_proxies).await
    }

    /// The queues of all sources that the store ever knew.
    pub async fn queues(&self) -> Result<Vec<super::QueueLength>> {
        self.read(|conn| backlog::queues(conn, &Backlog::default().unparsed(conn, "")?)).await
    }

    /// The sources that the store ever knew, with their providers, by name.
    pub async fn known_sources(&self) -> Result<Vec<(String, String)>> {
        self.read(reports::known_sources).await
    }

    /// The part of a report from the store alone, for each source in its order: counts and findings (open,
    /// silent, fake), and statistics. Open and silent are judged at `now`, or at the window's end if that is
    /// earlier.
    pub async fn account(
        &self,
        sources: Vec<ReportedSource>,
        window: Window,
        detail: Detail,
        now: Timestamp,
    ) -> Result<Vec<(SourceReport, SourceStatistics)>> {
        self.read(move |conn| reports::account(conn, &sources, window, detail, now)).await
    }

    /// Reads every table with its indexes, each in its own transaction, so that a concurrent `serve` can
    /// checkpoint. `thorough`: rows and indexes are also compared. `progress` receives the number of tables
    /// done, and of all.
    ///
    /// # Errors
    /// Reading failed for another reason than damage.
    pub async fn soundness(&self, thorough: bool, progress: impl FnMut(usize, usize)) -> Result<Soundness> {
        integrity::soundness(&self.pool, thorough, progress).await
    }

    /// The number of notifications that [`crate::store::Store::prune`] would remove.
    pub async fn count_expired(
        &self,
        before: Timestamp,
        min_free: u64,
        now: Timestamp,
    ) -> Result<SettledCount> {
        let held = held_since(self.pool.path(), min_free, now);
        self.read(move |conn| steps::count_expired(conn, before, &held)).await
    }

    /// Whether the sender with this address is proven.
    pub async fn is_proven(&self, remote_addr: &str) -> Result<bool> {
        let remote_addr = remote_addr.to_owned();
        self.read(move |conn| fairness::is_proven(conn, &remote_addr)).await
    }

    /// The room left for notifications of unproven senders, if at most `max` of them may be stored.
    pub async fn room_for_unproven(&self, max: u64) -> Result<UnprovenRoom> {
        self.read(move |conn| unproven::room(conn, max)).await
    }
}
