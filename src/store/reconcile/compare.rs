//! Compares a shop's answer about one order with the store and recovers a missed one, in one transaction, so that no
//! notification can come between.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde_json::{Map, Value};

use super::known;
use crate::domain::number::whole;
use crate::domain::panics::contained;
use crate::domain::settlement::TruthChange;
use crate::domain::{
    Answer, CallResult, Claim, EventTime, Finding, FindingKind, FoundObject, Judge, Origin, OurOrder, Reason,
    Subject, SubjectKind, Timestamp, Window,
};
use crate::rules;
use crate::rules::reconcile::Scope;
use crate::rules::supersede::{Link, LinkKind};
use crate::store::deliveries::Subscription;
use crate::store::error::Result;
use crate::store::verdicts::claims::{self, VerdictRow};
use crate::store::verdicts::confirm::{Confirmation, confirm};
use crate::store::verdicts::supersede::{self, Settled};
use crate::store::verdicts::{hour_index, settle, truth};

/// The event of a recovered notification.
const EVENT: &str = "reconcile";

/// A shop's answer about one order.
pub struct OrderComparison {
    pub source: String,
    pub provider: &'static str,
    pub judge: Arc<dyn Judge>,
    /// The order's id in `orders`, and then the other ids that notifications may use.
    pub names: Vec<String>,
    /// The shop's answer, not a failure.
    pub answer: Answer,
    /// The number of the call that brought it.
    pub call_id: i64,
    /// The kinds of findings to look for.
    pub scope: Scope,
    /// Whether a missed or drifted order becomes a confirmed notification.
    pub recovers: bool,
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparedOrder {
    /// Compared; a difference if there is one.
    Compared(Option<Finding>),
    /// The store knows newer things than the answer: ask again.
    Outdated,
    /// Some notifications are not parsed yet; any of them may announce what the answer says.
    Unparsed,
}

/// Compares, stores the answer in `orders`, and recovers. A recovery may supersede more notifications than
/// fit into one transaction.
pub(in crate::store) fn compare_order(
    conn: &Connection,
    comparison: &OrderComparison,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<(ComparedOrder, Option<Settled>)> {
    // They are not parsed here, because all other writers wait for this transaction. And a row with a verdict
    // must never follow one without: the queue begins after the last verdict.
    if claims::has_unparsed(conn)? {
        return Ok((ComparedOrder::Unparsed, None));
    }
    let OrderComparison { source, judge, names, answer, scope, .. } = comparison;
    let ours = known::our_order(conn, source, names)?;
    if rules::is_stale(answer, ours.stored.as_ref(), now) {
        return Ok((ComparedOrder::Outdated, None));
    }
    let Some(order_id) = names.first() else { return Ok((ComparedOrder::Compared(None), None)) };
    let finding = rules::reconcile::difference(judge.as_ref(), order_id, answer, &ours, *scope);
    let is_gap = |kind| matches!(kind, FindingKind::Missed | FindingKind::Drift);
    let recovers = comparison.recovers && finding.as_ref().is_some_and(|finding| is_gap(finding.kind));
    land(conn, source, answer, &ours, recovers, now)?;
    match (finding, &answer.result) {
        (Some(finding), CallResult::Found(object)) if recovers => {
            let (id, left) = recover(conn, comparison, order_id, object, &ours, subscriptions, now)?;
            let detail = finding.detail.unwrap_or_default();
            let detail = Some(format!("{detail}; recovered as notification {id}"));
            let finding = Finding { notification_id: Some(id), detail, ..finding };
            Ok((ComparedOrder::Compared(Some(finding)), left))
        }
        (finding, _) => Ok((ComparedOrder::Compared(finding), None)),
    }
}

/// Only a recovery counts as a notification: otherwise a difference that is found again and again would keep
/// personal data forever.
fn land(
    conn: &Connection,
    source: &str,
    answer: &Answer,
    ours: &OurOrder,
    recovers: bool,
    now: Timestamp,
) -> Result<()> {
    let change = match (&answer.result, &ours.stored) {
        (CallResult::Found(object), _) => object.truth.clone().map_or(TruthChange::Keep, TruthChange::Put),
        (CallResult::NotFound(_), Some(stored)) => {
            TruthChange::Gone { resolved_id: stored.resolved_id.clone() }
        }
        (CallResult::NotFound(_), None) | (CallResult::Failed(_), _) => TruthChange::Keep,
    };
    let newest = recovers.then_some(answer.asked_at);
    truth::write(conn, source, SubjectKind::Order, &change, answer.asked_at, newest)?;
    if matches!(answer.result, CallResult::Found(_)) {
        settle::note_found(conn, source, now)?;
    }
    Ok(())
}

/// Writes the recovered notification.
fn recover(
    conn: &Connection,
    comparison: &OrderComparison,
    order_id: &str,
    object: &FoundObject,
    ours: &OurOrder,
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Result<(i64, Option<Settled>)> {
    let OrderComparison { source, answer, judge, .. } = comparison;
    let compared = &object.compared;
    let claim = Claim {
        event: EVENT.to_owned(),
        subject: Subject { kind: SubjectKind::Order, id: order_id.to_owned() },
        question: String::new(),
        call_kind: String::new(),
        asserted: compared.clone(),
        before: Map::new(),
        event_time: EventTime::default(),
        event_id: None,
    };
    let id = conn
        .prepare_cached("INSERT INTO intake (source, provider, received_at, origin) VALUES (?1, ?2, ?3, ?4)")?
        .insert(params![source, comparison.provider, now.to_string(), Origin::Reconcile.as_str()])?;
    hour_index::note(conn, std::iter::once((id, now)))?;
    let last = ours.last_confirmed.as_ref().map(|last| &last.compared);
    let values = rules::confirmed_values::shown(object, last);
    let is_news = last != Some(&values);
    VerdictRow::recovered(id, source, &claim, is_news, now).insert(conn, None, now)?;
    conn.prepare_cached(
        "INSERT INTO verifications (notification_id, call_id, at, outcome, http_status, latency_ms, answer)
         VALUES (?1, ?2, ?3, 'match', ?4, ?5, ?6)",
    )?
    .execute(params![
        id,
        comparison.call_id,
        answer.asked_at.to_string(),
        answer.http_status,
        whole(answer.latency_ms),
        Value::Object(compared.clone()).to_string(),
    ])?;
    let confirmation = Confirmation {
        notification_id: id,
        source,
        subject: &claim.subject,
        reason: Reason::Match,
        values: &values,
        is_news,
    };
    confirm(conn, &confirmation, subscriptions, now)?;
    let (order, statuses, before) = (None, None, None);
    let explains = contained(|| judge.course(&claim)).unwrap_or_default().explains;
    let link = Link { id, order, statuses, before, explains, is: LinkKind::Confirmed { is_news } };
    let settled = Settled::alone(source, claim.subject, link);
    let (_, left) = supersede::spread(conn, settled, now)?;
    Ok((id, left))
}

/// Stores the findings of the last run.
pub(in crate::store) fn remember(conn: &Connection, report: &str, made_at: Timestamp) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO last_reconcile (id, made_at, report) VALUES (1, ?1, ?2)
         ON CONFLICT DO UPDATE SET made_at = excluded.made_at, report = excluded.report",
    )?
    .execute(params![made_at.to_string(), report])?;
    Ok(())
}

/// Records a complete run over everything since the one before.
pub(in crate::store) fn complete(
    conn: &Connection,
    windows: &[(String, Window)],
    now: Timestamp,
) -> Result<()> {
    for (source, window) in windows {
        conn.prepare_cached(
            "INSERT INTO reconciliations (source, from_at, to_at, completed_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET from_at = excluded.from_at, to_at = excluded.to_at,
               completed_at = excluded.completed_at
             WHERE excluded.to_at > to_at",
        )?
        .execute(params![
            source,
            window.from.to_string(),
            window.to.to_string(),
            now.to_string()
        ])?;
    }
    Ok(())
}
