//! One Ecwid store: its credentials and its objects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::failure::{ErrorBodies, ErrorResponse};
use super::objects::{OrderKind, ProductKind};
use crate::simulator::exchange::Request;
use crate::simulator::shelf::Shelf;
use crate::simulator::time;

/// The stores by id, as the path names them.
pub(in crate::simulator) type EcwidStores = BTreeMap<String, StoreState>;

/// The options of a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The access token that `Authorization: Bearer` must carry.
    pub token: String,
    /// The app's scopes: `read_orders`, `read_catalog`, `read_store_profile`.
    pub scopes: BTreeSet<String>,
    /// 402 `STORE_IS_SUSPENDED` for every call.
    pub suspended: bool,
    /// 402 `NOT_AVAILABLE_ON_CURRENT_PLAN` for every call.
    pub free_plan: bool,
    /// Calls in any 60 seconds; more get 429 with `Retry-After`.
    pub calls_per_minute: Option<usize>,
    /// The bodies of errors.
    pub error_bodies: ErrorBodies,
    /// Whether `GET /orders/{id}` finds an order by its internal id too; Ecwid's pages disagree.
    pub get_by_internal_id: bool,
    /// Whether `ids=` finds orders whose id merely contains the word (prefixes and suffixes match).
    pub near_matches: bool,
    /// The default page of the deleted lists; Ecwid's pages say both 10 and 100.
    pub deleted_limit: usize,
    /// Whether the list of deleted orders shows `orderId`, as Ecwid's own client expects.
    pub deleted_order_ids: bool,
    /// ISO 4217, as the profile tells it.
    pub currency: String,
}

#[derive(Debug)]
pub(in crate::simulator) struct StoreState {
    id: String,
    pub(super) settings: StoreOptions,
    pub(super) orders: Shelf<OrderKind>,
    pub(super) products: Shelf<ProductKind>,
    pub(super) deleted_orders: Vec<DeletedObject>,
    pub(super) deleted_products: Vec<DeletedObject>,
    recent_calls: VecDeque<DateTime<Utc>>,
}

/// A row of a deleted list.
#[derive(Debug)]
pub(super) struct DeletedObject {
    pub(super) id: Value,
    pub(super) order_id: Option<String>,
    pub(super) at: DateTime<Utc>,
}

impl DeletedObject {
    pub(super) fn row(&self, with_order_id: bool) -> Map<String, Value> {
        let mut row = Map::new();
        row.insert("id".to_owned(), self.id.clone());
        row.insert("date".to_owned(), time::ecwid(self.at).into());
        if let (true, Some(order_id)) = (with_order_id, &self.order_id) {
            row.insert("orderId".to_owned(), json!(order_id));
        }
        row
    }
}

impl StoreState {
    pub(super) fn new(id: &str, token: &str) -> Self {
        let settings = StoreOptions {
            token: token.to_owned(),
            scopes: ["read_orders", "read_catalog", "read_store_profile"].map(str::to_owned).into(),
            suspended: false,
            free_plan: false,
            calls_per_minute: None,
            error_bodies: ErrorBodies::Coded,
            get_by_internal_id: true,
            near_matches: true,
            deleted_limit: 10,
            deleted_order_ids: false,
            currency: "EUR".to_owned(),
        };
        Self {
            id: id.to_owned(),
            settings,
            orders: Shelf::default(),
            products: Shelf::default(),
            deleted_orders: Vec::new(),
            deleted_products: Vec::new(),
            recent_calls: VecDeque::new(),
        }
    }

    pub(super) fn id_value(&self) -> Value {
        self.id.parse::<u64>().map_or_else(|_| Value::from(self.id.as_str()), Value::from)
    }

    /// Lets a call in: token, store, plan, rate.
    pub(super) fn admit(&mut self, request: &Request<'_>) -> Result<(), ErrorResponse> {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if token != Some(self.settings.token.as_str()) {
            return Err(ErrorResponse::new(403, "INVALID_API_TOKEN", "The access token is not valid"));
        }
        if self.settings.suspended {
            return Err(ErrorResponse::new(402, "STORE_IS_SUSPENDED", "The store is suspended"));
        }
        if self.settings.free_plan {
            return Err(ErrorResponse::new(402, "NOT_AVAILABLE_ON_CURRENT_PLAN", "The plan has no API"));
        }
        self.count_call(request.now)
    }

    fn count_call(&mut self, now: DateTime<Utc>) -> Result<(), ErrorResponse> {
        let minute = TimeDelta::seconds(60);
        while self.recent_calls.front().is_some_and(|call| now - *call >= minute) {
            self.recent_calls.pop_front();
        }
        if let (Some(limit), Some(oldest)) = (self.settings.calls_per_minute, self.recent_calls.front())
            && self.recent_calls.len() >= limit
        {
            return Err(ErrorResponse::rate_limited((*oldest + minute - now).num_seconds() + 1));
        }
        if self.settings.calls_per_minute.is_some() {
            self.recent_calls.push_back(now);
        }
        Ok(())
    }

    pub(super) fn demand(&self, scope: &str) -> Result<(), ErrorResponse> {
        if self.settings.scopes.contains(scope) {
            return Ok(());
        }
        Err(ErrorResponse::new(403, "INSUFFICIENT_APP_SCOPE", &format!("The app lacks the scope {scope}")))
    }
}
