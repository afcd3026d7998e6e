//! The end of a lease: it expires, is renewed or is released, and its question waits again.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::fairness;
use crate::domain::Timestamp;
use crate::store::error::Result;
use crate::store::rows;

/// A lease that is not renewed expires after this time.
pub const LEASE_LENGTH: Duration = Duration::from_secs(60);

/// Maximum number of leased notifications that one transaction changes.
pub(in crate::store) const MOST_CHANGED: usize = 200;

/// Releases leases that expired, and those that would expire impossibly late because the clock was set back.
/// Of very many, the next round releases the rest.
pub(super) fn free_expired(conn: &Connection, now: Timestamp) -> Result<()> {
    conn.prepare_cached(FREE_EXPIRED)?.execute(params![
        now.to_string(),
        now.plus(LEASE_LENGTH * 2).to_string(),
        rows::limit(MOST_CHANGED)
    ])?;
    Ok(())
}

pub(in crate::store) const FREE_EXPIRED: &str = "UPDATE verdicts SET lease = NULL, lease_until = NULL
    WHERE notification_id IN (
      SELECT notification_id FROM verdicts INDEXED BY verdicts_lease_ends WHERE lease IS NOT NULL AND lease_until <= ?1
      UNION ALL
      SELECT notification_id FROM verdicts INDEXED BY verdicts_lease_ends WHERE lease IS NOT NULL AND lease_until > ?2
      LIMIT ?3)";

/// Renews leases of `owner`, for [`MOST_CHANGED`] notifications; `false`: there may be more.
pub(in crate::store) fn renew(conn: &Connection, owner: &str, now: Timestamp) -> Result<bool> {
    let until = now.plus(LEASE_LENGTH).to_string();
    let renewed = conn.prepare_cached(RENEW)?.execute(params![owner, until, rows::limit(MOST_CHANGED)])?;
    Ok(renewed < MOST_CHANGED)
}

pub(in crate::store) const RENEW: &str = "UPDATE verdicts SET lease_until = ?2
    WHERE notification_id IN (SELECT notification_id FROM verdicts INDEXED BY verdicts_leased
      WHERE lease IS NOT NULL AND lease >= ?1 || '/' AND lease < ?1 || '0' AND lease_until <> ?2 LIMIT ?3)";

/// Releases leases of `owner`, or of any owner whose name begins with it, for at most [`MOST_CHANGED`]
/// notifications; returns their number.
pub(in crate::store) fn free_of(conn: &Connection, owner_prefix: &str) -> Result<usize> {
    Ok(conn.prepare_cached(FREE_OF)?.execute(params![owner_prefix, rows::limit(MOST_CHANGED)])?)
}

pub(in crate::store) const FREE_OF: &str = "UPDATE verdicts SET lease = NULL, lease_until = NULL
    WHERE notification_id IN (SELECT notification_id FROM verdicts INDEXED BY verdicts_leased
      WHERE lease IS NOT NULL AND substr(lease, 1, length(?1)) = ?1 LIMIT ?2)";

/// The notifications under a lease.
fn held(conn: &Connection, lease: &str) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(HELD)?;
    rows::all(statement.query_map([lease], |row| row.get(0))?)
}

/// Releases leases that were never used: their questions wait as before.
pub(in crate::store) fn release(conn: &Connection, leases: &[(String, bool)]) -> Result<()> {
    for (lease, is_first) in leases {
        for id in held(conn, lease)? {
            conn.prepare_cached(
                "UPDATE OR FAIL verdicts SET lease = NULL, lease_until = NULL, asked = ?2 WHERE notification_id = ?1",
            )?
            .execute(params![id, !is_first])?;
        }
    }
    Ok(())
}

/// Releases leases of subjects that a list did not show; each is asked about alone. No absence is final
/// before the grace time is over, so the question of a doubtful sender waits for that: a sender that invents
/// orders causes one call each, not several.
pub(in crate::store) fn ask_unlisted(
    conn: &Connection,
    leases: &[String],
    grace: Duration,
    now: Timestamp,
) -> Result<()> {
    let mut statement = conn.prepare_cached(UNLISTED)?;
    for lease in leases {
        let found = statement.query_map([lease], |row| {
            let received_at = rows::known_instant(row, "received_at")?;
            Ok((row.get("notification_id")?, row.get("sender")?, received_at))
        })?;
        let found: Vec<(i64, String, Timestamp)> = rows::all(found)?;
        for (id, sender, received_at) in found {
            let is_doubtful = fairness::weight_of(conn, &sender)?.is_doubtful();
            let grace_ends = received_at.plus(grace).clamp(now, now.plus(grace));
            give_back(conn, id, if is_doubtful { grace_ends } else { now })?;
        }
    }
    Ok(())
}

const UNLISTED: &str = "SELECT notification_id, sender, received_at FROM verdicts INDEXED BY verdicts_leased
                        WHERE lease = ?1 AND state = 'pending'";

/// Releases leases whose questions a list call left open; each is due at once, and is asked alone.
pub(in crate::store) fn ask_alone(conn: &Connection, leases: &[String], now: Timestamp) -> Result<()> {
    for lease in leases {
        for id in held(conn, lease)? {
            give_back(conn, id, now)?;
        }
    }
    Ok(())
}

fn give_back(conn: &Connection, id: i64, due: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "UPDATE OR FAIL verdicts SET lease = NULL, lease_until = NULL, asked = 1, next_attempt_at = ?2
         WHERE notification_id = ?1",
    )?
    .execute(params![id, due.to_string()])?;
    Ok(())
}

pub(in crate::store) const HELD: &str = "SELECT notification_id FROM verdicts INDEXED BY verdicts_leased
                               WHERE lease = ?1 AND state = 'pending'";
