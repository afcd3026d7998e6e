//! The alerter: its own task with its own queue, which reports problems to the owner. Its state is in the store; while
//! the store takes no writes, it continues from memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::actions::http::Clients;
use crate::admin::HealthFindings;
use crate::config::Alerts;
use crate::domain::alerts::AlertMemory;
use crate::domain::{Clock, Timestamp};
use crate::rules::alerts;
use crate::store::Store;

/// How long the store has to save the state before a message is sent all the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// The parts of the alerter.
pub(super) struct AlertParts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) clients: Clients,
    pub(super) findings: watch::Receiver<Option<HealthFindings>>,
    pub(super) in_force: watch::Receiver<Arc<Alerts>>,
    pub(super) stopping: watch::Receiver<bool>,
}

struct Alerting {
    parts: AlertParts,
    /// When this process began to look.
    watched: Timestamp,
    memory: AlertMemory,
    is_saved: bool,
    tries: JoinSet<(i64, Result<(), String>)>,
    under_way: BTreeSet<i64>,
}

/// Reports until the service stops, then lets messages in flight end.
pub(super) async fn run(parts: AlertParts) {
    let memory = parts.store.reader().alerts().await.unwrap_or_else(|error| {
        log::error!("cannot read which alerts were sent; some may be sent again: {error:#}");
        AlertMemory::default()
    });
    let watched = parts.clock.now();
    let tries = JoinSet::new();
    let mut task = Alerting { parts, watched, memory, is_saved: true, tries, under_way: BTreeSet::new() };
    let (mut findings, mut stopping) = (task.parts.findings.clone(), task.parts.stopping.clone());
    loop {
        task.begin_tries();
        let pause = task.next_try();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|is_stopping| *is_stopping) => break,
            Some(ended) = task.tries.join_next() => task.ended(ended),
            changed = findings.changed() => match changed {
                Ok(()) => {
                    let found = findings.borrow_and_update().clone();
                    task.observe(found.as_ref());
                }
                Err(_) => break,
            },
            () = tokio::time::sleep(pause) => {}
        }
        task.save().await;
    }
    while let Some(ended) = task.tries.join_next().await {
        task.ended(ended);
    }
    task.save().await;
}

impl Alerting {
    fn observe(&mut self, findings: Option<&HealthFindings>) {
        let Some(findings) = findings else { return };
        let in_force = Arc::clone(&self.parts.in_force.borrow_and_update());
        if in_force.rules.channels.is_empty() {
            // Nothing is sent, so nothing has to be saved first.
            self.is_saved &= self.memory == AlertMemory::default();
            self.memory = AlertMemory::default();
            return;
        }
        let now = self.parts.clock.now();
        self.is_saved &=
            !alerts::observe(&mut self.memory, &findings.warnings, &in_force.rules, self.watched, now);
    }

    fn begin_tries(&mut self) {
        let now = self.parts.clock.now();
        for message in &self.memory.messages {
            let is_due = message.next_attempt_at.is_some_and(|at| at <= now);
            if !is_due || !self.under_way.insert(message.id) {
                continue;
            }
            let in_force = Arc::clone(&self.parts.in_force.borrow());
            let (clients, message) = (self.parts.clients.clone(), message.clone());
            self.tries.spawn(async move {
                let id = format!("alert_{}_{}", message.at.millis(), message.channel);
                let sent = in_force.ways.send(&clients, message.channel, id, &message.text, message.at).await;
                (message.id, sent)
            });
        }
    }

    /// The wait for the next try that is due.
    fn next_try(&self) -> Duration {
        let waiting = self.memory.messages.iter().filter(|message| !self.under_way.contains(&message.id));
        let next = waiting.filter_map(|message| message.next_attempt_at).min();
        next.map_or(Duration::MAX, |at| at.since(self.parts.clock.now()))
    }

    fn ended(&mut self, ended: Result<(i64, Result<(), String>), tokio::task::JoinError>) {
        let Ok((id, outcome)) = ended else {
            log::error!("sending an alert panicked");
            self.under_way.clear();
            return;
        };
        self.under_way.remove(&id);
        let message = self.memory.messages.iter().find(|message| message.id == id);
        let Some((channel, tries)) = message.map(|message| (message.channel, message.attempts + 1)) else {
            return;
        };
        let failed = outcome.clone().err();
        alerts::tried(&mut self.memory, id, outcome, self.parts.clock.now());
        self.is_saved = false;
        let is_given_up =
            self.memory.messages.iter().any(|message| message.id == id && message.next_attempt_at.is_none());
        match failed {
            None => log::info!("alert={id} channel={channel} try={tries} sent"),
            Some(why) if is_given_up => {
                log::error!("alert={id} channel={channel} try={tries} given up: {why}");
            }
            Some(why) => log::warn!("alert={id} channel={channel} try={tries} failed, retry follows: {why}"),
        }
    }

    /// Saves what changed; if the store fails, it is saved after the next look.
    async fn save(&mut self) {
        if self.is_saved {
            return;
        }
        let saved = self.parts.store.save_alerts(self.memory.clone());
        match tokio::time::timeout(PATIENCE, saved).await {
            Ok(Ok(())) => self.is_saved = true,
            Ok(Err(error)) => log::debug!("cannot save the state of the alerts yet: {error:#}"),
            Err(_) => log::debug!("cannot save the state of the alerts yet: the store takes no writes"),
        }
    }
}
