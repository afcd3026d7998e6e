//! Reads the news in commit order.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::{News, NewsType, SubjectKind};
use crate::store::error::Result;
use crate::store::rows;

/// The filter of news.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsQuery {
    /// News with a greater seq.
    pub after: i64,
    pub source: Option<String>,
    /// Maximum number of news rows.
    pub limit: usize,
}

/// The first and the last seq of the feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedEdge {
    /// The newest seq that `prune` or `keep` removed; 0 if none.
    pub removed: i64,
    /// The oldest seq kept.
    pub oldest: Option<i64>,
    /// The newest seq kept.
    pub newest: Option<i64>,
}

/// The columns that [`read`] reads, in its order.
pub(in crate::store) const COLUMNS: &str = "n.seq, n.type, n.at, n.notification_id, n.source, n.provider, n.event, \
                                            n.origin, n.subject_kind, n.subject_id, n.current, n.previous";

const ALL: &str = "FROM news n WHERE n.seq > ?1 ORDER BY n.seq LIMIT ?2";
const OF_NOTIFICATION: &str = "FROM news n WHERE n.notification_id = ?1";
const OF_SOURCE: &str = "FROM news n WHERE n.source = ?3 AND n.seq > ?1 ORDER BY n.seq LIMIT ?2";

/// The matching news, oldest first.
pub(in crate::store) fn news(conn: &Connection, query: &NewsQuery) -> Result<Vec<News>> {
    let limit = rows::limit(query.limit);
    match &query.source {
        None => {
            let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} {ALL}"))?;
            rows::all(statement.query_map(params![query.after, limit], read)?)
        }
        Some(source) => {
            let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} {OF_SOURCE}"))?;
            rows::all(statement.query_map(params![query.after, limit, source], read)?)
        }
    }
}

/// The news of a notification.
pub(in crate::store) fn of_notification(conn: &Connection, id: i64) -> Result<Option<News>> {
    let sql = format!("SELECT {COLUMNS} {OF_NOTIFICATION}");
    Ok(conn.prepare_cached(&sql)?.query_row([id], |row| Ok(read(row))).optional()?.transpose()?)
}

pub(in crate::store) fn read(row: &Row<'_>) -> rusqlite::Result<News> {
    let text = |name: &str| row.get::<_, String>(name);
    Ok(News {
        seq: row.get("seq")?,
        kind: NewsType::parse(&text("type")?).ok_or_else(|| rows::unreadable(row, "type"))?,
        at: rows::known_instant(row, "at")?,
        notification_id: row.get("notification_id")?,
        source: text("source")?,
        provider: text("provider")?,
        event: row.get("event")?,
        origin: text("origin")?,
        subject_kind: SubjectKind::parse(&text("subject_kind")?)
            .ok_or_else(|| rows::unreadable(row, "subject_kind"))?,
        subject_id: text("subject_id")?,
        current: rows::object(row, "current")?.ok_or_else(|| rows::unreadable(row, "current"))?,
        previous: rows::object(row, "previous")?,
    })
}

/// The first and the last seq of the feed.
pub(in crate::store) fn edge(conn: &Connection) -> Result<FeedEdge> {
    let removed = conn
        .prepare_cached("SELECT seq FROM news_removed")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    let (oldest, newest) = conn
        .prepare_cached("SELECT (SELECT min(seq) FROM news), (SELECT max(seq) FROM news)")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(FeedEdge { removed, oldest, newest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::{fresh, plan};

    #[test]
    fn the_feed_is_read_from_an_index_in_its_order() {
        let conn = fresh();
        for (from, wanted) in [
            (ALL, "SEARCH n USING INTEGER PRIMARY KEY (rowid>?)"),
            (OF_SOURCE, "SEARCH n USING INDEX news_by_source (source=? AND seq>?)"),
            (OF_NOTIFICATION, "SEARCH n USING INDEX sqlite_autoindex_news_1 (notification_id=?)"),
        ] {
            assert_eq!(plan(&conn, &format!("SELECT {COLUMNS} {from}")), wanted);
        }
    }
}
