//! `/products`, `/products/{id}`, `/products/deleted`.

use serde_json::{Map, Value};

use super::failure::ErrorResponse;
use super::objects::Product;
use super::paging::{MAX_LIMIT, TimeRange, page, shown};
use super::store::StoreState;
use crate::simulator::exchange::{Request, Response};

pub(super) fn single(
    store: &mut StoreState,
    id: &str,
    request: &Request<'_>,
) -> Result<Response, ErrorResponse> {
    if id.parse::<u64>().is_err() {
        return Err(ErrorResponse::wrong_parameter("productId"));
    }
    match store.products.ask(id, request.now) {
        Some(product) => Ok(shown(&Value::Object(product.fields().clone()), &request.params())),
        None => Err(ErrorResponse::product_not_found(id)),
    }
}

pub(super) fn deleted(store: &StoreState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let window = TimeRange::parse(&params, "from_date", "to_date")?;
    let rows: Vec<Map<String, Value>> = store
        .deleted_products
        .iter()
        .filter(|deletion| window.holds(Some(deletion.at.timestamp())))
        .map(|deletion| deletion.row(false))
        .collect();
    page(rows.iter(), &params, store.settings.deleted_limit)
}

pub(super) fn search(store: &mut StoreState, request: &Request<'_>) -> Result<Response, ErrorResponse> {
    let params = request.params();
    let updated = TimeRange::parse(&params, "updatedFrom", "updatedTo")?;
    let mut found: Vec<Product> = match params.list("productId") {
        Some(ids) => {
            if let Some(id) = ids.iter().find(|id| id.parse::<u64>().is_err()) {
                return Err(ErrorResponse::wrong_parameter(&format!("productId {id}")));
            }
            ids.iter().filter_map(|id| store.products.ask(id, request.now).cloned()).collect()
        }
        None => store.products.visible(request.now).cloned().collect(),
    };
    found.retain(|product| updated.holds(product.number("updateTimestamp")));
    if let Some(word) = params.get("keyword") {
        found.retain(|product| product.text("name").contains(word) || product.text("sku").contains(word));
    }
    match params.get("sortBy") {
        Some("UPDATED_TIME_ASC") => found.sort_by_key(|product| product.number("updateTimestamp")),
        Some("UPDATED_TIME_DESC") => {
            found.sort_by_key(|product| std::cmp::Reverse(product.number("updateTimestamp")));
        }
        _ => {}
    }
    page(found.iter().map(Product::fields), &params, MAX_LIMIT)
}
