//! Filing: what came in is read, and its claim written beside it. What needs no question is settled here.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use super::error::Result;
use super::{calendar, rows};
use crate::domain::{Claim, Delivery, EventTime, Reading, Reason, State, Subject, Timestamp, Unasked};

/// A delivery together with what reading it gave.
#[derive(Clone, Debug)]
pub struct Filing {
    /// The notification's id.
    pub id: i64,
    /// As it came.
    pub delivery: Delivery,
    /// What it says; `None` while its source is not configured: it waits, unread.
    pub reading: Option<Reading>,
    /// Whether its question may be asked together with others of its lane.
    pub is_listable: bool,
}

/// What filing settled at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// The notification's id.
    pub id: i64,
    /// Its source.
    pub source: String,
    /// `pending`, or `ignored` where no question is needed.
    pub state: State,
    /// Why it is ignored.
    pub reason: Option<Reason>,
}

/// Deliveries later than `after` that nobody has read yet, of the configured sources, oldest first.
pub(super) fn unfiled(conn: &Connection, after: i64, limit: usize) -> Result<Vec<(i64, Delivery)>> {
    let sql = format!("SELECT {} {UNFILED} ORDER BY i.id LIMIT ?2", rows::DELIVERY_COLUMNS);
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map(params![after, rows::limit(limit)], rows::delivery)?;
    Ok(found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

pub(super) const UNFILED: &str =
    "FROM intake i WHERE i.id > max(?1, (SELECT coalesce(max(notification_id), 0) FROM verdicts))";

/// Files what was read, lowest id first. What another process has filed meanwhile is left out.
pub(super) fn file(conn: &Connection, filings: &[Filing], now: Timestamp) -> Result<Vec<Filed>> {
    let mut filed = Vec::with_capacity(filings.len());
    let mut last_of = BTreeMap::new();
    calendar::note(conn, filings.iter().map(|filing| (filing.id, filing.delivery.received_at)))?;
    for filing in filings {
        let Filing { id, delivery, .. } = filing;
        let sheet = Sheet::of(conn, filing)?;
        if sheet.insert(conn, *id, delivery, now)? {
            last_of.insert(&delivery.source, delivery.received_at);
            filed.push(Filed {
                id: *id,
                source: delivery.source.clone(),
                state: sheet.state,
                reason: sheet.reason,
            });
        }
    }
    for (source, last) in last_of {
        conn.prepare_cached(
            "UPDATE sources SET last_filed_at = max(coalesce(last_filed_at, ''), ?2) WHERE name = ?1",
        )?
        .execute(params![source, last.to_string()])?;
    }
    Ok(filed)
}

const NO_TIME: EventTime = EventTime { sent: None, instant: None, order: None };

/// Notifications of a source that were filed unread while it was not configured.
pub(super) fn unread(conn: &Connection, source: &str, limit: usize) -> Result<Vec<(i64, Delivery)>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {} {UNREAD} LIMIT ?2", rows::DELIVERY_COLUMNS))?;
    let found =
        statement.query_map(params![source, i64::try_from(limit).unwrap_or(i64::MAX)], rows::delivery)?;
    Ok(found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

pub(super) const UNREAD: &str =
    "FROM verdicts v INDEXED BY verdicts_waiting CROSS JOIN intake i ON i.id = v.notification_id
     WHERE v.source = ?1 AND v.question IS NULL AND v.state = 'pending' ORDER BY v.notification_id";

/// What filing writes about a notification; [`super::decisions`] writes it afresh on a retry.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    event: Option<&'a str>,
    subject: Option<&'a Subject>,
    event_time: &'a EventTime,
    claim: Option<&'a Claim>,
    is_listable: bool,
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    detail: Option<String>,
    duplicate_of: Option<i64>,
}

impl<'a> Sheet<'a> {
    /// Looks up whether the claim repeats one that is confirmed already.
    pub(super) fn of(conn: &Connection, filing: &'a Filing) -> Result<Self> {
        let (source, id) = (filing.delivery.source.as_str(), filing.id);
        match &filing.reading {
            None => Ok(Self::unread()),
            Some(Reading::Unasked(unasked)) => Ok(Self::unasked(unasked)),
            Some(Reading::Claim(claim)) => {
                let confirmed = confirmed_equal(conn, source, id, claim)?;
                Ok(Self {
                    event: Some(&claim.event),
                    subject: Some(&claim.subject),
                    event_time: &claim.event_time,
                    claim: Some(claim),
                    is_listable: filing.is_listable,
                    state: if confirmed.is_some() { State::Ignored } else { State::Pending },
                    reason: confirmed.map(|_| Reason::Duplicate),
                    detail: confirmed.map(|first| format!("the same claim as notification {first}")),
                    duplicate_of: confirmed,
                })
            }
        }
    }

    fn unread() -> Self {
        Self {
            event: None,
            subject: None,
            event_time: &NO_TIME,
            claim: None,
            is_listable: false,
            state: State::Pending,
            reason: None,
            detail: Some("its source is not configured".to_owned()),
            duplicate_of: None,
        }
    }

    fn unasked(unasked: &'a Unasked) -> Self {
        Self {
            event: unasked.event.as_deref(),
            subject: unasked.subject.as_ref(),
            event_time: &unasked.event_time,
            claim: unasked.claim.as_deref(),
            is_listable: false,
            state: Unasked::STATE,
            reason: Some(unasked.reason),
            detail: Some(unasked.detail.clone()),
            duplicate_of: None,
        }
    }

    /// Writes the first row about a notification; `false` where there is one.
    fn insert(&self, conn: &Connection, id: i64, delivery: &Delivery, now: Timestamp) -> Result<bool> {
        let received_at = delivery.received_at;
        let place = [
            Value::from(delivery.source.clone()),
            received_at.to_string().into(),
            rows::sender(&delivery.remote_addr).into(),
        ];
        let values = self.values(id, received_at, now).into_iter().chain(place);
        let inserted = conn
            .prepare_cached(
                "INSERT OR FAIL INTO verdicts (notification_id, event, subject_kind, subject_id, claim, claim_key, event_time,
                   event_sent, event_order, event_id, question, lane, state, reason, detail, duplicate_of,
                   next_attempt_at, decided_at, listable, source, received_at, sender, probes_since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
                   ?22, ?21) ON CONFLICT DO NOTHING",
            )?
            .execute(params_from_iter(values))?;
        Ok(inserted == 1)
    }

    /// Writes the row afresh.
    pub(super) fn write(&self, conn: &Connection, id: i64, due: Timestamp, now: Timestamp) -> Result<()> {
        conn.prepare_cached(
            "UPDATE OR FAIL verdicts SET event = ?2, subject_kind = ?3, subject_id = ?4, claim = ?5, claim_key = ?6,
               event_time = ?7, event_sent = ?8, event_order = ?9, event_id = ?10, question = ?11, lane = ?12,
               state = ?13, reason = ?14, detail = ?15, duplicate_of = ?16, next_attempt_at = ?17, decided_at = ?18,
               listable = ?19
             WHERE notification_id = ?1",
        )?
        .execute(params_from_iter(self.values(id, due, now)))?;
        Ok(())
    }

    /// The values of both statements, in their order.
    fn values(&self, id: i64, due: Timestamp, now: Timestamp) -> [Value; 19] {
        let pending = self.state == State::Pending;
        let text = |text: Option<&str>| text.map(str::to_owned).into();
        [
            id.into(),
            text(self.event),
            text(self.subject.map(|subject| subject.kind.as_str())),
            text(self.subject.map(|subject| subject.id.as_str())),
            self.claim.map(Claim::to_stored_json).into(),
            self.claim.map(|claim| claim.key().as_str().to_owned()).into(),
            self.event_time.instant.map(|instant| instant.to_string()).into(),
            text(self.event_time.sent.as_deref()),
            self.event_time.order.map(Timestamp::millis).into(),
            text(self.claim.and_then(|claim| claim.event_id.as_deref())),
            text(self.claim.map(|claim| claim.question.as_str())),
            text(self.claim.map(|claim| claim.lane.as_str())),
            self.state.as_str().to_owned().into(),
            text(self.reason.map(Reason::as_str)),
            self.detail.clone().into(),
            self.duplicate_of.into(),
            pending.then(|| due.to_string()).into(),
            (!pending).then(|| now.to_string()).into(),
            self.is_listable.into(),
        ]
    }
}

fn confirmed_equal(conn: &Connection, source: &str, id: i64, claim: &Claim) -> Result<Option<i64>> {
    Ok(conn
        .prepare_cached(
            "SELECT notification_id FROM verdicts
             WHERE source = ?1 AND claim_key = ?2 AND state = 'confirmed' AND notification_id <> ?3
             ORDER BY notification_id LIMIT 1",
        )?
        .query_row(params![source, claim.key().as_str(), id], |row| row.get(0))
        .optional()?)
}
