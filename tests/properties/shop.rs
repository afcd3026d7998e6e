//! The shop of the world: the statuses of its orders, how it answers and fails, and how its answers are compared.

use std::time::Duration;

use countersign::domain::{
    Answer, CallResult, Cause, Claim, Comparison, Course, EventTime, Failure, FailureScope, FoundObject,
    Judge, Known, OrderTruth, Outcome, StatusKey, Subject, SubjectKind, Timestamp, Truth,
};
use serde_json::{Map, Value, json};

const STATUSES: [&str; 3] = ["new", "paid", "refunded"];

/// Compares one status; a status explains those before it.
pub(super) struct StatusJudge;

impl Judge for StatusJudge {
    fn compare(&self, claim: &Claim, answer: &Answer, _known: &Known) -> Comparison {
        match &answer.result {
            CallResult::Found(shown) if shown.body.get("status") == claim.asserted.get("status") => {
                Comparison::agrees(Value::Null)
            }
            CallResult::Found(_) => Comparison::differs(Outcome::Mismatch, "another status", Value::Null),
            _ => Comparison::differs(Outcome::NotFound, "not there", Value::Null),
        }
    }

    fn course(&self, claim: &Claim) -> Course {
        course(claim)
    }
}

pub(super) fn course(claim: &Claim) -> Course {
    let key = |status: &&str| StatusKey::of(&[("status", status)]);
    let Some(place) = STATUSES.iter().position(|s| claim.asserted_text(&["status"]) == Some(s)) else {
        return Course::default();
    };
    let explains = STATUSES[..place].iter().filter_map(key).collect();
    Course { asserted: key(&STATUSES[place]), before: None, explains }
}

/// How a question fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fails {
    Unreachable,
    RateLimited,
    Denied,
    CallKindDenied,
    SubjectRefused,
    SubjectBroken,
}

impl Fails {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Unreachable => Failure::new(Cause::ApiUnreachable, "dead").with_scope(FailureScope::Source),
            Self::RateLimited => Failure {
                retry_after: Some(Duration::from_secs(30)),
                ..Failure::new(Cause::ApiRateLimited, "wait")
                    .with_status(429)
                    .with_scope(FailureScope::Source)
            },
            Self::Denied => {
                Failure::new(Cause::ApiDenied, "no").with_status(403).with_scope(FailureScope::Source)
            }
            Self::CallKindDenied => {
                Failure::new(Cause::ApiDenied, "no").with_status(403).with_scope(FailureScope::CallKind)
            }
            Self::SubjectRefused => {
                Failure::new(Cause::ApiError, "odd").with_status(422).with_scope(FailureScope::Subject)
            }
            Self::SubjectBroken => {
                Failure::new(Cause::ApiError, "odd").with_status(500).with_scope(FailureScope::Subject)
            }
        }
    }
}

pub(super) fn said(order: u8, status: u8) -> (String, String) {
    (order.to_string(), STATUSES[usize::from(status)].to_owned())
}

/// An order as the shop shows it.
pub(super) struct Shown {
    pub(super) order: u8,
    pub(super) status: u8,
    pub(super) updated_at: i64,
}

impl Shown {
    pub(super) fn result(self) -> CallResult {
        let status = json!(STATUSES[usize::from(self.status)]);
        let truth = OrderTruth {
            order_id: self.order.to_string(),
            status: Some(STATUSES[usize::from(self.status)].to_owned()),
            updated_at: Some(Timestamp::from_millis(self.updated_at)),
            raw: "{}".to_owned(),
            ..OrderTruth::default()
        };
        let compared = Map::from_iter([("status".to_owned(), status.clone())]);
        let body = json!({ "status": status });
        CallResult::Found(Box::new(FoundObject { body, truth: Some(Truth::Order(truth)), compared }))
    }
}

pub(super) fn claim(order: u8, status: u8, event: u8) -> Claim {
    Claim {
        event: "order.status".to_owned(),
        subject: Subject { kind: SubjectKind::Order, id: order.to_string() },
        question: format!("order {order}"),
        call_kind: "orders".to_owned(),
        asserted: Map::from_iter([("status".to_owned(), json!(STATUSES[usize::from(status)]))]),
        before: Map::new(),
        event_time: EventTime::default(),
        event_id: Some(event.to_string()),
    }
}
