//! What the store keeps, for how long, and how it is copied.

mod backup;
mod beside;
mod keep;
mod personal;
mod prune;
mod unproven;

use std::process::Output;
use std::time::Duration;

use countersign::domain::{Clock, Headers, RawNotification};
use countersign::simulator::ecwid::{EcwidStore, Order, Product};

use crate::support::{Serve, TestEnv, create_or_open};

const STORE: u64 = 4_400_771;

/// The address that true notifications come from.
const SHOP: &str = "198.51.100.7";

/// What only the notifications say about a person.
const CALLER: &str = "jane.roe@private.test";

/// A shop with paid orders 1 to 9 and product 1, and a store that a test fills with what came in long ago.
struct Shop {
    env: TestEnv,
    ecwid: EcwidStore,
}

impl Shop {
    fn new() -> Self {
        let env = TestEnv::new();
        let ecwid = env.simulator.shops().open_ecwid(STORE, "secret_keep_token");
        let base = env.simulator.ecwid_base();
        for n in 1..=9 {
            ecwid.put_order(Order::new(&format!("ORDER-{n}"), 1000 + n).paid());
        }
        ecwid.put_product(Product::new(1, "Mug"));
        let env = env.source(
            "shop",
            &format!(
                "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"secret_keep_token\"\napi_base = \"{base}\"\n\
                 rate_limit = \"100000/min\""
            ),
        );
        Self { env, ecwid }
    }

    /// With these keys in `[store]`.
    fn store_keys(self, lines: &str) -> Self {
        Self { env: self.env.store_keys(lines), ..self }
    }

    /// Stores a notification as if it had come in so many days ago.
    fn came_in(&self, days_ago: u64, from: &str, body: String) -> i64 {
        let notification = RawNotification {
            source: "shop".to_owned(),
            provider: "ecwid".to_owned(),
            received_at: Clock::system().now().minus(Duration::from_secs(days_ago * 24 * 3600)),
            remote_addr: from.to_owned(),
            content_type: Some("application/json".to_owned()),
            headers: Headers::new([("X-Caller", CALLER)]),
            body: body.into_bytes(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = create_or_open(&self.env.store_path());
        let id = runtime.block_on(store.append(notification)).unwrap();
        store.close();
        id
    }

    /// Asks the shop about everything that waits.
    fn settle(&self) {
        done(&self.env.run(&["verify"]));
    }

    /// Starts `serve` and waits until it has kept the store's rules, which has to take something away.
    fn serve_and_keep(&self) -> Serve {
        let serve = self.env.serve();
        serve.wait_for_line("the rules are kept", |line| line.contains("retention: "));
        serve
    }

    /// Changes the store behind the program's back.
    fn sql(&self, sql: &str) {
        rusqlite::Connection::open(self.env.store_path()).unwrap().execute_batch(sql).unwrap();
    }

    fn value(&self, sql: &str) -> Option<String> {
        self.env.value(sql)
    }

    /// The ids that are left.
    fn ids(&self) -> Vec<i64> {
        self.env.rows().iter().map(|row| row.id).collect()
    }

    /// All of the view `daily`.
    fn daily(&self) -> String {
        self.value(
            "SELECT json_group_array(json_array(day, source, received, confirmed, ignored, fakes, duplicates, pending,
               undecided)) FROM daily",
        )
        .unwrap()
    }
}

/// A notification of order `n`; `event` tells one from the other.
fn order(n: u64, event: &str) -> String {
    format!(
        r#"{{"eventId":"{event}","eventCreated":1764000000,"storeId":{STORE},"entityId":{},"eventType":"order.updated",
           "data":{{"orderId":"ORDER-{n}","newPaymentStatus":"PAID","customer":"{CALLER}"}}}}"#,
        1000 + n
    )
}

/// A notification of product 1.
fn product(event: &str) -> String {
    format!(
        r#"{{"eventId":"{event}","eventCreated":1764000000,"storeId":{STORE},"entityId":1,
           "eventType":"product.updated"}}"#
    )
}

/// What the command printed; it has to have ended well.
#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What the command complained of; it has to have failed with this code.
#[track_caller]
fn failed(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}
