//! Reads the data for health from indexes, counts and the ends of tables, so that it is as fast on ten million
//! notifications as on ten.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::backlog;
use super::backlog::{Backlog, Unparsed};
use crate::domain::health::{Contents, Failing, Refused, SourceHealth};
use crate::domain::{Counts, Reason, ReportedSource, State, Timestamp};
use crate::store::error::Result;
use crate::store::queue::pauses;
use crate::store::rows;
use recent::Verdicts;

mod recent;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Days for measuring growth, and days whose number of fakes counts as usual.
const GROWTH_DAYS: u32 = 7;
const USUAL_DAYS: u32 = 14;

/// The ends of the table and the largest id ever used, which outlives removed rows.
pub(super) const IDS: &str =
    "SELECT coalesce((SELECT min(id) FROM intake), 0), coalesce((SELECT max(id) FROM intake), 0),
       coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'intake'), 0)";

pub(super) const OLDEST_UNREAD: &str = "SELECT received_at FROM intake \
     WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) ORDER BY id LIMIT 1";

pub(super) const DAYS: &str =
    "SELECT day, source, state, reason, n FROM daily_counts WHERE day >= ?1 AND n > 0";

/// The daily counts have only one row per day, source, state and reason.
pub(super) const UNDECIDED: &str =
    "SELECT source, sum(n) FROM daily_counts WHERE state = 'undecided' AND n > 0 GROUP BY source";

/// The refusals of a source since a day, with number and time of the last: for a wrong secret, for a wrong
/// path, and of unproven senders for lack of room.
pub(super) const REFUSED: [&str; 3] = [
    "SELECT coalesce(sum(count), 0), max(last_at) AS last_at FROM refusals WHERE source = ?1 AND day >= ?2
       AND cause IN ('wrong_secret', 'missing_secret', 'wrong_signature', 'missing_signature')",
    "SELECT coalesce(sum(count), 0), max(last_at) AS last_at FROM refusals WHERE source = ?1 AND day >= ?2
       AND cause = 'wrong_path_token'",
    "SELECT coalesce(sum(count), 0), max(last_at) AS last_at FROM refusals WHERE source = ?1 AND day >= ?2
       AND cause = 'unproven_full'",
];

pub(super) const KNOWN: &str =
    "SELECT name, provider, first_served_at, last_parsed_at, found_any_at IS NOT NULL AS was_answered,
       (SELECT completed_at FROM reconciliations r WHERE r.source = s.name) AS reconciled_at
     FROM sources s ORDER BY name";

/// Reads the state of the store and of each source: the configured sources in their order, then those that
/// only the store knows.
pub(in crate::store) fn load(
    conn: &Connection,
    configured: &[ReportedSource],
    backlog: &Backlog,
    now: Timestamp,
) -> Result<(Contents, Vec<SourceHealth>)> {
    let mut of_source: BTreeMap<String, SourceHealth> = BTreeMap::new();
    for source in configured {
        let health = SourceHealth {
            source: source.name.clone(),
            provider: source.provider.clone(),
            is_configured: true,
            expect_every: source.expect_every,
            ..SourceHealth::default()
        };
        of_source.insert(source.name.clone(), health);
    }
    let first_served = known(conn, &mut of_source)?;
    let unparsed = backlog.unparsed(conn, &now.day())?;
    queues(conn, &mut of_source, &unparsed)?;
    let (received_lately, verdicts) = days(conn, &mut of_source, now)?;
    for (source, unparsed) in &unparsed {
        if let Some(health) = of_source.get_mut(source) {
            health.today.received += unparsed.since;
            health.last_received = health.last_received.max(unparsed.latest());
        }
    }
    for source in of_source.values_mut() {
        let refused = |sql: &str| {
            conn.prepare_cached(sql)?.query_row(params![source.source, now.minus(DAY).day()], |row| {
                Ok(Refused { count: count(row, 0)?, last_at: rows::instant(row, "last_at")? })
            })
        };
        source.refused = refused(REFUSED[0])?;
        source.wrong_paths = refused(REFUSED[1])?;
        source.unproven_full = refused(REFUSED[2])?;
        if let Some(verdicts) = verdicts.get(&source.source) {
            recent::add(conn, source, verdicts, now.minus(DAY))?;
        }
    }
    for failing in pauses::failing(conn)? {
        let pauses::Outage { source, call_kind, cause, detail, since, resume_at, .. } = failing;
        if let Some(health) = of_source.get_mut(&source) {
            health.failing.push(Failing { call_kind, cause, detail, since, resume_at });
        }
    }
    let age = first_served.map_or(Duration::ZERO, |first| now.since(first));
    let days = u32::try_from(age.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX).min(GROWTH_DAYS);
    let contents = Contents { received_lately, days, ..contents(conn)? };
    let mut sources: Vec<SourceHealth> =
        configured.iter().filter_map(|source| of_source.remove(&source.name)).collect();
    sources.extend(of_source.into_values());
    Ok((contents, sources))
}

fn contents(conn: &Connection) -> Result<Contents> {
    let pragma = |name: &str| -> Result<u64> {
        Ok(conn.query_row(&format!("PRAGMA {name}"), [], |row| count(row, 0))?)
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    let (first, last, last_id): (i64, i64, i64) =
        conn.prepare_cached(IDS)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let kept = if last == 0 { 0 } else { last.saturating_sub(first).saturating_add(1) };
    let oldest_unread = conn
        .prepare_cached(OLDEST_UNREAD)?
        .query_row([], |row| rows::instant(row, "received_at"))
        .optional()?
        .flatten();
    Ok(Contents {
        used_bytes: pages.saturating_mul(pragma("page_size")?),
        kept: u64::try_from(kept).unwrap_or(0),
        last_id,
        oldest_unread,
        ..Contents::default()
    })
}

/// Reads the facts about each source; returns when the first of them was first served.
fn known(conn: &Connection, of_source: &mut BTreeMap<String, SourceHealth>) -> Result<Option<Timestamp>> {
    let mut statement = conn.prepare_cached(KNOWN)?;
    let mut found = statement.query([])?;
    let mut first = None;
    while let Some(row) = found.next()? {
        let (name, provider): (String, String) = (row.get("name")?, row.get("provider")?);
        let health = of_source.entry(name.clone()).or_insert_with(|| SourceHealth {
            source: name,
            provider,
            ..SourceHealth::default()
        });
        health.first_served_at = rows::instant(row, "first_served_at")?;
        health.last_received = rows::instant(row, "last_parsed_at")?;
        health.was_answered = row.get("was_answered")?;
        health.reconciled_at = rows::instant(row, "reconciled_at")?;
        first = [first, health.first_served_at].into_iter().flatten().min();
    }
    Ok(first)
}

fn queues(
    conn: &Connection,
    of_source: &mut BTreeMap<String, SourceHealth>,
    unparsed: &BTreeMap<String, Unparsed>,
) -> Result<()> {
    for queue in backlog::queues(conn, unparsed)? {
        if let Some(health) = of_source.get_mut(&queue.source) {
            (health.pending, health.oldest_pending) = (queue.pending, queue.oldest);
        }
    }
    let mut statement = conn.prepare_cached(UNDECIDED)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if let Some(health) = of_source.get_mut(&row.get::<_, String>(0)?) {
            health.undecided = count(row, 1)?;
        }
    }
    Ok(())
}

/// Counts the last days of each source; returns the notifications of all of them in the days for measuring
/// growth, and the verdicts of each source today and yesterday.
fn days(
    conn: &Connection,
    of_source: &mut BTreeMap<String, SourceHealth>,
    now: Timestamp,
) -> Result<(u64, BTreeMap<String, Verdicts>)> {
    let ago = |days: u32| now.minus(DAY * days).day();
    let (today, yesterday, growing) = (now.day(), ago(1), ago(GROWTH_DAYS));
    let (mut received_lately, mut verdicts) = (0, BTreeMap::<String, Verdicts>::new());
    let mut statement = conn.prepare_cached(DAYS)?;
    let mut found = statement.query([ago(1 + USUAL_DAYS)])?;
    while let Some(row) = found.next()? {
        let (day, name): (String, String) = (row.get(0)?, row.get(1)?);
        let (state, reason, n) = (rows::state(row)?, rows::reason(row)?, count(row, 4)?);
        if day >= growing && day < today {
            received_lately += n;
        }
        let Some(health) = of_source.get_mut(&name) else { continue };
        let mut counts = Counts::default();
        counts.add(state, reason, n);
        if day == today {
            health.today.received += counts.received;
            health.today.confirmed += counts.confirmed;
            health.today.fakes += counts.fakes;
        }
        let malformed = if reason == Some(Reason::Malformed) { n } else { 0 };
        if day >= yesterday {
            health.fakes_lately += counts.fakes;
            health.malformed_lately += malformed;
            if let Some(reason) = reason.filter(|_| state != State::Pending) {
                verdicts.entry(name).or_default().insert((state, reason));
            }
        } else {
            health.fakes_before += counts.fakes;
            health.malformed_before += malformed;
        }
    }
    Ok((received_lately, verdicts))
}

/// The latest of: the last notification, the last verification, the last write check.
pub(in crate::store) fn last_write_at(conn: &Connection) -> Result<Option<Timestamp>> {
    let last: Option<String> = conn.query_row(
        "SELECT max(at) FROM (
           SELECT (SELECT received_at FROM intake ORDER BY id DESC LIMIT 1) AS at
           UNION ALL SELECT (SELECT at FROM verifications ORDER BY id DESC LIMIT 1)
           UNION ALL SELECT (SELECT at FROM write_check))",
        [],
        |row| row.get(0),
    )?;
    Ok(last.and_then(|at| Timestamp::parse_rfc3339(&at)))
}

fn count(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

#[cfg(test)]
mod tests;
