//! Builds each room from the settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{Notify, mpsc, watch};

use super::disk;
use crate::actions::Action;
use crate::actions::http::Clients;
use crate::admin::page::ViewPermits;
use crate::admin::{Admin, Guard};
use crate::config::{Settings, Source};
use crate::deliverer::{self, InForce};
use crate::domain::{Clock, LastTurn};
use crate::metrics::Metrics;
use crate::providers::Api;
use crate::providers::http::{Client, OpenGate};
use crate::receiver::{self, Intake, IntakeParts, IntakeSource};
use crate::store::{RetentionPolicy, StateChange, Store, Subscription};
use crate::worker::{WorkerParts, WorkerSource};

/// The parts that all rooms share, independent of the settings.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) wake: Arc<Notify>,
    /// Whether at least `store.min_free` is free on the disk.
    pub(super) has_room: Arc<AtomicBool>,
    /// Rung by intake when more rows of unproven senders are stored than `store.max_unproven` allows.
    pub(super) overfull: Arc<Notify>,
    /// Rung when the service stops.
    pub(super) stopping: watch::Sender<bool>,
    /// The permits for concurrent views of the page.
    pub(super) permits: ViewPermits,
}

impl Common {
    /// The parts of a service on `store`.
    ///
    /// # Errors
    /// Two metrics have the same name, which is a bug.
    pub(super) fn new(settings: &Settings, store: Store, clock: Clock) -> anyhow::Result<Self> {
        let has_room = disk::has_room(store.path(), settings.store.min_free);
        let common = Self {
            wake: store.stored(),
            store,
            clock,
            metrics: Metrics::new()?,
            has_room: Arc::new(AtomicBool::new(has_room)),
            overfull: Arc::default(),
            stopping: watch::Sender::new(false),
            permits: ViewPermits::default(),
        };
        common.introduce_metrics(settings);
        Ok(common)
    }

    /// Creates the series of the configured sources and actions, before anything is counted.
    pub(super) fn introduce_metrics(&self, settings: &Settings) {
        for source in &settings.sources {
            self.metrics.introduce(&source.name);
        }
        for action in &settings.actions {
            self.metrics.introduce_action(&action.name);
        }
    }
}

pub(super) fn intake(settings: &Settings, common: &Common) -> Intake {
    let sources = settings.sources.iter().map(|source| {
        let known = IntakeSource {
            name: source.name.clone(),
            provider: Arc::clone(&source.provider),
            provider_name: source.kind.name,
            path_token: source.path_token.clone(),
            counters: common.metrics.intake(&source.name),
        };
        (source.name.clone(), known)
    });
    Intake::new(IntakeParts {
        store: common.store.clone(),
        sources: sources.collect(),
        metrics: common.metrics.clone(),
        clock: common.clock.clone(),
        trusted_proxies: settings.server.trusted_proxies.clone(),
        max_body: settings.server.max_body,
        body_time: receiver::BODY_TIME,
        per_address_limit: settings.server.per_address_limit,
        max_unproven: settings.store.max_unproven,
        overfull: Arc::clone(&common.overfull),
        has_room: Arc::clone(&common.has_room),
    })
}

/// The state of the admin listener; `last_turn` is the worker's.
pub(super) fn admin(
    settings: &Settings,
    common: &Common,
    last_turn: Option<LastTurn>,
    guard: Guard,
) -> Admin {
    if !guard.is_open() {
        log::warn!(
            "server.admin_listen is reached from beyond this machine, and there is no [admin] password: only health, \
             readiness and metrics are served there; set one"
        );
    }
    Admin {
        store: common.store.clone(),
        metrics: common.metrics.clone(),
        clock: common.clock.clone(),
        sources: settings.sources.iter().map(Source::reported).collect(),
        actions: settings.actions.iter().map(|action| action.name.clone()).collect(),
        guard,
        stopping: common.stopping.subscribe(),
        min_free: settings.store.min_free,
        forgets: settings.store.keep.is_some(),
        settings: Arc::new(settings.clone()),
        permits: common.permits.clone(),
        last_turn,
    }
}

/// The retention rules of the `[store]` table.
pub(super) fn retention_policy(settings: &Settings) -> RetentionPolicy {
    let config = &settings.store;
    RetentionPolicy {
        keep: config.keep,
        keep_personal: config.keep_personal,
        max_unproven: config.max_unproven,
        min_free: config.min_free,
    }
}

/// The filters of the configured actions.
#[must_use]
pub fn subscriptions(settings: &Settings) -> Vec<Subscription> {
    let subscribe =
        |action: &Action| Subscription { action: action.name.clone(), filter: action.filter.clone() };
    settings.actions.iter().map(subscribe).collect()
}

/// The actions for a deliverer.
pub(super) fn in_force(settings: &Settings) -> Arc<InForce> {
    Arc::new(InForce { actions: settings.actions.clone(), drain: super::drain_in_flight(settings) })
}

/// The parts of a deliverer of this process; `role` is the prefix of its leases' owner.
#[must_use]
pub fn deliverer_parts(
    store: &Store,
    clock: &Clock,
    metrics: &Metrics,
    role: &str,
    clients: Clients,
    in_force: watch::Receiver<Arc<InForce>>,
) -> deliverer::DelivererParts {
    deliverer::DelivererParts {
        store: store.clone(),
        in_force,
        clients,
        clock: clock.clone(),
        metrics: metrics.clone(),
        owner: format!("{role}-{}-{}", std::process::id(), clock.now().millis()),
    }
}

/// The parts of a worker of this process; `role` is the prefix of its leases' owner.
///
/// # Errors
/// The HTTP client cannot be set up.
pub fn worker_parts(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
    metrics: &Metrics,
    role: &str,
    wake: Arc<Notify>,
    moves: Option<mpsc::UnboundedSender<StateChange>>,
) -> anyhow::Result<WorkerParts> {
    let client = Client::new(settings.verify.timeout, metrics.clone(), clock.clone())?;
    let sources: BTreeMap<String, WorkerSource> = settings
        .sources
        .iter()
        .map(|source| {
            let api = Api::new(client.clone(), &source.name, &source.api_base, Arc::new(OpenGate));
            let provider = Arc::clone(&source.provider);
            (source.name.clone(), WorkerSource { provider, api, rate: source.rate_limit })
        })
        .collect();
    Ok(WorkerParts {
        store: store.clone(),
        sources,
        policy: settings.verify.policy.clone(),
        concurrency: settings.verify.concurrency,
        clock: clock.clone(),
        metrics: metrics.clone(),
        owner: format!("{role}-{}-{}", std::process::id(), clock.now().millis()),
        wake,
        moves,
    })
}
