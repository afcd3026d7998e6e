//! The heartbeat: calls a URL of the owner as long as everything works. Silence is the alarm, which also
//! covers a dead machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::actions::http::Clients;
use crate::admin::HealthFindings;
use crate::config::Alerts;
use crate::domain::{Clock, LastTurn};
use crate::store::Store;

/// Timeout of the call, of the write, and of the connection to our own intake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Maximum age of the last turn, or of the last look at the store, if everything works.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// The parts of the heartbeat.
pub(super) struct HeartbeatParts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) clients: Clients,
    pub(super) findings: watch::Receiver<Option<HealthFindings>>,
    pub(super) in_force: watch::Receiver<Arc<Alerts>>,
    pub(super) intake: SocketAddr,
    /// The last turns of the worker and the deliverer.
    pub(super) turns: [(&'static str, LastTurn); 2],
}

/// Sends heartbeats until it is aborted.
pub(super) async fn run(mut parts: HeartbeatParts) {
    let mut was_silent = false;
    let mut is_first = true;
    loop {
        let in_force = Arc::clone(&parts.in_force.borrow_and_update());
        let Some((notice, every)) = &in_force.heartbeat else {
            match parts.in_force.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        // The health is unknown before the first look.
        if is_first && parts.findings.wait_for(Option::is_some).await.is_err() {
            return;
        }
        let pause = if is_first { Duration::ZERO } else { *every };
        tokio::select! {
            () = tokio::time::sleep(pause) => is_first = false,
            changed = parts.in_force.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        }
        let sent = match parts.examine().await {
            Ok(()) => notice.get(&parts.clients, PATIENCE).await.map_err(|why| format!("its URL: {why}")),
            Err(why) => Err(why),
        };
        match &sent {
            Ok(()) => log::debug!("heartbeat sent"),
            Err(why) if !was_silent => log::warn!("no heartbeat: {why}"),
            Err(why) => log::debug!("no heartbeat: {why}"),
        }
        if sent.is_ok() && was_silent {
            log::info!("the heartbeat resumes");
        }
        was_silent = sent.is_err();
    }
}

impl HeartbeatParts {
    /// Checks that everything works; the error says what does not.
    async fn examine(&self) -> Result<(), String> {
        let now = self.clock.now();
        if let Some(name) = stuck(&self.turns) {
            return Err(format!("the {name} makes no progress"));
        }
        let findings = self.findings.borrow().clone();
        let findings = findings.filter(|findings| now.since(findings.at) <= LONGEST_SILENCE);
        match findings.map(|findings| findings.failing) {
            None => return Err("the store's health is unknown".to_owned()),
            Some(Some(check)) => return Err(format!("the check {check} fails")),
            Some(None) => {}
        }
        let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(self.intake)).await;
        if !matches!(connected, Ok(Ok(_))) {
            return Err("the intake listener accepts no connections".to_owned());
        }
        match tokio::time::timeout(PATIENCE, self.store.write_liveness(now)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(_) => Err("the store takes no writes".to_owned()),
        }
    }
}

/// The first of these whose last turn is too long ago.
fn stuck(turns: &[(&'static str, LastTurn)]) -> Option<&'static str> {
    turns.iter().find(|(_, turn)| turn.ago() > LONGEST_SILENCE).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn the_worker_and_the_deliverer_took_a_turn_within_the_last_minute() {
        for (worker, deliverer, expected) in
            [(100, 100, None), (100, 39, Some("deliverer")), (39, 100, Some("worker")), (100, 200, None)]
        {
            let clock = Clock::standing_at(Timestamp::from_seconds(0));
            let turn = |seconds: i64| {
                clock.set(Timestamp::from_seconds(seconds));
                LastTurn::new(&clock)
            };
            let turns = [("worker", turn(worker)), ("deliverer", turn(deliverer))];
            clock.set(Timestamp::from_seconds(100));
            assert_eq!(stuck(&turns), expected, "{worker} {deliverer}");
        }
    }
}
