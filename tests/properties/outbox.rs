//! What a target saw is explained by what the shop said, whatever the history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign::domain::{Attempt, AttemptOutcome, Effect, NewsFilter, RetryPolicy};
use countersign::store::{DeliveryRequest, LeasedDelivery, Subscription};
use proptest::prelude::*;

use super::histories::{self, cases, settle_all};
use super::world::World;

const ACTION: &str = "erp";
const OWNER: &str = "serve-1";

#[derive(Clone, Debug)]
enum Step {
    /// Of the shop, its notifications and their verdicts; a crash is one of the deliverer, too.
    Before(histories::Step),
    Lease(usize),
    /// The target sees it; what it answers is not known yet.
    Send(usize, Effect),
    /// What it answered is recorded.
    Record(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let effect = prop_oneof![
        4 => Just(Effect::Delivered),
        3 => Just(Effect::Failed),
        1 => Just(Effect::Rejected),
        1 => Just(Effect::Gone),
        1 => Just(Effect::Hold(Some(Duration::from_secs(30)))),
    ];
    prop_oneof![
        6 => histories::step().prop_map(Step::Before),
        2 => (1..4_usize).prop_map(Step::Lease),
        2 => (0..4_usize, effect).prop_map(|(place, effect)| Step::Send(place, effect)),
        2 => (0..4_usize).prop_map(Step::Record),
    ]
}

/// A try that began.
struct UnderWay {
    delivery: LeasedDelivery,
    answer: Option<Effect>,
}

/// What the target was sent.
struct Seen {
    seq: i64,
    id: String,
    body: String,
    order: String,
    status: String,
}

#[derive(Default)]
struct Outbox {
    under_way: Vec<UnderWay>,
    seen: Vec<Seen>,
}

impl Outbox {
    fn apply(&mut self, world: &mut World, step: &Step) {
        match step {
            Step::Before(step) => {
                histories::apply(world, step);
                if let histories::Step::Crash { is_restarted } = step {
                    self.crash(world, *is_restarted);
                }
            }
            Step::Lease(most) => drop(self.lease(world, *most)),
            Step::Send(place, effect) => self.send(*place, *effect),
            Step::Record(place) => self.record(world, *place),
        }
    }

    /// Leases what may be sent now; returns how many deliveries.
    fn lease(&mut self, world: &World, most: usize) -> usize {
        let request = DeliveryRequest {
            action: ACTION.to_owned(),
            most,
            longest_pause: Duration::from_secs(3600),
            with_email: false,
            with_raw: false,
        };
        let now = world.time();
        let leased = world.with_store(|store| async move {
            store.lease_deliveries(vec![request], OWNER.to_owned(), now).await.unwrap().remove(0)
        });
        let count = leased.deliveries.len();
        self.under_way
            .extend(leased.deliveries.into_iter().map(|delivery| UnderWay { delivery, answer: None }));
        count
    }

    fn send(&mut self, place: usize, effect: Effect) {
        let count = self.under_way.len().max(1);
        let Some(sent) = self.under_way.get_mut(place % count) else { return };
        sent.answer = Some(effect);
        let LeasedDelivery { message_id, news, extra, .. } = &sent.delivery;
        self.seen.push(Seen {
            seq: news.seq,
            id: message_id.clone(),
            body: news.line(extra),
            order: news.subject_id.clone(),
            status: news.current["status"].as_str().unwrap().to_owned(),
        });
    }

    fn record(&mut self, world: &World, place: usize) {
        let count = self.under_way.len().max(1);
        if self.under_way.get(place % count).is_none_or(|sent| sent.answer.is_none()) {
            return;
        }
        let UnderWay { delivery, answer } = self.under_way.swap_remove(place % count);
        let Some(effect) = answer else { return };
        let (now, clock) = (world.time(), world.clock());
        let is_delivered = effect == Effect::Delivered;
        let attempt = Attempt {
            at: now,
            latency_ms: 1,
            outcome: if is_delivered { AttemptOutcome::Delivered } else { AttemptOutcome::Refused },
            http_status: None,
            exit_code: None,
            answer: None,
            detail: "as drawn".to_owned(),
            effect,
        };
        let policy =
            RetryPolicy { pauses: vec![Duration::from_secs(5)], give_up_after: Duration::from_secs(86_400) };
        world.with_store(|store| async move {
            store.record_delivery(delivery.id, OWNER.to_owned(), attempt, policy, 0.5, clock).await.unwrap();
        });
    }

    /// What was in flight is never recorded; the next process frees the leases, or time does.
    fn crash(&mut self, world: &World, is_restarted: bool) {
        self.under_way.clear();
        if is_restarted {
            world.with_store(|store| async move {
                store.free_deliveries("serve-".to_owned()).await.unwrap();
                store.wake_actions(vec![ACTION.to_owned()]).await.unwrap();
            });
        }
    }

    /// Until nothing waits: the target takes everything.
    fn deliver_all(&mut self, world: &mut World) {
        self.crash(world, true);
        for _ in 0..500 {
            if world.column("SELECT id || '' FROM deliveries WHERE state = 'waiting'").is_empty() {
                return;
            }
            for _ in 0..self.lease(world, 4) {
                let last = self.under_way.len() - 1;
                self.send(last, Effect::Delivered);
                self.record(world, last);
            }
            world.move_clock(60);
        }
        panic!("something is stuck");
    }

    fn check(&self, world: &World) {
        let mut known: BTreeMap<i64, &Seen> = BTreeMap::new();
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for seen in &self.seen {
            let what = (seen.order.clone(), seen.status.clone());
            assert!(world.said.contains(&what), "the shop never said {what:?}");
            let Some(before) = known.insert(seen.seq, seen) else {
                let last = last.insert(&seen.order, seen.seq);
                assert!(last.is_none_or(|last| last < seen.seq), "{} before {last:?}", seen.seq);
                continue;
            };
            assert_eq!((&before.id, &before.body), (&seen.id, &seen.body), "the same on every try");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_target_saw_is_what_the_shop_said(steps in proptest::collection::vec(step(), 10..120)) {
        let mut world = World::new();
        world.with_store(|store| async move {
            store.identify().await.unwrap();
            store.subscribe(vec![Subscription { action: ACTION.to_owned(), filter: NewsFilter::default() }]);
        });
        let mut outbox = Outbox::default();
        for step in &steps {
            outbox.apply(&mut world, step);
            outbox.check(&world);
        }
        settle_all(&mut world);
        outbox.deliver_all(&mut world);
        outbox.check(&world);
        let told: BTreeSet<String> = outbox.seen.iter().map(|seen| seen.seq.to_string()).collect();
        let news: BTreeSet<String> = world.column("SELECT seq || '' FROM news").into_iter().collect();
        prop_assert_eq!(told, news, "each news was told, and nothing else");
        let untrue = "SELECT seq || '' FROM news WHERE notification_id NOT IN (
                        SELECT notification_id FROM verdicts WHERE state = 'confirmed')";
        prop_assert_eq!(world.column(untrue), Vec::<String>::new());
    }
}
