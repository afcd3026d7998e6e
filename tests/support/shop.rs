//! A plain Ecwid shop, whose orders are asked one by one.

use countersign::simulator::ecwid::{EcwidStore, Order};

use super::TestEnv;

const TOKEN: &str = "secret_ion_token";

impl TestEnv {
    /// Adds an `ecwid-ion` source and its simulated store, which holds the paid orders `o.1` to `o.{orders}`: no plain
    /// ids, so that no list call asks about several.
    pub(crate) fn ion_shop(self, name: &str, store_id: u64, orders: u64) -> Self {
        self.ion_shop_with(name, store_id, orders, "")
    }

    /// The same with more lines of configuration.
    pub(crate) fn ion_shop_with(self, name: &str, store_id: u64, orders: u64, lines: &str) -> Self {
        let store = self.ion_store(store_id);
        for n in 1..=orders {
            store.put_order(Order::new(&format!("o.{n}"), 40_000 + n).order_number(n).paid());
        }
        let base = self.simulator.ecwid_base();
        let keys = format!(
            "provider = \"ecwid-ion\"\nstore_id = {store_id}\ntoken = \"{TOKEN}\"\napi_base = \"{base}\"\n{lines}"
        );
        self.source(name, &keys)
    }

    /// The simulated store.
    pub(crate) fn ion_store(&self, store_id: u64) -> EcwidStore {
        self.simulator.shops().open_ecwid(store_id, TOKEN)
    }
}

/// A notification that says that an order is new and paid.
pub(crate) fn paid(store_id: u64, order_id: &str) -> String {
    ion(store_id, order_id, "ACCEPTED")
}

/// A notification of a new order with this payment status.
pub(crate) fn ion(store_id: u64, order_id: &str, payment: &str) -> String {
    format!(
        "owner_id={store_id}&event_type=new_order&date=2014-11-02+09%3A41%3A00&order_id={order_id}\
         &payment_status={payment}&fulfillment_status=NEW"
    )
}
