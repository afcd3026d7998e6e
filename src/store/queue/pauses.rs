//! Outages and pauses: which sources, or kinds of their calls, fail as a whole, and when the next call is allowed.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::settlement::{Policy, SourceStatus};
use crate::domain::{Cause, Timestamp};
use crate::rules::retry;
use crate::store::error::Result;
use crate::store::rows;

/// Maximum length of a pause. A longer one was planned before the clock was set back.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(7 * 3600);

/// A source, or one kind of its calls, that fails as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    pub source: String,
    /// The kind of call; empty for all.
    pub call_kind: String,
    pub cause: Cause,
    pub detail: String,
    pub since: Timestamp,
    /// Failed probes in a row.
    pub failures: u32,
    /// No calls before this time.
    pub resume_at: Timestamp,
}

pub(in crate::store) fn failing(conn: &Connection) -> Result<Vec<Outage>> {
    let mut statement = conn.prepare_cached(
        "SELECT source, call_kind, cause, detail, since, failures, resume_at FROM outages ORDER BY source, call_kind",
    )?;
    let found = statement.query_map([], read)?;
    rows::all(found)
}

fn of_call_kind(conn: &Connection, source: &str, call_kind: &str) -> Result<Option<Outage>> {
    Ok(conn
        .prepare_cached(
            "SELECT source, call_kind, cause, detail, since, failures, resume_at FROM outages WHERE source = ?1 AND call_kind = ?2",
        )?
        .query_row([source, call_kind], read)
        .optional()?)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Outage> {
    Ok(Outage {
        source: row.get("source")?,
        call_kind: row.get("call_kind")?,
        cause: rows::cause(row)?,
        detail: row.get("detail")?,
        since: rows::known_instant(row, "since")?,
        failures: row.get("failures")?,
        resume_at: rows::known_instant(row, "resume_at")?,
    })
}

/// The paused kinds of calls of a source at `now`, and whether the whole source fails.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    /// The whole source fails; no calls before this time.
    pub(in crate::store) source: Option<Timestamp>,
    /// Kinds of calls that fail, each with when it may be probed.
    pub(in crate::store) call_kinds: Vec<(String, Timestamp)>,
}

pub(super) fn of_source(conn: &Connection, source: &str) -> Result<Pauses> {
    let mut statement = conn.prepare_cached("SELECT call_kind, resume_at FROM outages WHERE source = ?1")?;
    let mut found = statement.query([source])?;
    let mut pauses_now = Pauses::default();
    while let Some(row) = found.next()? {
        let (call_kind, resume_at): (String, _) =
            (row.get("call_kind")?, rows::known_instant(row, "resume_at")?);
        if call_kind.is_empty() {
            pauses_now.source = Some(resume_at);
        } else {
            pauses_now.call_kinds.push((call_kind, resume_at));
        }
    }
    Ok(pauses_now)
}

/// Until when the API has asked the whole source to wait, if that time is still to come.
pub(in crate::store) fn requested_pause_end(
    conn: &Connection,
    source: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let outage = of_call_kind(conn, source, "")?.filter(|outage| outage.cause == Cause::ApiRateLimited);
    let until = outage.map(|outage| outage.resume_at);
    Ok(until.filter(|until| *until > now && *until <= now.plus(LONGEST_PAUSE)))
}

/// The part of a question that affects its source's status.
pub(in crate::store) struct Probe<'a> {
    pub(in crate::store) source: &'a str,
    pub(in crate::store) call_kind: &'a str,
    /// When it was sent.
    pub(in crate::store) asked_at: Timestamp,
}

/// Records the effect of an answer on its source. If the source fails, returns when the next call is allowed.
pub(in crate::store) fn apply(
    conn: &Connection,
    probe: &Probe<'_>,
    source_status: &SourceStatus,
    policy: &Policy,
    jitter: f64,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let source = probe.source;
    match source_status {
        SourceStatus::Unchanged => Ok(None),
        SourceStatus::Well => {
            if !conn.prepare_cached(HAS_TROUBLE)?.query_row([source], |row| row.get(0))? {
                return Ok(None);
            }
            // A question that was sent before the pause ends says nothing about the API since.
            conn.prepare_cached(
                "DELETE FROM outages WHERE source = ?1 AND call_kind IN ('', ?2) AND (resume_at <= ?3 OR resume_at > ?4)",
            )?
            .execute(params![
                source,
                probe.call_kind,
                probe.asked_at.to_string(),
                now.plus(LONGEST_PAUSE).to_string()
            ])?;
            Ok(None)
        }
        SourceStatus::Failing { call_kind, cause, detail, retry_after } => {
            let call_kind = call_kind.as_deref().unwrap_or("");
            let known = of_call_kind(conn, source, call_kind)?;
            let paused_until = known
                .as_ref()
                .filter(|known| known.failures > 0 && probe.asked_at < known.resume_at)
                .map(|known| known.resume_at)
                .filter(|until| *until <= now.plus(LONGEST_PAUSE));
            // Of many questions that failed together, only the first prolongs the pause, unless the API asks
            // for a longer one.
            if let (Some(known), Some(until)) = (&known, paused_until)
                && known.cause == *cause
                && retry_after.is_none_or(|pause| now.plus(pause) <= until)
            {
                return Ok(Some(until));
            }
            let failures = known.as_ref().map_or(0, |known| known.failures).saturating_add(1);
            let pause = retry::source_pause(*cause, failures, *retry_after, policy, jitter);
            let resume_at = now.plus(pause).max(paused_until.unwrap_or(now));
            let since = known.filter(|known| known.cause == *cause).map_or(now, |known| known.since);
            conn.prepare_cached(
                "INSERT INTO outages (source, call_kind, cause, detail, since, failures, resume_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET cause = excluded.cause, detail = excluded.detail, since = excluded.since,
                   failures = excluded.failures, resume_at = excluded.resume_at",
            )?
            .execute(params![
                source,
                call_kind,
                cause.as_str(),
                detail,
                since.to_string(),
                failures,
                resume_at.to_string()
            ])?;
            conn.prepare_cached("INSERT INTO probes (source, call_kind, at) VALUES (?1, ?2, ?3)")?
                .execute(params![source, call_kind, now.to_string()])?;
            Ok(Some(resume_at))
        }
    }
}

const HAS_TROUBLE: &str = "SELECT EXISTS (SELECT 1 FROM outages WHERE source = ?1)";

/// Ends the pauses of a source: the next question is asked at once. Only a pause that the API itself asked
/// for stays. `false`: more notifications waited for them than fit into one transaction, and this must be
/// called again.
pub(in crate::store) fn resume(conn: &Connection, source: &str, now: Timestamp) -> Result<bool> {
    // The notifications also wait for the end of the pause.
    let moved =
        conn.prepare_cached(RESUME)?.execute(params![source, now.to_string(), rows::limit(MOST_RESUMED)])?;
    if moved == MOST_RESUMED {
        return Ok(false);
    }
    conn.prepare_cached(
        "UPDATE outages SET resume_at = ?2, failures = 0 WHERE source = ?1 AND resume_at > ?2
           AND cause <> 'api_rate_limited'",
    )?
    .execute(params![source, now.to_string()])?;
    Ok(true)
}

/// Maximum number of notifications that one transaction makes due.
const MOST_RESUMED: usize = 200;

pub(in crate::store) const RESUME: &str =
    "UPDATE verdicts SET next_attempt_at = ?2 WHERE notification_id IN (
       SELECT notification_id FROM verdicts INDEXED BY verdicts_repeated_questions
       WHERE source = ?1 AND state = 'pending' AND asked = 1 AND lease IS NULL AND next_attempt_at IN (
         SELECT resume_at FROM outages WHERE source = ?1 AND resume_at > ?2 AND cause <> 'api_rate_limited')
       LIMIT ?3)";

/// Maximum number of probes of a source that are kept, the newest: each settlement counts them for each of
/// its notifications, and giving up needs far fewer.
const MOST_PROBES: usize = 200;

/// Removes probes that no waiting notification can count any more, and the oldest of very many.
pub(in crate::store) fn forget_probes(
    conn: &Connection,
    source: &str,
    now: Timestamp,
    longest: Duration,
) -> Result<()> {
    conn.prepare_cached("DELETE FROM probes WHERE source = ?1 AND at < ?2")?
        .execute(params![source, now.minus(longest).to_string()])?;
    conn.prepare_cached(
        "DELETE FROM probes WHERE rowid IN (SELECT rowid FROM probes WHERE source = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![source, rows::limit(MOST_PROBES)])?;
    Ok(())
}
