//! One Kinguin account (a store of the buyer's dashboard): its key, what it holds, and the handle that edits it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::failure::Failure;
use super::objects::{Order, OrderKind, Product, ProductKind};
use crate::simulator::exchange::Request;
use crate::simulator::record::decimal;
use crate::simulator::shelf::Shelf;
use crate::simulator::shops::Shops;

/// The accounts by a name that only the simulator uses.
pub(in crate::simulator) type KinguinAccounts = BTreeMap<String, Account>;

/// What can be chosen about an account.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key that `X-Api-Key` must carry; two accounts need two.
    pub api_key: String,
    /// 403 for every call, as behind an IP allow-list.
    pub address_refused: bool,
    /// The HTTP status of `OrderNotFound`; no page of Kinguin prints it.
    pub order_not_found_status: u16,
    /// The `kind` of the 404 for a product that is not shown.
    pub product_not_found_kind: String,
    /// Calls in any second; more get 429 with `Retry-After`.
    pub calls_per_second: Option<usize>,
    /// The account's balance in EUR.
    pub balance: Value,
}

#[derive(Debug)]
pub(in crate::simulator) struct Account {
    pub(super) settings: Settings,
    pub(super) orders: Shelf<OrderKind>,
    pub(super) products: Shelf<ProductKind>,
    pub(super) unsupported: BTreeSet<String>,
    recent_calls: VecDeque<DateTime<Utc>>,
}

impl Account {
    fn new(api_key: &str) -> Self {
        let settings = Settings {
            api_key: api_key.to_owned(),
            address_refused: false,
            order_not_found_status: 404,
            product_not_found_kind: "ProductUnavailable".to_owned(),
            calls_per_second: None,
            balance: decimal("12.45"),
        };
        Self {
            settings,
            orders: Shelf::default(),
            products: Shelf::default(),
            unsupported: BTreeSet::new(),
            recent_calls: VecDeque::new(),
        }
    }

    /// Lets a call in: address, rate. The key was the account's, else it would not have been found.
    pub(super) fn admit(&mut self, request: &Request<'_>) -> Result<(), Failure> {
        if self.settings.address_refused {
            return Err(Failure::new(403, "Authorization", "Forbidden", "The address is not allowed"));
        }
        let Some(limit) = self.settings.calls_per_second else { return Ok(()) };
        let second = TimeDelta::seconds(1);
        while self.recent_calls.front().is_some_and(|call| request.now - *call >= second) {
            self.recent_calls.pop_front();
        }
        if self.recent_calls.len() >= limit {
            return Err(Failure::too_many(1));
        }
        self.recent_calls.push_back(request.now);
        Ok(())
    }
}

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
        let account = state.kinguin.entry(name.to_owned()).or_insert_with(|| Account::new(api_key));
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
    fn change<T: Default>(&self, change: impl FnOnce(&mut Account, DateTime<Utc>) -> T) -> T {
        let now = self.shops.now();
        self.shops.lock().kinguin.get_mut(&self.name).map(|account| change(account, now)).unwrap_or_default()
    }

    /// Changes the settings.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        self.change(|account, _| change(&mut account.settings));
    }

    /// Puts an order into the account, in place of one with the same id.
    pub fn put_order(&self, order: Order) {
        self.change(|account, now| account.orders.put(order, now));
    }

    /// Changes the order with this id. False where there is none.
    pub fn edit_order(&self, id: &str, change: impl FnOnce(Order) -> Order) -> bool {
        self.change(|account, now| account.orders.edit(id, now, change))
    }

    /// Makes an order vanish: `OrderNotFound`. False where there is none.
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

    /// Changes the product with this `kinguinId`; `updatedAt` moves unless `change` sets it. False where there is none.
    pub fn edit_product(&self, kinguin_id: u64, change: impl FnOnce(Product) -> Product) -> bool {
        self.change(|account, now| account.products.edit(&kinguin_id.to_string(), now, change))
    }

    /// The API no longer shows this product. False where there is none.
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
