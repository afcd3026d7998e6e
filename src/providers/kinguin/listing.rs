//! Lists orders by creation date, all pages. Kinguin documents no sort order, so a list that changes while it
//! is read is read again from the start.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::api::{self, Page};
use super::{dates, fields, object};
use crate::domain::{Cause, Failure, ListRequest, Listed, Listing, Timestamp, Truth};
use crate::providers::{Api, LARGEST_LIST, LIST_READINGS, LONGEST_LIST};

/// The page sizes to try: Kinguin's largest, then a smaller one whenever a page is too large. Each divides
/// the one before, so that pages stay aligned. A listed order includes all of its keys.
const PAGES: [usize; 5] = [100, 50, 25, 5, 1];

/// The orders created in the window, or in the time before it that is to be rechecked; each once.
///
/// # Errors
/// A page could not be read, the list is too long, or no reading showed as many orders as the list says it has.
pub(super) async fn orders(api: &Api, key: &SecretString, request: ListRequest) -> Result<Listing, Failure> {
    // Whole seconds, as the dates of orders are.
    let since = Timestamp::from_seconds(request.window.from.minus(request.recheck).seconds());
    let dates = [since, request.window.to].map(|at| api::encoded(&at.to_string()));
    let list = format!("/v1/order?createdAtFrom={}&createdAtTo={}", dates[0], dates[1]);
    for _ in 0..LIST_READINGS {
        if let Some(listing) = read(api, key, &list, request.window.from).await? {
            return Ok(listing);
        }
    }
    Err(failure(format!("the list of orders changed while it was read, {LIST_READINGS} times")))
}

/// Reads the list once; `None` if it changed meanwhile, or showed an order twice and so may have omitted
/// another.
async fn read(
    api: &Api,
    key: &SecretString,
    list: &str,
    from: Timestamp,
) -> Result<Option<Listing>, Failure> {
    let mut orders: BTreeMap<String, Result<Listed, String>> = BTreeMap::new();
    let (mut nameless, mut bytes) = (Vec::new(), 0);
    let (mut seen, mut size, mut first_count) = (0, 0, None);
    loop {
        let page = page(api, key, list, seen, &mut size).await?;
        if page.item_count != *first_count.get_or_insert(page.item_count) {
            return Ok(None);
        }
        let (shown, known) = (page.results.len(), orders.len() + nameless.len());
        for order in page.results {
            seen += 1;
            match fields::id_of(&order, "orderId") {
                Some(id) => drop(orders.insert(id.clone(), listed_order(&id, &order, from, &mut bytes))),
                None => {
                    nameless
                        .push(format!("order {seen} of the list is not as documented: it has no orderId"));
                }
            }
        }
        if orders.len() + nameless.len() != known + shown {
            return Ok(None);
        }
        if page.item_count.unwrap_or(seen).max(seen) > LONGEST_LIST || bytes > LARGEST_LIST {
            let most = format!("{LONGEST_LIST} orders and {} MiB", LARGEST_LIST >> 20);
            return Err(failure(format!(
                "the list of orders is longer than {most}; choose a shorter window"
            )));
        }
        let is_last = page.item_count.map_or(shown < PAGES[size], |all| seen >= all);
        if is_last {
            return Ok(Some(listing(orders, nameless)));
        }
        if shown < PAGES[size] {
            return Err(failure(format!("the list of orders ends after {seen} of {:?}", page.item_count)));
        }
    }
}

fn listing(orders: BTreeMap<String, Result<Listed, String>>, nameless: Vec<String>) -> Listing {
    let mut listing =
        Listing { orders: Vec::with_capacity(orders.len()), odd: nameless, is_by_creation: true };
    for kept in orders.into_values() {
        match kept {
            Ok(listed) => listing.orders.push(listed),
            Err(wrong) => listing.odd.push(wrong),
        }
    }
    listing
}

/// The page after `seen` orders.
async fn page(
    api: &Api,
    key: &SecretString,
    list: &str,
    seen: usize,
    size: &mut usize,
) -> Result<Page, Failure> {
    loop {
        let limit = PAGES[*size];
        let reply = api::get(api, key, &format!("{list}&limit={limit}&page={}", seen / limit + 1)).await;
        match reply {
            Err(Failure { cause: Cause::ApiError, http_status: Some(200..=299), .. })
                if *size + 1 < PAGES.len() =>
            {
                *size += 1;
            }
            reply => return api::page_of(&reply?),
        }
    }
}

/// The compared part of an order, with its size added to `bytes`; its keys are not kept.
fn listed_order(id: &str, order: &Value, from: Timestamp, bytes: &mut usize) -> Result<Listed, String> {
    let mut object = object::order(order, String::new())
        .map_err(|why| format!("order {} of the list is not as documented: {why}", fields::shown(id)))?;
    if !object.compared.get("status").is_some_and(Value::is_string) {
        return Err(format!("order {} of the list has a status that cannot be read", fields::shown(id)));
    }
    let kept = ["orderId", "orderExternalId", "status"];
    let kept = kept.iter().filter_map(|name| Some(((*name).to_owned(), order.get(*name)?.clone())));
    object.body = Value::Object(kept.collect::<Map<_, _>>());
    if let Some(Truth::Order(order)) = &mut object.truth {
        order.email = None;
    }
    *bytes += object.body.to_string().len();
    let created = fields::text_of(order, "createdAt").and_then(dates::instant);
    let is_expected = created.is_none_or(|created| created.seconds() >= from.seconds());
    Ok(Listed { object, is_expected })
}

fn failure(detail: String) -> Failure {
    Failure::new(Cause::ApiError, detail).with_status(200)
}
