//! Store 1003 at the simulated Ecwid, open to two sources: `old` takes Instant Order Notifications, `hook` webhooks.

use std::time::Duration;

use countersign::simulator::Fault;
use countersign::simulator::ecwid::{EcwidStore, Order, Product};
use serde_json::{Value, json};

use crate::support::{Serve, TestEnv};

pub(super) const TOKEN: &str = "secret_test_token";

/// How long a call of the shop's API may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// `eventCreated` of a webhook that says nothing else: 2025-11-24T16:00:00Z.
pub(super) const CREATED: u64 = 1_764_000_000;

/// The paid orders `1207` (of before 2020) and `SALE-H4K9P` (of today), and product 9001.
pub(super) fn shop() -> (TestEnv, EcwidStore) {
    let env = TestEnv::new();
    let store = env.simulator.shops().open_ecwid(1003, TOKEN);
    store.put_order(Order::new("1207", 41_207).order_number(1207).paid());
    store.put_order(sale());
    store.put_product(Product::new(9001, "Mug"));
    let old = keys(&env, "ecwid-ion");
    let hook = keys(&env, "ecwid");
    (env.source("old", &old).source("hook", &hook), store)
}

/// The keys of a source that asks the store's API.
pub(super) fn keys(env: &TestEnv, provider: &str) -> String {
    let base = env.simulator.ecwid_base();
    format!("provider = \"{provider}\"\nstore_id = 1003\ntoken = \"{TOKEN}\"\napi_base = \"{base}\"")
}

/// Order `SALE-H4K9P`: paid, not processed.
pub(super) fn sale() -> Order {
    Order::new("SALE-H4K9P", 731_200_456).paid()
}

/// The API calls so far, below the store's own path.
pub(super) fn asked(env: &TestEnv) -> Vec<String> {
    let below = |target: &str| target.split_once("/1003/").map_or(target, |(_, path)| path).to_owned();
    env.simulator.shops().calls().iter().map(|call| below(&call.target)).collect()
}

/// Waits until a call whose target contains `part` has arrived.
#[track_caller]
pub(super) fn wait_for_call(env: &TestEnv, part: &str) {
    let arrived = env.simulator.shops().wait_for_call(|call| call.target.contains(part), PATIENCE);
    assert!(arrived, "no call with {part} in {:?}", asked(env));
}

/// Sets a fault for all calls whose target contains `part`.
pub(super) fn fault(env: &TestEnv, part: &str, fault: Fault) {
    env.simulator.shops().add_fault(fault.path(part));
}

/// Posts a body to a source and waits until notification `id`, which it becomes, is settled.
#[track_caller]
pub(super) fn post_and_settle(serve: &Serve, source: &str, body: impl Into<Vec<u8>>, id: i64) {
    assert_eq!(serve.post(source, body).status, 200);
    serve.settled(id);
}

/// An Instant Order Notification.
#[derive(Clone)]
pub(super) struct Ion(Vec<(String, String)>);

impl Ion {
    pub(super) fn new(order_id: &str, payment: &str, fulfillment: &str) -> Self {
        let fields = [
            ("owner_id", "1003"),
            ("event_type", "new_order"),
            ("date", "2014-11-02 09:41:00"),
            ("order_id", order_id),
            ("payment_status", payment),
            ("fulfillment_status", fulfillment),
        ];
        Self(fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// One that order `order_id` is paid and not processed.
    pub(super) fn paid(order_id: &str) -> Self {
        Self::new(order_id, "ACCEPTED", "NEW")
    }

    /// Makes it an `order_status_change` from these statuses.
    pub(super) fn changed_from(self, payment: &str, fulfillment: &str) -> Self {
        self.set("event_type", "order_status_change")
            .set("old_payment_status", payment)
            .set("old_fulfillment_status", fulfillment)
    }

    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(super) fn form(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The same as a JSON object; texts of digits become numbers.
    pub(super) fn json(&self) -> String {
        let value = |text: &String| text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
        let object: serde_json::Map<_, _> =
            self.0.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        Value::Object(object).to_string()
    }
}

/// A webhook.
#[derive(Clone)]
pub(super) struct Hook(Value);

impl Hook {
    pub(super) fn new(event: &str, entity_id: u64) -> Self {
        Self(json!({
            "eventId": "e-0", "eventCreated": CREATED, "storeId": 1003, "entityId": entity_id, "eventType": event,
        }))
    }

    /// `order.updated` of `SALE-H4K9P` with these statuses.
    pub(super) fn sale(payment: &str, fulfillment: &str) -> Self {
        Self::new("order.updated", 731_200_456).order("SALE-H4K9P").statuses(payment, fulfillment)
    }

    /// Another event, so many seconds later.
    pub(super) fn later(self, seconds: u64) -> Self {
        self.set("eventCreated", CREATED + seconds).set("eventId", format!("e-{seconds}"))
    }

    pub(super) fn order(self, order_id: &str) -> Self {
        self.data("orderId", order_id)
    }

    pub(super) fn statuses(self, payment: &str, fulfillment: &str) -> Self {
        self.data("newPaymentStatus", payment).data("newFulfillmentStatus", fulfillment)
    }

    pub(super) fn changed_from(self, payment: &str, fulfillment: &str) -> Self {
        self.data("oldPaymentStatus", payment).data("oldFulfillmentStatus", fulfillment)
    }

    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    pub(super) fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0["data"][name] = value.into();
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(name);
        self
    }

    pub(super) fn body(&self) -> String {
        self.0.to_string()
    }
}

/// The call that fetches the order which the list by `id` shows at a position.
pub(super) fn whole(id: &str, position: u64) -> String {
    let offset = if position == 0 { String::new() } else { format!("&offset={position}") };
    format!("orders?ids={id}&limit=1{offset}")
}

/// The list calls that look for the order `id`, percent-encoded already, among those that are near.
pub(super) fn by_ids(id: &str) -> String {
    format!("orders?ids={id}&responseFields=total,items(id,internalId,orderNumber)&limit=100")
}
