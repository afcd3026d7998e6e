//! A simulated Kinguin eCommerce API: `{base}/v1/order…`, `/v1/products…`, `/v2/products/{productId}`, `/v1/balance`.
//!
//! Kinguin's documentation leaves some answers open (the status of `OrderNotFound`, what a product that is not shown
//! gives): [`Settings`] chooses.

mod account;
mod failure;
mod handle;
mod listing;
mod objects;
#[cfg(test)]
mod tests;

pub use account::Settings;
pub use handle::KinguinAccount;
pub use objects::{Order, OrderKind, Product, ProductKind};

pub(super) use account::KinguinAccounts;

use serde_json::{Value, json};

use super::exchange::{Answer, Request};
use account::Account;
use failure::Failure;

/// The name of the account whose key the request carries; empty for a stranger's.
pub(super) fn account_of(accounts: &KinguinAccounts, request: &Request<'_>) -> String {
    named(accounts, request).map(|(name, _)| name.clone()).unwrap_or_default()
}

fn named<'a>(accounts: &'a KinguinAccounts, request: &Request<'_>) -> Option<(&'a String, &'a Account)> {
    let key = request.header("x-api-key")?;
    accounts.iter().find(|(_, account)| account.settings.api_key == key)
}

/// Whether this asks for purchased keys, which a verifier never needs.
pub(super) fn is_forbidden(request: &Request<'_>) -> bool {
    request.segments().iter().any(|segment| segment == "keys")
}

/// Answers one call; the account's own rules come before the path's.
pub(super) fn answer(accounts: &mut KinguinAccounts, request: &Request<'_>) -> Answer {
    let name = account_of(accounts, request);
    let Some(account) = accounts.get_mut(&name) else {
        return Failure::unauthorized().answer(request);
    };
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match account.admit(request).and_then(|()| route(account, &path, request)) {
        Ok(answer) => answer,
        Err(failure) => failure.answer(request),
    }
}

fn route(account: &mut Account, path: &[&str], request: &Request<'_>) -> Result<Answer, Failure> {
    if request.method != "GET" {
        return Err(Failure::new(405, "Http", "Method Not Allowed", "Only GET is simulated"));
    }
    match path {
        ["v1", "balance"] => Ok(Answer::json(200, &json!({"balance": account.settings.balance}))),
        ["v1", "order"] | ["v1", "order", ""] => listing::orders(account, request),
        ["v1", "order", id] => order(account, id, request),
        ["v1", "products"] | ["v1", "products", ""] => listing::products(account, request),
        ["v1", "products", id] => product(account, id, request),
        ["v2", "products", id] => {
            let found = account.products.ask_alias(id, request.now).map(|product| product.fields().clone());
            found.map(shown).ok_or_else(|| Failure::product(&account.settings.product_not_found_kind, id))
        }
        ["v2", "order", _, "keys"] => {
            Err(Failure::new(403, "Authorization", "Forbidden", "Keys are not for verifiers"))
        }
        _ => Err(Failure::new(404, "Http", "Not Found", "No route found")),
    }
}

fn order(account: &mut Account, id: &str, request: &Request<'_>) -> Result<Answer, Failure> {
    if account.unsupported.contains(id) {
        return Err(Failure::new(400, "OrderNotSupported", "Bad Request", "Order of the old platform"));
    }
    let found = account.orders.ask(id, request.now).map(|order| order.fields().clone());
    found.map(shown).ok_or_else(|| {
        let status = account.settings.order_not_found_status;
        Failure::new(status, "OrderNotFound", "Not Found", &format!("Order {id} not found"))
    })
}

fn product(account: &mut Account, id: &str, request: &Request<'_>) -> Result<Answer, Failure> {
    if id.parse::<u64>().is_err() {
        return Err(Failure::violation("kinguinId", id));
    }
    let found = account.products.ask(id, request.now).map(|product| product.fields().clone());
    found.map(shown).ok_or_else(|| Failure::product(&account.settings.product_not_found_kind, id))
}

fn shown(fields: super::Fields) -> Answer {
    Answer::json(200, &Value::Object(fields))
}
