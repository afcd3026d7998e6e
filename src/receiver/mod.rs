//! The intake listener: stores each notification as it came, then acknowledges it, and believes nothing.
//!
//! [`intake`] follows one request from top to bottom; the other files answer one question each: [`place`] what a path
//! names, [`sender`] who is calling, [`limit`] whether too often, [`unproven`] whether a stranger still fits in, [`body`]
//! what was sent, [`room`] whether there is memory for it, [`refusal`] why not.

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
mod intake;
mod limit;
mod place;
mod redaction;
mod refusal;
mod room;
mod sender;
#[cfg(test)]
mod tests;
mod unproven;
mod unread;

use limit::AddressLimit;
use refusal::RefusalLog;
use room::Room;
use sender::Unlisted;
use unproven::UnprovenLimit;

/// How long the whole body of a request may take to arrive, unless a test is in a hurry.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// Calls with a wrong path token that may wait for the store to count them; more go uncounted there, so that nobody
/// fills the writer's queue by guessing.
const GUESSES_BEING_COUNTED: usize = 64;

/// One configured source, as its intake URL needs it.
pub struct IntakeSource {
    /// Its name, the first part of its intake URL.
    pub name: String,
    /// Checks and acknowledges what comes in.
    pub provider: Arc<dyn Provider>,
    /// The provider's word, as the store keeps it.
    pub provider_word: &'static str,
    /// The second part of its intake URL; `None`: there is none.
    pub path_token: Option<SecretString>,
    /// What is counted of it.
    pub counters: IntakeCounters,
}

/// What the intake listener is made of.
pub struct IntakeParts {
    /// Where notifications go.
    pub store: Store,
    /// The configured sources by name.
    pub sources: HashMap<String, IntakeSource>,
    /// What happened is counted here.
    pub metrics: Metrics,
    /// When it happened.
    pub clock: Clock,
    /// Whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The longest body, in bytes.
    pub max_body: usize,
    /// How long a whole body may take to arrive: [`BODY_TIME`].
    pub body_time: Duration,
    /// The most requests of one sender's address; `None`: any number.
    pub per_address_limit: Option<Rate>,
    /// The most notifications of senders that are not proven.
    pub max_unproven: u64,
    /// Rung when more of them are kept.
    pub overfull: Arc<Notify>,
    /// Whether the disk has at least `min_free` left; kept up to date by the service.
    pub has_room: Arc<AtomicBool>,
}

/// The running intake, shared by all threads of the listener.
pub struct Intake {
    parts: IntakeParts,
    address_limit: Option<AddressLimit>,
    unproven_limit: UnprovenLimit,
    refusal_log: RefusalLog,
    unlisted: Unlisted,
    guesses: Arc<Semaphore>,
    room: Room,
}

impl Intake {
    /// An intake that has seen nobody yet.
    #[must_use]
    pub fn new(parts: IntakeParts) -> Self {
        Self {
            address_limit: parts.per_address_limit.map(AddressLimit::new),
            unproven_limit: UnprovenLimit::new(parts.max_unproven, Arc::clone(&parts.overfull)),
            refusal_log: RefusalLog::default(),
            unlisted: Unlisted::default(),
            guesses: Arc::new(Semaphore::new(GUESSES_BEING_COUNTED)),
            room: Room::new(parts.max_body),
            parts,
        }
    }
}

/// Everything that the intake listener serves, for `App::configure`. A request is answered by the intake that is in
/// force when it begins.
pub fn routes(intake: web::Data<ArcSwap<Intake>>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.app_data(intake).default_service(web::to(intake::answer));
    }
}
