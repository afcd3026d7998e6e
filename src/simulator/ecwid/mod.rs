//! A simulated Ecwid REST API v3: `{base}/{storeId}/orders…`, `/products…`, `/profile`.
//!
//! Ecwid's documentation leaves some answers open (whether an order is found by its internal id, what an error's body
//! looks like, the default page of the deleted lists): [`StoreOptions`] chooses.

mod catalog;
mod failure;
mod handle;
mod objects;
mod orders;
mod paging;
mod store;
#[cfg(test)]
mod tests;

pub use failure::ErrorBodies;
pub use handle::EcwidStore;
pub use objects::{Order, OrderKind, Product, ProductKind};
pub use store::StoreOptions;

pub(super) use store::EcwidStores;

use serde_json::json;

use super::exchange::{Request, Response};
use failure::ErrorResponse;
use store::StoreState;

/// Answers one call; the store's own rules come before the path's.
pub(super) fn answer(stores: &mut EcwidStores, request: &Request<'_>) -> Response {
    let segments = request.segments();
    let Some((store_id, path)) = segments.split_first() else {
        return ErrorResponse::store_not_found("").answer(ErrorBodies::Coded);
    };
    let Some(store) = stores.get_mut(store_id) else {
        return ErrorResponse::store_not_found(store_id).answer(ErrorBodies::Coded);
    };
    let bodies = store.settings.error_bodies;
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match store.admit(request).and_then(|()| route(store, &path, request)) {
        Ok(answer) => answer,
        Err(failure) => failure.answer(bodies),
    }
}

fn route(store: &mut StoreState, path: &[&str], request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let scope = match path.first() {
        Some(&"orders") => "read_orders",
        Some(&"products") => "read_catalog",
        Some(&"profile") => "read_store_profile",
        _ => return Err(ErrorResponse::new(422, "WRONG_URL", "No such resource")),
    };
    if request.method != "GET" {
        return Err(ErrorResponse::new(405, "METHOD_NOT_ALLOWED", "Only GET is simulated"));
    }
    store.demand(scope)?;
    match path {
        ["orders"] | ["orders", ""] => orders::search(store, request),
        ["orders", "last"] => orders::last(store, request),
        ["orders", "deleted"] => orders::deleted(store, request),
        ["orders", id] => orders::single(store, id, request),
        ["products"] | ["products", ""] => catalog::search(store, request),
        ["products", "deleted"] => catalog::deleted(store, request),
        ["products", id] => catalog::single(store, id, request),
        ["profile"] => Ok(Response::json(
            200,
            &json!({
                "generalInfo": {"storeId": store.id_value(), "storeUrl": "https://shop.example.test"},
                "formatsAndUnits": {"currency": store.settings.currency},
            }),
        )),
        _ => Err(ErrorResponse::new(422, "WRONG_URL", "No such resource")),
    }
}
