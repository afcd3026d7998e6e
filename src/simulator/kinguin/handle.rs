//! The handle by which tests, the demo and the control pages edit it.

use chrono::{DateTime, Utc};

use super::account::{AccountOptions, AccountState};
use super::objects::{Order, Product};
use crate::simulator::shops::Shops;

/// A handle on one Kinguin account.
#[derive(Clone)]
pub struct KinguinAccount {
    shops: Shops,
    name: String,
}

impl Shops {
    /// Opens an account under a name that only the simulator uses; one that is open already only gets the key.
    pub fn open_kinguin(&self, name: &str, api_key: &str) -> KinguinAccount {
        let mut state = self.lock();
        let account = state.kinguin.entry(name.to_owned()).or_insert_with(|| AccountState::new(api_key));
        account.settings.api_key = api_key.to_owned();
        drop(state);
        KinguinAccount { shops: self.clone(), name: name.to_owned() }
    }

    pub(in crate::simulator) fn kinguin_account(&self, name: &str) -> Option<KinguinAccount> {
        let known = self.lock().kinguin.contains_key(name);
        known.then(|| KinguinAccount { shops: self.clone(), name: name.to_owned() })
    }
}

impl KinguinAccount {
    fn change<T: Default>(&self, change: impl FnOnce(&mut AccountState, DateTime<Utc>) -> T) -> T {
        let now = self.shops.now();
        self.shops.lock().kinguin.get_mut(&self.name).map(|account| change(account, now)).unwrap_or_default()
    }

    pub fn configure(&self, change: impl FnOnce(&mut AccountOptions)) {
        self.change(|account, _| change(&mut account.settings));
    }

    /// Puts an order into the account, in place of one with the same id.
    pub fn put_order(&self, order: Order) {
        self.change(|account, now| account.orders.put(order, now));
    }

    /// Changes the order with this id. False if there is none.
    pub fn edit_order(&self, id: &str, change: impl FnOnce(Order) -> Order) -> bool {
        self.change(|account, now| account.orders.edit(id, now, change))
    }

    /// Makes an order vanish: `OrderNotFound`. False if there is none.
    pub fn vanish_order(&self, id: &str) -> bool {
        self.change(|account, _| account.orders.remove(id).is_some())
    }

    /// From now on this id gives `OrderNotSupported`, as an order of the old platform does.
    pub fn unsupport_order(&self, id: &str) {
        self.change(|account, _| {
            account.unsupported.insert(id.to_owned());
        });
    }

    /// Puts a product into the account, in place of one with the same `kinguinId`.
    pub fn put_product(&self, product: Product) {
        self.change(|account, now| account.products.put(product, now));
    }

    /// Changes the product with this `kinguinId`; `updatedAt` moves unless `change` sets it. False if there is none.
    pub fn edit_product(&self, kinguin_id: u64, change: impl FnOnce(Product) -> Product) -> bool {
        self.change(|account, now| account.products.edit(&kinguin_id.to_string(), now, change))
    }

    /// The API no longer shows this product. False if there is none.
    pub fn vanish_product(&self, kinguin_id: u64) -> bool {
        self.change(|account, _| account.products.remove(&kinguin_id.to_string()).is_some())
    }

    /// All orders, hidden ones too.
    pub fn orders(&self) -> Vec<Order> {
        self.change(|account, _| account.orders.all().cloned().collect())
    }

    /// All products, hidden ones too.
    pub fn products(&self) -> Vec<Product> {
        self.change(|account, _| account.products.all().cloned().collect())
    }
}
