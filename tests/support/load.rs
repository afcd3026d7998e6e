//! Senders that post without a pause and remember the answers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use countersign::simulator::ecwid::{EcwidStore, Order};

use super::{Request, paid};

/// True notifications of one shop, each about an order of its own, and what was answered to them.
pub(crate) struct Load {
    store: EcwidStore,
    next: AtomicU64,
    answers: Mutex<Answers>,
}

/// The bodies that were sent, by what was answered.
#[derive(Default)]
pub(crate) struct Answers {
    /// 200: a promise.
    pub(crate) acknowledged: BTreeSet<String>,
    /// 503 with `Retry-After`: a refusal.
    pub(crate) refused: BTreeSet<String>,
    /// Cut off: nobody knows.
    pub(crate) unanswered: BTreeSet<String>,
}

impl Load {
    /// A load of notifications to the source `shop` of the store 1003.
    pub(crate) fn new(store: EcwidStore) -> Self {
        Self { store, next: AtomicU64::new(1), answers: Mutex::default() }
    }

    /// What was answered so far.
    pub(crate) fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().expect("answers")
    }

    /// Sends one notification; returns the status of its answer, if one came.
    ///
    /// Every other order has a plain id, which a list call may name.
    pub(crate) fn post(&self, to: SocketAddr) -> Option<u16> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let order = if n.is_multiple_of(2) { format!("plain-{n}") } else { format!("o.{n}") };
        self.store.put_order(Order::new(&order, n).paid());
        let body = paid(1003, &order);
        let answer = Request::post("/hooks/shop").body(body.as_str()).try_send(to).ok();
        let mut answers = self.answers();
        match &answer {
            None => answers.unanswered.insert(body),
            Some(answer) if answer.status == 200 => answers.acknowledged.insert(body),
            Some(answer) => {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
                answers.refused.insert(body)
            }
        };
        answer.map(|answer| answer.status)
    }

    /// Posts from `senders` threads until `enough` returns true for a status, or the server no longer answers.
    pub(crate) fn run(&self, to: SocketAddr, senders: usize, mut enough: impl FnMut(u16) -> bool) {
        let (sender, statuses) = mpsc::sync_channel(0);
        std::thread::scope(|scope| {
            for _ in 0..senders {
                let sender = sender.clone();
                scope.spawn(move || {
                    while let Some(status) = self.post(to) {
                        if sender.send(status).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            let is_over = statuses.iter().any(&mut enough);
            drop(statuses);
            is_over
        });
    }

    /// Asserts that `stored` contains each acknowledged body, none twice, no refused one, and none that was not sent.
    #[track_caller]
    pub(crate) fn assert_kept(&self, stored: &[String]) {
        let answers = self.answers();
        let distinct: BTreeSet<&String> = stored.iter().collect();
        assert_eq!(distinct.len(), stored.len(), "something is stored twice");
        let lost: Vec<&String> =
            answers.acknowledged.iter().filter(|body| !distinct.contains(body)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:#?}");
        for body in distinct {
            assert!(!answers.refused.contains(body), "refused and stored all the same: {body}");
            let was_sent = answers.acknowledged.contains(body) || answers.unanswered.contains(body);
            assert!(was_sent, "nobody sent {body}");
        }
    }
}
