//! Updates the position: where shipping continues, what the ledger confirmed, and its failures.

use rusqlite::{Connection, params};

use super::{log, state};
use crate::domain::Timestamp;
use crate::domain::shipping::Position;
use crate::rules::shipping::{Resumed, resume};
use crate::store::error::Result;

/// The position to continue from with a ledger that has reached `there`; `None`: it has no rows of this file.
/// If the two do not match, the ledger is filled again. `None` if no ledger is configured.
pub(in crate::store) fn resumed(
    conn: &Connection,
    there: Option<&Position>,
    now: Timestamp,
) -> Result<Option<Position>> {
    let Some(here) = state::load(conn)? else { return Ok(None) };
    let end = state::end(conn, &Position { generation: here.position.generation, ..Position::default() })?;
    match resume(there, &here.position, here.is_begun, &end) {
        Resumed::From(position) => {
            if position != here.position {
                advance(conn, &position)?;
            }
            Ok(Some(position))
        }
        Resumed::FillAgain => {
            state::fill_again(conn, there.map_or(0, |there| there.generation), now)?;
            Ok(state::load(conn)?.map(|state| state.position))
        }
    }
}

/// Records that the ledger has reached `through`; if no earlier change than `until` is left, also that time.
/// `false`: the ledger is being filled again, or is no longer configured.
pub(in crate::store) fn shipped(
    conn: &Connection,
    through: &Position,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool> {
    let is_next = state::load(conn)?.is_some_and(|here| through.is_at_least(&here.position));
    if !is_next {
        return Ok(false);
    }
    advance(conn, through)?;
    conn.prepare_cached(
        "UPDATE ledger_state SET shipped_until = coalesce(?1, shipped_until), confirmed_at = ?2, failing_since = NULL,
           failure = NULL, is_refused = 0",
    )?
    .execute(params![until.map(|until| until.to_string()), now.to_string()])?;
    Ok(true)
}

fn advance(conn: &Connection, to: &Position) -> Result<()> {
    let filling_to = state::load(conn)?.and_then(|state| state.filling_to);
    state::write(conn, to)?;
    conn.prepare_cached("UPDATE ledger_state SET is_begun = 1, filling_to = iif(?1, NULL, filling_to)")?
        .execute([filling_to.is_some_and(|end| to.reaches(&end))])?;
    log::remove_shipped(conn, to.log, to.refusals)
}

/// Records a failure of the ledger; it lasts since the first one after the last confirmation.
pub(in crate::store) fn failed(conn: &Connection, error: &str, passes: bool, now: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "UPDATE ledger_state SET failing_since = coalesce(failing_since, ?1), failure = ?2, is_refused = ?3
         WHERE is_on AND (failure IS NOT ?2 OR is_refused <> ?3)",
    )?
    .execute(params![now.to_string(), error, !passes])?;
    Ok(())
}
