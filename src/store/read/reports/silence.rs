//! The last sign of a source: silence for longer than expected is a finding.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::domain::{Finding, FindingKind, ReportedSource, SourceReport, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// The last stored notification that the shop sent; recovered ones were never sent.
pub(super) const LAST_KEPT: &str = "SELECT v.received_at AS heard_at FROM verdicts v JOIN intake i ON i.id = v.notification_id \
     WHERE v.source = ?1 AND v.received_at < ?2 AND i.origin = 'intake' ORDER BY v.received_at DESC LIMIT 1";

pub(super) const LAST_UNPARSED: &str = "SELECT max(received_at) AS heard_at FROM intake WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) \
       AND source = ?1 AND received_at < ?2 AND origin = 'intake'";

/// Silence before the first serve means nothing; the last notification before it may have been pruned.
pub(super) const KNOWN_SINCE: &str = "SELECT max(first_served_at, iif(last_parsed_at < ?2, last_parsed_at, first_served_at)) AS heard_at FROM sources \
     WHERE name = ?1 AND first_served_at < ?2";

/// Adds a finding if nothing was received before `now` for longer than expected.
pub(super) fn find(
    conn: &Connection,
    source: &ReportedSource,
    now: Timestamp,
    report: &mut SourceReport,
) -> Result<()> {
    let Some(expected) = source.expect_every else { return Ok(()) };
    let last = |sql: &str| -> Result<Option<Timestamp>> {
        let found = conn
            .prepare_cached(sql)?
            .query_row(params![source.name, now.to_string()], |row| rows::instant(row, "heard_at"))
            .optional()?;
        Ok(found.flatten())
    };
    let Some(known_since) = last(KNOWN_SINCE)? else { return Ok(()) };
    let heard = last(LAST_KEPT)?.max(last(LAST_UNPARSED)?);
    let since = known_since.max(heard.unwrap_or(known_since));
    if now.since(since) > expected {
        let detail = format!(
            "nothing received since {since}, but expected every {}",
            as_configured(expected.as_secs())
        );
        report.findings.push(Finding {
            kind: FindingKind::Silent,
            subject_id: None,
            ours: None,
            shop: None,
            notification_id: None,
            detail: Some(detail),
        });
    }
    Ok(())
}

/// A duration in its largest whole unit, as written in the configuration.
fn as_configured(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let fits = units.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    fits.map_or(format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}
