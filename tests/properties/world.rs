//! A small world around the real store: a shop, a clock that moves both ways, questions in flight.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::domain::settlement::{Case, Policy};
use countersign::domain::{
    Answer, CallResult, ClaimKey, Clock, Deletion, Headers, Judge, Known, NotFoundEvidence, Outcome, Rate,
    RawNotification, Timestamp, Truth,
};
use countersign::rules;
use countersign::store::{Lease, LeaseRequest, ParsedNotification, Store, VerificationCall};
use rusqlite::Connection;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support::create_or_open;

use super::shop::{Fails, Shown, StatusJudge, claim, course, said};

const SOURCE: &str = "shop";

/// When the shop's orders were made, by its own clock.
const FIRST_CHANGE: i64 = 1_000_000_000_000;

/// A question in flight, and its answer once the shop has given it.
struct UnderWay {
    lease: Lease,
    answer: Option<Answer>,
}

/// A verdict as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) duplicate_of: Option<i64>,
    pub(super) key: Option<String>,
}

pub(super) struct World {
    runtime: Runtime,
    store: Store,
    reader: Connection,
    _folder: tempfile::TempDir,
    now: i64,
    latest: i64,
    /// The shop's orders: status, and its own time of the last change.
    orders: BTreeMap<u8, (u8, i64)>,
    shop_time: i64,
    under_way: Vec<UnderWay>,
    /// Calls begun so far.
    begun: u64,
    /// Order, status and event of each notification so far.
    pub(super) delivered: Vec<(u8, u8, u8)>,
    /// Every order with each status that the shop ever showed of it.
    pub(super) said: BTreeSet<(String, String)>,
    /// In how many milliseconds the last lease said that something waits.
    pub(super) come_back_in: Option<i64>,
    /// Claims that a fresh answer agreed with while a copy of them waited.
    pub(super) owed: Arc<Mutex<BTreeSet<ClaimKey>>>,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("countersign.db");
        let store = create_or_open(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let now = 1_764_000_000_000;
        let sources = vec![(SOURCE.to_owned(), "ecwid")];
        runtime.block_on(store.introduce_sources(sources, Timestamp::from_millis(now))).unwrap();
        Self {
            runtime,
            store,
            reader: Connection::open(&path).unwrap(),
            _folder: folder,
            now,
            latest: now,
            orders: BTreeMap::from([(0, (0, FIRST_CHANGE)), (1, (0, FIRST_CHANGE))]),
            shop_time: FIRST_CHANGE,
            under_way: Vec::new(),
            begun: 0,
            delivered: Vec::new(),
            said: BTreeSet::from([0, 1].map(|order: u8| said(order, 0))),
            come_back_in: None,
            owed: Arc::default(),
        }
    }

    /// A clock that stands at that time.
    pub(super) fn clock(&self) -> Clock {
        Clock::standing_at(self.time())
    }

    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Does something with the store.
    pub(super) fn with_store<T, F: Future<Output = T>>(&self, work: impl FnOnce(Store) -> F) -> T {
        self.runtime.block_on(work(self.store.clone()))
    }

    /// One column of text.
    pub(super) fn column(&self, sql: &str) -> Vec<String> {
        let mut statement = self.reader.prepare_cached(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    pub(super) fn policy() -> Policy {
        Policy {
            grace: Duration::from_secs(60),
            retry_base: Duration::from_secs(2),
            retry_cap: Duration::from_secs(900),
            give_up_after: Duration::from_secs(3600),
            denied_pause: Duration::from_secs(300),
        }
    }

    pub(super) fn move_clock(&mut self, seconds: i64) {
        self.now += seconds * 1000;
        self.latest = self.latest.max(self.now);
    }

    /// The clock is right again, and long after everything that happened.
    pub(super) fn set_clock_right(&mut self) {
        self.now = self.latest + 86_400_000;
    }

    pub(super) fn change_order(&mut self, order: u8, status: Option<u8>) {
        self.shop_time += 1000;
        match status {
            Some(status) => {
                self.said.insert(said(order, status));
                self.orders.insert(order, (status, self.shop_time));
            }
            None => {
                self.orders.remove(&order);
            }
        }
    }

    pub(super) fn receive(&mut self, order: u8, status: u8, event: u8) {
        self.delivered.push((order, status, event));
        let notification = RawNotification {
            source: SOURCE.to_owned(),
            provider: "ecwid".to_owned(),
            received_at: self.time(),
            remote_addr: format!("198.51.100.{event}"),
            content_type: None,
            headers: Headers::default(),
            body: vec![order, status, event],
        };
        let id = self.runtime.block_on(self.store.append(notification.clone())).unwrap();
        let claim = claim(order, status, event);
        let course = course(&claim);
        let parsed =
            ParsedNotification { id, notification, reading: Some(claim.into()), is_listable: false, course };
        self.runtime.block_on(self.store.record(vec![parsed], self.time())).unwrap();
    }

    /// Leases what may be asked now; returns how many questions.
    pub(super) fn lease(&mut self, most: usize) -> usize {
        let request = LeaseRequest {
            source: SOURCE.to_owned(),
            owner: "serve-1".to_owned(),
            rate: Rate { limit: 1_000_000, window: Duration::from_secs(1) },
            most_in_list: 1,
            begun: self.begun,
            last_begun_at: None,
        };
        let leased = self.store.lease(vec![request], move |_| vec![(); most], self.time());
        let (_, leased, _) = self.runtime.block_on(leased).unwrap().remove(0);
        let leased = leased.unwrap();
        self.come_back_in = leased.come_back_at.map(|then| then.millis() - self.now);
        self.begun += u64::try_from(leased.calls.len()).unwrap();
        let leases: Vec<Lease> = leased.calls.into_iter().flatten().collect();
        let count = leases.len();
        self.under_way.extend(leases.into_iter().map(|lease| UnderWay { lease, answer: None }));
        count
    }

    pub(super) fn under_way_count(&self) -> usize {
        self.under_way.len()
    }

    /// The orders that the questions in flight are about, in the order in which they were leased.
    pub(super) fn orders_asked(&self) -> Vec<u8> {
        self.under_way.iter().map(|question| question.lease.claim.subject.id.parse().unwrap()).collect()
    }

    /// The shop answers a question in flight, truly or by failing.
    pub(super) fn answer(&mut self, place: usize, fails: Option<Fails>) {
        let asked_at = self.time();
        let shop = self.orders.clone();
        let Some(question) = pick(&mut self.under_way, place) else { return };
        if question.answer.is_some() {
            return;
        }
        let order = question.lease.claim.subject.id.parse::<u8>().unwrap();
        let result = match (fails, shop.get(&order)) {
            (Some(fails), _) => CallResult::Failed(fails.failure()),
            (None, Some((status, updated_at))) => {
                Shown { order, status: *status, updated_at: *updated_at }.result()
            }
            (None, None) => CallResult::NotFound(NotFoundEvidence {
                evidence: Value::Null,
                detail: "not there".to_owned(),
                deletion: Deletion::NotAsked,
            }),
        };
        question.answer =
            Some(Answer { asked_at, date: None, http_status: Some(200), latency_ms: 1, result });
    }

    /// Records an answer that has come; whether it was a failure.
    pub(super) fn record(&mut self, place: usize) -> bool {
        if pick(&mut self.under_way, place).is_none_or(|question| question.answer.is_none()) {
            return false;
        }
        let place = place % self.under_way.len();
        let UnderWay { lease, answer } = self.under_way.swap_remove(place);
        let Some(answer) = answer else { return false };
        let is_failure = matches!(answer.result, CallResult::Failed(_));
        let truth_id = match &answer.result {
            CallResult::Found(shown) => shown.truth.as_ref().map(|truth| truth.id().to_owned()),
            _ => None,
        };
        let call = VerificationCall {
            lease: lease.name,
            source: lease.source,
            claim: lease.claim,
            permit: lease.permit,
            asked_at: answer.asked_at,
            http_status: answer.http_status,
            latency_ms: answer.latency_ms,
            truth_id,
        };
        let call_kind = call.claim.call_kind.clone();
        let (now, owed) = (self.time(), Arc::clone(&self.owed));
        let judge = move |case: &Case| {
            owed.lock().unwrap().extend(agreed(&answer, case));
            match &answer.result {
                CallResult::Failed(failure) => {
                    rules::on_failure(failure, &call_kind, answer.asked_at, case, &Self::policy(), 0.5)
                }
                _ => rules::settle(&StatusJudge, &answer, case, &Self::policy(), 0.5, now),
            }
        };
        self.runtime.block_on(self.store.settle(call, Self::policy(), 0.5, &self.clock(), judge)).unwrap();
        is_failure
    }

    pub(super) fn give_up(&mut self) {
        let outages = self.runtime.block_on(self.store.reader().failing()).unwrap();
        for outage in outages {
            let (source, call_kind, policy) = (outage.source, outage.call_kind, Self::policy());
            let given_up = self.store.give_up_waiting(source, call_kind, outage.cause, policy, self.time());
            self.runtime.block_on(given_up).unwrap();
        }
    }

    /// The process dies: what was in flight is never recorded; the next one frees the leases, or time does.
    pub(super) fn crash(&mut self, is_restarted: bool) {
        self.under_way.clear();
        if is_restarted {
            self.runtime.block_on(self.store.free_leases("serve-".to_owned())).unwrap();
            self.runtime.block_on(self.store.resume(SOURCE.to_owned(), self.time())).unwrap();
        }
    }

    pub(super) fn retry(&mut self, id: i64) {
        let Some(notification) = self.runtime.block_on(self.store.reader().raw_notification(id)).unwrap()
        else {
            return;
        };
        let [order, status, event] = notification.body[..] else { return };
        let claim = claim(order, status, event);
        let course = course(&claim);
        let parsed =
            ParsedNotification { id, notification, reading: Some(claim.into()), is_listable: false, course };
        self.runtime.block_on(self.store.retry(vec![parsed], None, self.time())).unwrap();
    }

    pub(super) fn dismiss(&mut self, id: i64) {
        self.runtime.block_on(self.store.dismiss(vec![id], None, self.time())).unwrap();
    }

    pub(super) fn verdicts(&self) -> BTreeMap<i64, Verdict> {
        let mut statement = self
            .reader
            .prepare_cached("SELECT notification_id, state, reason, duplicate_of, claim_key FROM verdicts")
            .unwrap();
        let rows = statement.query_map([], |row| {
            let verdict = Verdict {
                state: row.get(1)?,
                reason: row.get(2)?,
                duplicate_of: row.get(3)?,
                key: row.get(4)?,
            };
            Ok((row.get(0)?, verdict))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// The shop's own time of the last change of each order, as the store holds it.
    pub(super) fn truth_times(&self) -> BTreeMap<String, String> {
        let mut statement = self.reader.prepare_cached("SELECT order_id, updated_at FROM orders").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Whether the shop would countersign this now.
    pub(super) fn is_true_now(&self, order: u8, status: u8) -> bool {
        self.orders.get(&order).is_some_and(|(current, _)| *current == status)
    }
}

/// The claims of `case` that a fresh answer says too: one copy of each has to be confirmed by it, or was before.
fn agreed(answer: &Answer, case: &Case) -> Vec<ClaimKey> {
    let CallResult::Found(shown) = &answer.result else { return Vec::new() };
    let updated_at = shown.truth.as_ref().and_then(Truth::updated_at);
    if case.stored.as_ref().is_some_and(|held| held.updated_at >= updated_at) {
        return Vec::new();
    }
    let agrees = |claim| StatusJudge.compare(claim, answer, &Known::default()).outcome == Outcome::Match;
    case.waiting.iter().filter(|row| agrees(&row.claim)).map(|row| row.key.clone()).collect()
}

fn pick(under_way: &mut [UnderWay], place: usize) -> Option<&mut UnderWay> {
    let count = under_way.len();
    if count == 0 { None } else { under_way.get_mut(place % count) }
}
