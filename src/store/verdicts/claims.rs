//! Records the claims of parsed notifications, and settles those that need no verification.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, ToSql, params, params_from_iter};

use super::{hour_index, supersede};
use crate::domain::{
    Claim, ClaimKey, Course, EventTime, RawNotification, Reading, Reason, State, StatusKey, Subject,
    Timestamp, Unasked,
};
use crate::store::error::{Result, StoreError};
use crate::store::queue::fairness;
use crate::store::rows::{self, BATCH_BYTES};

/// A notification and its parsed form.
#[derive(Clone, Debug)]
pub struct ParsedNotification {
    pub id: i64,
    pub notification: RawNotification,
    /// Its claim; `None` while its source is not configured: it stays pending, unparsed.
    pub reading: Option<Reading>,
    /// Whether its question may share a list call.
    pub is_listable: bool,
    /// The position of its claim in the course of its subject.
    pub course: Course,
}

/// The first verdict of a recorded notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstVerdict {
    pub id: i64,
    pub source: String,
    /// `pending`, or `ignored` where no question is needed.
    pub state: State,
    /// Why it is ignored.
    pub reason: Option<Reason>,
}

/// Some notifications, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Each with its id.
    pub notifications: Vec<(i64, RawNotification)>,
    /// Whether there may be more: the batch is full by number or by [`BATCH_BYTES`].
    pub is_full: bool,
}

impl Batch {
    /// Reads from `found` until there are `most`, or their bodies and headers reach [`BATCH_BYTES`].
    fn read(found: &mut rusqlite::Rows<'_>, most: usize) -> Result<Self> {
        let mut batch = Self::default();
        let (mut rows, mut bytes) = (0, 0);
        while rows < most && bytes < BATCH_BYTES {
            let Some(row) = found.next()? else { return Ok(batch) };
            rows += 1;
            bytes += rows::raw_bytes(row)?;
            batch.notifications.extend(rows::raw_notification(row)?);
        }
        batch.is_full = true;
        Ok(batch)
    }
}

/// Unparsed notifications after `after`, of the configured sources, oldest first.
pub(in crate::store) fn unparsed(conn: &Connection, after: i64, most: usize) -> Result<Batch> {
    let sql = format!("SELECT {} {UNPARSED} ORDER BY i.id", rows::RAW_COLUMNS);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query([after])?;
    Batch::read(&mut found, most)
}

/// Whether any notification is not parsed yet.
pub(in crate::store) fn has_unparsed(conn: &Connection) -> Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 {UNPARSED})");
    Ok(conn.prepare_cached(&sql)?.query_row([0], |row| row.get(0))?)
}

pub(in crate::store) const UNPARSED: &str =
    "FROM intake i WHERE i.id > max(?1, (SELECT coalesce(max(notification_id), 0) FROM verdicts))";

/// Records parsed notifications, lowest id first, if everything up to `after` is recorded. Those that another process
/// has recorded meanwhile are skipped.
pub(in crate::store) fn record(
    conn: &Connection,
    after: i64,
    rows_to_write: &[VerdictRow],
    now: Timestamp,
) -> Result<Vec<FirstVerdict>> {
    let last = rows::parsed_to(conn)?;
    if last < after {
        return Err(StoreError::Engine(format!("notification {after} is not recorded, and goes first")));
    }
    let mut recorded = Vec::with_capacity(rows_to_write.len());
    let mut last_of = BTreeMap::new();
    let mut settled_of: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    hour_index::note(conn, rows_to_write.iter().map(|row| (row.id, row.received_at)))?;
    for row in rows_to_write {
        let repeated = row.repeats(conn)?;
        if row.insert(conn, repeated, now)? {
            last_of.insert(&row.source, row.received_at);
            let (state, reason) = row.first_verdict(repeated);
            if state != State::Pending {
                settled_of.entry(&row.sender).or_default().push((state, reason));
            }
            recorded.push(FirstVerdict { id: row.id, source: row.source.clone(), state, reason });
        }
    }
    for (sender, verdicts) in settled_of {
        fairness::weigh(conn, sender, verdicts)?;
    }
    for (source, last) in last_of {
        conn.prepare_cached(
            "UPDATE sources SET last_parsed_at = max(coalesce(last_parsed_at, ''), ?2) WHERE name = ?1",
        )?
        .execute(params![source, last.to_string()])?;
    }
    Ok(recorded)
}

const NO_TIME: EventTime = EventTime { sent: None, instant: None, order: None };

/// Notifications of a source that were recorded unparsed while it was not configured.
pub(in crate::store) fn awaiting_source(conn: &Connection, source: &str, most: usize) -> Result<Batch> {
    let mut statement = conn.prepare_cached(&format!("SELECT {} {AWAITING_SOURCE}", rows::RAW_COLUMNS))?;
    let mut found = statement.query([source])?;
    Batch::read(&mut found, most)
}

pub(in crate::store) const AWAITING_SOURCE: &str =
    "FROM verdicts v INDEXED BY verdicts_waiting CROSS JOIN intake i ON i.id = v.notification_id
     WHERE v.source = ?1 AND v.question IS NULL AND v.state = 'pending' ORDER BY v.notification_id";

/// The row of a notification in `verdicts`; [`crate::store::verdicts::decisions`] overwrites it on a retry. It is
/// built by the worker, not on the writer thread, which every intake request waits for.
#[derive(Debug)]
pub(in crate::store) struct VerdictRow {
    id: i64,
    source: String,
    received_at: Timestamp,
    sender: String,
    /// Equal for claims that may repeat each other; `None` if nothing is asked.
    asked: Option<ClaimKey>,
    state: State,
    reason: Option<Reason>,
    detail: Option<String>,
    /// The first columns of [`VerdictRow::insert`] and [`VerdictRow::write`], in order: the claim.
    columns: [Value; 16],
}

pub(in crate::store) const REPEATED: &str = "SELECT notification_id FROM verdicts
                                   WHERE source = ?1 AND claim_key = ?2 AND state = 'confirmed' AND notification_id <> ?3
                                   ORDER BY notification_id LIMIT 1";

impl VerdictRow {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    pub(in crate::store) fn of(parsed: &ParsedNotification) -> Self {
        let ParsedNotification { id, notification, reading, is_listable, course } = parsed;
        let blank = Self {
            id: *id,
            source: notification.source.clone(),
            received_at: notification.received_at,
            sender: rows::sender(&notification.remote_addr),
            asked: None,
            state: State::Pending,
            reason: None,
            detail: None,
            columns: columns(*id, None, None, &NO_TIME, None, false, &Course::default()),
        };
        match reading {
            None => Self { detail: Some("its source is not configured".to_owned()), ..blank },
            Some(Reading::Unasked(unasked)) => {
                let (event, subject) = (unasked.event.as_deref(), unasked.subject.as_ref());
                let claim = unasked.claim.as_deref();
                let key = claim.map(Claim::key);
                Self {
                    state: Unasked::STATE,
                    reason: Some(unasked.reason),
                    detail: Some(unasked.detail.clone()),
                    columns: columns(
                        *id,
                        event,
                        subject,
                        &unasked.event_time,
                        claim.zip(key.as_ref()),
                        false,
                        course,
                    ),
                    ..blank
                }
            }
            Some(Reading::Claim(claim)) => {
                let (event, subject) = (Some(claim.event.as_str()), Some(&claim.subject));
                let key = claim.key();
                Self {
                    columns: columns(
                        *id,
                        event,
                        subject,
                        &claim.event_time,
                        Some((claim, &key)),
                        *is_listable,
                        course,
                    ),
                    asked: Some(key),
                    ..blank
                }
            }
        }
    }

    /// The same, with the detail `by` while it is pending.
    pub(in crate::store) fn decided_by(self, by: Option<&str>) -> Self {
        match by {
            Some(by) if self.state == State::Pending && self.detail.is_none() => {
                Self { detail: Some(by.to_owned()), ..self }
            }
            _ => self,
        }
    }

    /// The confirmed notification that this one repeats.
    pub(in crate::store) fn repeats(&self, conn: &Connection) -> Result<Option<i64>> {
        let Some(key) = &self.asked else { return Ok(None) };
        Ok(conn
            .prepare_cached(REPEATED)?
            .query_row(params![self.source, key.as_str(), self.id], |row| row.get(0))
            .optional()?)
    }

    /// Its state and reason if it repeats that notification.
    pub(in crate::store) fn first_verdict(&self, repeated: Option<i64>) -> (State, Option<Reason>) {
        match repeated {
            Some(_) => (State::Ignored, Some(Reason::Duplicate)),
            None => (self.state, self.reason),
        }
    }

    /// Inserts the verdict row of a notification; `false` if there is one. A subject whose last question was
    /// refused for its own sake is put into no list again.
    fn insert(&self, conn: &Connection, repeated: Option<i64>, now: Timestamp) -> Result<bool> {
        let received_at = self.received_at.to_string();
        let day = self.received_at.day();
        let place = [&self.source, &received_at, &self.sender, &day].map(|text| text as &dyn ToSql);
        let verdict = self.verdict(repeated, self.received_at, now);
        let values = self.columns.iter().chain(&verdict).map(|value| value as &dyn ToSql).chain(place);
        let inserted = conn
            .prepare_cached(
                "INSERT OR FAIL INTO verdicts (notification_id, event, subject_kind, subject_id, claim, claim_key, event_time,
                   event_sent, event_order, event_id, question, call_kind, listable, statuses, before, explains, state, reason,
                   detail, duplicate_of, next_attempt_at, decided_at, source, received_at, sender, day, probes_since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                   ?13 AND NOT EXISTS (SELECT 1 FROM (
                     SELECT own_refusals, state, listable FROM verdicts INDEXED BY verdicts_by_subject
                     WHERE source = ?23 AND subject_kind = ?3 AND subject_id = ?4
                     ORDER BY notification_id DESC LIMIT 1)
                   WHERE own_refusals > 0 OR (state = 'pending' AND listable = 0)),
                   ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?24) ON CONFLICT DO NOTHING",
            )?
            .execute(params_from_iter(values))?;
        Ok(inserted == 1)
    }

    pub(in crate::store) fn write(
        &self,
        conn: &Connection,
        repeated: Option<i64>,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let verdict = self.verdict(repeated, due, now);
        conn.prepare_cached(
            "UPDATE OR FAIL verdicts SET event = ?2, subject_kind = ?3, subject_id = ?4, claim = ?5, claim_key = ?6,
               event_time = ?7, event_sent = ?8, event_order = ?9, event_id = ?10, question = ?11, call_kind = ?12,
               listable = ?13, statuses = ?14, before = ?15, explains = ?16, state = ?17, reason = ?18, detail = ?19,
               duplicate_of = ?20, next_attempt_at = ?21, decided_at = ?22
             WHERE notification_id = ?1",
        )?
        .execute(params_from_iter(self.columns.iter().chain(&verdict)))?;
        Ok(())
    }

    /// The columns of both statements that follow [`VerdictRow::columns`].
    fn verdict(&self, repeated: Option<i64>, due: Timestamp, now: Timestamp) -> [Value; 6] {
        let (state, reason) = self.first_verdict(repeated);
        let pending = state == State::Pending;
        let detail = repeated.map(|first| format!("the same claim as notification {first}"));
        [
            state.as_str().to_owned().into(),
            reason.map(|reason| reason.as_str().to_owned()).into(),
            detail.or_else(|| self.detail.clone()).into(),
            repeated.into(),
            pending.then(|| due.to_string()).into(),
            (!pending).then(|| now.to_string()).into(),
        ]
    }
}

fn columns(
    id: i64,
    event: Option<&str>,
    subject: Option<&Subject>,
    event_time: &EventTime,
    claim: Option<(&Claim, &ClaimKey)>,
    is_listable: bool,
    course: &Course,
) -> [Value; 16] {
    let text = |text: Option<&str>| text.map(str::to_owned).into();
    let (claim, key) = claim.unzip();
    [
        id.into(),
        text(event),
        text(subject.map(|subject| subject.kind.as_str())),
        text(subject.map(|subject| subject.id.as_str())),
        claim.map(Claim::to_stored_json).into(),
        text(key.map(ClaimKey::as_str)),
        event_time.instant.map(|instant| instant.to_string()).into(),
        text(event_time.sent.as_deref()),
        event_time.order.map(Timestamp::millis).into(),
        text(claim.and_then(|claim| claim.event_id.as_deref())),
        text(claim.map(|claim| claim.question.as_str())),
        text(claim.map(|claim| claim.call_kind.as_str())),
        is_listable.into(),
        text(course.asserted.as_ref().map(StatusKey::as_str)),
        text(course.before.as_ref().map(StatusKey::as_str)),
        supersede::stored(&course.explains).into(),
    ]
}
