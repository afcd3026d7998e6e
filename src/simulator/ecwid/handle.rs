//! The handle by which tests, the demo and the control pages edit it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::objects::{Order, Product};
use super::store::{DeletedObject, StoreOptions, StoreState};
use crate::simulator::shops::Shops;

/// A handle on one Ecwid store.
#[derive(Clone)]
pub struct EcwidStore {
    shops: Shops,
    id: String,
}

impl Shops {
    /// Opens a store with all scopes; one that is open already only gets the token.
    pub fn open_ecwid(&self, store_id: u64, token: &str) -> EcwidStore {
        let id = store_id.to_string();
        let mut state = self.lock();
        state.ecwid.entry(id.clone()).or_insert_with(|| StoreState::new(&id, token)).settings.token =
            token.to_owned();
        drop(state);
        EcwidStore { shops: self.clone(), id }
    }

    pub(in crate::simulator) fn ecwid_store(&self, store_id: &str) -> Option<EcwidStore> {
        let known = self.lock().ecwid.contains_key(store_id);
        known.then(|| EcwidStore { shops: self.clone(), id: store_id.to_owned() })
    }
}

impl EcwidStore {
    fn change<T: Default>(&self, change: impl FnOnce(&mut StoreState, DateTime<Utc>) -> T) -> T {
        let now = self.shops.now();
        self.shops.lock().ecwid.get_mut(&self.id).map(|store| change(store, now)).unwrap_or_default()
    }

    pub fn configure(&self, change: impl FnOnce(&mut StoreOptions)) {
        self.change(|store, _| change(&mut store.settings));
    }

    /// Puts an order into the store, in place of one with the same id.
    pub fn put_order(&self, order: Order) {
        self.change(|store, now| store.orders.put(order, now));
    }

    /// Changes the order with this id; its update time moves unless `change` sets it. False if there is none.
    pub fn edit_order(&self, id: &str, change: impl FnOnce(Order) -> Order) -> bool {
        self.change(|store, now| store.orders.edit(id, now, change))
    }

    /// Deletes an order: its GET gives 404 and the deleted list shows it. False if there is none.
    pub fn delete_order(&self, id: &str) -> bool {
        self.change(|store, now| {
            let Some(order) = store.orders.remove(id) else { return false };
            let internal = order.fields().get("internalId").cloned().unwrap_or(Value::Null);
            store.deleted_orders.push(DeletedObject { id: internal, order_id: Some(id.to_owned()), at: now });
            true
        })
    }

    /// Makes an order vanish without a row in the deleted list. False if there is none.
    pub fn vanish_order(&self, id: &str) -> bool {
        self.change(|store, _| store.orders.remove(id).is_some())
    }

    /// Puts a product into the store, in place of one with the same id.
    pub fn put_product(&self, product: Product) {
        self.change(|store, now| store.products.put(product, now));
    }

    /// Changes the product with this id; its update time moves unless `change` sets it. False if there is none.
    pub fn edit_product(&self, id: u64, change: impl FnOnce(Product) -> Product) -> bool {
        self.change(|store, now| store.products.edit(&id.to_string(), now, change))
    }

    /// Deletes a product: its GET gives 404 and the deleted list shows it. False if there is none.
    pub fn delete_product(&self, id: u64) -> bool {
        self.change(|store, now| {
            let known = store.products.remove(&id.to_string()).is_some();
            if known {
                store.deleted_products.push(DeletedObject { id: id.into(), order_id: None, at: now });
            }
            known
        })
    }

    /// All orders, hidden ones too.
    pub fn orders(&self) -> Vec<Order> {
        self.change(|store, _| store.orders.all().cloned().collect())
    }

    /// All products, hidden ones too.
    pub fn products(&self) -> Vec<Product> {
        self.change(|store, _| store.products.all().cloned().collect())
    }
}
