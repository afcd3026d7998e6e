//! The warnings about one action.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::format::span;
use crate::domain::health::{ActionHealth, Warning, WarningKind};

/// An action that has failed for less time may recover by itself.
const FAILS_LONG: Duration = Duration::from_secs(15 * 60);

/// Adds the warnings about one action.
pub(super) fn add_warnings(action: &ActionHealth, now: Timestamp, found: &mut Vec<Warning>) {
    if action.is_configured {
        found.extend(gone(action, now).or_else(|| failing(action, now)));
    }
    found.extend(dead(action));
    found.extend(unconfigured(action));
}

fn warning(action: &ActionHealth, kind: WarningKind, what: String, remedy: String) -> Warning {
    Warning { kind, source: None, action: Some(action.action.clone()), what, detail: None, remedy }
}

fn waits(action: &ActionHealth) -> String {
    match action.waiting {
        1 => "1 delivery waits".to_owned(),
        more => format!("{more} deliveries wait"),
    }
}

fn gone(action: &ActionHealth, now: Timestamp) -> Option<Warning> {
    let ago = span(now.since(action.state.gone_at?));
    let what = format!("it answered HTTP 410 (gone) {ago} ago, and is resting; {}", waits(action));
    let remedy = format!(
        "correct its url and reload, or run countersign send-test {0} once it is back; or remove [actions.{0}]",
        action.action
    );
    Some(warning(action, WarningKind::ActionGone, what, remedy))
}

fn failing(action: &ActionHealth, now: Timestamp) -> Option<Warning> {
    let since = action.state.failing_since?;
    (action.state.failures > 0 && now.since(since) >= FAILS_LONG).then(|| {
        let cause = action.state.last_error.as_deref().unwrap_or("cause unknown");
        let what = format!(
            "it has failed for {} ({} tries in a row; the last: {cause}); {}",
            span(now.since(since)),
            action.state.failures,
            waits(action)
        );
        let remedy = format!(
            "see what it answers: countersign send-test {}; it is retried automatically",
            action.action
        );
        warning(action, WarningKind::ActionFailing, what, remedy)
    })
}

fn dead(action: &ActionHealth) -> Option<Warning> {
    (action.dead > 0).then(|| {
        let what = match action.dead {
            1 => "1 delivery is dead: it is not tried again".to_owned(),
            more => format!("{more} deliveries are dead: they are not tried again"),
        };
        let remedy = format!(
            "see why: countersign deliveries --action {0} --state dead; then redeliver or skip them (countersign \
             redeliver --action {0})",
            action.action
        );
        warning(action, WarningKind::DeliveryDead, what, remedy)
    })
}

fn unconfigured(action: &ActionHealth) -> Option<Warning> {
    (!action.is_configured && action.waiting > 0).then(|| {
        let what = format!("{} for an action that is not configured", waits(action));
        let remedy = format!(
            "configure [actions.{0}] again, or skip them: countersign skip --action {0}",
            action.action
        );
        warning(action, WarningKind::ActionUnconfigured, what, remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ActionState;

    #[test]
    fn an_action_needs_its_owner_when_it_fails_for_long_is_gone_or_has_dead_deliveries() {
        let now = Timestamp::from_seconds(100_000);
        let of = |state: ActionState, is_configured, waiting, dead| ActionHealth {
            action: "erp".to_owned(),
            is_configured,
            waiting,
            dead,
            oldest_waiting: None,
            state,
        };
        let failing = |ago: i64| ActionState {
            failures: 3,
            failing_since: Some(Timestamp::from_seconds(100_000 - ago)),
            ..ActionState::default()
        };
        let gone = ActionState { gone_at: Some(now), ..failing(9_000) };
        for (action, kinds) in [
            (of(ActionState::default(), true, 1_000, 0), vec![]),
            (of(failing(899), true, 1, 0), vec![]),
            (of(failing(900), true, 1, 0), vec![WarningKind::ActionFailing]),
            (of(gone.clone(), true, 1, 0), vec![WarningKind::ActionGone]),
            (of(failing(900), true, 0, 2), vec![WarningKind::ActionFailing, WarningKind::DeliveryDead]),
            (of(gone, false, 1, 0), vec![WarningKind::ActionUnconfigured]),
            (of(ActionState::default(), false, 0, 0), vec![]),
        ] {
            let mut found = Vec::new();
            add_warnings(&action, now, &mut found);
            assert_eq!(found.iter().map(|warning| warning.kind).collect::<Vec<_>>(), kinds, "{action:?}");
        }
    }
}
