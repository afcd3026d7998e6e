//! `/orders`, `/orders/{id}`, `/orders/last`, `/orders/deleted`.

use serde_json::{Map, Value};

use super::failure::ErrorResponse;
use super::objects::Order;
use super::paging::{MAX_LIMIT, TimeRange, page, shown};
use super::store::StoreState;
use crate::simulator::exchange::{Params, Request, Response};
use crate::simulator::record::text_of;

pub(super) fn single(
    store: &mut StoreState,
    id: &str,
    request: &Request<'_>,
) -> Result<Response, ErrorResponse> {
    let mut found = store.orders.ask(id, request.now).map(|order| order.fields().clone());
    if found.is_none() && store.settings.get_by_internal_id {
        found = store.orders.ask_alias(id, request.now).map(|order| order.fields().clone());
    }
    match found {
        Some(fields) => Ok(shown(&Value::Object(fields), &request.params())),
        None => Err(ErrorResponse::order_not_found(id)),
    }
}

/// The newest finished order.
pub(super) fn last(store: &StoreState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let newest = store
        .orders
        .visible(request.now)
        .filter(|order| order.text("paymentStatus") != "INCOMPLETE")
        .max_by_key(|order| order.number("createTimestamp"));
    newest
        .map(|order| shown(&Value::Object(order.fields().clone()), &request.params()))
        .ok_or_else(|| ErrorResponse::new(404, "ORDER_NOT_FOUND", "No orders"))
}

pub(super) fn deleted(store: &StoreState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let window = TimeRange::parse(&params, "from_date", "to_date")?;
    let rows: Vec<Map<String, Value>> = store
        .deleted_orders
        .iter()
        .filter(|deletion| window.holds(Some(deletion.at.timestamp())))
        .map(|deletion| deletion.row(store.settings.deleted_order_ids))
        .collect();
    page(rows.iter(), &params, store.settings.deleted_limit)
}

pub(super) fn search(store: &mut StoreState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let filter = Filter::parse(&params)?;
    let Some(ids) = params.list("ids") else {
        let found = store.orders.visible(request.now).filter(|order| filter.passes(order, &params));
        return page(found.map(Order::fields), &params, MAX_LIMIT);
    };
    let found = named(store, &ids, request).into_iter().filter(|order| filter.passes(order, &params));
    page(found.map(Order::fields), &params, MAX_LIMIT)
}

/// The orders that `ids=` finds: by id, by internal id, and those whose id contains a word, each once.
fn named<'a>(store: &'a mut StoreState, ids: &[String], request: &Request<'_>) -> Vec<&'a Order> {
    let mut exact: Vec<String> = Vec::new();
    for id in ids {
        let by_id = store.orders.ask(id, request.now).map(|order| order.text("id"));
        let found = by_id.or_else(|| store.orders.ask_alias(id, request.now).map(|order| order.text("id")));
        exact.extend(found.filter(|id| !exact.contains(id)));
    }
    if !store.settings.near_matches {
        return exact.iter().filter_map(|id| store.orders.get(id)).collect();
    }
    let is_named = |order: &Order, id: &String| ids.contains(id) || ids.contains(&order.text("internalId"));
    // Near matches come in the listing's own order, before or after the exact one.
    let is_found = |order: &&Order| {
        let id = order.text("id");
        let is_near = ids.iter().any(|word| id.contains(word.as_str()));
        exact.contains(&id) || (is_near && !is_named(order, &id))
    };
    store.orders.visible(request.now).filter(is_found).collect()
}

struct Filter {
    created: TimeRange,
    updated: TimeRange,
    total_from: Option<f64>,
    total_to: Option<f64>,
}

impl Filter {
    fn parse(params: &Params) -> Result<Self, ErrorResponse> {
        let amount = |name: &str| match params.get(name) {
            Some(text) => text.parse().map(Some).map_err(|_| ErrorResponse::wrong_parameter(name)),
            None => Ok(None),
        };
        Ok(Self {
            created: TimeRange::parse(params, "createdFrom", "createdTo")?,
            updated: TimeRange::parse(params, "updatedFrom", "updatedTo")?,
            total_from: amount("totalFrom")?,
            total_to: amount("totalTo")?,
        })
    }

    fn passes(&self, order: &Order, params: &Params) -> bool {
        let payment = order.text("paymentStatus");
        let total = || order.text("total").parse().unwrap_or(0.0);
        let finished = payment != "INCOMPLETE" || params.list("paymentStatus").is_some();
        finished
            && params.allows("paymentStatus", &payment)
            && params.allows("fulfillmentStatus", &order.text("fulfillmentStatus"))
            && params.allows("customerId", &order.text("customerId"))
            && params.get("email").is_none_or(|email| email == order.text("email"))
            && params.get("keywords").is_none_or(|word| mentions(order, word))
            && params.get("productId").is_none_or(|product| holds_product(order, product))
            && self.total_from.is_none_or(|from| total() >= from)
            && self.total_to.is_none_or(|to| total() <= to)
            && self.created.holds(order.number("createTimestamp"))
            && self.updated.holds(order.number("updateTimestamp"))
    }
}

fn mentions(order: &Order, word: &str) -> bool {
    let word = word.to_lowercase();
    ["id", "email"].iter().any(|name| order.text(name).to_lowercase().contains(&word))
        || lines(order).iter().any(|line| line.to_string().to_lowercase().contains(&word))
}

fn holds_product(order: &Order, product: &str) -> bool {
    lines(order).iter().any(|line| line.get("productId").is_some_and(|id| text_of(id) == product))
}

fn lines(order: &Order) -> &[Value] {
    order.fields().get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
