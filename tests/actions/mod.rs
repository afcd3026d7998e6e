//! Actions: what the shop confirmed is told once a change, at least once, in order, and nothing else is.

mod command;
mod endpoint;
mod feed;
mod guard;
mod hostile;
mod kills;
mod mail;
mod operate;
mod rules;
mod url;

use countersign::simulator::ecwid::EcwidStore;

use crate::news::{about_order, env, order};
use crate::support::{Serve, TestEnv};
pub(crate) use endpoint::{Endpoint, Reply, ok, status};

/// Retries that no test waits for.
const QUICK: &str = "retry = [\"50ms\"]\n";

/// An environment with one shop and an action `erp` at this endpoint.
fn told(endpoint: &Endpoint, lines: &str) -> (TestEnv, EcwidStore) {
    let (env, store) = env();
    let lines = format!("url = \"{}\"\n{QUICK}{lines}", endpoint.url());
    (env.action("erp", &lines), store)
}

/// Sells order `n`, and waits until its notification is confirmed; each order is sold once.
fn sell(serve: &Serve, store: &EcwidStore, n: u64, id: i64) {
    store.put_order(order(n));
    announce(serve, n, id);
}

/// A notification about order `n` as it is.
fn announce(serve: &Serve, n: u64, id: i64) {
    crate::news::tell(serve, about_order("order.updated", n, &format!("e{id}")), id);
}

/// `state` of each delivery, oldest first.
fn states(env: &TestEnv) -> String {
    env.value("SELECT group_concat(state, ' ') FROM (SELECT state FROM deliveries ORDER BY id)")
        .unwrap_or_default()
}

const STATES: &str = "SELECT group_concat(state, ' ') FROM (SELECT state FROM deliveries ORDER BY id)";
