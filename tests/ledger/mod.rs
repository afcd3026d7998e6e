//! The ledger: what the files of several nodes hold, in a real PostgreSQL, whatever happens to either side.

mod compare;
mod documents;
mod engine;
mod every_column;
mod hostile;
mod operate;
mod owner;
mod personal;
mod pooler;
mod proxy;
mod restart;
mod rules;
mod schema;
mod tls;

use countersign::domain::{Clock, Timestamp};
use countersign::simulator::ecwid::{EcwidStore, Order};

use crate::support::disk::Disk;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::{Serve, TestEnv, paid};

/// A shop and a database of its own for the ledger; time can be let pass for its `serve`.
struct Shop {
    env: TestEnv,
    store: EcwidStore,
    disk: Disk,
}

impl Shop {
    fn new() -> Self {
        let env = TestEnv::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
        let store = env.ion_store(1003);
        Self { env, store, disk: Disk::new() }
    }

    /// With this `[ledger]`.
    fn ledger(self, lines: &str) -> Self {
        Self { env: self.env.ledger(lines), ..self }
    }

    /// The keys of `[store]`.
    fn store_keys(self, lines: &str) -> Self {
        Self { env: self.env.store_keys(lines), ..self }
    }

    fn serve(&self) -> Serve {
        self.env.serve_on(&self.disk)
    }

    /// Sells an order and tells of it; waits until that is settled as notification `id`.
    fn sell(&self, serve: &Serve, n: u64, id: i64) {
        self.tell(serve, n);
        serve.settled(id);
    }

    /// Sells an order and tells of it.
    fn tell(&self, serve: &Serve, n: u64) {
        self.store.put_order(Order::new(&format!("o.{n}"), 40_000 + n).order_number(n).paid());
        assert_eq!(serve.post("shop", paid(1003, &format!("o.{n}"))).status, 200);
    }

    /// What `status` says in JSON.
    fn status(&self) -> serde_json::Value {
        let output = self.env.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Waits until `status` warns of `kind` about the ledger, or of nothing; returns what it says.
    #[track_caller]
    fn wait_for_warning(&self, kind: Option<&str>) -> String {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let status = self.status();
            let warnings = status["warnings"].as_array().cloned().unwrap_or_default();
            let about = warnings
                .iter()
                .find(|warning| warning["kind"].as_str().is_some_and(|kind| kind.starts_with("ledger")));
            match (about, kind) {
                (None, None) => return String::new(),
                (Some(warning), Some(kind)) if warning["kind"] == kind => return warning.to_string(),
                _ => {}
            }
            assert!(std::time::Instant::now() < deadline, "waited in vain for {kind:?}: {status}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// How many notifications of a node are settled in the ledger.
fn settled(node: &str) -> String {
    format!("SELECT count(*) FROM countersign.notifications WHERE node = '{node}' AND state = 'confirmed'")
}

/// Asserts that nothing in the log is secret.
#[track_caller]
fn assert_silent(serve: &Serve) {
    assert!(!serve.log().contains(PASSWORD), "{}", serve.log());
}

/// Waits until all that the file holds now is in the ledger.
#[track_caller]
fn wait_until_shipped(database: &Database, node: &str) {
    wait_until_shipped_at(Clock::system().now(), database, node);
}

#[track_caller]
fn wait_until_shipped_at(now: Timestamp, database: &Database, node: &str) {
    let sql = format!("SELECT shipped_until >= '{now}' FROM countersign.nodes WHERE node = '{node}'");
    database.wait_for(&sql, "t");
}

/// Asserts that each table of the ledger equals the file's own, row by row.
#[track_caller]
fn assert_same(shop: &Shop, database: &Database, node: &str) {
    // The next sign of life, which is sent every five seconds, says how far it has shipped.
    shop.disk.pass(5);
    let now = Clock::system().now().plus(shop.disk.passed());
    wait_until_shipped_at(now, database, node);
    compare::assert_same(&shop.env.store_path(), &database.connect(), node, &[]);
}
