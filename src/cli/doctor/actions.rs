//! Checks of each action, the alerts and the heartbeat: whether they can be reached or started. Nothing is
//! sent.

use super::{CommandError, Findings};
use crate::actions::http::Clients;
use crate::config::Settings;
use crate::domain::Clock;
use crate::domain::health::ActionHealth;
use crate::store::Store;

pub(super) async fn check(
    findings: &mut Findings,
    settings: &Settings,
    store: Option<&Store>,
    clock: &Clock,
) -> Result<(), CommandError> {
    let clients = Clients::new()?;
    for action in &settings.actions {
        let wrong = action.kind.target(&clients).check().await;
        let name = &action.name;
        for why in &wrong {
            findings.bad(format!("action {name}: {why}; correct [actions.{name}]"))?;
        }
        if wrong.is_empty() {
            findings.good(format!("action {name}: checked its {}", action.kind.word()))?;
        }
    }
    for (channel, checked) in settings.alerts.ways.check().await {
        match checked {
            Ok(()) => findings.good(format!("alerts by {channel}: can be reached"))?,
            Err(why) => findings.bad(format!("alerts by {channel}: {why}; correct [alerts] or [mail]"))?,
        }
    }
    if let Some((notice, _)) = &settings.alerts.heartbeat {
        match notice.check().await {
            Ok(()) => findings.good("heartbeat: its host can be reached")?,
            Err(why) => findings.bad(format!("heartbeat: {why}; correct alerts.heartbeat_url"))?,
        }
    }
    let Some(store) = store else { return Ok(()) };
    let names = settings.actions.iter().map(|action| action.name.clone()).collect();
    let now = clock.now();
    for ActionHealth { action, is_configured, waiting, state, .. } in
        store.reader().action_health(names).await?
    {
        if !is_configured && waiting > 0 {
            findings.warn(format!(
                "action {action}: {waiting} deliveries wait, but it is not configured; configure [actions.{action}] \
                 again, or run countersign skip --action {action}"
            ))?;
        }
        if state.gone_at.is_some() && is_configured {
            findings.warn(format!(
                "action {action}: resting since it answered 410; run countersign send-test {action} once it is back"
            ))?;
        } else if let Some(since) = state.failing_since.filter(|_| is_configured) {
            let cause = state.last_error.unwrap_or_default();
            let minutes = now.since(since).as_secs() / 60;
            findings.warn(format!("action {action}: has failed for {minutes} min: {cause}"))?;
        }
    }
    Ok(())
}
