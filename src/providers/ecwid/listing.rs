//! Lists the orders that changed in a window. Ecwid documents no sort order, so a list that changes while it is read
//! is read again from the start, because an order may have moved to a page that was already read.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{Cause, Failure, Listed, Listing, Truth, Window};
use crate::providers::{Api, LARGEST_LIST, LIST_READINGS, LONGEST_LIST};

use super::api::{Inquiry, PAGE, Page, Shop};
use super::errors::excerpt;
use super::judge::{FULFILLMENT, INCOMPLETE, PAYMENT};
use super::object;

/// The fields needed for comparing; whole orders would fill a page with megabytes.
const FIELDS: [&str; 7] = [
    "id",
    "internalId",
    "orderNumber",
    "paymentStatus",
    "fulfillmentStatus",
    "updateDate",
    "updateTimestamp",
];

/// The orders that changed in the window, each once.
///
/// # Errors
/// A page could not be read, the list is too long, or no reading showed as many orders as the list says it has.
pub(super) async fn orders(shop: &Shop, api: &Api, window: Window) -> Result<Listing, Failure> {
    let (from, to) = (window.from.seconds(), window.to.seconds());
    let fields = FIELDS.join(",");
    let list = format!("orders?updatedFrom={from}&updatedTo={to}&responseFields=total,items({fields})");
    for _ in 0..LIST_READINGS {
        if let Some(listing) = read(shop, api, &list).await? {
            return Ok(listing);
        }
    }
    Err(failure(format!("the list of orders changed while it was read, {LIST_READINGS} times")))
}

/// A listed order, as far as it is kept: `None` for an unfinished one.
type KeptOrder = Result<Option<Listed>, String>;

/// Reads the list once; `None` if it changed meanwhile, or showed an order twice and so may have omitted
/// another.
async fn read(shop: &Shop, api: &Api, list: &str) -> Result<Option<Listing>, Failure> {
    let mut inquiry = Inquiry::new(shop, api, None);
    let (mut orders, mut nameless): (BTreeMap<String, KeptOrder>, Vec<String>) = Default::default();
    let (mut seen, mut limit, mut first_total, mut bytes) = (0_u64, PAGE, None, 0);
    loop {
        let Page { total, items } = inquiry.page(list, seen, &mut limit).await?;
        if total != *first_total.get_or_insert(total) {
            return Ok(None);
        }
        let known = orders.len() + nameless.len();
        for item in items {
            seen += 1;
            match item.get("id").and_then(object::id_text) {
                Some(id) => drop(orders.insert(id.clone(), listed_order(&id, &item, &mut bytes))),
                None => nameless.push(format!("order {seen} of the list is not as documented: it has no id")),
            }
        }
        let listed = orders.len() + nameless.len();
        if usize::try_from(total).map_or(true, |total| total > LONGEST_LIST) || bytes > LARGEST_LIST {
            let most = format!("{LONGEST_LIST} orders and {} MiB", LARGEST_LIST >> 20);
            return Err(failure(format!(
                "the list of {total} orders is longer than {most}; choose a shorter window"
            )));
        }
        if listed == known && total > 0 {
            return Ok(None);
        }
        if seen >= total {
            let each_once = u64::try_from(listed).is_ok_and(|listed| listed == total);
            return Ok(each_once.then(|| listing(orders, nameless)));
        }
    }
}

/// The part of an order that is kept, with its size added to `bytes`.
fn listed_order(id: &str, item: &Value, bytes: &mut usize) -> KeptOrder {
    if item.get("paymentStatus").and_then(Value::as_str) == Some(INCOMPLETE) {
        *bytes += id.len();
        return Ok(None);
    }
    let fields = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    let mut object = object::order(Value::Object(fields.collect()))
        .map_err(|why| format!("order {} of the list is not as documented: {why}", excerpt(id)))?;
    // Without an id, it is unknown whether a notification announced it.
    let unreadable = [PAYMENT, FULFILLMENT]
        .into_iter()
        .find(|field| !object.compared.get(*field).is_some_and(Value::is_string));
    if let Some(field) = unreadable {
        return Err(format!("order {} of the list has a {field} that cannot be read", excerpt(id)));
    }
    if let Some(Truth::Order(order)) = &mut object.truth {
        *bytes += std::mem::take(&mut order.raw).len();
    }
    Ok(Some(Listed { object, is_expected: true }))
}

fn listing(orders: BTreeMap<String, KeptOrder>, nameless: Vec<String>) -> Listing {
    let mut listing =
        Listing { orders: Vec::with_capacity(orders.len()), odd: nameless, is_by_creation: false };
    for kept in orders.into_values() {
        match kept {
            Ok(finished) => listing.orders.extend(finished),
            Err(wrong) => listing.odd.push(wrong),
        }
    }
    listing
}

fn failure(detail: String) -> Failure {
    Failure::new(Cause::ApiError, detail).with_status(200)
}
