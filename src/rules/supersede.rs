//! Which settled notifications a later confirmed one explains.

use std::collections::BTreeSet;

use crate::domain::ledger::Settled;
use crate::domain::panics::contained;
use crate::domain::{Judge, Reason, State};

/// The ids among `rows` (settled notifications of one subject) that are mismatch or not_found and explained by a later
/// confirmed one, directly or over others that are explained themselves.
#[must_use]
pub fn explained(judge: &dyn Judge, rows: &[Settled]) -> BTreeSet<i64> {
    let mut explained = BTreeSet::new();
    loop {
        let found = rows.iter().filter(|row| is_open(row) && !explained.contains(&row.id)).find(|row| {
            rows.iter().any(|later| {
                (counts(later) || explained.contains(&later.id))
                    && is_later(later, row)
                    && explains(judge, later, row)
            })
        });
        match found {
            Some(row) => explained.insert(row.id),
            None => return explained,
        };
    }
}

fn is_open(row: &Settled) -> bool {
    row.state == State::Ignored && matches!(row.reason, Reason::Mismatch | Reason::NotFound)
}

fn counts(row: &Settled) -> bool {
    row.state == State::Confirmed || (row.state == State::Ignored && row.reason == Reason::Superseded)
}

fn explains(judge: &dyn Judge, later: &Settled, earlier: &Settled) -> bool {
    if later.state == State::Confirmed && later.reason == Reason::Deleted {
        return earlier.reason == Reason::NotFound;
    }
    // A rule that panics explains nothing.
    contained(|| judge.explains(&later.claim, &earlier.claim)).unwrap_or(false)
}

/// By the provider's time where both have one and they differ, else by receipt.
fn is_later(later: &Settled, earlier: &Settled) -> bool {
    if later.id == earlier.id {
        return false;
    }
    match (later.claim.event_time.order, earlier.claim.event_time.order) {
        (Some(a), Some(b)) if a != b => a > b,
        _ => (later.received_at, later.id) > (earlier.received_at, earlier.id),
    }
}
