//! What can be known about how the service does, and what is told about it. [`crate::rules::health`] judges.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::outbox::ActionState;
use super::time::Timestamp;
use super::verdict::{Cause, Reason, State, words};

/// So many settled notifications without a confirmed one tell that something is wrong with the source.
pub const LAST_SETTLED: usize = 10;

/// Everything that is looked at, at one moment.
#[derive(Clone, Debug)]
pub struct Health {
    /// The moment.
    pub now: Timestamp,
    /// Who serves.
    pub serving: Serving,
    /// The file and its disk.
    pub store: StoreHealth,
    /// The configured sources, then those that only the store knows.
    pub sources: Vec<SourceHealth>,
    /// The configured actions, then those that only the store knows.
    pub actions: Vec<ActionHealth>,
}

/// Whether a `serve` runs on the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// This process is it. The time is when its worker last took its turn; `None`: no worker was asked for.
    Here(Option<Timestamp>),
    /// Another process; what it said of itself when it started.
    Elsewhere(String),
    /// No process.
    Nobody,
    /// This user may not know.
    Unknown,
}

/// The file and its disk. Sizes are in bytes.
#[derive(Clone, Debug, Default)]
pub struct StoreHealth {
    /// Damage that was met, in the engine's words.
    pub damage: Option<String>,
    /// Whether a row could be written; `None`: nobody tried.
    pub writable: Option<Result<(), Unwritable>>,
    /// When the worker last had to wait for another program's lock.
    pub last_locked: Option<Timestamp>,
    /// Why it could not be read.
    pub unreadable: Option<String>,
    /// Free space on its disk; `None` where the system does not tell.
    pub free_disk: Option<u64>,
    /// With less free disk, intake refuses.
    pub min_free: u64,
    /// The file.
    pub file_bytes: u64,
    /// The write-ahead log beside it.
    pub wal_bytes: u64,
    /// What of it is not copied into the file; `None`: not known.
    pub wal_left: Option<u64>,
    /// Whether rows go by themselves after a while (`store.keep`).
    pub forgets: bool,
    /// What is in it; the default where it could not be read.
    pub contents: Contents,
}

/// Why nothing can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// What is in the way.
    pub why: String,
    /// What to do about it, where that is known.
    pub remedy: Option<&'static str>,
}

/// What the file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Bytes of the pages in use.
    pub used_bytes: u64,
    /// Notifications kept, by the distance between the first id and the last: no fewer are there.
    pub kept: u64,
    /// The id of the last notification that ever came in.
    pub last_id: i64,
    /// Notifications received in the last whole days, at most seven.
    pub received_lately: u64,
    /// How many whole days those are; 0 in the first one.
    pub days: u32,
    /// When the oldest notification came in that nobody has read yet.
    pub oldest_unread: Option<Timestamp>,
}

/// One source.
#[derive(Clone, Debug, Default)]
pub struct SourceHealth {
    /// Its name.
    pub source: String,
    /// Its provider's word.
    pub provider: String,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// A longer silence is worth a word; `None`: any silence is fine.
    pub expect_every: Option<Duration>,
    /// The first `serve` that knew it; silence before that means nothing.
    pub first_served_at: Option<Timestamp>,
    /// The last notification.
    pub last_received: Option<Timestamp>,
    /// Notifications not settled yet.
    pub pending: u64,
    /// When the oldest of them came in.
    pub oldest_pending: Option<Timestamp>,
    /// Notifications that a person has to decide about.
    pub undecided: u64,
    /// What came in today (UTC) and what became of it.
    pub today: Today,
    /// Fakes of today and yesterday.
    pub fakes_lately: u64,
    /// Fakes of the 14 days before that.
    pub fakes_before: u64,
    /// The last settled notifications of the last 24 hours, newest first, at most [`LAST_SETTLED`].
    pub recent: Vec<Recent>,
    /// Malformed notifications of today and yesterday.
    pub malformed_lately: u64,
    /// Malformed ones of the 14 days before that.
    pub malformed_before: u64,
    /// What is wrong with the newest of them.
    pub malformed_detail: Option<String>,
    /// Requests of today and yesterday whose secret or signature was wrong or missing.
    pub refused: Refused,
    /// Requests of today and yesterday whose path token was wrong, missing or not expected.
    pub wrong_paths: Refused,
    /// What fails at its API: the whole source first, then kinds of calls.
    pub failing: Vec<Failing>,
    /// Whether its API ever showed an order or a product.
    pub was_answered: bool,
    /// When the last complete `reconcile` was made.
    pub reconciled_at: Option<Timestamp>,
}

/// A settled notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Its id.
    pub id: i64,
    /// Its state.
    pub state: State,
    /// Its reason.
    pub reason: Reason,
    /// The beginning of the reason in words; a stranger may have chosen some of them.
    pub detail: Option<String>,
}

/// Requests that were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: u64,
    /// The last of them.
    pub last_at: Option<Timestamp>,
}

/// What the store knows of one action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionHealth {
    /// Its name.
    pub action: String,
    /// Whether the configuration has it.
    pub is_configured: bool,
    /// Deliveries that wait.
    pub waiting: u64,
    /// When the oldest of them was made or started afresh.
    pub oldest_waiting: Option<Timestamp>,
    /// Dead deliveries.
    pub dead: u64,
    /// How it does.
    pub state: ActionState,
}

/// What came in on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Today {
    /// All notifications.
    pub received: u64,
    /// Those confirmed.
    pub confirmed: u64,
    /// Those ignored as not_found, mismatch or wrong_store.
    pub fakes: u64,
}

/// A source's API, or one kind of its calls, fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The kind of call; empty for all.
    pub lane: String,
    /// Why.
    pub cause: Cause,
    /// In plain words.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Nobody asks before.
    pub resume_at: Timestamp,
}

/// One thing without which the service is not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its word.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do where it is not ok.
    #[serde(skip)]
    pub remedy: String,
}

words! {
    /// What somebody should look at.
    WarningKind {
        /// The file is not as it was written.
        StoreSound = "store_sound",
        /// Nothing can be written.
        StoreWritable = "store_writable",
        /// Nothing can be read.
        StoreReadable = "store_readable",
        /// Too little free disk: intake refuses.
        Disk = "disk",
        /// The write-ahead log is not folded back.
        Wal = "wal",
        /// The worker hangs.
        Worker = "worker",
        /// No `serve` runs.
        NotServing = "not_serving",
        /// What came in is not read, though a `serve` runs.
        Unread = "unread",
        /// Soon too little free disk.
        DiskLow = "disk_low",
        /// The store's growth will fill the disk within weeks.
        DiskFilling = "disk_filling",
        /// A source's API rejects the credentials, or what they may do.
        ApiDenied = "api_denied",
        /// A source's API fails for long.
        ApiFailing = "api_failing",
        /// A notification is pending for long.
        PendingLong = "pending_long",
        /// Notifications that a person has to decide about.
        Undecided = "undecided",
        /// Nothing came in for longer than expected.
        Silent = "silent",
        /// None of the last settled notifications was confirmed.
        NoneConfirmed = "none_confirmed",
        /// Many more malformed notifications than usual.
        ManyMalformed = "many_malformed",
        /// Requests with a wrong secret or signature.
        WrongSecret = "wrong_secret",
        /// Requests with a wrong path token.
        WrongPath = "wrong_path",
        /// Many more fakes than usual.
        ManyFakes = "many_fakes",
        /// Notifications wait for a source that is not configured any more.
        Unconfigured = "unconfigured",
        /// An action takes nothing for long.
        ActionFailing = "action_failing",
        /// An action said that it exists no more.
        ActionGone = "action_gone",
        /// Deliveries that are not tried again.
        DeliveryDead = "delivery_dead",
        /// Deliveries wait for an action that is not configured any more.
        ActionUnconfigured = "action_unconfigured",
        /// `reconcile` was used, and was not completed lately.
        ReconcileLate = "reconcile_late",
    }
}

impl Serialize for WarningKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its word.
    pub kind: WarningKind,
    /// The source that it is about; `None`: the whole service.
    pub source: Option<String>,
    /// The action that it is about.
    pub action: Option<String>,
    /// What is so, in a sentence without its end; nothing in it was chosen by a stranger.
    pub what: String,
    /// The newest example in words, some of which a stranger may have chosen; fit for a line of text.
    pub detail: Option<String>,
    /// What to do.
    pub remedy: String,
}

impl Warning {
    /// What is so, with the example.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{} ({detail})", self.what),
            None => self.what.clone(),
        }
    }
}
