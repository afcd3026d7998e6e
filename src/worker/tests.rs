//! Rules that panic cost their own notification, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc};

use super::{Worker, WorkerParts, WorkerSource};
use crate::domain::settlement::Policy;
use crate::domain::{
    Answer, CallResult, Cause, Claim, Clock, Comparison, EventTime, Failure, FoundObject, Headers, Judge,
    Known, Outcome, Rate, RawNotification, Reading, State, Subject, SubjectKind,
};
use crate::metrics::Metrics;
use crate::providers::http::{Client, OpenGate};
use crate::providers::{Acknowledgement, Admission, Api, Examination, Provider};
use crate::store::{StateChange, Store};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A provider whose rules panic where the notification says so: its body is `ORDER BEHAVIOUR`.
#[derive(Default)]
struct Fragile {
    /// Whether its notifications can be asked about together.
    is_listable: bool,
    /// Whether lists show nothing; else their answers cannot be read.
    is_empty: bool,
}

fn behaviour(claim: &Claim) -> &str {
    claim.asserted.get("behaviour").and_then(Value::as_str).unwrap_or_default()
}

fn answer(api: &Api, result: CallResult) -> Answer {
    Answer { asked_at: api.now(), date: None, http_status: Some(200), latency_ms: 0, result }
}

fn shown(api: &Api) -> Answer {
    let object = FoundObject { body: json!({}), truth: None, compared: Map::new() };
    answer(api, CallResult::Found(Box::new(object)))
}

impl Judge for Fragile {
    fn compare(&self, claim: &Claim, _: &Answer, _: &Known) -> Comparison {
        assert_ne!(behaviour(claim), "compare", "this one cannot be compared");
        match behaviour(claim) {
            "wrong" => Comparison::differs(Outcome::Mismatch, "wrong", Value::Null),
            _ => Comparison::agrees(Value::Null),
        }
    }
}

impl Provider for Fragile {
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "", content_type: None }
    }

    fn admit(&self, _: &RawNotification) -> Admission {
        Admission::Admitted
    }

    fn read(&self, notification: &RawNotification) -> Reading {
        let text = String::from_utf8_lossy(&notification.body).into_owned();
        let (id, behaviour) = text.split_once(' ').unwrap();
        assert_ne!(behaviour, "read", "this one cannot be read");
        Reading::from(Claim {
            event: "changed".to_owned(),
            subject: Subject { kind: SubjectKind::Order, id: id.to_owned() },
            question: id.to_owned(),
            call_kind: "orders".to_owned(),
            asserted: Map::from_iter([("behaviour".to_owned(), json!(behaviour))]),
            before: Map::new(),
            event_time: EventTime::default(),
            event_id: None,
        })
    }

    fn is_listable(&self, _: &Claim) -> bool {
        self.is_listable
    }

    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer> {
        assert_ne!(behaviour(claim), "ask", "there is no question for this one");
        Box::pin(async {
            assert_ne!(behaviour(claim), "answer", "this answer cannot be read");
            match behaviour(claim) {
                "refused" => {
                    let refused = Failure::new(Cause::ApiDenied, "refused").with_status(403);
                    answer(api, CallResult::Failed(refused))
                }
                _ => shown(api),
            }
        })
    }

    fn ask_list<'a>(
        &'a self,
        _: &'a Api,
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>, Failure>> {
        assert!(self.is_empty, "no list of {} can be read", claims.len());
        Box::pin(async move { Ok(vec![None; claims.len()]) })
    }

    fn ask_order<'a>(&'a self, _: &'a Api, _: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(async { unreachable!("the worker asks by claims") })
    }

    fn control<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { panic!("the control answer cannot be read") })
    }

    fn examine<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(async { unreachable!("the worker examines nothing") })
    }
}

fn notification(body: &str) -> RawNotification {
    RawNotification {
        source: "shop".to_owned(),
        provider: "fragile".to_owned(),
        received_at: Clock::system().now(),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::default(),
        body: body.as_bytes().to_vec(),
    }
}

/// Lets a worker settle these notifications, numbered from 1; returns each one's state, reason and questions.
async fn settled(provider: Fragile, bodies: &[&str]) -> Vec<(String, Option<String>, usize)> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::fresh(&folder.path().join("store.db"));
    let clock = Clock::system();
    store.introduce_sources(vec![("shop".to_owned(), "fragile")], clock.now()).await.unwrap();
    for stored in join_all(bodies.iter().map(|body| store.append(notification(body)))).await {
        stored.unwrap();
    }
    let metrics = Metrics::new().unwrap();
    let client = Client::new(Duration::from_secs(1), metrics.clone(), clock.clone()).unwrap();
    let api = Api::new(client, "shop", "http://127.0.0.1:1", Arc::new(OpenGate));
    // A call whose end the store is not told of would keep all others waiting for two minutes.
    let rate = Rate { limit: 1, window: Duration::from_millis(1) };
    let source = WorkerSource { provider: Arc::new(provider), api, rate };
    let instant = Duration::from_millis(1);
    let (moves, mut moved) = mpsc::unbounded_channel::<StateChange>();
    let worker = Worker::new(WorkerParts {
        store: store.clone(),
        sources: BTreeMap::from([("shop".to_owned(), source)]),
        policy: Policy {
            grace: Duration::ZERO,
            retry_base: instant,
            retry_cap: instant,
            give_up_after: Duration::from_secs(3600),
            denied_pause: instant,
        },
        concurrency: 8,
        clock,
        metrics,
        owner: "serve-test".to_owned(),
        wake: store.stored(),
        moves: Some(moves),
    });
    let stop = Arc::new(Notify::new());
    let running = tokio::spawn(worker.run(Arc::clone(&stop), PATIENCE));
    let mut open: Vec<i64> = (1..).take(bodies.len()).collect();
    let all_settle = async {
        while !open.is_empty() {
            let StateChange { id, state, .. } = moved.recv().await.unwrap();
            open.retain(|waiting| *waiting != id || state == State::Pending);
        }
    };
    tokio::time::timeout(PATIENCE, all_settle).await.unwrap();
    stop.notify_one();
    running.await.unwrap();
    let mut found = Vec::new();
    for id in (1..).take(bodies.len()) {
        let (row, verifications) = store.reader().show(id).await.unwrap().unwrap();
        found.push((row.line.state, row.line.reason, verifications.len()));
    }
    store.close();
    found
}

fn verdict(state: &str, reason: &str, questions: usize) -> (String, Option<String>, usize) {
    (state.to_owned(), Some(reason.to_owned()), questions)
}

#[tokio::test]
async fn a_rule_that_panics_costs_its_own_notification_and_no_other() {
    let bodies = ["1 read", "2 ask", "3 answer", "4 compare", "4 well", "5 wrong", "5 well", "6 well"];
    let found = settled(Fragile::default(), &bodies).await;
    assert_eq!(
        found,
        [
            verdict("ignored", "malformed", 0),
            verdict("undecided", "api_error", 5),
            verdict("undecided", "api_error", 5),
            verdict("undecided", "api_error", 5),
            verdict("confirmed", "match", 1),
            verdict("ignored", "mismatch", 1),
            verdict("confirmed", "match", 1),
            verdict("confirmed", "match", 1),
        ]
    );
}

/// As many as a list call asks about, and more.
async fn all_are_confirmed_singly(provider: Fragile) {
    let bodies: Vec<String> = (1..=40).map(|n| format!("{n} well")).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    let found = settled(provider, &bodies).await;
    assert!(found.iter().all(|found| *found == verdict("confirmed", "match", 1)), "{found:#?}");
}

#[tokio::test]
async fn a_list_whose_answer_panics_leads_to_single_questions() {
    all_are_confirmed_singly(Fragile { is_listable: true, is_empty: false }).await;
}

#[tokio::test]
async fn a_list_that_shows_nothing_ends_its_permission_before_the_single_questions() {
    all_are_confirmed_singly(Fragile { is_listable: true, is_empty: true }).await;
}

#[tokio::test]
async fn a_control_question_that_panics_leaves_a_refusal_its_subjects_own() {
    let found = settled(Fragile::default(), &["1 refused", "2 well"]).await;
    assert_eq!(found, [verdict("undecided", "api_error", 5), verdict("confirmed", "match", 1)]);
}
