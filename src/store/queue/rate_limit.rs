//! A source's rate limit, shared by all processes through the store: there are never more calls than allowed
//! in any window. A call counts from its permit until one window after its end. The shop sees it at some
//! moment between, so it never counts more calls than we do.

use std::time::Duration;

use rusqlite::{Connection, params};

use crate::domain::{Rate, Timestamp};
use crate::store::error::Result;

/// The permit for one API call; its number is the `call_id` of the verifications that it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPermit {
    pub id: i64,
    /// How long it counts after its end.
    pub window: Duration,
}

/// The state of a source's rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A permit for one call.
    Granted(CallPermit),
    /// No permit before this time.
    SpentUntil(Timestamp),
    /// The API asked the whole source to wait until this time.
    PausedUntil(Timestamp),
}

/// Maximum duration of a call. A call in flight for longer belongs to a process that died.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(120);

/// How many calls are free now, and when the next one will be.
pub(in crate::store) fn free(
    conn: &Connection,
    source: &str,
    rate: Rate,
    now: Timestamp,
) -> Result<(usize, Timestamp)> {
    let latest = now.plus(LONGEST_CALL).plus(rate.window);
    conn.prepare_cached("DELETE FROM api_calls WHERE source = ?1 AND counts_until <= ?2")?
        .execute(params![source, now.millis()])?;
    // After the clock was set back, calls would count for hours.
    conn.prepare_cached("UPDATE api_calls SET counts_until = ?2 WHERE source = ?1 AND counts_until > ?2")?
        .execute(params![source, latest.millis()])?;
    let limit = i64::from(rate.limit);
    // Counting many rows takes long, and while most of the budget is left, the exact number does not matter.
    let at_most: i64 = conn
        .prepare_cached(
            "SELECT coalesce((SELECT max(id) FROM api_calls) - (SELECT min(id) FROM api_calls) + 1, 0)",
        )?
        .query_row([], |row| row.get(0))?;
    if at_most < limit / 2 {
        return Ok((usize::try_from(limit - at_most).unwrap_or(0), now));
    }
    let counting: i64 = conn
        .prepare_cached("SELECT count(*) FROM api_calls WHERE source = ?1")?
        .query_row([source], |row| row.get(0))?;
    if counting < limit {
        return Ok((usize::try_from(limit - counting).unwrap_or(0), now));
    }
    let next: i64 = conn
        .prepare_cached(
            "SELECT counts_until FROM api_calls WHERE source = ?1 ORDER BY counts_until LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![source, counting - limit], |row| row.get(0))?;
    Ok((0, Timestamp::from_millis(next).plus(Duration::from_millis(1))))
}

/// A window shorter than this may be used up at once, because its end is near.
const PACED_FROM: Duration = Duration::from_secs(10);

/// The part of the remaining budget that may be used within one window.
const PACE: u32 = 5;

/// How many of `free` calls may begin now, and when the next one may if none: half of a budget is for bursts, and
/// the other half goes the slower the less is left. Otherwise a flood could use up a whole minute's calls at once,
/// and a true notification would wait for the end of that minute.
pub(super) fn paced(
    rate: Rate,
    free: usize,
    next: Timestamp,
    last_begun_at: Option<Timestamp>,
    now: Timestamp,
) -> (usize, Timestamp) {
    let half = usize::try_from(rate.limit / 2).unwrap_or(usize::MAX);
    if free == 0 || rate.window < PACED_FROM {
        return (free, next);
    }
    if free > half {
        return (free - half, now);
    }
    let pause = rate.window / u32::try_from(free).unwrap_or(u32::MAX).saturating_mul(PACE).max(1);
    match last_begun_at.filter(|last| *last <= now).map(|last| last.plus(pause)) {
        Some(next) if next > now => (0, next),
        _ => (1, now),
    }
}

/// Gives `owner` one permit; the caller has checked that one is free.
pub(in crate::store) fn grant(
    conn: &Connection,
    source: &str,
    owner: &str,
    rate: Rate,
    now: Timestamp,
) -> Result<CallPermit> {
    let counts_until = now.plus(LONGEST_CALL).plus(rate.window);
    let id = conn
        .prepare_cached("INSERT INTO api_calls (source, owner, counts_until) VALUES (?1, ?2, ?3)")?
        .insert(params![source, owner, counts_until.millis()])?;
    Ok(CallPermit { id, window: rate.window })
}

/// Records the end of a call: it counts for one more window. A second report changes nothing, nor does a time
/// from before the clock was set, which would end it too early.
pub(in crate::store) fn finish(conn: &Connection, permit: CallPermit, now: Timestamp) -> Result<()> {
    let until = now.plus(permit.window).plus(Duration::from_millis(1));
    conn.prepare_cached(
        "UPDATE api_calls SET counts_until = min(counts_until, ?2) WHERE id = ?1 AND counts_until <= ?3",
    )?
    .execute(params![permit.id, until.millis(), until.plus(LONGEST_CALL).millis()])?;
    Ok(())
}

/// Ends the calls in flight of all owners whose name begins with `owner_prefix`, because they died. They
/// count for at most one more window.
pub(in crate::store) fn end_dead_calls(
    conn: &Connection,
    owner_prefix: &str,
    source: &str,
    window: Duration,
    now: Timestamp,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE api_calls SET counts_until = ?2
         WHERE source = ?1 AND counts_until > ?2 AND substr(owner, 1, length(?3)) = ?3",
    )?
    .execute(params![source, now.plus(window).millis(), owner_prefix])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::query_plan::fresh;

    const RATE: Rate = Rate { limit: 600, window: Duration::from_secs(60) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_764_000_000_000 + ms)
    }

    #[test]
    fn half_of_a_budget_is_for_bursts_and_the_rest_goes_the_slower_the_less_is_left() {
        let spent_until = at(30_000);
        // Free calls, and how long ago the last one began: how many may begin now, and in how many milliseconds the next.
        for (free, last_ms, wanted) in [
            (600, None, (300, 0)),
            (301, Some(0), (1, 0)),
            (300, None, (1, 0)),
            (300, Some(39), (0, 1)),
            (300, Some(40), (1, 0)),
            (100, Some(40), (0, 80)),
            (100, Some(120), (1, 0)),
            (1, Some(0), (0, 12_000)),
            (1, Some(12_000), (1, 0)),
            (0, None, (0, 30_000)),
            // A call from before the clock was set back tells nothing.
            (100, Some(-3_600_000), (1, 0)),
        ] {
            let now = at(0);
            let (most, next) = paced(RATE, free, spent_until, last_ms.map(|ms: i64| at(-ms)), now);
            assert_eq!((most, next.millis() - now.millis()), wanted, "{free} free, last begun {last_ms:?}");
        }
    }

    #[test]
    fn the_calls_of_a_dead_serve_end_and_those_of_a_living_reconcile_go_on() {
        let conn = fresh();
        let rate = Rate { limit: 2, window: Duration::from_secs(1) };
        for owner in ["serve-7-1", "reconcile-8-1"] {
            grant(&conn, "shop", owner, rate, at(0)).unwrap();
        }
        let left = |ms| free(&conn, "shop", rate, at(ms)).unwrap().0;
        assert_eq!(left(60_000), 0, "both are in flight");
        end_dead_calls(&conn, "serve-", "shop", rate.window, at(60_000)).unwrap();
        assert_eq!(left(60_999), 0, "the shop may have counted it just now");
        assert_eq!(left(61_000), 1);
        assert_eq!(left(121_000), 2, "no call lasts longer");
    }

    #[test]
    fn a_short_window_needs_no_pace() {
        let rate = Rate { limit: 10, window: Duration::from_secs(1) };
        assert_eq!(paced(rate, 10, at(0), Some(at(0)), at(0)), (10, at(0)));
        assert_eq!(paced(rate, 1, at(0), Some(at(0)), at(0)), (1, at(0)));
    }

    #[test]
    fn whatever_the_rate_the_pace_uses_most_of_a_window_and_never_stops() {
        for limit in [1, 2, 3, 10, 60, 600, 100_000] {
            let rate = Rate { limit, window: Duration::from_secs(60) };
            let (mut now, mut begun, mut last) = (at(0), 0, None);
            while begun < usize::try_from(limit).unwrap() && now.since(at(0)) < rate.window {
                let free = usize::try_from(limit).unwrap() - begun;
                let (most, next) = paced(rate, free, now, last, now);
                assert!(most > 0 || next > now, "{limit}: {begun} begun, and it neither goes on nor waits");
                if most == 0 {
                    now = next;
                } else {
                    (begun, last) = (begun + most.min(32), Some(now));
                }
            }
            assert!(begun * 10 >= usize::try_from(limit).unwrap() * 9, "{begun} of {limit} in a window");
        }
    }
}
