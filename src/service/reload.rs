//! Replaces the settings of a running service without dropping a request.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::ledger::ledger_settings;
use super::wiring::{self, Common};
use super::{Service, actions, introduce, sources};
use crate::admin::{Admin, Guard, Reach};
use crate::config::{Alerts, Settings};
use crate::deliverer::InForce;
use crate::domain::LastTurn;
use crate::ledger;
use crate::receiver::Intake;
use crate::store::RetentionPolicy;

/// The state that a reload replaces. A request uses the state that was current when it began.
pub(super) struct Live {
    pub(super) intake: Arc<ArcSwap<Intake>>,
    pub(super) admin: Arc<ArcSwap<Admin>>,
    /// If fewer bytes than this are free on the disk, intake refuses.
    pub(super) min_free: Arc<AtomicU64>,
    /// The retention rules of `[store]`.
    pub(super) retention: watch::Sender<RetentionPolicy>,
    pub(super) actions: watch::Sender<Arc<InForce>>,
    /// The settings of the alerts.
    pub(super) alerts: watch::Sender<Arc<Alerts>>,
    pub(super) ledger: watch::Sender<Option<Arc<ledger::LedgerSettings>>>,
    /// The worker's; `None` with `--no-worker`.
    pub(super) last_turn: Option<LastTurn>,
}

impl Live {
    /// Builds the state from settings.
    pub(super) fn new(
        settings: &Settings,
        common: &Common,
        last_turn: Option<LastTurn>,
        reach: Reach,
    ) -> Self {
        let guard = Guard::new(settings.admin.password.clone(), settings.admin.hosts.clone(), reach);
        let admin = wiring::admin(settings, common, last_turn.clone(), guard);
        common.store.subscribe(wiring::subscriptions(settings));
        Self {
            intake: Arc::new(ArcSwap::from_pointee(wiring::intake(settings, common))),
            admin: Arc::new(ArcSwap::from_pointee(admin)),
            min_free: Arc::new(AtomicU64::new(settings.store.min_free)),
            retention: watch::Sender::new(wiring::retention_policy(settings)),
            actions: watch::Sender::new(wiring::in_force(settings)),
            alerts: watch::Sender::new(Arc::new(settings.alerts.clone())),
            ledger: watch::Sender::new(ledger_settings(settings)),
            last_turn,
        }
    }

    fn replace(&self, settings: &Settings, common: &Common) {
        self.intake.store(Arc::new(wiring::intake(settings, common)));
        let guard =
            self.admin.load().guard.renewed(settings.admin.password.clone(), settings.admin.hosts.clone());
        self.admin.store(Arc::new(wiring::admin(settings, common, self.last_turn.clone(), guard)));
        common.store.subscribe(wiring::subscriptions(settings));
        self.actions.send_replace(wiring::in_force(settings));
        self.alerts.send_replace(Arc::new(settings.alerts.clone()));
        self.ledger.send_replace(ledger_settings(settings));
        self.min_free.store(settings.store.min_free, Ordering::Relaxed);
        self.retention.send_replace(wiring::retention_policy(settings));
    }
}

impl Service {
    /// Puts new settings in force without dropping a request: for intake at once, for the worker as soon as the calls
    /// in flight have ended or been released. Ends the pauses of all sources. Settings that need a restart are logged
    /// and stay unchanged.
    ///
    /// # Errors
    /// A source's name is taken ([`super::NamesTaken`]), or the store failed. Then nothing changes.
    pub async fn reload(&mut self, settings: Settings) -> anyhow::Result<()> {
        introduce(&self.common.store, &settings, &self.common.clock).await?;
        let settings = self.with_old_restart_settings(settings);
        let parts = self.worker.as_ref().map(|worker| worker.parts(&settings, &self.common)).transpose()?;
        self.common.introduce_metrics(&settings);
        self.live.replace(&settings, &self.common);
        actions::wake(&self.common.store, &settings).await?;
        let before = std::mem::replace(&mut self.in_force, settings);
        self.log_changed_sources(&before).await;
        match (&self.worker, parts) {
            (Some(worker), Some(parts)) => worker.hand_over(self.in_force.clone(), parts).await,
            _ => sources::end_pauses(&self.common.store, &self.in_force, &self.common.clock).await,
        }
    }

    /// The new settings, with the old value of each setting that only a restart can change.
    fn with_old_restart_settings(&self, mut settings: Settings) -> Settings {
        let (old, (chose_intake, chose_admin)) = (&self.in_force, self.chose_addresses);
        let needs = |key: &str| {
            log::warn!("{key} was changed, but needs a restart; until then the old value stays");
        };
        if settings.server.listen != old.server.listen && chose_intake {
            needs("server.listen");
        }
        if settings.server.admin_listen != old.server.admin_listen && chose_admin {
            needs("server.admin_listen");
        }
        if settings.store.path != old.store.path {
            needs("store.path");
        }
        settings.server.listen = old.server.listen;
        settings.server.admin_listen = old.server.admin_listen;
        settings.store.path.clone_from(&old.store.path);
        settings
    }

    async fn log_changed_sources(&self, before: &Settings) {
        let names = |settings: &Settings| -> BTreeSet<String> {
            settings.sources.iter().map(|source| source.name.clone()).collect()
        };
        let (old, new) = (names(before), names(&self.in_force));
        for added in new.difference(&old) {
            log::info!("source={added} added");
        }
        let queues = self.common.store.reader().queues().await.unwrap_or_default();
        for removed in old.difference(&new) {
            self.common.metrics.forget_queue(removed);
            let queue = queues.iter().find(|queue| queue.source == *removed);
            let pending = queue.map_or(0, |queue| queue.pending);
            log::warn!(
                "source={removed} removed: its URL answers 404, and {pending} of its notifications wait \
                    until it is configured again"
            );
        }
    }
}
