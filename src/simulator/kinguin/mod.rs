//! A simulated Kinguin eCommerce API: `{base}/v1/order…`, `/v1/products…`, `/v2/products/{productId}`, `/v1/balance`.
//!
//! Kinguin's documentation leaves some answers open (the status of `OrderNotFound`, what a product that is not shown
//! gives): [`AccountOptions`] chooses.

mod account;
mod failure;
mod handle;
mod listing;
mod objects;
#[cfg(test)]
mod tests;

pub use account::AccountOptions;
pub use handle::KinguinAccount;
pub use objects::{Order, OrderKind, Product, ProductKind};

pub(super) use account::KinguinAccounts;

use serde_json::{Value, json};

use super::exchange::{Request, Response};
use account::AccountState;
use failure::ErrorResponse;

/// The name of the account whose key the request carries; empty for a stranger's.
pub(super) fn account_of(accounts: &KinguinAccounts, request: &Request<'_>) -> String {
    named(accounts, request).map(|(name, _)| name.clone()).unwrap_or_default()
}

fn named<'a>(accounts: &'a KinguinAccounts, request: &Request<'_>) -> Option<(&'a String, &'a AccountState)> {
    let key = request.header("x-api-key")?;
    accounts.iter().find(|(_, account)| account.settings.api_key == key)
}

/// Whether this asks for purchased keys, which a verifier never needs.
pub(super) fn is_forbidden(request: &Request<'_>) -> bool {
    request.segments().iter().any(|segment| segment == "keys")
}

/// Answers one call; the account's own rules come before the path's.
pub(super) fn answer(accounts: &mut KinguinAccounts, request: &Request<'_>) -> Response {
    let name = account_of(accounts, request);
    let Some(account) = accounts.get_mut(&name) else {
        return ErrorResponse::unauthorized().answer(request);
    };
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match account.admit(request).and_then(|()| route(account, &path, request)) {
        Ok(answer) => answer,
        Err(failure) => failure.answer(request),
    }
}

fn route(
    account: &mut AccountState,
    path: &[&str],
    request: &Request<'_>,
) -> Result<Response, ErrorResponse> {
    if request.method != "GET" {
        return Err(ErrorResponse::new(405, "Http", "Method Not Allowed", "Only GET is simulated"));
    }
    match path {
        ["v1", "balance"] => Ok(Response::json(200, &json!({"balance": account.settings.balance}))),
        ["v1", "order"] | ["v1", "order", ""] => listing::orders(account, request),
        ["v1", "order", id] => order(account, id, request),
        ["v1", "products"] | ["v1", "products", ""] => listing::products(account, request),
        ["v1", "products", id] => product(account, id, request),
        ["v2", "products", id] => {
            let found = account.products.ask_alias(id, request.now).map(|product| product.fields().clone());
            found
                .map(shown)
                .ok_or_else(|| ErrorResponse::product(&account.settings.product_not_found_kind, id))
        }
        ["v2", "order", _, "keys"] => {
            Err(ErrorResponse::new(403, "Authorization", "Forbidden", "Keys are not for verifiers"))
        }
        _ => Err(ErrorResponse::new(404, "Http", "Not Found", "No route found")),
    }
}

fn order(account: &mut AccountState, id: &str, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    if account.unsupported.contains(id) {
        return Err(ErrorResponse::new(400, "OrderNotSupported", "Bad Request", "Order of the old platform"));
    }
    let found = account.orders.ask(id, request.now).map(|order| order.fields().clone());
    found.map(shown).ok_or_else(|| {
        let status = account.settings.order_not_found_status;
        ErrorResponse::new(status, "OrderNotFound", "Not Found", &format!("Order {id} not found"))
    })
}

fn product(account: &mut AccountState, id: &str, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    if id.parse::<u64>().is_err() {
        return Err(ErrorResponse::violation("kinguinId", id));
    }
    let found = account.products.ask(id, request.now).map(|product| product.fields().clone());
    found.map(shown).ok_or_else(|| ErrorResponse::product(&account.settings.product_not_found_kind, id))
}

fn shown(fields: super::Fields) -> Response {
    Response::json(200, &Value::Object(fields))
}
