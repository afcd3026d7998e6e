//! The data behind health warnings, and the warnings. [`crate::rules::health`] judges.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::outbox::ActionState;
use super::shipping::LedgerState;
use super::time::Timestamp;
use super::verdict::{Cause, Reason, State, words};

/// The number of last settled notifications that are checked for a confirmed one.
pub const LAST_SETTLED: usize = 10;

/// Everything that health is judged by, at one moment.
#[derive(Clone, Debug)]
pub struct Health {
    pub now: Timestamp,
    pub serving: Serving,
    /// The store's file and its disk.
    pub store: StoreHealth,
    /// The configured sources, then those that only the store knows.
    pub sources: Vec<SourceHealth>,
    /// The configured actions, then those that only the store knows.
    pub actions: Vec<ActionHealth>,
    /// The ledger; `None`: none is configured.
    pub ledger: Option<LedgerState>,
    /// The ways to the owner on which alerts do not get through.
    pub alerts: Vec<FailingChannel>,
}

/// Whether a `serve` runs on the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// This process serves. The time is the worker's last heartbeat; `None` with `--no-worker`.
    Here(Option<Timestamp>),
    /// Another process serves; with its description of itself.
    Elsewhere(String),
    NotRunning,
    /// Unknown, because this user has no access.
    Unknown,
}

/// The store's file and its disk. Sizes are in bytes.
#[derive(Clone, Debug, Default)]
pub struct StoreHealth {
    /// The damage that was found, in SQLite's words.
    pub damage: Option<String>,
    /// Whether a row could be written; `None` if that was not tried.
    pub writable: Option<Result<(), Unwritable>>,
    /// When the worker last waited for another program's lock.
    pub last_locked: Option<Timestamp>,
    /// Why it could not be read, if so.
    pub unreadable: Option<String>,
    /// Free space on its disk; `None` if the system does not tell.
    pub free_disk: Option<u64>,
    /// If less than this is free, intake refuses.
    pub min_free: u64,
    /// Size of the file.
    pub file_bytes: u64,
    /// Size of the WAL.
    pub wal_bytes: u64,
    /// The part of the WAL that is not checkpointed; `None` if unknown.
    pub wal_left: Option<u64>,
    /// Whether rows are removed by age (`store.keep`).
    pub forgets: bool,
    /// Its content; the default if it could not be read.
    pub contents: Contents,
}

/// Why the store cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    pub why: String,
    /// What to do, if known.
    pub remedy: Option<&'static str>,
}

/// The content of the store, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of the pages in use.
    pub used_bytes: u64,
    /// The number of notifications, as the distance between the first and the last id, so possibly too high.
    pub kept: u64,
    /// The id of the last notification ever received.
    pub last_id: i64,
    /// Notifications received in the last whole days, at most seven.
    pub received_lately: u64,
    /// The number of those days; 0 on the first day.
    pub days: u32,
    /// When the oldest notification that is not parsed yet was received.
    pub oldest_unread: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub struct SourceHealth {
    pub source: String,
    pub provider: String,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// A longer silence gets a warning, if set.
    pub expect_every: Option<Duration>,
    /// The time of the first `serve` with this source; silence before that means nothing.
    pub first_served_at: Option<Timestamp>,
    /// When the last notification was received.
    pub last_received: Option<Timestamp>,
    /// Notifications not settled yet.
    pub pending: u64,
    /// When the oldest of them was received.
    pub oldest_pending: Option<Timestamp>,
    /// Notifications that a person must decide about.
    pub undecided: u64,
    /// The notifications of today (UTC).
    pub today: Today,
    /// Fakes of today and yesterday.
    pub fakes_lately: u64,
    /// Fakes of the 14 days before that.
    pub fakes_before: u64,
    /// The last settled notifications of the last 24 hours, newest first, at most [`LAST_SETTLED`].
    pub recent: Vec<Recent>,
    /// Malformed notifications of today and yesterday.
    pub malformed_lately: u64,
    /// Malformed notifications of the 14 days before that.
    pub malformed_before: u64,
    /// The detail of the newest of them.
    pub malformed_detail: Option<String>,
    /// Requests of today and yesterday whose secret or signature was wrong or missing.
    pub refused: Refused,
    /// Requests of today and yesterday whose path token was wrong, missing or not expected.
    pub wrong_paths: Refused,
    /// Requests of today and yesterday of unproven senders for whose notifications there was no room.
    pub unproven_full: Refused,
    /// The failures of its API: the whole source first, then kinds of calls.
    pub failing: Vec<Failing>,
    /// Whether its API ever showed an order or a product.
    pub was_answered: bool,
    /// When the last complete `reconcile` ended.
    pub reconciled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub id: i64,
    pub state: State,
    pub reason: Reason,
    /// The beginning of the detail; it may contain a stranger's text.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    pub count: u64,
    /// When the last one was refused.
    pub last_at: Option<Timestamp>,
}

/// The deliveries and the state of one action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionHealth {
    pub action: String,
    /// Whether it is configured.
    pub is_configured: bool,
    pub waiting: u64,
    /// When the oldest of them was created, or last made due by a person.
    pub oldest_waiting: Option<Timestamp>,
    pub dead: u64,
    pub state: ActionState,
}

words! {
    /// A channel for alerts.
    Channel {
        /// A mail to the addresses of `alerts.mail`.
        Mail = "mail",
        /// A POST to `alerts.url`.
        Url = "url",
    }
}

/// A channel on which alerts fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingChannel {
    pub channel: Channel,
    /// When the first message since the last success was given up.
    pub since: Timestamp,
    /// The cause, in plain words without address or secret.
    pub cause: String,
}

/// The notifications of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Today {
    pub received: u64,
    pub confirmed: u64,
    /// Ignored as not_found, mismatch or wrong_store.
    pub fakes: u64,
}

/// A failure of a source's API, or of one kind of its calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The kind of call; empty for all kinds.
    pub call_kind: String,
    pub cause: Cause,
    pub detail: String,
    pub since: Timestamp,
    /// No calls before this time.
    pub resume_at: Timestamp,
}

/// One check for readiness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
    /// What to do if it failed.
    #[serde(skip)]
    pub remedy: String,
}

words! {
    /// The kinds of warnings, the worst first; in the order of the table in `docs/operating.md`.
    WarningKind {
        /// The file is damaged.
        StoreSound = "store_sound",
        /// The store cannot be written.
        StoreWritable = "store_writable",
        /// The store cannot be read.
        StoreReadable = "store_readable",
        /// Too little free disk space; intake refuses.
        Disk = "disk",
        /// The WAL is not checkpointed.
        Wal = "wal",
        Worker = "worker",
        /// Soon too little free disk space.
        DiskLow = "disk_low",
        /// The store's growth will fill the disk within weeks.
        DiskFilling = "disk_filling",
        NotServing = "not_serving",
        /// New notifications are not parsed, although a `serve` runs.
        Unread = "unread",
        /// A source's API rejects the credentials or their scopes.
        ApiDenied = "api_denied",
        /// A source's API has been failing for long.
        ApiFailing = "api_failing",
        /// A notification has been pending for long.
        PendingLong = "pending_long",
        /// Notifications that a person must decide about.
        Undecided = "undecided",
        /// An action has been failing for long.
        ActionFailing = "action_failing",
        /// An action answered HTTP 410.
        ActionGone = "action_gone",
        /// Deliveries that are no longer tried.
        DeliveryDead = "delivery_dead",
        /// Deliveries wait for an action that is no longer configured.
        ActionUnconfigured = "action_unconfigured",
        /// The ledger refuses everything until a person acts.
        LedgerRefused = "ledger_refused",
        /// The ledger is minutes behind.
        LedgerBehind = "ledger_behind",
        /// Rows were removed before they were shipped.
        LedgerGap = "ledger_gap",
        /// Alerts fail on a channel.
        AlertFailing = "alert_failing",
        /// Nothing was received for longer than expected.
        Silent = "silent",
        /// None of the last settled notifications was confirmed.
        NoneConfirmed = "none_confirmed",
        /// Many more malformed notifications than usual.
        ManyMalformed = "many_malformed",
        /// Requests with a wrong secret or signature.
        WrongSecret = "wrong_secret",
        /// Requests with a wrong path token.
        WrongPath = "wrong_path",
        /// Requests refused because pending notifications of unproven senders fill `store.max_unproven`.
        UnprovenFull = "unproven_full",
        /// Many more fakes than usual.
        ManyFakes = "many_fakes",
        /// Notifications wait for a source that is no longer configured.
        Unconfigured = "unconfigured",
        /// `reconcile` was used before, but was not completed recently.
        ReconcileLate = "reconcile_late",
    }
}

impl Serialize for WarningKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub kind: WarningKind,
    /// The source; `None` for the whole service.
    pub source: Option<String>,
    /// `None` if it concerns no action.
    pub action: Option<String>,
    /// The finding, a sentence without a full stop and without a stranger's text.
    pub what: String,
    /// The newest example. It may contain a stranger's text, escaped for one line.
    pub detail: Option<String>,
    pub remedy: String,
}

impl Warning {
    /// The finding with the example.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} ({detail})", self.what),
            None => self.what.clone(),
        }
    }
}
