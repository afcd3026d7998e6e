//! The shipper: its own task with its own connection. It holds one batch in memory at a time, and its
//! failures do not affect the rest of the service.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::decide::{self, BatchSize, Then};
use super::failure::ShipError;
use super::schema::{self, SchemaState};
use super::session::Session;
use super::settings::LedgerSettings;
use super::ship::{Node, NodeClaim};
use crate::domain::shipping::Position;
use crate::domain::{Clock, Timestamp};
use crate::store::{Store, StoreError};

/// The interval at which refusals are shipped.
const REFUSALS_EVERY: Duration = Duration::from_secs(60);

/// The interval at which an idle node updates `shipped_until`; this also shows whether the server still
/// responds.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// The interval at which an idle node checks for changes by other processes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Changes within this time go into one batch.
const GATHER: Duration = Duration::from_millis(100);

/// Maximum number of times in a row that a node's row may have changed since it was read.
const MOST_MOVES: u32 = 5;

/// The parts of the task.
pub struct ShipperParts {
    /// The store to ship.
    pub store: Store,
    pub clock: Clock,
    /// The ledger in force; `None`: there is none.
    pub settings: watch::Receiver<Option<Arc<LedgerSettings>>>,
    /// Personal data received before this time was emptied in the store; `None`: it stays.
    pub emptied: watch::Receiver<Option<Timestamp>>,
}

/// Ships until `stop` is rung, then ends at once: a batch in flight is rolled back, or the ledger's position
/// shows it at the next start.
pub async fn run(parts: ShipperParts, stop: Arc<Notify>) {
    let mut settings = parts.settings.clone();
    let work = async {
        loop {
            let in_force = settings.borrow_and_update().clone();
            tokio::select! {
                () = ship_to(&parts, in_force) => {}
                changed = settings.changed() => if changed.is_err() { return },
            }
        }
    };
    tokio::select! {
        () = stop.notified() => {}
        () = work => {}
    }
}

/// Ships to this ledger until other settings are in force.
async fn ship_to(parts: &ShipperParts, settings: Option<Arc<LedgerSettings>>) {
    let ShipperParts { store, clock, .. } = parts;
    let include = settings.as_ref().map(|settings| settings.include.clone());
    let mut failures = 0;
    let file = loop {
        let begun = async {
            store.keep_change_log(include.clone(), clock.now()).await?;
            store.reader().file_id().await
        };
        match begun.await {
            Ok(file) => break file,
            Err(error) => {
                log::warn!("cannot turn the ledger's change log on or off yet: {error:#}");
                failures += 1;
                tokio::time::sleep(decide::pause(Then::Retry, failures, jitter(clock))).await;
            }
        }
    };
    if let (Some(settings), Some(file)) = (settings, file) {
        let node = Node::new(&settings.schema, &settings.node, &file);
        Shipper {
            parts,
            settings: &settings,
            node,
            writer: None,
            size: BatchSize::default(),
            refusals_at: None,
            emptied: None,
            looked_up: None,
            failures: 0,
            logged: None,
            has_failed: true,
        }
        .run()
        .await;
    }
    std::future::pending::<()>().await;
}

/// Between 0 and 1, so that nodes that lost the server together do not all reconnect at once.
fn jitter(clock: &Clock) -> f64 {
    f64::from(u16::try_from(clock.now().millis().rem_euclid(1000)).unwrap_or(0)) / 1000.0
}

struct Shipper<'a> {
    parts: &'a ShipperParts,
    settings: &'a LedgerSettings,
    node: Node,
    /// The number under which this process writes, once it has one.
    writer: Option<i64>,
    size: BatchSize,
    /// When refusals were last shipped.
    refusals_at: Option<Instant>,
    /// The time for which the ledger's personal data was last emptied completely.
    emptied: Option<Option<Timestamp>>,
    /// The search for removed notifications, while it lasts: the time before which they came, and the last id looked up.
    looked_up: Option<(Timestamp, i64)>,
    /// Failures in a row.
    failures: u32,
    /// The failure that was last logged, while it lasts.
    logged: Option<String>,
    /// Whether the store may still hold a failure that is over.
    has_failed: bool,
}

impl Shipper<'_> {
    /// Ends if another writer ships in our place, or if the store has no ledger any more.
    async fn run(mut self) {
        loop {
            let Err(failure) = self.connect_and_ship().await else { return };
            self.failures += 1;
            if failure == ShipError::Timeout {
                self.size = self.size.after_timeout();
            }
            let then = decide::after(&failure);
            self.report(&failure, then).await;
            if then == Then::Stop {
                return;
            }
            let pause = decide::pause(then, self.failures, jitter(&self.parts.clock));
            tokio::time::sleep(pause).await;
        }
    }

    async fn report(&mut self, failure: &ShipError, then: Then) {
        let (node, error) = (&self.settings.node, failure.to_string());
        if self.logged.as_ref() == Some(&error) {
            log::debug!("ledger node={node}: still nothing is shipped: {error}");
        } else {
            log::warn!("ledger node={node}: nothing is shipped: {error}");
            self.logged = Some(error.clone());
        }
        self.has_failed = true;
        let passes = matches!(then, Then::Retry | Then::ReadAgain);
        if let Err(error) = self.parts.store.shipping_failed(error, passes, self.parts.clock.now()).await {
            log::warn!("cannot record the ledger's failure: {error:#}");
        }
    }

    async fn connect_and_ship(&mut self) -> Result<(), ShipError> {
        let session = self.settings.connect().await?;
        let shipped = self.ship_over(&session).await;
        if !matches!(shipped, Err(ShipError::Lost(_) | ShipError::Timeout)) {
            session.close().await;
        }
        shipped
    }

    /// Ships over one connection. Returns `Ok` if the store has no ledger any more.
    async fn ship_over(&mut self, session: &Session) -> Result<(), ShipError> {
        let (node, schema) = (&self.settings.node, &self.settings.schema);
        match schema::bring_up_to_date(session, self.node.schema()).await? {
            SchemaState::Current => {}
            SchemaState::UpgradedFrom(0) => log::info!("ledger node={node}: created the schema {schema}"),
            SchemaState::UpgradedFrom(version) => {
                log::info!("ledger node={node}: upgraded the schema {schema} from version {version}");
            }
        }
        let mut moves = 0;
        loop {
            let claim = self.node.claim(session, self.writer).await?;
            if self.writer != Some(claim.writer) {
                log::info!("ledger node={node}: connected as writer {}", claim.writer);
            }
            self.writer = Some(claim.writer);
            let there = claim.position.as_ref().and_then(|text| text.parse().ok());
            let resumed = self.parts.store.resume_shipping(there, self.parts.clock.now()).await?;
            let Some(position) = resumed else { return Ok(()) };
            match self.ship_from(session, claim, position).await {
                Err(ShipError::NodeChanged) if moves < MOST_MOVES => moves += 1,
                ended => return ended,
            }
        }
    }

    /// Ships everything after `position`, then new changes, until something fails. After each batch it rests
    /// as long as the batch took, so that half of the server's and the disk's capacity is left to others.
    async fn ship_from(
        &mut self,
        session: &Session,
        mut claim: NodeClaim,
        mut position: Position,
    ) -> Result<(), ShipError> {
        let ShipperParts { store, clock, .. } = self.parts;
        let mut written = store.written();
        let mut beat_at: Option<Instant> = None;
        loop {
            let turn = Instant::now();
            written.mark_unchanged();
            let read_at = clock.now();
            let is_time = |since: Option<Instant>, every| since.is_none_or(|since| since.elapsed() >= every);
            let refusals = is_time(self.refusals_at, REFUSALS_EVERY);
            let batch = store.reader().changes(position.clone(), self.size.limit(refusals)).await?;
            let Some(batch) = batch else { return Err(ShipError::NodeChanged) };
            let is_new = batch.through != position;
            let until = batch.through.reaches(&batch.end).then_some(read_at);
            if is_new || is_time(beat_at, BEAT_EVERY) {
                let began = Instant::now();
                let (text, count) = (batch.through.to_string(), batch.rows.len());
                let left_out = self.node.ship(session, &claim, batch.rows, &text, until).await?;
                self.size = self.size.after(began.elapsed());
                claim.position = Some(text);
                beat_at = Some(Instant::now());
                if refusals {
                    self.refusals_at = beat_at;
                }
                self.confirm(is_new, &mut position, batch.through, until).await?;
                if count > 0 {
                    log::debug!("ledger node={}: shipped {count} rows", self.settings.node);
                }
                if left_out > 0 {
                    let node = &self.settings.node;
                    log::warn!(
                        "ledger node={node}: left out {left_out} rows that have a key that the ledger cannot hold"
                    );
                }
            }
            let before = self.looked_up.map_or(*self.parts.emptied.borrow(), |(before, _)| Some(before));
            if self.emptied != Some(before) {
                let is_more = self.empty(session, &claim, before).await?;
                self.emptied = (!is_more).then_some(before);
            }
            if (until.is_some() || !is_new) && self.emptied == Some(before) {
                // Other processes may have changed something.
                drop(tokio::time::timeout(LOOK_EVERY, written.changed()).await);
                tokio::time::sleep(GATHER).await;
            } else {
                tokio::time::sleep(turn.elapsed().min(GATHER)).await;
            }
        }
    }

    /// One step of emptying personal data from before this time, so that shipping goes on between steps. Returns whether
    /// there may be more.
    async fn empty(
        &mut self,
        session: &Session,
        claim: &NodeClaim,
        before: Option<Timestamp>,
    ) -> Result<bool, ShipError> {
        if self.looked_up.is_none() && self.node.empty(session, claim, &self.settings.include, before).await?
        {
            return Ok(true);
        }
        match before {
            Some(before) => self.empty_removed(session, claim, before).await,
            None => Ok(false),
        }
    }

    /// Empties unsettled notifications that the file no longer has (`store.max_unproven` removed them): nothing will
    /// settle them. It looks up one page of [`Node::unsettled`], whose ids are all that it holds; a pass reads each old
    /// unsettled row once. Returns whether there may be more.
    async fn empty_removed(
        &mut self,
        session: &Session,
        claim: &NodeClaim,
        before: Timestamp,
    ) -> Result<bool, ShipError> {
        let after = self.looked_up.map_or(0, |(_, after)| after);
        let ids = self.node.unsettled(session, before, after).await?;
        let last = ids.last().copied();
        let removed = self.parts.store.reader().removed(ids).await?;
        if !removed.is_empty() {
            self.node.empty_notifications(session, claim, &removed).await?;
        }
        self.looked_up = last.map(|last| (before, last));
        Ok(last.is_some())
    }

    /// Records the position that the ledger confirmed.
    async fn confirm(
        &mut self,
        is_new: bool,
        position: &mut Position,
        through: Position,
        until: Option<Timestamp>,
    ) -> Result<(), ShipError> {
        if is_new || self.has_failed {
            let store = &self.parts.store;
            if !store.shipped(through.clone(), until, self.parts.clock.now()).await? {
                return Err(ShipError::NodeChanged);
            }
        }
        self.has_failed = false;
        if self.logged.take().is_some() {
            log::info!("ledger node={}: ships again", self.settings.node);
        }
        self.failures = 0;
        *position = through;
        Ok(())
    }
}

impl From<StoreError> for ShipError {
    fn from(error: StoreError) -> Self {
        Self::Store(format!("{error:#}"))
    }
}
