//! `kill -9` between each two steps of lease, send and record, again and again under load.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use countersign::simulator::ecwid::EcwidStore;

use super::{Endpoint, Reply, ok, told};
use crate::news::{about_order, order};
use crate::support::disk::{Disk, Word};
use crate::support::{Request, TestEnv};

/// How a life ends.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// By the disk, at the Nth of something: each commit of intake, verdict, lease and record is among them.
    At(Word, i64),
    /// From outside, while the target holds its answer back: leased, sent, not recorded.
    WhileSending,
    /// By the disk, before the first commit after the target's answer.
    BeforeRecord,
}

fn kills() -> Vec<Kill> {
    let of = |n| {
        [
            Kill::At(Word::KillBeforeSync, n),
            Kill::WhileSending,
            Kill::At(Word::KillAfterSync, n),
            Kill::BeforeRecord,
            Kill::At(Word::KillAtLogWrite, 3 * n),
        ]
    };
    (1..=10).flat_map(of).collect()
}

const SENDERS: usize = 3;

/// Posts of one life that is to end from outside, and of any life.
const FEW: u64 = 4;
const MOST: u64 = 200;

/// A shop, and all that it ever said of its orders.
struct Shop {
    store: EcwidStore,
    next: AtomicU64,
    said: Mutex<BTreeSet<(String, String)>>,
}

impl Shop {
    fn says(&self, n: u64, status: &str) {
        self.said.lock().unwrap().insert((format!("SALE-{n}"), status.to_owned()));
        self.store.put_order(order(n).payment(status));
    }

    /// A new order and its notification; of every third one a change and another notification, of every second one a
    /// forged one about an order that is not there. Whether all were acknowledged.
    fn sell(&self, to: SocketAddr) -> bool {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let post = |body: String| {
            Request::post("/hooks/shop").body(body).try_send(to).is_ok_and(|answer| answer.status == 200)
        };
        self.says(n, "PAID");
        let mut is_taken = post(about_order("order.created", n, &format!("new-{n}")));
        if n.is_multiple_of(2) {
            is_taken &= post(about_order("order.created", n + 1_000_000, &format!("forged-{n}")));
        }
        if n.is_multiple_of(3) {
            self.says(n, "REFUNDED");
            is_taken &= post(about_order("order.updated", n, &format!("change-{n}")));
        }
        is_taken
    }

    /// Sells from some threads until `most` was sold, or the service answers no more.
    fn sell_until_killed(&self, to: SocketAddr, most: u64) {
        let end = self.next.load(Ordering::Relaxed) + most;
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| while self.next.load(Ordering::Relaxed) < end && self.sell(to) {});
            }
        });
    }
}

fn live_until_killed(env: &TestEnv, shop: &Shop, endpoint: &Endpoint, disk: &Arc<Disk>, kill: Kill) {
    let serve = env.serve_on(disk);
    match kill {
        Kill::At(word, n) => disk.set(word, n),
        Kill::WhileSending => endpoint.answer(|_| Reply::Hang(String::new())),
        Kill::BeforeRecord => {
            let disk = Arc::clone(disk);
            endpoint.answer(move |_| {
                disk.set(Word::KillBeforeSync, 1);
                ok()
            });
        }
    }
    if matches!(kill, Kill::WhileSending) {
        let before = endpoint.seen().len();
        shop.sell_until_killed(serve.intake, FEW);
        endpoint.wait_for(before + 1);
        serve.kill();
    } else {
        shop.sell_until_killed(serve.intake, MOST);
        assert_eq!(serve.end().code(), None, "{kill:?}: it ended by itself");
    }
    endpoint.answer(|_| ok());
    for word in [Word::KillBeforeSync, Word::KillAfterSync, Word::KillAtLogWrite] {
        disk.set(word, 0);
    }
}

#[test]
fn fifty_kills_lose_no_news_and_tell_none_that_the_shop_did_not_say() {
    let endpoint = Endpoint::new();
    let (env, store) = told(&endpoint, "timeout = \"1h\"\n");
    let shop = Shop { store, next: AtomicU64::new(1), said: Mutex::default() };
    let (disk, kills) = (Arc::new(Disk::new()), kills());
    for kill in &kills {
        live_until_killed(&env, &shop, &endpoint, &disk, *kill);
    }
    let serve = env.serve();
    env.wait_for_value("SELECT count(*) FROM notifications WHERE state = 'pending'", "0");
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state <> 'delivered'", "0");
    assert!(serve.stop().success());
    let forged =
        "SELECT count(*) FROM notifications WHERE subject_id LIKE 'SALE-1______' AND state <> 'ignored'";
    assert_eq!(env.value(forged).as_deref(), Some("0"));
    let untold = "SELECT count(*) FROM notifications n WHERE state = 'confirmed' AND NOT EXISTS (
                    SELECT 1 FROM news WHERE source = n.source AND subject_id = n.resolved_id)";
    assert_eq!(env.value(untold).as_deref(), Some("0"));
    let said = shop.said.lock().unwrap();
    let mut told = BTreeMap::new();
    let seen = endpoint.seen();
    for request in &seen {
        let json = request.json();
        let seq = json["data"]["seq"].as_i64().unwrap();
        let what = (request.subject(), json["data"]["current"]["status"].as_str().unwrap().to_owned());
        assert!(said.contains(&what), "the shop never said {what:?}");
        let id = request.header("webhook-id").unwrap();
        assert!(id.ends_with(&format!("_{seq}")), "{id} {seq}");
        let first = told.entry(seq).or_insert((id.to_owned(), request.body.clone()));
        assert_eq!((&*first.0, &first.1), (id, &request.body), "the same id and body on every try");
    }
    let news: i64 = env.value("SELECT count(*) FROM news").unwrap().parse().unwrap();
    let of_news = "SELECT group_concat(seq, ' ') FROM (SELECT seq FROM news ORDER BY seq)";
    let seqs: Vec<String> = told.keys().map(i64::to_string).collect();
    assert_eq!(env.value(of_news).unwrap(), seqs.join(" "), "each news was told, and nothing else");
    println!("kills: {}, news: {news}, all told; {} requests", kills.len(), seen.len());
    assert!(news >= 50);
}
