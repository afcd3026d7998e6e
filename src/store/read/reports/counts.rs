//! Counts the notifications of a window by state.

use std::collections::BTreeMap;

use rusqlite::{Connection, Params};

use super::count;
use crate::domain::statistics::DayCounts;
use crate::domain::{Counts, State, Window};
use crate::store::error::Result;
use crate::store::rows;

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) days: Vec<DayCounts>,
    pub(super) ignored: BTreeMap<String, u64>,
}

/// Whole days, including pruned notifications.
pub(super) const WHOLE_DAYS: &str = "SELECT day, state, reason, n FROM daily_counts \
                                     WHERE day >= ?2 AND day < ?3 AND source = ?1 AND n > 0";

/// Partial days, from the index alone.
pub(super) const EDGE: &str = "SELECT substr(received_at, 1, 10) AS day, state, iif(state = 'pending', '', coalesce(reason, '')) AS reason, count(*) AS n \
     FROM verdicts WHERE source = ?1 AND received_at >= ?2 AND received_at < ?3 GROUP BY 1, 2, 3";

/// Unparsed notifications count as pending.
pub(super) const UNPARSED: &str = "SELECT substr(received_at, 1, 10) AS day, 'pending' AS state, '' AS reason, count(*) AS n FROM intake \
     WHERE id > (SELECT coalesce(max(notification_id), 0) FROM verdicts) \
       AND source = ?1 AND received_at >= ?2 AND received_at < ?3 GROUP BY 1";

/// Counts the notifications of a source in a window.
pub(super) fn tally(conn: &Connection, source: &str, window: Window) -> Result<Tally> {
    let mut days = BTreeMap::new();
    let mut tally = Tally::default();
    let parts = window.parts();
    if let Some(whole) = parts.days {
        tally.add(conn, &mut days, WHOLE_DAYS, [source, &whole.from.day(), &whole.to.day()])?;
    }
    for edge in parts.edges.into_iter().flatten() {
        tally.add(conn, &mut days, EDGE, [source, &edge.from.to_string(), &edge.to.to_string()])?;
    }
    tally.add(conn, &mut days, UNPARSED, [source, &window.from.to_string(), &window.to.to_string()])?;
    tally.days = days.into_values().collect();
    Ok(tally)
}

/// The counts of all sources.
pub(super) const DAYS: &str = "SELECT day, state, reason, n FROM daily_counts WHERE day >= ?1 AND n > 0";

/// Notifications received on each day from `since` on, over all sources, from the daily counts alone.
pub(super) fn days(conn: &Connection, since: &str) -> Result<Vec<DayCounts>> {
    let mut days = BTreeMap::new();
    Tally::default().add(conn, &mut days, DAYS, [since])?;
    Ok(days.into_values().collect())
}

impl Tally {
    /// Counts the rows `day, state, reason, n` that a query finds.
    fn add(
        &mut self,
        conn: &Connection,
        days: &mut BTreeMap<String, DayCounts>,
        sql: &str,
        values: impl Params,
    ) -> Result<()> {
        let mut statement = conn.prepare_cached(sql)?;
        let mut found = statement.query(values)?;
        while let Some(row) = found.next()? {
            let (state, reason, n) = (rows::state(row)?, rows::reason(row)?, count(row, 3)?);
            let mut counts = Counts::default();
            counts.add(state, reason, n);
            self.counts.merge(counts);
            let day: String = row.get("day")?;
            let of_day = days.entry(day.clone()).or_insert_with(|| DayCounts { day, ..DayCounts::default() });
            of_day.counts.merge(counts);
            if state == State::Ignored
                && let Some(reason) = reason
            {
                for reasons in [&mut self.ignored, &mut of_day.reasons] {
                    *reasons.entry(reason.as_str().to_owned()).or_default() += n;
                }
            }
        }
        Ok(())
    }
}
