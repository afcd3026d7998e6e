//! Records the claims of parsed notifications, and settles those that need no verification.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

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
        return Err(StoreError::Failed(format!("notification {after} is not recorded, and goes first")));
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
    /// What the notification says.
    says: [Bound; 14],
    is_listable: bool,
    /// Equal for claims that may repeat each other; `None` if nothing is asked.
    asked: Option<ClaimKey>,
    state: State,
    reason: Option<Reason>,
    detail: Option<String>,
    /// The id in `orders` and whether it is news, of one that a reconciliation confirmed.
    found: Option<(String, bool)>,
}

/// A value and the name of its parameter.
type Bound = (&'static str, Value);

pub(in crate::store) const REPEATED: &str = "SELECT notification_id FROM verdicts
                                   WHERE source = ?1 AND claim_key = ?2 AND state = 'confirmed' AND notification_id <> ?3
                                   ORDER BY notification_id LIMIT 1";

impl VerdictRow {
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    pub(in crate::store) fn of(parsed: &ParsedNotification) -> Self {
        let ParsedNotification { id, notification, reading, is_listable, course } = parsed;
        let (event, subject, event_time, claim) = match reading {
            None => (None, None, None, None),
            Some(Reading::Claim(claim)) => {
                (Some(&claim.event), Some(&claim.subject), Some(&claim.event_time), Some(&**claim))
            }
            Some(Reading::Unasked(unasked)) => {
                let Unasked { event, subject, event_time, claim, .. } = &**unasked;
                (event.as_ref(), subject.as_ref(), Some(event_time), claim.as_deref())
            }
        };
        let (state, reason, detail) = match reading {
            None => (State::Pending, None, Some("its source is not configured".to_owned())),
            Some(Reading::Claim(_)) => (State::Pending, None, None),
            Some(Reading::Unasked(unasked)) => {
                (Unasked::STATE, Some(unasked.reason), Some(unasked.detail.clone()))
            }
        };
        let key = claim.map(Claim::key);
        Self {
            id: *id,
            source: notification.source.clone(),
            received_at: notification.received_at,
            sender: rows::sender(&notification.remote_addr),
            says: says(event, subject, event_time, claim, key.as_ref(), course),
            is_listable: *is_listable,
            asked: key.filter(|_| state == State::Pending),
            state,
            reason,
            detail,
            found: None,
        }
    }

    /// A confirmed notification that a reconciliation adds. Without a claim key, no notification is its duplicate.
    pub(in crate::store) fn recovered(
        id: i64,
        source: &str,
        claim: &Claim,
        is_news: bool,
        now: Timestamp,
    ) -> Self {
        let (event, subject) = (Some(&claim.event), Some(&claim.subject));
        Self {
            id,
            source: source.to_owned(),
            received_at: now,
            sender: String::new(),
            says: says(event, subject, None, Some(claim), None, &Course::default()),
            is_listable: false,
            asked: None,
            state: State::Confirmed,
            reason: Some(Reason::Match),
            detail: None,
            found: Some((claim.subject.id.clone(), is_news)),
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
    pub(in crate::store) fn insert(
        &self,
        conn: &Connection,
        repeated: Option<i64>,
        now: Timestamp,
    ) -> Result<bool> {
        let verdict = self.verdict(repeated, self.received_at, now);
        let (received_at, day) = (self.received_at.to_string(), self.received_at.day());
        let (resolved_id, is_news) = self.found.clone().unzip();
        let (is_news, is_found) = (is_news.unwrap_or(false), self.found.is_some());
        let inserted = execute(
            conn,
            "INSERT OR FAIL INTO verdicts (event, subject_kind, subject_id, claim, claim_key, event_time, event_sent, event_order,
               event_id, question, call_kind, statuses, before, explains, state, reason, detail, duplicate_of,
               next_attempt_at, decided_at, listable, notification_id, source, received_at, day, sender, probes_since,
               resolved_id, news, attempts, asked)
             VALUES (:event, :subject_kind, :subject_id, :claim, :claim_key, :event_time, :event_sent, :event_order,
               :event_id, :question, :call_kind, :statuses, :before, :explains, :state, :reason, :detail, :duplicate_of,
               :next_attempt_at, :decided_at,
               :listable AND NOT EXISTS (SELECT 1 FROM (
                 SELECT own_refusals, state, listable FROM verdicts INDEXED BY verdicts_by_subject
                 WHERE source = :source AND subject_kind = :subject_kind AND subject_id = :subject_id
                 ORDER BY notification_id DESC LIMIT 1)
               WHERE own_refusals > 0 OR (state = 'pending' AND listable = 0)),
               :id, :source, :received_at, :day, :sender, :received_at, :resolved_id, :news, :asked, :asked)
             ON CONFLICT DO NOTHING",
            self.bound(&verdict).chain::<[(&str, &dyn ToSql); 8]>([
                (":source", &self.source),
                (":id", &self.id),
                (":received_at", &received_at),
                (":day", &day),
                (":sender", &self.sender),
                (":resolved_id", &resolved_id),
                (":news", &is_news),
                (":asked", &is_found),
            ]),
        )?;
        Ok(inserted == 1)
    }

    pub(in crate::store) fn write(
        &self,
        conn: &Connection,
        repeated: Option<i64>,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        execute(
            conn,
            "UPDATE OR FAIL verdicts SET event = :event, subject_kind = :subject_kind, subject_id = :subject_id, claim = :claim,
               claim_key = :claim_key, event_time = :event_time, event_sent = :event_sent, event_order = :event_order,
               event_id = :event_id, question = :question, call_kind = :call_kind, statuses = :statuses, before = :before,
               explains = :explains, state = :state, reason = :reason, detail = :detail, duplicate_of = :duplicate_of,
               next_attempt_at = :next_attempt_at, decided_at = :decided_at, listable = :listable
             WHERE notification_id = :id",
            self.bound(&self.verdict(repeated, due, now)).chain([(":id", &self.id as &dyn ToSql)]),
        )?;
        Ok(())
    }

    fn verdict(&self, repeated: Option<i64>, due: Timestamp, now: Timestamp) -> [Bound; 6] {
        let (state, reason) = self.first_verdict(repeated);
        let pending = state == State::Pending;
        let detail = repeated.map(|first| format!("the same claim as notification {first}"));
        [
            (":state", state.as_str().to_owned().into()),
            (":reason", reason.map(|reason| reason.as_str().to_owned()).into()),
            (":detail", detail.or_else(|| self.detail.clone()).into()),
            (":duplicate_of", repeated.into()),
            (":next_attempt_at", pending.then(|| due.to_string()).into()),
            (":decided_at", (!pending).then(|| now.to_string()).into()),
        ]
    }

    /// The values that both statements write.
    fn bound<'a>(&'a self, verdict: &'a [Bound]) -> impl Iterator<Item = (&'a str, &'a dyn ToSql)> {
        let values = self.says.iter().chain(verdict).map(|(name, value)| (*name, value as &dyn ToSql));
        values.chain([(":listable", &self.is_listable as &dyn ToSql)])
    }
}

/// Executes a statement with these parameters, in the order in which it first names them: to look each name up takes a
/// good part of the time of an insert.
fn execute<'a>(
    conn: &Connection,
    sql: &str,
    values: impl Iterator<Item = (&'a str, &'a dyn ToSql)>,
) -> Result<usize> {
    let mut statement = conn.prepare_cached(sql)?;
    let values: Vec<_> = values.collect();
    let names = (1..=statement.parameter_count()).map(|at| statement.parameter_name(at));
    debug_assert!(names.eq(values.iter().map(|(name, _)| Some(*name))), "{sql}");
    for (at, (_, value)) in (1..).zip(values) {
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(statement.raw_execute()?)
}

fn says(
    event: Option<&String>,
    subject: Option<&Subject>,
    event_time: Option<&EventTime>,
    claim: Option<&Claim>,
    key: Option<&ClaimKey>,
    course: &Course,
) -> [Bound; 14] {
    let text = |text: Option<&str>| text.map(str::to_owned).into();
    // A claim that nothing is asked about has no question.
    let asked = |text: &String| (!text.is_empty()).then(|| text.clone());
    let instant = event_time.and_then(|time| time.instant);
    let order = event_time.and_then(|time| time.order);
    [
        (":event", event.cloned().into()),
        (":subject_kind", text(subject.map(|subject| subject.kind.as_str()))),
        (":subject_id", subject.map(|subject| subject.id.clone()).into()),
        (":claim", claim.map(Claim::to_stored_json).into()),
        (":claim_key", text(key.map(ClaimKey::as_str))),
        (":event_time", instant.map(|instant| instant.to_string()).into()),
        (":event_sent", event_time.and_then(|time| time.sent.clone()).into()),
        (":event_order", order.map(Timestamp::millis).into()),
        (":event_id", claim.and_then(|claim| claim.event_id.clone()).into()),
        (":question", claim.and_then(|claim| asked(&claim.question)).into()),
        (":call_kind", claim.and_then(|claim| asked(&claim.call_kind)).into()),
        (":statuses", text(course.asserted.as_ref().map(StatusKey::as_str))),
        (":before", text(course.before.as_ref().map(StatusKey::as_str))),
        (":explains", supersede::stored(&course.explains).into()),
    ]
}
