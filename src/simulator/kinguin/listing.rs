//! `/v1/order` and `/v1/products`: filters and pages.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::account::AccountState;
use super::failure::ErrorResponse;
use super::objects::{Order, Product};
use crate::simulator::exchange::{Params, Request, Response};
use crate::simulator::record::text_of;
use crate::simulator::time;

/// Kinguin's documentation: default and maximum of a page.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;

pub(super) fn orders(account: &mut AccountState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let (from, to) = (date(&params, "createdAtFrom")?, date(&params, "createdAtTo")?);
    if let Some(id) = params.get("orderId") {
        // A listing that names an order counts as an ask for it.
        account.orders.ask(id, request.now);
    }
    let found: Vec<&Order> = account
        .orders
        .visible(request.now)
        .filter(|order| {
            ["orderId", "orderExternalId", "status"].iter().all(|name| same(&params, name, &order.text(name)))
                && ["kinguinId", "productId"].iter().all(|name| lines_hold(order, name, params.get(name)))
                && flag(&params, "isPreorder", order.fields().get("isPreorder"))
                && within(&order.text("createdAt"), from, to)
        })
        .collect();
    page(&found, &params, |order| Value::Object(order.fields().clone()))
}

pub(super) fn products(account: &mut AccountState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let (since, to) = (date(&params, "updatedSince")?, date(&params, "updatedTo")?);
    if let Some(name) = params.get("name").filter(|name| name.chars().count() < 3) {
        return Err(ErrorResponse::violation("name", name));
    }
    let mut found: Vec<Product> = match params.list("kinguinId") {
        Some(ids) => ids.iter().filter_map(|id| account.products.ask(id, request.now).cloned()).collect(),
        None => account.products.visible(request.now).cloned().collect(),
    };
    found.retain(|product| {
        params.allows("productId", &product.text("productId"))
            && params.get("name").is_none_or(|part| product.text("name").contains(part))
            && flag(&params, "isPreorder", product.fields().get("isPreorder"))
            && within(&product.text("updatedAt"), since, to)
    });
    match params.get("sortBy") {
        Some("updatedAt") => found.sort_by_key(|product| time::parse(&product.text("updatedAt"))),
        Some("kinguinId" | "kingiunId") => found.sort_by_key(|product| product.number("kinguinId")),
        _ => {}
    }
    if params.get("sortType") == Some("desc") {
        found.reverse();
    }
    page(&found, &params, |product| Value::Object(product.fields().clone()))
}

/// `{"results":[…],"item_count":N}`, N over all pages.
fn page<T>(found: &[T], params: &Params, shown: impl Fn(&T) -> Value) -> Result<Response, ErrorResponse> {
    let page = whole(params, "page", 1, usize::MAX)?;
    let limit = whole(params, "limit", DEFAULT_LIMIT, MAX_LIMIT)?;
    let results: Vec<Value> =
        found.iter().skip(limit.saturating_mul(page - 1)).take(limit).map(shown).collect();
    Ok(Response::json(200, &json!({"results": results, "item_count": found.len()})))
}

fn whole(params: &Params, name: &str, default: usize, most: usize) -> Result<usize, ErrorResponse> {
    let value = params.whole(name).ok().map(|value| value.unwrap_or(default));
    value
        .filter(|value| (1..=most).contains(value))
        .ok_or_else(|| ErrorResponse::violation(name, params.get(name).unwrap_or_default()))
}

fn date(params: &Params, name: &str) -> Result<Option<DateTime<Utc>>, ErrorResponse> {
    match params.get(name) {
        Some(text) => time::parse(text).map(Some).ok_or_else(|| ErrorResponse::violation(name, text)),
        None => Ok(None),
    }
}

fn within(text: &str, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> bool {
    match time::parse(text) {
        Some(at) => from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to),
        None => from.is_none() && to.is_none(),
    }
}

fn same(params: &Params, name: &str, value: &str) -> bool {
    params.get(name).is_none_or(|wanted| wanted == value)
}

fn flag(params: &Params, name: &str, value: Option<&Value>) -> bool {
    let set = value == Some(&Value::Bool(true));
    params.get(name).is_none_or(|wanted| wanted == if set { "yes" } else { "no" })
}

fn lines_hold(order: &Order, name: &str, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let lines = order.fields().get("products").and_then(Value::as_array);
    lines.is_some_and(|lines| lines.iter().any(|line| line.get(name).is_some_and(|id| text_of(id) == wanted)))
}
