//! How much there is of what: for metrics, health and `doctor`.

use std::path::Path;

use rusqlite::Connection;

use super::error::Result;
use super::rows;
use crate::domain::Timestamp;

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

/// What was read. Pending ones came in on the day of the oldest of them or later: older tallies hold none.
pub(super) const QUEUES: &str = "WITH read AS MATERIALIZED (
       SELECT name, provider, last_filed_at,
         (SELECT min(received_at) FROM verdicts v WHERE v.source = s.name AND v.state = 'pending') AS oldest
       FROM sources s)
     SELECT read.name, read.provider,
       coalesce((SELECT sum(n) FROM tallies t
           WHERE t.day >= substr(read.oldest, 1, 10) AND t.source = read.name AND t.state = 'pending'), 0),
       read.oldest, read.last_filed_at
     FROM read ORDER BY read.name";

/// What nobody has read yet. The engine would sort all of it to count it by source, and of a flood that is much.
pub(super) const UNREAD: &str = "SELECT source, received_at FROM intake
                                 WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) ORDER BY id";

/// The queues of all sources that the store knows.
pub(super) fn queues(conn: &Connection) -> Result<Vec<QueueLength>> {
    let mut statement = conn.prepare_cached(QUEUES)?;
    let found = statement.query_map([], |row| {
        Ok(QueueLength {
            source: row.get(0)?,
            provider: row.get(1)?,
            pending: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            oldest: rows::instant(row, 3)?,
            last_received: rows::instant(row, 4)?,
        })
    })?;
    let mut queues = found.collect::<rusqlite::Result<Vec<_>>>()?;
    each_unread(conn, |source, received_at| {
        let Some(queue) = queues.iter_mut().find(|queue| queue.source == source) else { return };
        queue.pending += 1;
        // The first one is the oldest, but for a clock that was set back; what was read is older.
        if queue.oldest.is_none() {
            queue.oldest = Timestamp::parse_rfc3339(received_at);
        }
    })?;
    Ok(queues)
}

/// Gives the source of each notification that nobody has read yet, and when it came in, lowest id first.
pub(super) fn each_unread(conn: &Connection, mut each: impl FnMut(&str, &str)) -> Result<()> {
    let mut statement = conn.prepare_cached(UNREAD)?;
    let mut unread = statement.query([])?;
    while let Some(row) = unread.next()? {
        if let (Ok(source), Ok(received_at)) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str()) {
            each(source, received_at);
        }
    }
    Ok(())
}

/// The size of the write-ahead log beside the store, in bytes; 0 where there is none.
#[must_use]
pub fn wal_size(store: &Path) -> u64 {
    let mut name = store.as_os_str().to_owned();
    name.push("-wal");
    std::fs::metadata(Path::new(&name)).map_or(0, |meta| meta.len())
}

/// The size of the store's file, in bytes; 0 where there is none.
#[must_use]
pub fn file_size(store: &Path) -> u64 {
    std::fs::metadata(store).map_or(0, |meta| meta.len())
}

/// Free space for this user on the disk that holds `store`, in bytes; `None` where the system does not tell.
#[must_use]
pub fn free_disk(store: &Path) -> Option<u64> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
