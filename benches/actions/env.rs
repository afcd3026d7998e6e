//! A service in this process or in one of its own, its configuration, and deliveries that wait in its store.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign::config::Settings;
use countersign::domain::Clock;
use countersign::service::{Service, ServiceOptions};
use countersign::store::{self, ServeLock, Store};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use crate::shops::{API_KEY, STORE, Shops, TOKEN};

/// No part may take longer.
const PATIENCE: Duration = Duration::from_secs(110);

/// Deliveries that wait for an action, and their news: notifications of so high a number have no rows of their own.
const FILL: &str = "
    BEGIN;
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers, wanted WHERE n < deliveries)
      INSERT INTO news (notification_id, type, at, source, provider, event, origin, subject_kind, subject_id, current)
      SELECT 1000000000 + n, 'order.changed', now, 'keys', 'kinguin', 'order.status', 'intake', 'order', 'N' || n,
        '{\"status\":\"completed\",\"fulfillment_status\":null,\"total\":\"9.90\",\"currency\":\"EUR\",\"updated_at\":\"2026-01-01T00:00:00.000Z\"}'
      FROM numbers, wanted;
    INSERT INTO deliveries (action, seq, source, subject_kind, subject_id, state, next_attempt_at, since, is_first)
      SELECT action, seq, source, subject_kind, subject_id, 'waiting', at, at, 1 FROM news, wanted;
    COMMIT;";

pub(crate) struct BenchEnv {
    folder: tempfile::TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
}

impl BenchEnv {
    /// One with two sources and these actions.
    pub(crate) fn new(shops: &Shops, concurrency: usize, actions: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = folder.path().join("bench.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndrain = \"1s\"\n\
             [store]\npath = \"bench.db\"\nmin_free = \"1MiB\"\n[verify]\nconcurrency = {concurrency}\n\
             [sources.shop]\nprovider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"{TOKEN}\"\napi_base = \"{}\"\n\
             [sources.keys]\nprovider = \"kinguin\"\napi_key = \"{API_KEY}\"\napi_base = \"{}\"\nrate_limit = \"1000000/s\"\n\
             {actions}",
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

    /// Makes the store, with so many deliveries that wait for `action`.
    pub(crate) fn fill(&self, action: &str, deliveries: u32) {
        let _runs = self.runtime.enter();
        create(&self.path()).close();
        if deliveries == 0 {
            return;
        }
        let conn = Connection::open(self.path()).unwrap();
        conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF").unwrap();
        let wanted = "CREATE TEMP TABLE wanted AS SELECT ?1 AS deliveries, ?2 AS action,
                        strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now";
        conn.execute(wanted, (deliveries, action)).unwrap();
        conn.execute_batch(FILL).unwrap();
    }

    pub(crate) fn start(&self, options: ServiceOptions) -> Service {
        self.runtime.block_on(Service::start(&self.settings, options)).unwrap()
    }

    /// How many deliveries of an action were made.
    pub(crate) fn delivered(&self, action: &str) -> usize {
        let conn = Connection::open(self.path()).unwrap();
        let sql = "SELECT coalesce(sum(n), 0) FROM delivery_counts WHERE action = ?1 AND state = 'delivered'";
        usize::try_from(conn.query_row(sql, [action], |row| row.get::<_, i64>(0)).unwrap()).unwrap()
    }

    /// Waits until so many were.
    pub(crate) fn wait_until_delivered(&self, action: &str, count: usize) {
        let began = Instant::now();
        while self.delivered(action) < count {
            assert!(began.elapsed() < PATIENCE, "only {} of {count} are delivered", self.delivered(action));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts the real binary.
    pub(crate) fn spawn(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--config").arg(self.folder.path().join("bench.toml")).arg("serve");
        command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM").env_remove("COUNTERSIGN_CONFIG");
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
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
