//! News: what a confirmed notification changed, told once, in order.

mod written;

use countersign::simulator::ecwid::{EcwidStore, Order, Product};

use crate::support::{Serve, TestEnv};

pub(crate) const STORE: u64 = 4_400_661;
const TOKEN: &str = "secret_news_token";

/// An environment with one Ecwid source `shop`, and its store.
pub(crate) fn env() -> (TestEnv, EcwidStore) {
    let env = TestEnv::new();
    let store = env.simulator.shops().open_ecwid(STORE, TOKEN);
    let base = env.simulator.ecwid_base();
    let lines = format!(
        "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"{TOKEN}\"\napi_base = \"{base}\"\nrate_limit = \"100000/s\"\n"
    );
    (env.source("shop", &lines), store)
}

/// A webhook about order `n`, which is `SALE-n`; `event` makes it differ from others.
pub(crate) fn about_order(event_type: &str, n: u64, event: &str) -> String {
    format!(
        r#"{{"eventId":"{event}","eventCreated":1764000000,"storeId":{STORE},"entityId":{n},"eventType":"{event_type}","data":{{"orderId":"SALE-{n}"}}}}"#
    )
}

/// A webhook about a product.
pub(crate) fn about_product(event_type: &str, n: u64, event: &str) -> String {
    format!(
        r#"{{"eventId":"{event}","eventCreated":1764000000,"storeId":{STORE},"entityId":{n},"eventType":"{event_type}"}}"#
    )
}

/// A paid order `SALE-n` over 99.00.
pub(crate) fn order(n: u64) -> Order {
    Order::new(&format!("SALE-{n}"), n).paid().total("99.00")
}

pub(crate) fn mug() -> Product {
    Product::new(9001, "Mug").price("12.50").quantity(3)
}

/// Posts to `shop`, and waits until the notification with this id is settled.
pub(crate) fn tell(serve: &Serve, body: impl Into<Vec<u8>>, id: i64) {
    assert_eq!(serve.post("shop", body).status, 200);
    serve.settled(id);
}

/// A column of all news, oldest first, joined by spaces.
pub(crate) fn column(env: &TestEnv, expression: &str) -> String {
    let sql = format!(
        "SELECT group_concat(coalesce({expression}, '-'), ' ') FROM (SELECT * FROM news ORDER BY seq)"
    );
    env.value(&sql).unwrap_or_default()
}
