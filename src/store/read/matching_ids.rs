//! The ids of the notifications that match a filter, in its order. Each page is read from the ends of
//! indexes, so it costs as much with ten notifications as with ten million, even if matches are rare.
//!
//! Parsed notifications are ordered by state, reason and source in one index; each such range is in the order
//! of ids. There are as many ranges as verdicts that a source ever had. All ranges that may match are read,
//! newest first, and none of them further back than the page needs. Unparsed notifications are in no range,
//! and newer than all of them.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _, ToSql};

use super::index_scans;
use crate::domain::{Reason, State, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// The filter of a list; empty fields let everything pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    /// Only this reason; while its source fails as a whole, a pending one has that cause.
    pub reason: Option<Reason>,
    pub source: Option<String>,
    /// Only this subject, by the id as notified or as resolved.
    pub subject: Option<String>,
    /// Only received at or after this.
    pub since: Option<Timestamp>,
    /// Only ids below this: the next page.
    pub before_id: Option<i64>,
    /// Only ids above this: the next page where the oldest come first.
    pub after_id: Option<i64>,
    /// The oldest matching ones, oldest first, instead of the newest.
    pub oldest_first: bool,
    pub limit: usize,
}

/// The ids of the matching notifications, in the filter's order. A filter by subject finds parsed
/// notifications only.
pub(in crate::store) fn ids(conn: &Connection, filter: &Filter) -> Result<Vec<i64>> {
    let mut page = Page::new(conn, filter)?;
    if let Some(subject) = &filter.subject {
        page.of_subject(subject)?;
    } else if filter.state.is_none() && filter.reason.is_none() && filter.source.is_none() {
        page.scan(index_scans::ALL, &[])?;
    } else {
        if filter.state.is_none_or(|state| state == State::Pending) && filter.reason.is_none() {
            page.scan(index_scans::UNPARSED, &[&filter.source])?;
        }
        page.of_states()?;
    }
    Ok(page.found)
}

/// The same for a sender (see [`rows::sender`]) if one index serves the filter, as for ignored and undecided
/// ones; `None`: no index serves it.
pub(in crate::store) fn ids_of_sender(
    conn: &Connection,
    filter: &Filter,
    sender: &str,
) -> Result<Option<Vec<i64>>> {
    let Filter { reason: None, source: None, subject: None, .. } = filter else { return Ok(None) };
    let scan = match filter.state {
        Some(State::Ignored) => index_scans::IGNORED_OF_SENDER,
        Some(State::Undecided) => index_scans::UNDECIDED_OF_SENDER,
        _ => return Ok(None),
    };
    let mut page = Page::new(conn, filter)?;
    page.scan(scan, &[&sender])?;
    Ok(Some(page.found))
}

/// A page that is being gathered.
struct Page<'a> {
    conn: &'a Connection,
    filter: &'a Filter,
    since: String,
    /// No matching notification has a lower id.
    first_id: i64,
    /// The first ids of the scans so far, in the filter's order.
    found: Vec<i64>,
}

impl<'a> Page<'a> {
    fn new(conn: &'a Connection, filter: &'a Filter) -> Result<Self> {
        let since = filter.since.map(|since| since.to_string()).unwrap_or_default();
        let first_id = if since.is_empty() {
            0
        } else {
            conn.prepare_cached(index_scans::FIRST_ID)?.query_row([&since], |row| row.get(0))?
        };
        let first_id = filter.after_id.map_or(first_id, |after| first_id.max(after.saturating_add(1)));
        Ok(Self { conn, filter, since, first_id, found: Vec::new() })
    }

    /// Adds the ids before the last of a full page; `values` are the parameters after the four that every
    /// scan takes.
    fn scan(&mut self, sql: &str, values: &[&dyn ToSql]) -> Result<()> {
        let Filter { limit, oldest_first, .. } = *self.filter;
        let last = limit.checked_sub(1).and_then(|last| self.found.get(last)).copied();
        let mut least = self.first_id;
        let mut before = self.filter.before_id.unwrap_or(i64::MAX);
        match last {
            Some(last) if oldest_first => before = last,
            Some(last) => least = last + 1,
            None => {}
        }
        let most = rows::limit(limit);
        let mut all: Vec<&dyn ToSql> = vec![&least, &before, &self.since, &most];
        all.extend(values);
        let sql = if oldest_first { index_scans::forwards(sql).into() } else { Cow::Borrowed(sql) };
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_map(&*all, |row| row.get(0))?;
        self.found.extend(rows::all::<i64>(found)?);
        // Two sorted runs, which the stable sort merges.
        if oldest_first {
            self.found.sort();
        } else {
            self.found.sort_by(|a, b| b.cmp(a));
        }
        self.found.truncate(limit);
        Ok(())
    }

    /// The distinct values of an index, with one search each.
    fn each(&self, next: &str, values: &[&dyn ToSql]) -> Result<Vec<String>> {
        let mut statement = self.conn.prepare_cached(next)?;
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().cloned().unwrap_or_default();
            let mut all: Vec<&dyn ToSql> = vec![&after];
            all.extend(values);
            match statement.query_row(&*all, |row| row.get(0)).optional()? {
                Some(next) => found.push(next),
                None => return Ok(found),
            }
        }
    }

    fn of_subject(&mut self, subject: &str) -> Result<()> {
        let Filter { state, reason, source, .. } = self.filter;
        let (state, reason) = (state.map(State::as_str), reason.map(Reason::as_str));
        self.scan(index_scans::OF_OTHER_ID, &[&subject, &state, &reason, source])?;
        let sources = match source {
            Some(source) => vec![source.clone()],
            None => self.each(index_scans::NEXT_OF_ALL_SOURCES, &[])?,
        };
        for source in sources {
            for kind in ["order", "product"] {
                self.scan(index_scans::OF_SUBJECT, &[&subject, &state, &reason, &source, &kind])?;
            }
        }
        Ok(())
    }

    fn of_states(&mut self) -> Result<()> {
        let filter = self.filter;
        for state in State::ALL.iter().filter(|state| filter.state.is_none_or(|wanted| wanted == **state)) {
            let with_reason = self.each(index_scans::NEXT_REASON, &[&state.as_str()])?;
            for reason in std::iter::once(None).chain(with_reason.into_iter().map(Some)) {
                let sources = match &filter.source {
                    Some(source) => vec![source.clone()],
                    None => self.each(index_scans::NEXT_SOURCE, &[&state.as_str(), &reason])?,
                };
                for source in sources {
                    self.range(*state, reason.as_deref(), &source)?;
                }
            }
        }
        Ok(())
    }

    fn range(&mut self, state: State, reason: Option<&str>, source: &str) -> Result<()> {
        let range: [&dyn ToSql; 3] = [&state.as_str(), &reason, &source];
        let Some(wanted) = self.filter.reason.map(Reason::as_str) else {
            return self.scan(index_scans::RANGE, &range);
        };
        let outages = if state == State::Pending { self.outages(source)? } else { Vec::new() };
        let passes = match outages.first() {
            None => reason == Some(wanted),
            Some((call_kind, cause)) if call_kind.is_empty() => cause == wanted,
            Some(_) => {
                let [state, reason, source] = range;
                return self.scan(index_scans::RANGE_IN_OUTAGE, &[state, reason, source, &wanted]);
            }
        };
        if passes { self.scan(index_scans::RANGE, &range) } else { Ok(()) }
    }

    /// The outages of a source, those of the whole source first: kind of call and cause.
    fn outages(&self, source: &str) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT call_kind, cause FROM outages WHERE source = ?1 ORDER BY call_kind")?;
        let found = statement.query_map([source], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows::all(found)
    }
}
