//! Reads the data of reports, in one transaction and without reading the whole store: whole days from the daily
//! counts, the rest from indexes, and values that must be read row by row from an even sample.

use rusqlite::Connection;

use crate::domain::statistics::{ApiCalls, DayCounts, SourceStatistics};
use crate::domain::{ReportedSource, SourceReport, Timestamp, Window};
use crate::store::deliveries;
use crate::store::error::Result;
use crate::store::rows;

mod calls;
mod claim_summary;
mod counts;
mod fakes;
mod open;
mod sample;
mod silence;
mod timing;

#[cfg(test)]
mod tests;

/// How many rows of a large store a report reads one by one; each may cost a read of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// About 5,000 notifications of a source and 10,000 calls: the 95th percentile is then known to half a
    /// percent of all.
    Report,
    /// A fifth of that, for a view that a person waits for.
    View,
}

impl Detail {
    /// Number of notifications of a source.
    fn notifications(self) -> u64 {
        match self {
            Self::Report => 5_000,
            Self::View => 1_000,
        }
    }

    /// The step of a sample of `rows`: one in this many is read, so that about [`Detail::notifications`] are.
    fn one_in(self, rows: u64) -> u64 {
        rows.div_ceil(self.notifications()).max(1)
    }

    /// Number of calls to the shops' APIs, of all sources together.
    fn calls(self) -> i64 {
        match self {
            Self::Report => 10_000,
            Self::View => 2_000,
        }
    }

    /// Number of searches that find them.
    fn runs(self) -> i64 {
        match self {
            Self::Report => 500,
            Self::View => 100,
        }
    }
}

/// The counts of each source in the window, with the findings from the store alone: open, silent, fake. Open
/// and silent are judged at `now`, or at the window's end if that is earlier.
pub(in crate::store) fn account(
    conn: &Connection,
    sources: &[ReportedSource],
    window: Window,
    detail: Detail,
    now: Timestamp,
) -> Result<Vec<(SourceReport, SourceStatistics)>> {
    let mut calls = calls::calls(conn, window, detail)?;
    let mut accounts = Vec::with_capacity(sources.len());
    for source in sources {
        let (report, mut statistics) = of_source(conn, source, window, detail, now)?;
        if let Some(of_source) = calls.remove(&source.name) {
            statistics.api = of_source;
        }
        accounts.push((report, statistics));
    }
    Ok(accounts)
}

fn of_source(
    conn: &Connection,
    source: &ReportedSource,
    window: Window,
    detail: Detail,
    now: Timestamp,
) -> Result<(SourceReport, SourceStatistics)> {
    let name = source.name.as_str();
    let tally = counts::tally(conn, name, window)?;
    let mut report = SourceReport {
        source: source.name.clone(),
        provider: source.provider.clone(),
        complete: true,
        listed: 0,
        counts: tally.counts,
        findings: Vec::new(),
        omitted: [("open", 0), ("undelivered", 0), ("fake", 0)].into(),
    };
    let until = now.min(window.to);
    open::find(conn, name, until, &mut report)?;
    silence::find(conn, source, until, &mut report)?;
    deliveries::health::find(conn, name, until, &mut report)?;
    fakes::find(conn, name, window, tally.counts.fakes, &mut report)?;
    let (time_to_verdict, slowest) = timing::waits(conn, name, window, detail, tally.counts.received)?;
    let statistics = SourceStatistics {
        source: source.name.clone(),
        days: tally.days,
        ignored: tally.ignored,
        time_to_verdict,
        slowest,
        longest_open: open::longest(conn, name, until)?,
        fake_senders: fakes::senders(conn, name, window, detail, tally.counts.fakes)?,
        refusals: calls::refusals(conn, name, window)?,
        api: ApiCalls { one_in: 1, ..ApiCalls::default() },
    };
    Ok((report, statistics))
}

/// The sources that the store ever knew, with their providers.
pub(in crate::store) fn known_sources(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = conn.prepare_cached("SELECT name, provider FROM sources ORDER BY name")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows::all(found)
}

/// Notifications received on each day from `since` on, over all sources.
pub(in crate::store) fn days(conn: &Connection, since: &str) -> Result<Vec<DayCounts>> {
    counts::days(conn, since)
}

fn count(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}
