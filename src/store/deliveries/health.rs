//! The health of each action's deliveries, for warnings, metrics and reports, read from counts and the ends
//! of indexes.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::list::{DeliveryFilter, DeliveryRow, list};
use super::record::load_state;
use crate::domain::health::ActionHealth;
use crate::domain::report::MOST_FINDINGS;
use crate::domain::{DeliveryState, Finding, FindingKind, SourceReport, Timestamp};
use crate::store::error::Result;
use crate::store::rows;

/// The configured actions in their order, then those that only the store knows.
pub(in crate::store) fn health(conn: &Connection, configured: &[String]) -> Result<Vec<ActionHealth>> {
    let mut statement = conn.prepare_cached("SELECT DISTINCT action FROM delivery_counts ORDER BY action")?;
    let known = rows::all::<String>(statement.query_map([], |row| row.get(0))?)?;
    let others = known.into_iter().filter(|name| !configured.contains(name));
    configured.iter().cloned().chain(others).map(|name| of(conn, name, configured)).collect()
}

fn of(conn: &Connection, action: String, configured: &[String]) -> Result<ActionHealth> {
    let count = |state: DeliveryState| -> Result<u64> {
        let n: Option<i64> = conn
            .prepare_cached("SELECT n FROM delivery_counts WHERE action = ?1 AND state = ?2")?
            .query_row(params![action, state.as_str()], |row| row.get(0))
            .optional()?;
        Ok(u64::try_from(n.unwrap_or(0)).unwrap_or(0))
    };
    let oldest_waiting = conn
        .prepare_cached(
            "SELECT since FROM deliveries WHERE action = ?1 AND state = 'waiting' ORDER BY id LIMIT 1",
        )?
        .query_row([&action], |row| rows::instant(row, "since"))
        .optional()?
        .flatten();
    Ok(ActionHealth {
        is_configured: configured.contains(&action),
        waiting: count(DeliveryState::Waiting)?,
        dead: count(DeliveryState::Dead)?,
        oldest_waiting,
        state: load_state(conn, &action)?,
        action,
    })
}

const WAITING_LONG: &str = "FROM deliveries INDEXED BY deliveries_open
                            WHERE source = ?1 AND state = 'waiting' AND since < ?2";
const DEAD: &str = "FROM deliveries INDEXED BY deliveries_open
                    WHERE source = ?1 AND state = 'dead' AND since < ?2";

/// A delivery that has waited longer is a finding.
const LONG: Duration = Duration::from_secs(3600);

/// The maximum of a count.
const MOST_COUNTED: u64 = 1_000_000;

/// Adds the deliveries of a source that are dead at `now`, or have waited too long.
pub(in crate::store) fn find(
    conn: &Connection,
    source: &str,
    now: Timestamp,
    report: &mut SourceReport,
) -> Result<()> {
    let mut listed = 0;
    let mut total = 0;
    for (from, before) in [(DEAD, now.plus(LONG)), (WAITING_LONG, now.minus(LONG))] {
        let before = before.to_string();
        let sql = format!("SELECT count(*) FROM (SELECT 1 {from} LIMIT ?3)");
        let most = rows::limit(usize::try_from(MOST_COUNTED).unwrap_or(usize::MAX));
        let count: i64 =
            conn.prepare_cached(&sql)?.query_row(params![source, before, most], |row| row.get(0))?;
        total += u64::try_from(count).unwrap_or(0);
        let mut statement = conn.prepare_cached(&format!("SELECT id {from} ORDER BY since LIMIT ?3"))?;
        let room = rows::limit(MOST_FINDINGS - listed);
        let ids = statement.query_map(params![source, before, room], |row| row.get(0))?;
        for id in rows::all(ids)? {
            report.findings.push(finding(conn, id)?);
            listed += 1;
        }
    }
    let omitted = total.saturating_sub(u64::try_from(listed).unwrap_or(u64::MAX));
    report.omitted.insert(FindingKind::Undelivered.as_str(), omitted);
    Ok(())
}

fn finding(conn: &Connection, id: i64) -> Result<Finding> {
    let filter = DeliveryFilter { before_id: Some(id + 1), limit: 1, ..DeliveryFilter::default() };
    let row = list(conn, &filter)?.pop();
    let notification_id = match &row {
        None => None,
        Some(DeliveryRow { seq, .. }) => conn
            .prepare_cached("SELECT notification_id FROM news WHERE seq = ?1")?
            .query_row([seq], |row| row.get(0))
            .optional()?,
    };
    let detail = row.as_ref().map(|row| {
        let cause = row.detail.as_deref().unwrap_or("not tried yet");
        format!("delivery {id} to action {} is {}: {cause}", row.action, row.state)
    });
    Ok(Finding {
        kind: FindingKind::Undelivered,
        subject_id: row.map(|row| row.subject_id),
        ours: None,
        shop: None,
        notification_id,
        detail,
    })
}
