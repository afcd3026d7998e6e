//! The settled notifications of one subject, for [`crate::rules::supersede`]. They are searched by exact
//! keys, so that no step costs more because of other notifications about the subject.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::domain::{Reason, State, StatusKey, Subject, Timestamp};
use crate::rules::supersede::{self, Explained, History, Link, LinkKind, Past, Superseded};
use crate::store::error::{Result, StoreError};
use crate::store::rows;

/// Maximum number of notifications that one transaction supersedes besides those that it settles: each
/// rewrites a row.
const MOST: usize = 200;

/// Maximum number of index entries read where an index also finds unwanted rows.
const MOST_LOOKED_AT: i64 = 1000;

/// The settled notifications that may explain others, or be explained.
#[derive(Clone, Debug)]
pub(in crate::store) struct Settled {
    pub(super) source: String,
    pub(super) subject: Subject,
    pub(super) links: Vec<Link>,
    pub(super) past: Past,
}

impl Settled {
    /// A notification that contradicts nothing.
    pub(in crate::store) fn alone(source: &str, subject: Subject, link: Link) -> Self {
        Self { source: source.to_owned(), subject, links: vec![link], past: Past::default() }
    }
}

/// Supersedes some of those that `settled` concerns; returns their ids, and the work left for another
/// transaction.
pub(in crate::store) fn spread(
    conn: &Connection,
    settled: Settled,
    now: Timestamp,
) -> Result<(Vec<i64>, Option<Settled>)> {
    let Settled { source, subject, links, past } = settled;
    let mut history = Subjects { conn, source: &source, subject: &subject, now };
    let Superseded { ids, left } = supersede::supersede(&mut history, links, &past, MOST)?;
    let left = (!left.is_empty()).then_some(Settled { source, subject, links: left, past });
    Ok((ids, left))
}

/// The link of a notification; `None` unless it is confirmed, a mismatch or not found.
pub(super) fn link(conn: &Connection, id: i64, is_news: bool) -> Result<Option<Link>> {
    let found = conn.prepare_cached(LINK)?.query_row([id], |row| {
        let kind = match (rows::state(row)?, rows::reason(row)?) {
            (State::Confirmed, Some(Reason::Deleted)) => LinkKind::Deleted,
            (State::Confirmed, _) => LinkKind::Confirmed { is_news },
            (State::Ignored, Some(Reason::Mismatch)) => LinkKind::Mismatch,
            (State::Ignored, Some(Reason::NotFound)) => LinkKind::NotFound,
            _ => return Ok(None),
        };
        read(row, kind).map(Some)
    });
    Ok(found.optional()?.flatten())
}

pub(in crate::store) const LINK: &str =
    "SELECT notification_id, event_order, statuses, before, explains, state, reason
                                         FROM verdicts WHERE notification_id = ?1";

/// Reads the first columns of [`LINK`].
fn read(row: &Row<'_>, is: LinkKind) -> rusqlite::Result<Link> {
    let key = |name| -> rusqlite::Result<Option<StatusKey>> {
        Ok(row.get_ref(name)?.as_str_or_null()?.map(StatusKey::from_stored))
    };
    let explains = row.get_ref("explains")?.as_str_or_null()?.unwrap_or_default();
    Ok(Link {
        id: row.get("notification_id")?,
        order: row.get::<_, Option<i64>>("event_order")?.map(Timestamp::from_millis),
        statuses: key("statuses")?,
        before: key("before")?,
        explains: explains.split_ascii_whitespace().map(StatusKey::from_stored).collect(),
        is,
    })
}

/// The keys, as the column `explains` stores them.
pub(super) fn stored(explains: &[StatusKey]) -> Option<String> {
    (!explains.is_empty()).then(|| explains.iter().map(StatusKey::as_str).collect::<Vec<_>>().join(" "))
}

/// The last confirmed notification about a subject, by its id in `last_confirmed`.
pub(in crate::store) fn past(
    conn: &Connection,
    source: &str,
    kind: &str,
    id: &str,
    confirmed: Vec<StatusKey>,
) -> Result<Past> {
    let found = conn
        .prepare_cached(
            "SELECT t.notification_id, v.event_order FROM last_confirmed t
             LEFT JOIN verdicts v ON v.notification_id = t.notification_id
             WHERE t.source = ?1 AND t.subject_kind = ?2 AND t.subject_id = ?3",
        )?
        .query_row([source, kind, id], |row| {
            Ok((row.get("notification_id")?, row.get::<_, Option<i64>>("event_order")?))
        })
        .optional()?;
    Ok(found.map_or_else(Past::default, |(id, order)| Past {
        confirmed,
        id,
        order: order.map(Timestamp::from_millis),
    }))
}

/// The `statuses` of a deletion in `explanations`: it explains every `not_found`.
const ANY: &str = "";

/// The `from_key` of an explanation that counts for all.
const FOR_ALL: &str = "";

struct Subjects<'a> {
    conn: &'a Connection,
    source: &'a str,
    subject: &'a Subject,
    now: Timestamp,
}

impl Subjects<'_> {
    /// Whether the explanation for `statuses` and `from` is not earlier than `link`.
    fn has_explanation(&self, link: &Link, statuses: &str, from: &str) -> Result<bool> {
        let values = params![self.source, self.subject.kind.as_str(), self.subject.id, statuses, from];
        let found = self
            .conn
            .prepare_cached(EXPLANATION)?
            .query_row(values, |row| {
                let (latest, untimed): (Option<i64>, Option<i64>) =
                    (row.get("latest_order")?, row.get("latest_untimed")?);
                Ok((latest, untimed, row.get::<_, i64>("latest_id")?))
            })
            .optional()?;
        let Some((latest, untimed, latest_id)) = found else { return Ok(false) };
        Ok(match link.order {
            Some(order) => {
                latest.is_some_and(|latest| latest >= order.millis())
                    || untimed.is_some_and(|untimed| untimed > link.id)
            }
            None => latest_id > link.id,
        })
    }

    /// Those that were ignored for `is`, assert `statuses` and are not later than `link`.
    fn earlier(
        &self,
        link: &Link,
        is: LinkKind,
        statuses: &StatusKey,
        from: Option<&StatusKey>,
        most: usize,
    ) -> Result<Vec<Link>> {
        let reason = if is == LinkKind::NotFound { Reason::NotFound } else { Reason::Mismatch };
        let (kind, id) = (self.subject.kind.as_str(), &self.subject.id);
        let order = link.order.map(Timestamp::millis);
        let (reason, statuses) = (reason.as_str(), statuses.as_str());
        let mut found = Vec::new();
        for sql in if order.is_some() { EARLIER_THAN_TIMED } else { EARLIER_THAN_UNTIMED } {
            let room = rows::limit(most.saturating_sub(found.len()));
            let mut statement = self.conn.prepare_cached(sql)?;
            let values = params![
                self.source,
                kind,
                id,
                reason,
                statuses,
                order,
                link.id,
                from.map(StatusKey::as_str),
                room,
                MOST_LOOKED_AT
            ];
            for row in statement.query_map(values, |row| read(row, is))? {
                found.push(row?);
            }
        }
        Ok(found)
    }

    /// Every `not_found` that is not later than a confirmed deletion, whatever it asserts. A deletion comes last, so
    /// hardly anything is later.
    fn not_found_before(&self, link: &Link, most: usize) -> Result<Vec<Link>> {
        let (kind, id) = (self.subject.kind.as_str(), &self.subject.id);
        let order = link.order.map(Timestamp::millis);
        let mut statement = self.conn.prepare_cached(NOT_FOUND_BEFORE)?;
        let values = params![self.source, kind, id, order, link.id, rows::limit(most), MOST_LOOKED_AT];
        let found = statement.query_map(values, |row| read(row, LinkKind::NotFound))?;
        rows::all(found)
    }
}

pub(in crate::store) const EXPLANATION: &str =
    "SELECT latest_order, latest_untimed, latest_id FROM explanations
     WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND statuses = ?4 AND from_key = ?5";

pub(in crate::store) const ADD_EXPLANATION: &str =
    "INSERT INTO explanations (source, subject_kind, subject_id, statuses, from_key, latest_order, latest_untimed, latest_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
     ON CONFLICT DO UPDATE SET latest_order = max(coalesce(latest_order, excluded.latest_order),
         coalesce(excluded.latest_order, latest_order)),
       latest_untimed = max(coalesce(latest_untimed, excluded.latest_untimed),
         coalesce(excluded.latest_untimed, latest_untimed)),
       latest_id = max(latest_id, excluded.latest_id)";

/// Those without a time of their provider's that were received before a notification (?7).
const UNTIMED_BEFORE: &str =
    "SELECT * FROM (
       SELECT notification_id, event_order, statuses, before, explains FROM verdicts INDEXED BY verdicts_explainable
       WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND state = 'ignored' AND reason = ?4
         AND (reason = 'mismatch' OR reason = 'not_found') AND statuses = ?5 AND event_order IS NULL
         AND notification_id < ?7
       ORDER BY notification_id DESC LIMIT iif(?8 IS NULL, ?9, ?10))
     WHERE ?8 IS NULL OR before = ?8 LIMIT ?9";

/// Notifications not later than one with a provider's time (?6): by that time, otherwise by receipt.
pub(in crate::store) const EARLIER_THAN_TIMED: [&str; 2] = [
    "SELECT * FROM (
       SELECT notification_id, event_order, statuses, before, explains FROM verdicts INDEXED BY verdicts_explainable
       WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND state = 'ignored' AND reason = ?4
         AND (reason = 'mismatch' OR reason = 'not_found') AND statuses = ?5 AND event_order <= ?6
       ORDER BY event_order DESC LIMIT iif(?8 IS NULL, ?9, ?10))
     WHERE notification_id <> ?7 AND (?8 IS NULL OR before = ?8) LIMIT ?9",
    UNTIMED_BEFORE,
];

/// Notifications received before one without a provider's time.
pub(in crate::store) const EARLIER_THAN_UNTIMED: [&str; 2] = [
    UNTIMED_BEFORE,
    "SELECT * FROM (
       SELECT notification_id, event_order, statuses, before, explains FROM verdicts INDEXED BY verdicts_explainable
       WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND state = 'ignored' AND reason = ?4
         AND (reason = 'mismatch' OR reason = 'not_found') AND statuses = ?5 AND event_order IS NOT NULL
       ORDER BY event_order DESC LIMIT ?10)
     WHERE notification_id < ?7 AND (?8 IS NULL OR before = ?8) LIMIT ?9",
];

impl History for Subjects<'_> {
    type Error = StoreError;

    fn is_explained(&mut self, link: &Link) -> Result<bool> {
        if link.is == LinkKind::NotFound && self.has_explanation(link, ANY, FOR_ALL)? {
            return Ok(true);
        }
        let Some(statuses) = &link.statuses else { return Ok(false) };
        if self.has_explanation(link, statuses.as_str(), FOR_ALL)? {
            return Ok(true);
        }
        let Some(before) = &link.before else { return Ok(false) };
        self.has_explanation(link, statuses.as_str(), before.as_str())
    }

    fn explained_by(&mut self, link: &Link, which: &Explained, most: usize) -> Result<Vec<Link>> {
        let Some(statuses) = &which.statuses else { return self.not_found_before(link, most) };
        let mut found = self.earlier(link, LinkKind::Mismatch, statuses, which.from.as_ref(), most)?;
        let room = most.saturating_sub(found.len());
        found.append(&mut self.earlier(link, LinkKind::NotFound, statuses, which.from.as_ref(), room)?);
        Ok(found)
    }

    fn count(&mut self, link: &Link, which: &Explained) -> Result<()> {
        let order = link.order.map(Timestamp::millis);
        self.conn.prepare_cached(ADD_EXPLANATION)?.execute(params![
            self.source,
            self.subject.kind.as_str(),
            self.subject.id,
            which.statuses.as_ref().map_or(ANY, StatusKey::as_str),
            which.from.as_ref().map_or(FOR_ALL, StatusKey::as_str),
            order,
            order.is_none().then_some(link.id),
            link.id,
        ])?;
        Ok(())
    }

    fn supersede(&mut self, link: &Link) -> Result<()> {
        self.conn.prepare_cached(SUPERSEDE)?.execute(params![link.id, self.now.to_string()])?;
        Ok(())
    }
}

pub(in crate::store) const NOT_FOUND_BEFORE: &str =
    "SELECT * FROM (
       SELECT notification_id, event_order, statuses, before, explains FROM verdicts INDEXED BY verdicts_explainable
       WHERE source = ?1 AND subject_kind = ?2 AND subject_id = ?3 AND state = 'ignored' AND reason = 'not_found' LIMIT ?7)
     WHERE iif(event_order IS NULL OR ?4 IS NULL, notification_id < ?5, event_order <= ?4) LIMIT ?6";

pub(in crate::store) const SUPERSEDE: &str =
    "UPDATE OR FAIL verdicts SET reason = 'superseded', detail = 'a later confirmed notification explains it',
       decided_at = ?2
     WHERE notification_id = ?1 AND state = 'ignored' AND (reason = 'mismatch' OR reason = 'not_found')";
