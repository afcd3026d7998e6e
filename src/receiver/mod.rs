//! The intake listener: stores each notification as received, then acknowledges it, and believes nothing.
//!
//! [`intake`] follows one request from top to bottom. The other files answer one question each: [`route`],
//! which source a path names; [`sender`], who is calling; [`rate_limit`], whether too often; [`unproven`],
//! whether there is room for another row of an unproven sender; [`body`], the content; [`body_memory`], whether
//! there is memory for it; [`refusal`], why it is not stored.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::web;
use arc_swap::ArcSwap;
use ipnet::IpNet;
use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};

use crate::domain::{Clock, Rate};
use crate::metrics::{IntakeCounters, Metrics};
use crate::providers::Provider;
use crate::store::Store;

mod body;
mod body_memory;
mod drain_body;
mod intake;
mod rate_limit;
mod redaction;
mod refusal;
mod route;
mod sender;
#[cfg(test)]
mod tests;
mod unproven;

use body_memory::BodyMemory;
use rate_limit::AddressLimit;
use refusal::RefusalLog;
use sender::UntrustedProxies;
use unproven::UnprovenLimit;

/// The time limit for the whole body of a request; tests set a shorter one.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// Maximum number of guessed path tokens waiting to be counted in the store. More are not counted there, so that
/// guessing cannot fill the writer's queue.
const GUESSES_BEING_COUNTED: usize = 64;

/// One configured source, as intake sees it.
pub struct IntakeSource {
    /// The name, the first part of its intake URL.
    pub name: String,
    /// Checks and acknowledges notifications.
    pub provider: Arc<dyn Provider>,
    /// The provider's name, as in the store.
    pub provider_name: &'static str,
    /// The second part of its intake URL, if it has one.
    pub path_token: Option<SecretString>,
    pub counters: IntakeCounters,
}

/// The parts of the intake listener.
pub struct IntakeParts {
    pub store: Store,
    /// The configured sources, by name.
    pub sources: HashMap<String, IntakeSource>,
    pub metrics: Metrics,
    pub clock: Clock,
    /// The peers whose X-Forwarded-For counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Maximum body size, in bytes.
    pub max_body: usize,
    /// The time limit for a whole body: [`BODY_TIME`].
    pub body_time: Duration,
    /// Maximum rate per sender address; `None` means no limit.
    pub per_address_limit: Option<Rate>,
    /// Maximum number of notifications from unproven senders.
    pub max_unproven: u64,
    /// Rung when more of them are stored.
    pub overfull: Arc<Notify>,
    /// Whether at least `min_free` is free on the disk; kept up to date by the service.
    pub has_room: Arc<AtomicBool>,
}

/// The running intake, shared by all threads of the listener.
pub struct Intake {
    parts: IntakeParts,
    address_limit: Option<AddressLimit>,
    unproven_limit: UnprovenLimit,
    refusal_log: RefusalLog,
    untrusted_proxies: UntrustedProxies,
    guesses: Arc<Semaphore>,
    memory: BodyMemory,
}

impl Intake {
    #[must_use]
    pub fn new(parts: IntakeParts) -> Self {
        Self {
            address_limit: parts.per_address_limit.map(AddressLimit::new),
            unproven_limit: UnprovenLimit::new(parts.max_unproven, Arc::clone(&parts.overfull)),
            refusal_log: RefusalLog::default(),
            untrusted_proxies: UntrustedProxies::default(),
            guesses: Arc::new(Semaphore::new(GUESSES_BEING_COUNTED)),
            memory: BodyMemory::new(parts.max_body),
            parts,
        }
    }
}

/// The routes of the intake listener, for `App::configure`. A request uses the intake that is current when it begins.
pub fn routes(intake: web::Data<ArcSwap<Intake>>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.app_data(intake).default_service(web::to(intake::answer));
    }
}
