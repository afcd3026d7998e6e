//! Store operations of the worker: record, lease, permit, settle, release, give up. Those that run beside
//! [`Store::follow_clock`] and plan a next question read the clock in their transaction: a time written while the
//! schedules are still being moved may come too early, never too late.

use std::time::Duration;

use rusqlite::Connection;

use crate::domain::settlement::{Case, Policy, Settlement};
use crate::domain::{Cause, Clock, Rate, Timestamp};
use crate::store::Store;
use crate::store::deliveries::clock_step as deliveries;
use crate::store::error::Result;
use crate::store::queue::lease::{self, LeaseRequest, Leased};
use crate::store::queue::rate_limit::{self, CallPermit, Grant};
use crate::store::queue::release;
use crate::store::queue::{clock_step, pauses};
use crate::store::verdicts::call::{StateChange, VerificationCall};
use crate::store::verdicts::claims::{self, FirstVerdict, ParsedNotification};
use crate::store::verdicts::decisions;
use crate::store::verdicts::settle;
use crate::store::verdicts::supersede::{self, Settled};
use crate::store::writer::transaction::in_savepoint;

impl Store {
    /// Records parsed notifications, except those that are recorded already. The writer has them when this returns, in
    /// the order of the calls; the future waits for the outcome.
    pub fn record(
        &self,
        parsed: Vec<ParsedNotification>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<FirstVerdict>>> {
        self.record_after(0, parsed, now)
    }

    /// Like [`Store::record`], for notifications that were parsed before those up to `after` are recorded.
    ///
    /// # Errors
    /// The write failed, or earlier notifications are not recorded. Then these are not either, because skipped ones
    /// would not be found again.
    pub fn record_after(
        &self,
        after: i64,
        parsed: Vec<ParsedNotification>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<FirstVerdict>>> {
        let rows_to_write: Vec<_> = parsed.iter().map(claims::VerdictRow::of).collect();
        drop(parsed);
        self.writer.run_batched(move |conn| claims::record(conn, after, &rows_to_write, now))
    }

    /// Leases the next questions of each source, in this order, each with a permit for its first call.
    /// `slots` returns the slots that the source's calls may take; unused ones are dropped before the next
    /// source, the others are returned with the source's name and its leases. A source whose questions cannot
    /// be leased does not keep others from being asked.
    pub async fn lease<P: Send + 'static>(
        &self,
        requests: Vec<LeaseRequest>,
        mut slots: impl FnMut(&str) -> Vec<P> + Send + 'static,
        now: Timestamp,
    ) -> Result<Vec<(String, Result<Leased>, Vec<P>)>> {
        let lease = move |conn: &Connection| {
            let mut leased = Vec::with_capacity(requests.len());
            for request in requests {
                let mut slots = slots(&request.source);
                if slots.is_empty() {
                    continue;
                }
                let found = in_savepoint(conn, |conn| lease::lease(conn, &request, slots.len(), now));
                slots.truncate(found.as_ref().map_or(0, |found| found.calls.len()));
                leased.push((request.source, found, slots));
            }
            Ok(leased)
        };
        self.writer.run_last(lease).await
    }

    /// Releases unused leases, each with whether its question was never asked before, and ends their call's permit.
    ///
    /// # Errors
    /// The leases expire.
    pub async fn release(
        &self,
        leases: Vec<(String, bool)>,
        permit: CallPermit,
        now: Timestamp,
    ) -> Result<()> {
        let work = move |conn: &Connection| {
            rate_limit::finish(conn, permit, now)?;
            release::release(conn, &leases)
        };
        self.writer.run_batched(work).await
    }

    /// Releases leases of subjects that a list did not show. Each is asked about alone: at once, or, if its
    /// sender is doubtful, when its grace is over. Ends the call's permit.
    ///
    /// # Errors
    /// The leases expire.
    pub async fn ask_unlisted(
        &self,
        leases: Vec<String>,
        permit: CallPermit,
        grace: Duration,
        clock: Clock,
    ) -> Result<()> {
        let ask_unlisted = move |conn: &Connection| {
            let now = clock.now();
            rate_limit::finish(conn, permit, now)?;
            release::ask_unlisted(conn, &leases, grace, now)
        };
        self.writer.run_batched(ask_unlisted).await
    }

    /// Releases leases whose questions a list call left open: each is due at once, to be asked alone. Ends the call's
    /// permit.
    ///
    /// # Errors
    /// The leases expire.
    pub async fn ask_alone(&self, leases: Vec<String>, permit: CallPermit, clock: Clock) -> Result<()> {
        let work = move |conn: &Connection| {
            let now = clock.now();
            rate_limit::finish(conn, permit, now)?;
            release::ask_alone(conn, &leases, now)
        };
        self.writer.run_batched(work).await
    }

    /// Follows a clock that was set by this many milliseconds: moves scheduled times by as much, then lets
    /// `clock` follow. Next questions of these `sources`, and next tries of deliveries, move only if it was
    /// set back; set ahead, it makes them due. A delivery never looks older than it is, because an old one
    /// would be given up.
    ///
    /// # Errors
    /// A write failed. Some schedules may have moved.
    pub async fn follow_clock(&self, by_ms: i64, sources: &[String], clock: Clock) -> Result<()> {
        if by_ms > 0 {
            self.move_deliveries(by_ms).await?;
        }
        let followed = clock.clone();
        let follow = move |conn: &Connection| {
            clock_step::follow(conn, by_ms)?;
            deliveries::follow(conn, by_ms)?;
            followed.follow(by_ms);
            Ok(())
        };
        self.writer.run(follow).await?;
        if by_ms > 0 {
            return Ok(());
        }
        self.move_deliveries(by_ms).await?;
        for name in sources {
            let mut next = Some((clock.now().to_string(), i64::MAX));
            while let Some(after) = next {
                let source = name.clone();
                next = self
                    .writer
                    .run(move |conn| clock_step::bring_forward(conn, &source, &after, by_ms))
                    .await?;
            }
        }
        Ok(())
    }

    async fn move_deliveries(&self, by_ms: i64) -> Result<()> {
        let (last, actions) = self.writer.run(deliveries::waiting).await?;
        for name in actions {
            let mut next = Some(0);
            while let Some(after) = next {
                let action = name.clone();
                let work =
                    move |conn: &Connection| deliveries::move_waiting(conn, &action, after, last, by_ms);
                next = self.writer.run(work).await?;
            }
        }
        Ok(())
    }

    /// Renews the leases of `owner` for another [`release::LEASE_LENGTH`].
    pub async fn renew_leases(&self, owner: String, now: Timestamp) -> Result<()> {
        loop {
            let owner = owner.clone();
            if self.writer.run(move |conn| release::renew(conn, &owner, now)).await? {
                return Ok(());
            }
        }
    }

    /// Releases every lease whose owner's name begins with `prefix`; returns the number of notifications
    /// under them.
    pub async fn free_leases(&self, prefix: String) -> Result<usize> {
        let mut freed = 0;
        loop {
            let prefix = prefix.clone();
            let some = self.writer.run(move |conn| release::free_of(conn, &prefix)).await?;
            freed += some;
            if some < release::MOST_CHANGED {
                return Ok(freed);
            }
        }
    }

    /// Lets `judge` decide what an answer means for the notifications that are still under the lease, and
    /// writes everything in one transaction. If it supersedes very many, the rest follows in further
    /// transactions. Returns the changes; there are none if the lease is lost.
    ///
    /// # Errors
    /// Nothing was written, and the lease expires.
    pub async fn settle(
        &self,
        call: VerificationCall,
        policy: Policy,
        jitter: f64,
        clock: &Clock,
        judge: impl Fn(&Case) -> Settlement + Send + 'static,
    ) -> Result<Vec<StateChange>> {
        let subscriptions = self.outbox.subscriptions.load_full();
        let now = clock.clone();
        let settle = move |conn: &Connection| {
            settle::settle(conn, &call, &policy, &subscriptions, jitter, now.now(), &judge)
        };
        let (mut moved, left, has_news) = self.writer.run_batched(settle).await?;
        if has_news {
            self.outbox.changed.send_replace(());
        }
        moved.extend(self.supersede(left, clock.now()).await?);
        Ok(moved)
    }

    /// Takes a permit for one more call of a source, made by `owner`.
    pub async fn take_permit(
        &self,
        source: String,
        owner: String,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Grant> {
        let work = move |conn: &Connection| {
            if let Some(until) = pauses::requested_pause_end(conn, &source, now)? {
                return Ok(Grant::PausedUntil(until));
            }
            match rate_limit::free(conn, &source, rate, now)? {
                (0, next) => Ok(Grant::SpentUntil(next)),
                _ => Ok(Grant::Granted(rate_limit::grant(conn, &source, &owner, rate, now)?)),
            }
        };
        self.writer.run(work).await
    }

    /// Ends the calls in flight of processes that died, whose owners' names begin with `prefix`; they count
    /// for at most one more window.
    pub async fn end_dead_calls(
        &self,
        prefix: &'static str,
        source: String,
        rate: Rate,
        now: Timestamp,
    ) -> Result<()> {
        self.writer.run(move |conn| rate_limit::end_dead_calls(conn, prefix, &source, rate.window, now)).await
    }

    /// Ends a call's permit.
    ///
    /// # Errors
    /// The write failed. The call counts until its permit expires.
    pub async fn finish_permit(&self, permit: CallPermit, now: Timestamp) -> Result<()> {
        self.writer.run_batched(move |conn| rate_limit::finish(conn, permit, now)).await
    }

    /// Ends the pauses of a source.
    pub async fn resume(&self, source: String, now: Timestamp) -> Result<()> {
        loop {
            let source = source.clone();
            if self.writer.run(move |conn| pauses::resume(conn, &source, now)).await? {
                return Ok(());
            }
        }
    }

    /// Gives up on the notifications that waited too long on a failing source (`call_kind` empty) or kind of call.
    pub async fn give_up_waiting(
        &self,
        source: String,
        call_kind: String,
        cause: Cause,
        policy: Policy,
        now: Timestamp,
    ) -> Result<Vec<StateChange>> {
        let (mut moved, mut next) = (Vec::new(), Some((String::new(), 0)));
        while let Some(after) = next {
            let (source, call_kind, policy) = (source.clone(), call_kind.clone(), policy.clone());
            let look = move |conn: &Connection| {
                decisions::give_up_waiting(conn, &source, &call_kind, cause, &policy, &after, now)
            };
            let (some, rest) = self.writer.run(look).await?;
            moved.extend(some);
            next = rest;
        }
        Ok(moved)
    }

    /// Supersedes notifications that were too many for the transaction of a verdict; returns those that
    /// moved.
    pub(super) async fn supersede(
        &self,
        mut left: Option<Settled>,
        now: Timestamp,
    ) -> Result<Vec<StateChange>> {
        let mut moved = Vec::new();
        while let Some(settled) = left {
            let spread = move |conn: &Connection| supersede::spread(conn, settled.clone(), now);
            let (superseded, rest) = self.writer.run_batched(spread).await?;
            moved.extend(superseded.into_iter().map(StateChange::superseded));
            left = rest;
        }
        Ok(moved)
    }
}
