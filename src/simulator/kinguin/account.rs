//! One Kinguin account (a store of the buyer's dashboard): its key and its objects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::failure::ErrorResponse;
use super::objects::{OrderKind, ProductKind};
use crate::simulator::exchange::Request;
use crate::simulator::record::decimal;
use crate::simulator::shelf::Shelf;

/// The accounts by a name that only the simulator uses.
pub(in crate::simulator) type KinguinAccounts = BTreeMap<String, AccountState>;

/// The options of an account.
#[derive(Clone, Debug)]
pub struct AccountOptions {
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
pub(in crate::simulator) struct AccountState {
    pub(super) settings: AccountOptions,
    pub(super) orders: Shelf<OrderKind>,
    pub(super) products: Shelf<ProductKind>,
    pub(super) unsupported: BTreeSet<String>,
    recent_calls: VecDeque<DateTime<Utc>>,
}

impl AccountState {
    pub(super) fn new(api_key: &str) -> Self {
        let settings = AccountOptions {
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

    /// Lets a call in: address, rate. The key was the account's, otherwise it would not have been found.
    pub(super) fn admit(&mut self, request: &Request<'_>) -> Result<(), ErrorResponse> {
        if self.settings.address_refused {
            return Err(ErrorResponse::new(403, "Authorization", "Forbidden", "The address is not allowed"));
        }
        let Some(limit) = self.settings.calls_per_second else { return Ok(()) };
        let second = TimeDelta::seconds(1);
        while self.recent_calls.front().is_some_and(|call| request.now - *call >= second) {
            self.recent_calls.pop_front();
        }
        if self.recent_calls.len() >= limit {
            return Err(ErrorResponse::too_many(1));
        }
        self.recent_calls.push_back(request.now);
        Ok(())
    }
}
