//! The warnings about the ledger.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::format::span;
use crate::domain::health::{Warning, WarningKind};
use crate::domain::shipping::LedgerState;

/// A ledger that is less behind catches up by itself.
const BEHIND_LONG: Duration = Duration::from_secs(5 * 60);

/// How long a gap is reported after it last grew.
const GAP_NAMED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Adds the warnings about the ledger.
pub(super) fn add_warnings(ledger: &LedgerState, now: Timestamp, found: &mut Vec<Warning>) {
    found.extend(refused(ledger, now).or_else(|| behind(ledger, now)));
    found.extend(gap(ledger, now));
}

fn warning(kind: WarningKind, what: String, remedy: &str) -> Warning {
    Warning { kind, source: None, action: None, what, detail: None, remedy: remedy.to_owned() }
}

fn waits(ledger: &LedgerState) -> String {
    match ledger.waiting {
        1 => "1 row waits".to_owned(),
        more => format!("{more} rows wait"),
    }
}

fn refused(ledger: &LedgerState, now: Timestamp) -> Option<Warning> {
    let failure = ledger.failure.as_ref().filter(|failure| !failure.passes)?;
    let lasted = span(now.since(failure.since));
    let what =
        format!("the ledger has refused every batch for {lasted}: {}; {}", failure.error, waits(ledger));
    let remedy = "correct the cause, then run countersign doctor";
    Some(warning(WarningKind::LedgerRefused, what, remedy))
}

fn behind(ledger: &LedgerState, now: Timestamp) -> Option<Warning> {
    let lasted = now.since(ledger.behind_since()?);
    // A filling has no time limit; it is reported only if it makes no progress.
    let confirmed_at = ledger.confirmed_at.unwrap_or(ledger.filling_since);
    let moves = ledger.failure.is_none() && now.since(confirmed_at) < BEHIND_LONG;
    if lasted < BEHIND_LONG || (ledger.filled.is_some() && moves) {
        return None;
    }
    let cause = ledger.failure.as_ref().map_or("it is slower than intake", |failure| &failure.error);
    let what = format!("the ledger is {} behind: {cause}; {}", span(lasted), waits(ledger));
    let remedy =
        "check that its server runs and can be reached (countersign doctor); it catches up by itself";
    Some(warning(WarningKind::LedgerBehind, what, remedy))
}

fn gap(ledger: &LedgerState, now: Timestamp) -> Option<Warning> {
    let ago = now.since(ledger.gap_at.filter(|_| ledger.gap > 0)?);
    (ago < GAP_NAMED).then(|| {
        let rows = match ledger.gap {
            1 => "1 row was removed before it was shipped".to_owned(),
            more => format!("{more} rows were removed before they were shipped"),
        };
        let what = format!("{rows}, the last {} ago", span(ago));
        let remedy = "the ledger will never have them; keep it reachable, or raise store.keep, store.max_unproven or the disk's size";
        warning(WarningKind::LedgerGap, what, remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shipping::{LedgerFailure, Position};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(second)
    }

    #[test]
    fn a_ledger_needs_its_owner_when_it_refuses_is_behind_for_five_minutes_or_has_a_gap() {
        let now = at(100_000);
        let well = LedgerState {
            position: Position::default(),
            shipped_until: Some(at(90_000)),
            confirmed_at: Some(at(90_000)),
            filling_since: at(10_000),
            filled: None,
            waiting: 0,
            oldest_waiting: None,
            failure: None,
            gap: 0,
            gap_at: None,
        };
        let waits = LedgerState { waiting: 3, oldest_waiting: Some(at(99_999)), ..well.clone() };
        let failing = |since: i64, passes: bool| {
            Some(LedgerFailure { passes, error: "connection refused".to_owned(), since: at(since) })
        };
        let filling = LedgerState { filled: Some(10), shipped_until: None, ..waits.clone() };
        let (behind, refused) = (WarningKind::LedgerBehind, WarningKind::LedgerRefused);
        for (what, ledger, kinds) in [
            ("idle for hours", well.clone(), vec![]),
            ("idle for hours, and then a row", waits.clone(), vec![]),
            (
                "a row of long ago",
                LedgerState { oldest_waiting: Some(at(99_700)), ..waits.clone() },
                vec![behind],
            ),
            ("slow", LedgerState { confirmed_at: Some(at(99_990)), ..waits.clone() }, vec![behind]),
            (
                "busy",
                LedgerState {
                    confirmed_at: Some(at(99_990)),
                    shipped_until: Some(at(99_980)),
                    ..waits.clone()
                },
                vec![],
            ),
            ("fails for a moment", LedgerState { failure: failing(99_701, true), ..waits.clone() }, vec![]),
            ("fails for long", LedgerState { failure: failing(99_700, true), ..waits.clone() }, vec![behind]),
            ("fails with nothing to ship", LedgerState { failure: failing(1, true), ..well.clone() }, vec![]),
            ("refuses", LedgerState { failure: failing(100_000, false), ..well.clone() }, vec![refused]),
            ("refuses for long", LedgerState { failure: failing(1, false), ..waits.clone() }, vec![refused]),
            ("fills", LedgerState { confirmed_at: Some(at(99_990)), ..filling.clone() }, vec![]),
            ("fills and stands still", filling.clone(), vec![behind]),
            ("fills and fails", LedgerState { failure: failing(1, true), ..filling }, vec![behind]),
            (
                "a gap",
                LedgerState { gap: 2, gap_at: Some(at(99_000)), ..well.clone() },
                vec![WarningKind::LedgerGap],
            ),
            ("a gap of long ago", LedgerState { gap: 2, gap_at: Some(at(-600_000)), ..well.clone() }, vec![]),
        ] {
            let mut found = Vec::new();
            add_warnings(&ledger, now, &mut found);
            assert_eq!(found.iter().map(|warning| warning.kind).collect::<Vec<_>>(), kinds, "{what}");
        }
    }
}
