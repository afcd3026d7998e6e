//! `reconcile`: what happened in the shops that nobody told us, and nothing that did not happen.

mod ecwid;
mod faults;
mod findings;
mod ion;
mod kinguin;
mod midas;
mod month;
mod odd;
mod recovering;
mod waiting;
mod windows;

use std::process::Output;

use countersign::domain::{Clock, Headers, RawNotification, Timestamp};
use countersign::simulator::ecwid::{EcwidStore, Order};
use serde_json::Value;

use crate::support::{Serve, TestEnv, create_or_open};

const STORE: u64 = 4_400_551;
const TOKEN: &str = "secret_reconcile_token";

/// What a run printed and how it ended.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    report: Value,
    errors: String,
}

impl Run {
    fn of(done: &Output) -> Self {
        Self {
            code: done.status.code(),
            report: serde_json::from_slice(&done.stdout).unwrap_or(Value::Null),
            errors: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// The part of one source.
    #[track_caller]
    fn source(&self, name: &str) -> &Value {
        let sources = self.report["sources"].as_array().unwrap_or_else(|| panic!("no report: {self:#?}"));
        sources.iter().find(|source| source["source"] == name).unwrap()
    }

    /// `kind subject ours shop` of each finding of a source.
    #[track_caller]
    fn findings(&self, name: &str) -> Vec<String> {
        let findings = self.source(name)["findings"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let words = findings.map(|finding| {
            ["kind", "subject_id", "ours", "shop"].map(|column| text(&finding[column])).join(" ")
        });
        words.collect()
    }
}

/// Runs `reconcile` about the last hours, with further arguments.
fn reconcile(env: &TestEnv, arguments: &[&str]) -> Run {
    reconcile_all(env, &[&["--since", "2h"], arguments].concat())
}

/// Runs `reconcile` without any choice but these.
fn reconcile_all(env: &TestEnv, arguments: &[&str]) -> Run {
    Run::of(&env.run(&[&["reconcile", "--format", "json"], arguments].concat()))
}

/// An environment with one Ecwid source, `shop`.
fn ecwid_env() -> (TestEnv, EcwidStore) {
    let env = TestEnv::new();
    let shop = env.simulator.shops().open_ecwid(STORE, TOKEN);
    let lines = ecwid_lines(&env);
    (env.source("shop", &lines), shop)
}

fn ecwid_lines(env: &TestEnv) -> String {
    format!(
        "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"{TOKEN}\"\nrate_limit = \"100000/min\"\napi_base = \"{}\"\n",
        env.simulator.ecwid_base()
    )
}

/// A webhook about an order.
fn webhook(event: &str, order_id: &str, internal_id: u64, payment: &str, fulfillment: &str) -> String {
    format!(
        r#"{{"eventId":"{event}-{order_id}-{payment}-{fulfillment}","eventCreated":1764000000,"storeId":{STORE},
           "entityId":{internal_id},"eventType":"{event}","data":{{"orderId":"{order_id}",
           "newPaymentStatus":"{payment}","newFulfillmentStatus":"{fulfillment}"}}}}"#
    )
}

/// Puts a paid order into the shop and has it told.
fn sell_and_tell(shop: &EcwidStore, serve: &Serve, order_id: &str, internal_id: u64) {
    shop.put_order(Order::new(order_id, internal_id).paid());
    serve.post("shop", webhook("order.created", order_id, internal_id, "PAID", "AWAITING_PROCESSING"));
}

/// Stores notifications as if they had come in at their times, without a service.
fn receive(env: &TestEnv, notifications: Vec<RawNotification>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = create_or_open(&env.store_path());
    runtime.block_on(async {
        let appended = notifications.into_iter().map(|notification| store.append(notification));
        for id in futures_util::future::join_all(appended).await {
            id.unwrap();
        }
    });
    store.close();
}

fn notification(
    source: &str,
    provider: &str,
    received_at: Timestamp,
    body: impl Into<Vec<u8>>,
) -> RawNotification {
    RawNotification {
        source: source.to_owned(),
        provider: provider.to_owned(),
        received_at,
        remote_addr: "203.0.113.9".to_owned(),
        content_type: None,
        headers: Headers::default(),
        body: body.into(),
    }
}

fn now() -> Timestamp {
    Clock::system().now()
}
