//! How much there is of what: for metrics, health and `doctor`.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::domain::Timestamp;
use crate::store::error::Result;
use crate::store::rows;

/// The queue of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueLength {
    /// The source.
    pub source: String,
    /// The provider that it had when it was first served.
    pub provider: String,
    /// Notifications not settled yet.
    pub pending: u64,
    /// When the oldest of them came in.
    pub oldest: Option<Timestamp>,
    /// When the last notification came in, of those that the worker has seen.
    pub last_received: Option<Timestamp>,
}

/// Of what was read. Pending ones came in on the day of the oldest of them or later: older tallies hold none.
pub(super) const QUEUES: &str = "WITH read AS MATERIALIZED (
       SELECT name, provider, last_filed_at,
         (SELECT min(received_at) FROM verdicts v WHERE v.source = s.name AND v.state = 'pending') AS oldest
       FROM sources s)
     SELECT read.name, read.provider,
       coalesce((SELECT sum(n) FROM daily_counts t
           WHERE t.day >= substr(read.oldest, 1, 10) AND t.source = read.name AND t.state = 'pending'), 0),
       read.oldest, read.last_filed_at
     FROM read ORDER BY read.name";

/// The engine would sort all of it to count it by source, and of a flood that is much.
pub(super) const UNREAD: &str = "SELECT source, received_at FROM intake
                                 WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts)";

/// What nobody has read yet, of one source.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Unread {
    pub(in crate::store) count: u64,
    /// How much of it came in at or after the time that was asked for.
    pub(in crate::store) since: u64,
    oldest: String,
    latest: String,
}

impl Unread {
    fn add(&mut self, received_at: &str, since: &str) {
        self.count += 1;
        self.since += u64::from(received_at >= since);
        if self.oldest.is_empty() || received_at < self.oldest.as_str() {
            received_at.clone_into(&mut self.oldest);
        }
        if received_at > self.latest.as_str() {
            received_at.clone_into(&mut self.latest);
        }
    }

    /// When the latest of it came in.
    pub(in crate::store) fn latest(&self) -> Option<Timestamp> {
        Timestamp::parse_rfc3339(&self.latest)
    }
}

/// What nobody has read yet, by source.
pub(in crate::store) fn unread(conn: &Connection, since: &str) -> Result<BTreeMap<String, Unread>> {
    let mut of_source: BTreeMap<String, Unread> = BTreeMap::new();
    let mut statement = conn.prepare_cached(UNREAD)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if let (Ok(source), Ok(received_at)) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str()) {
            if let Some(unread) = of_source.get_mut(source) {
                unread.add(received_at, since);
            } else {
                of_source.entry(source.to_owned()).or_default().add(received_at, since);
            }
        }
    }
    Ok(of_source)
}

/// The queues of all sources that the store knows; what is `unread` waits in them too.
pub(in crate::store) fn queues(
    conn: &Connection,
    unread: &BTreeMap<String, Unread>,
) -> Result<Vec<QueueLength>> {
    let mut statement = conn.prepare_cached(QUEUES)?;
    let found = statement.query_map([], |row| {
        let source: String = row.get(0)?;
        let unread = unread.get(&source);
        let oldest_unread = unread.and_then(|unread| Timestamp::parse_rfc3339(&unread.oldest));
        Ok(QueueLength {
            source,
            provider: row.get(1)?,
            pending: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0)
                + unread.map_or(0, |unread| unread.count),
            oldest: rows::instant(row, 3)?.or(oldest_unread),
            last_received: rows::instant(row, 4)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
