//! The list of orders by creation date, all pages. Kinguin documents no order of it: a list that changes while it is read
//! is read again from its beginning.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::api::{self, Page};
use super::{dates, fields, sighting};
use crate::domain::{Cause, Failure, ListRequest, Listed, Listing, Timestamp, Truth};
use crate::providers::{Api, LIST_READINGS};

/// The sizes of a page that are tried: Kinguin's largest, then each less where a page is larger than we read. Each
/// divides the one before, so that the place where a page ended begins another one. An order lists every key of it.
const PAGES: [usize; 5] = [100, 50, 25, 5, 1];

/// The orders that were created in the window, or so much before it as shall be seen again; each once.
///
/// # Errors
/// A page could not be read, or no reading showed as many orders as the list says it has.
pub(super) async fn orders(api: &Api, key: &SecretString, request: ListRequest) -> Result<Listing, Failure> {
    // Whole seconds, as the dates of orders are.
    let since = Timestamp::from_seconds(request.window.from.minus(request.recheck).seconds());
    let dates = [since, request.window.to].map(|at| api::encoded(&at.to_string()));
    let list = format!("/v1/order?createdAtFrom={}&createdAtTo={}", dates[0], dates[1]);
    for _ in 0..LIST_READINGS {
        if let Some(orders) = read(api, key, &list, request.window.from).await? {
            return Ok(Listing { orders, is_by_creation: true });
        }
    }
    let detail = format!("the list of orders changed while it was read, {LIST_READINGS} times");
    Err(Failure::new(Cause::ApiError, detail).with_status(200))
}

/// Reads the list once; `None` where it changed meanwhile, or showed an order twice and so perhaps another not at all.
async fn read(
    api: &Api,
    key: &SecretString,
    list: &str,
    from: Timestamp,
) -> Result<Option<Vec<Listed>>, Failure> {
    let mut orders = BTreeMap::new();
    let (mut seen, mut size, mut first_count) = (0, 0, None);
    loop {
        let page = page(api, key, list, seen, &mut size).await?;
        if page.item_count != *first_count.get_or_insert(page.item_count) {
            return Ok(None);
        }
        let (shown, known) = (page.results.len(), orders.len());
        for order in page.results {
            let listed = listed(&order, from)?;
            let id = listed.sighting.truth.as_ref().map(|truth| Truth::id(truth).to_owned());
            orders.insert(id.unwrap_or_default(), listed);
        }
        if orders.len() != known + shown {
            return Ok(None);
        }
        seen += shown;
        let is_last = page.item_count.map_or(shown < PAGES[size], |all| seen >= all);
        if is_last {
            return Ok(Some(orders.into_values().collect()));
        }
        if shown < PAGES[size] {
            let detail = format!("the list of orders ends after {seen} of {:?}", page.item_count);
            return Err(Failure::new(Cause::ApiError, detail).with_status(200));
        }
    }
}

/// The page that begins after `seen` orders.
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

/// What is compared of an order; its keys are not kept.
fn listed(order: &Value, from: Timestamp) -> Result<Listed, Failure> {
    let mut sighting = sighting::order(order, String::new()).map_err(|lack| {
        let detail = format!("an order of the list is not as documented: {lack}");
        Failure::new(Cause::ApiError, detail).with_status(200)
    })?;
    let kept = ["orderId", "orderExternalId", "status"];
    let kept = kept.iter().filter_map(|name| Some(((*name).to_owned(), order.get(*name)?.clone())));
    sighting.body = Value::Object(kept.collect::<Map<_, _>>());
    let created = fields::text_of(order, "createdAt").and_then(dates::instant);
    let is_expected = created.is_none_or(|created| created.seconds() >= from.seconds());
    Ok(Listed { sighting, is_expected })
}
