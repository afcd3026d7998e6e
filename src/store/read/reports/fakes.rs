//! The fakes of a window: the latest as findings, and their senders.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::sample::Sample;
use super::{Detail, claim_summary};
use crate::domain::report::MOST_FINDINGS;
use crate::domain::statistics::{FakeSender, FakeSenders};
use crate::domain::{Finding, FindingKind, SourceReport, Window};
use crate::store::error::Result;
use crate::store::rows;

/// Number of senders that are listed.
const MOST_SENDERS: usize = 10;

/// The latest fakes of a source in a window, from the index.
pub(super) const LATEST: &str = "SELECT notification_id FROM verdicts WHERE source = ?1 AND received_at >= ?2 AND received_at < ?3 \
       AND state = 'ignored' AND reason IN ('not_found', 'mismatch', 'wrong_store') \
     ORDER BY received_at DESC LIMIT ?4";

/// The number of them from each address.
pub(super) const SENDERS: &str =
    "SELECT i.remote_addr, count(*)
     FROM verdicts v INDEXED BY verdicts_by_time CROSS JOIN intake i ON i.id = v.notification_id
     WHERE v.source = ?5
       AND v.received_at >= ?6 AND v.received_at < ?7
       AND v.state = 'ignored' AND v.reason IN ('not_found', 'mismatch', 'wrong_store') GROUP BY i.remote_addr";

/// The same in the runs of a [`Sample`].
pub(super) const SAMPLED_SENDERS: &str =
    "WITH RECURSIVE spans(begins) AS (
       SELECT ?1 UNION ALL SELECT begins + ?3 * ?4 FROM spans WHERE begins + ?3 * ?4 <= ?2),
     runs(id) AS (SELECT begins + (begins * 2654435761 >> 8) % ?4 * ?3 FROM spans)
     SELECT i.remote_addr, count(*)
     FROM runs CROSS JOIN verdicts v INDEXED BY verdicts_by_state CROSS JOIN intake i ON i.id = v.notification_id
     WHERE v.notification_id >= runs.id AND v.notification_id < runs.id + ?3 AND v.source = ?5
       AND v.received_at >= ?6 AND v.received_at < ?7
       AND v.state = 'ignored' AND v.reason IN ('not_found', 'mismatch', 'wrong_store') GROUP BY i.remote_addr";

pub(super) const FAKE: &str =
    "SELECT id, subject_id, claim, reason, detail, remote_addr FROM fakes WHERE id = ?1";

pub(super) const LAST_ANSWER: &str = "SELECT answer FROM verifications WHERE notification_id = ?1 AND answer IS NOT NULL ORDER BY id DESC LIMIT 1";

/// Adds the latest of `total` fakes.
pub(super) fn find(
    conn: &Connection,
    source: &str,
    window: Window,
    total: u64,
    report: &mut SourceReport,
) -> Result<()> {
    let (from, to) = (window.from.to_string(), window.to.to_string());
    let ids: Vec<i64> = if total == 0 {
        Vec::new()
    } else {
        let mut statement = conn.prepare_cached(LATEST)?;
        let found =
            statement.query_map(params![source, from, to, rows::limit(MOST_FINDINGS)], |row| row.get(0))?;
        rows::all(found)?
    };
    let listed = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    report.omitted.insert(FindingKind::Fake.as_str(), total.saturating_sub(listed));
    for id in ids {
        let shop = conn.prepare_cached(LAST_ANSWER)?.query_row([id], |row| claim_summary::column(row, 0));
        let shop = shop.optional()?.flatten();
        report.findings.push(conn.prepare_cached(FAKE)?.query_row([id], |row| finding(row, shop))?);
    }
    Ok(())
}

fn finding(row: &Row<'_>, shop: Option<String>) -> rusqlite::Result<Finding> {
    let mut text: String = row.get(3)?;
    if let Some(detail) = row.get::<_, Option<String>>(4)? {
        text += &format!(": {detail}");
    }
    if let Some(sender) = row.get::<_, Option<String>>(5)? {
        text += &format!("; sent from {sender}");
    }
    Ok(Finding {
        kind: FindingKind::Fake,
        subject_id: row.get(1)?,
        ours: claim_summary::column(row, 2)?,
        shop,
        notification_id: Some(row.get(0)?),
        detail: Some(text),
    })
}

/// The senders of the `total` fakes of a window.
pub(super) fn senders(
    conn: &Connection,
    source: &str,
    window: Window,
    detail: Detail,
    total: u64,
) -> Result<FakeSenders> {
    let one_in = detail.one_in(total);
    let sample = if total == 0 { None } else { Sample::of_window(conn, source, window, detail, one_in)? };
    let Some(Sample { first, last, length, one_in: step }) = sample else {
        return Ok(FakeSenders { one_in, ..FakeSenders::default() });
    };
    let mut statement = conn.prepare_cached(if one_in == 1 { SENDERS } else { SAMPLED_SENDERS })?;
    let (from, to) = (window.from.to_string(), window.to.to_string());
    let values = params![first, last, length, step, source, from, to];
    let found = statement.query_map(values, |row| Ok((row.get(0)?, super::count(row, 1)?)))?;
    let counts: BTreeMap<Option<String>, u64> = found.collect::<rusqlite::Result<_>>()?;
    let addresses = counts.keys().flatten().count();
    let mut most: Vec<FakeSender> = counts
        .into_iter()
        .map(|(remote_addr, n)| FakeSender { remote_addr, count: n.saturating_mul(one_in) })
        .collect();
    most.sort_by_key(|sender| std::cmp::Reverse(sender.count));
    most.truncate(MOST_SENDERS);
    Ok(FakeSenders { one_in, addresses: u64::try_from(addresses).unwrap_or(u64::MAX), most })
}
