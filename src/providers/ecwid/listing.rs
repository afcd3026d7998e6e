//! What changed in a stretch of time. Ecwid documents no order of its lists, so a list that changes while it is read is
//! read again from its beginning: an order may have moved to a page that was read already.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{Cause, Failure, Listed, Listing, Window};
use crate::providers::{Api, LIST_READINGS};

use super::api::{Inquiry, PAGE, Page, Shop};
use super::errors::clipped;
use super::judge::INCOMPLETE;
use super::shown;

/// All that comparing needs; whole orders would fill a page with megabytes.
const FIELDS: &str =
    "total,items(id,internalId,orderNumber,paymentStatus,fulfillmentStatus,updateDate,updateTimestamp)";

/// The orders that changed in the window, each once.
///
/// # Errors
/// A page could not be read, or no reading showed as many orders as the list says it has.
pub(super) async fn orders(shop: &Shop, api: &Api, window: Window) -> Result<Listing, Failure> {
    let (from, to) = (window.from.seconds(), window.to.seconds());
    let list = format!("orders?updatedFrom={from}&updatedTo={to}&responseFields={FIELDS}");
    for _ in 0..LIST_READINGS {
        if let Some(orders) = read(shop, api, &list).await? {
            return Ok(Listing { orders, is_by_creation: false });
        }
    }
    let detail = format!("the list of orders changed while it was read, {LIST_READINGS} times");
    Err(Failure::new(Cause::ApiError, detail).with_status(200))
}

/// Reads the list once; `None` where it changed meanwhile, or showed an order twice and so perhaps another not at all.
async fn read(shop: &Shop, api: &Api, list: &str) -> Result<Option<Vec<Listed>>, Failure> {
    let mut inquiry = Inquiry::new(shop, api, None);
    let (mut orders, mut seen, mut limit, mut first_total) = (BTreeMap::new(), 0, PAGE, None);
    loop {
        let Page { total, items } = inquiry.page(list, seen, &mut limit).await?;
        if total != *first_total.get_or_insert(total) {
            return Ok(None);
        }
        seen += u64::try_from(items.len()).unwrap_or(u64::MAX);
        let known = orders.len();
        for item in items {
            let id = item.get("id").and_then(shown::id_text).unwrap_or_default();
            orders.insert(id, item);
        }
        if orders.len() == known && total > 0 {
            return Ok(None);
        }
        if seen >= total {
            let each_once = u64::try_from(orders.len()).is_ok_and(|known| known == total);
            return if each_once { listed(orders).map(Some) } else { Ok(None) };
        }
    }
}

fn listed(orders: BTreeMap<String, Value>) -> Result<Vec<Listed>, Failure> {
    let finished = orders
        .into_iter()
        .filter(|(_, order)| order.get("paymentStatus").and_then(Value::as_str) != Some(INCOMPLETE));
    let read = |(id, order): (String, Value)| match shown::order(order) {
        Ok(sighting) => Ok(Listed { sighting, is_expected: true }),
        Err(detail) => {
            let detail = format!("order {} of the list is not as documented: {detail}", clipped(&id));
            Err(Failure::new(Cause::ApiError, detail).with_status(200))
        }
    };
    finished.map(read).collect()
}
