//! A service in this process, its configuration and its store, with notifications stored before its worker starts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign::config::Settings;
use countersign::domain::{Clock, Headers, RawNotification, State};
use countersign::service::{Service, ServiceOptions};
use countersign::store::{self, ServeLock, Store};
use futures_util::StreamExt as _;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::shops::{API_KEY, STORE, Shops, TOKEN, ecwid_id, kinguin_id};

/// No part may take longer.
const PATIENCE: Duration = Duration::from_secs(110);

/// Who is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shop {
    /// Its orders can only be asked about one by one; no rate limit.
    Kinguin,
    /// A list call asks about up to 100 of its orders; its real rate limit.
    Ecwid,
}

impl Shop {
    /// A true notification about order `n`, and one more about the same.
    pub(crate) fn notification(self, n: usize, copy: usize) -> RawNotification {
        let (source, provider, header, body) = match self {
            Self::Kinguin => (
                "keys",
                "kinguin",
                [("x-event-name", "order.status")].as_slice(),
                format!(
                    r#"{{"orderId":"{}","status":"completed","updatedAt":"2025-03-04T10:15:{copy:02}+00:00"}}"#,
                    kinguin_id(n)
                ),
            ),
            Self::Ecwid => (
                "shop",
                "ecwid",
                [].as_slice(),
                format!(
                    r#"{{"eventId":"e-{n}-{copy}","eventCreated":1764000000,"storeId":{STORE},"entityId":{},"eventType":"order.updated","data":{{"orderId":"{}","newPaymentStatus":"PAID"}}}}"#,
                    1_000_000 + n,
                    ecwid_id(n)
                ),
            ),
        };
        RawNotification {
            source: source.to_owned(),
            provider: provider.to_owned(),
            received_at: Clock::system().now(),
            remote_addr: "203.0.113.7".to_owned(),
            content_type: Some("application/json".to_owned()),
            headers: Headers::new(header.iter().copied()),
            body: body.into_bytes(),
        }
    }
}

pub(crate) struct BenchEnv {
    folder: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
}

/// What settling everything took.
pub(crate) struct Settled {
    pub(crate) took: Duration,
    pub(crate) confirmed: usize,
}

impl BenchEnv {
    pub(crate) fn new(shops: &Shops, concurrency: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bench.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
             [store]\npath = \"bench.db\"\nmin_free = \"1MiB\"\n[verify]\nconcurrency = {concurrency}\n\
             [sources.shop]\nprovider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"{TOKEN}\"\napi_base = \"{}\"\n\
             [sources.keys]\nprovider = \"kinguin\"\napi_key = \"{API_KEY}\"\napi_base = \"{}\"\nrate_limit = \"1000000/s\"\n",
            shops.ecwid_base(),
            shops.kinguin_base()
        );
        std::fs::write(&config, text).unwrap();
        let settings = Settings::load(&config, |_| None).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { folder, runtime, settings }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }

    /// Stores these notifications, as the receiver would.
    pub(crate) fn store(&self, notifications: impl Iterator<Item = RawNotification>) {
        self.runtime.block_on(async {
            let store = create(&self.path());
            let appended =
                futures_util::stream::iter(notifications).map(|notification| store.append(notification));
            let stored: Vec<_> = appended.buffered(256).collect().await;
            assert!(stored.iter().all(Result::is_ok));
            store.close();
        });
    }

    /// Starts a service; also how it tells what moves.
    pub(crate) fn start(&self, no_worker: bool) -> (Service, Moves) {
        let (moves, moved) = mpsc::unbounded_channel();
        let options = ServiceOptions { moves: Some(moves), no_worker, ..ServiceOptions::default() };
        let service = self.runtime.block_on(Service::start(&self.settings, options)).unwrap();
        (service, Moves { moved, settled: BTreeSet::new(), confirmed: 0 })
    }

    /// From the start of the service to the last of `count` verdicts.
    pub(crate) fn settle(&self, count: usize) -> Settled {
        let began = Instant::now();
        let (service, mut moves) = self.start(false);
        self.runtime.block_on(moves.wait_for(count));
        let took = began.elapsed();
        self.runtime.block_on(service.stop());
        Settled { took, confirmed: moves.confirmed }
    }
}

/// Counts what was settled.
pub(crate) struct Moves {
    moved: mpsc::UnboundedReceiver<store::StateChange>,
    settled: BTreeSet<i64>,
    confirmed: usize,
}

impl Moves {
    /// How many were confirmed until now.
    pub(crate) fn confirmed_so_far(&mut self) -> usize {
        while let Ok(moved) = self.moved.try_recv() {
            self.confirmed += usize::from(moved.state == State::Confirmed);
        }
        self.confirmed
    }

    /// Waits until so many are settled.
    pub(crate) async fn wait_for(&mut self, count: usize) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.settled.len() < count {
                let moved = self.moved.recv().await.unwrap();
                if moved.state != State::Pending && self.settled.insert(moved.id) {
                    self.confirmed += usize::from(moved.state == State::Confirmed);
                }
            }
        });
        assert!(waited.await.is_ok(), "only {} of {count} are settled", self.settled.len());
    }
}

/// The store at `path`, made as `serve` makes it.
fn create(path: &Path) -> Store {
    let now = Clock::system().now();
    store::create(path).unwrap();
    let lock = ServeLock::take(path, now).unwrap();
    store::bring_up_to_date(path, &lock, 0, now).unwrap();
    Store::open(path).unwrap()
}
