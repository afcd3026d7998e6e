//! Queue lengths, for metrics, health and `doctor`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use crate::domain::Timestamp;
use crate::store::error::Result;
use crate::store::rows;

/// The queue of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueLength {
    pub source: String,
    /// The provider that it had when it was first served.
    pub provider: String,
    /// Notifications not settled yet.
    pub pending: u64,
    /// When the oldest of them was received.
    pub oldest: Option<Timestamp>,
    /// When the last parsed notification was received.
    pub last_received: Option<Timestamp>,
}

/// The queues, without unparsed notifications. No pending one was received before the day of the oldest of them, so
/// earlier daily counts need not be summed.
pub(super) const QUEUES: &str = "WITH read AS MATERIALIZED (
       SELECT name, provider, last_parsed_at,
         (SELECT min(received_at) FROM verdicts v WHERE v.source = s.name AND v.state = 'pending') AS oldest
       FROM sources s)
     SELECT read.name, read.provider,
       coalesce((SELECT sum(n) FROM daily_counts t
           WHERE t.day >= substr(read.oldest, 1, 10) AND t.source = read.name AND t.state = 'pending'), 0) AS pending,
       read.oldest, read.last_parsed_at
     FROM read ORDER BY read.name";

/// Counted here and not in SQL: to group them by source, SQLite would sort a whole flood.
pub(super) const UNPARSED: &str = "SELECT id, source, received_at FROM intake WHERE id > ?1 ORDER BY id";

/// The notifications of one source that are not parsed yet.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Unparsed {
    pub(in crate::store) count: u64,
    /// The number of them received at or after the requested time.
    pub(in crate::store) since: u64,
    oldest: String,
    latest: String,
}

impl Unparsed {
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

    /// When the latest of them was received.
    pub(in crate::store) fn latest(&self) -> Option<Timestamp> {
        Timestamp::parse_rfc3339(&self.latest)
    }
}

/// Counts the unparsed notifications. Because ids ascend, each count adds only the new ones, until some are parsed or
/// another day begins. Without a worker, they may be a day's intake.
#[derive(Debug, Default)]
pub(in crate::store) struct Backlog(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Everything up to this id is parsed.
    parsed_to: i64,
    /// Everything up to this id is counted.
    last: i64,
    since: String,
    of_source: BTreeMap<String, Unparsed>,
}

impl Backlog {
    /// The unparsed notifications by source; [`Unparsed::since`] counts from `day` on.
    pub(in crate::store) fn unparsed(
        &self,
        conn: &Connection,
        day: &str,
    ) -> Result<BTreeMap<String, Unparsed>> {
        let parsed_to = rows::parsed_to(conn)?;
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.parsed_to != parsed_to || counted.since != day {
            *counted = Counted { parsed_to, last: parsed_to, since: day.to_owned(), ..Counted::default() };
        }
        counted.add(conn)?;
        Ok(counted.of_source.clone())
    }
}

impl Counted {
    fn add(&mut self, conn: &Connection) -> Result<()> {
        let mut statement = conn.prepare_cached(UNPARSED)?;
        let mut found = statement.query([self.last])?;
        while let Some(row) = found.next()? {
            self.last = row.get(0)?;
            if let (Ok(source), Ok(received_at)) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str()) {
                if let Some(unparsed) = self.of_source.get_mut(source) {
                    unparsed.add(received_at, &self.since);
                } else {
                    self.of_source.entry(source.to_owned()).or_default().add(received_at, &self.since);
                }
            }
        }
        Ok(())
    }
}

/// The queues of all sources that the store knows, including `unparsed` notifications.
pub(in crate::store) fn queues(
    conn: &Connection,
    unparsed: &BTreeMap<String, Unparsed>,
) -> Result<Vec<QueueLength>> {
    let mut statement = conn.prepare_cached(QUEUES)?;
    let found = statement.query_map([], |row| {
        let source: String = row.get("name")?;
        let unparsed = unparsed.get(&source);
        let oldest_unread = unparsed.and_then(|unparsed| Timestamp::parse_rfc3339(&unparsed.oldest));
        Ok(QueueLength {
            source,
            provider: row.get("provider")?,
            pending: u64::try_from(row.get::<_, i64>("pending")?).unwrap_or(0)
                + unparsed.map_or(0, |unparsed| unparsed.count),
            oldest: rows::instant(row, "oldest")?.or(oldest_unread),
            last_received: rows::instant(row, "last_parsed_at")?,
        })
    })?;
    rows::all(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::fresh;

    fn store(conn: &Connection, source: &str, received_at: &str) {
        conn.execute(
            "INSERT INTO intake (source, provider, received_at) VALUES (?1, 'ecwid', ?2)",
            [source, received_at],
        )
        .unwrap();
    }

    fn counts(backlog: &Backlog, conn: &Connection, day: &str) -> Vec<(String, u64, u64)> {
        let unparsed = backlog.unparsed(conn, day).unwrap();
        unparsed.into_iter().map(|(source, unparsed)| (source, unparsed.count, unparsed.since)).collect()
    }

    #[test]
    fn what_is_counted_is_not_read_again_until_some_is_parsed_or_a_day_begins() {
        let conn = fresh();
        let backlog = Backlog::default();
        let (monday, tuesday) = ("2026-11-23", "2026-11-24");
        for _ in 0..3 {
            store(&conn, "shop", "2026-11-23T12:00:00.000Z");
        }
        assert_eq!(counts(&backlog, &conn, monday), [("shop".to_owned(), 3, 3)]);
        // The program never changes these rows; changing them here shows which are read again.
        conn.execute("UPDATE intake SET source = 'keys' WHERE id < 3", []).unwrap();
        store(&conn, "shop", "2026-11-23T12:00:01.000Z");
        assert_eq!(counts(&backlog, &conn, monday), [("shop".to_owned(), 4, 4)]);
        let fresh = [("keys".to_owned(), 2, 0), ("shop".to_owned(), 2, 0)];
        assert_eq!(counts(&backlog, &conn, tuesday), fresh);
        conn.execute("UPDATE intake SET source = 'keys'", []).unwrap();
        assert_eq!(counts(&backlog, &conn, tuesday), fresh);
        let parsed_to = Backlog(Mutex::new(Counted { parsed_to: 2, ..Counted::default() }));
        assert_eq!(
            counts(&parsed_to, &conn, tuesday),
            [("keys".to_owned(), 4, 0)],
            "nothing is parsed any more"
        );
    }
}
