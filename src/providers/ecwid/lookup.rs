//! The calls that answer the question of a webhook, and list calls about many orders. Reads by id come before
//! searches, which may lag behind.

use serde_json::Value;

use crate::domain::{Answer, Deletion, Failure, FoundObject};
use crate::providers::Api;
use crate::providers::ids::is_asked_by_query;

use super::api::{DELETION_PAGES, Inquiry, NEAR_MATCH_PAGES, PAGE, Page, Shop, encoded, too_long};
use super::errors::excerpt;
use super::object::{self, OrderIds};

/// The ids by which a webhook names an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderNames<'a> {
    /// `data.orderId`, sent since 2020.
    pub(super) order_id: Option<&'a str>,
    /// `entityId`: the internal id, before late 2020 the order's number.
    pub(super) entity_id: &'a str,
}

impl OrderNames<'_> {
    /// Whether `entityId` names this order: by its internal id; where no `orderId` was sent, by its number too.
    pub(super) fn entity_is(self, ids: &OrderIds) -> bool {
        let entity_id = Some(self.entity_id);
        ids.internal_id.as_deref() == entity_id
            || (self.order_id.is_none() && ids.order_number.as_deref() == entity_id)
    }

    /// Whether `data.orderId` was sent and is this order's id.
    pub(super) fn order_id_is(self, ids: &OrderIds) -> bool {
        self.order_id.is_some() && ids.id.as_deref() == self.order_id
    }

    /// Which id of an order differs from these; `None` if it is the one. An order without `internalId` is
    /// identified by its id alone.
    pub(super) fn differ_from(self, ids: &OrderIds) -> Option<String> {
        let shown = |id: &Option<String>| id.as_deref().map_or_else(|| "missing".to_owned(), excerpt);
        if let Some(order_id) = self.order_id
            && !self.order_id_is(ids)
        {
            return Some(format!("the order's id is {}, not {}", shown(&ids.id), excerpt(order_id)));
        }
        let is_known_by_id = self.order_id.is_some() && ids.internal_id.is_none();
        let agrees = is_known_by_id || self.entity_is(ids);
        (!agrees).then(|| {
            let (actual, claimed) = (shown(&ids.internal_id), excerpt(self.entity_id));
            format!("the order's internalId is {actual}, not {claimed}")
        })
    }

    /// The order by `data.orderId`, otherwise by `entityId`.
    pub(super) async fn order(self, inquiry: &mut Inquiry<'_>) -> Result<Option<Value>, Failure> {
        match self.direct(inquiry).await? {
            Some(order) => Ok(Some(order)),
            None => self.listed(inquiry).await,
        }
    }

    /// The order that a deletion names, if it still exists; otherwise the result of the list of deletions since
    /// `since`.
    pub(super) async fn deleted_order(
        self,
        inquiry: &mut Inquiry<'_>,
        since: i64,
    ) -> Result<Result<Value, Deletion>, Failure> {
        let named = |order: &Value| {
            let ids = OrderIds::of(order);
            self.order_id_is(&ids) || self.entity_is(&ids)
        };
        let direct = match self.order_id {
            Some(_) => self.direct(inquiry).await?.filter(named),
            None => self.listed(inquiry).await?,
        };
        if let Some(order) = direct {
            return Ok(Ok(order));
        }
        let deletion = deletion(inquiry, "orders", self.entity_id, since).await?;
        if deletion == Deletion::NotListed
            && self.order_id.is_some()
            && let Some(order) = self.listed(inquiry).await?
        {
            return Ok(Ok(order));
        }
        Ok(Err(deletion))
    }

    /// The order that `GET /orders/{orderId}` shows, or the exact match by query where the id must not stand in a path.
    async fn direct(self, inquiry: &mut Inquiry<'_>) -> Result<Option<Value>, Failure> {
        let Some(order_id) = self.order_id else { return Ok(None) };
        if !is_asked_by_query(order_id) {
            return inquiry.object(&format!("orders/{}", encoded(order_id))).await;
        }
        let is_it = |order: &Value| self.order_id_is(&OrderIds::of(order));
        inquiry.find_order(order_id, is_it).await
    }

    /// The order that `GET /orders?ids={entityId}` shows with exactly that id.
    async fn listed(self, inquiry: &mut Inquiry<'_>) -> Result<Option<Value>, Failure> {
        let is_it = |order: &Value| self.entity_is(&OrderIds::of(order));
        inquiry.find_order(self.entity_id, is_it).await
    }
}

/// The order whose id is exactly `order_id`, as the store keeps it.
pub(super) async fn order(shop: &Shop, api: &Api, order_id: &str) -> Answer {
    let mut inquiry = Inquiry::new(shop, api, Some(order_id));
    let is_it = |order: &Value| OrderIds::of(order).id.as_deref() == Some(order_id);
    let asked = async {
        if !is_asked_by_query(order_id) {
            let direct = inquiry.object(&format!("orders/{}", encoded(order_id))).await?;
            if let Some(order) = direct.filter(is_it) {
                return Ok(Some(order));
            }
        }
        inquiry.find_order(order_id, is_it).await
    };
    let asked = asked.await;
    inquiry.answer(asked, object::order, &format!("the shop has no order {}", excerpt(order_id)))
}

/// The product of a number. Only a 404 with its own word, or a list without it, says that there is none.
pub(super) async fn product(inquiry: &mut Inquiry<'_>, product_id: &str) -> Result<Option<Value>, Failure> {
    let direct = inquiry.object(&format!("products/{}", encoded(product_id))).await?;
    if direct.is_some() || inquiry.last_error_is("PRODUCT_NOT_FOUND") {
        return Ok(direct);
    }
    let is_it = |product: &Value| product.get("id").and_then(object::id_text).as_deref() == Some(product_id);
    let list = format!("products?productId={}", encoded(product_id));
    Ok(inquiry.find(&list, NEAR_MATCH_PAGES, is_it).await?.map(|(_, product)| product))
}

/// The product that a deletion names, if it still exists; otherwise the result of the list of deletions since
/// `since`.
pub(super) async fn deleted_product(
    inquiry: &mut Inquiry<'_>,
    product_id: &str,
    since: i64,
) -> Result<Result<Value, Deletion>, Failure> {
    match product(inquiry, product_id).await? {
        Some(product) => Ok(Ok(product)),
        None => deletion(inquiry, "products", product_id, since).await.map(Err),
    }
}

/// Whether the list of deletions since `since` (unix seconds) names `id`.
async fn deletion(
    inquiry: &mut Inquiry<'_>,
    objects: &str,
    id: &str,
    since: i64,
) -> Result<Deletion, Failure> {
    let is_it = |item: &Value| item.get("id").and_then(object::id_text).as_deref() == Some(id);
    let list = format!("{objects}/deleted?from_date={since}");
    let listed = inquiry.find(&list, DELETION_PAGES, is_it).await?;
    Ok(listed.map_or(Deletion::NotListed, |(_, item)| Deletion::Listed(item)))
}

/// Asks about the orders with plain `ids` in one list call; `is_it` says whether an order is the wanted one
/// of a position. An id with many near matches, such as a store's prefix, is left out of further readings, so
/// that it does not hide the others.
///
/// # Errors
/// The list failed, or near matches filled too many pages.
pub(super) async fn orders(
    shop: &Shop,
    api: &Api,
    ids: &[&str],
    is_it: impl Fn(usize, &OrderIds) -> bool + Send + Sync,
) -> Result<Vec<Option<Answer>>, Failure> {
    let foreign = ids.join(",");
    let mut inquiry = Inquiry::new(shop, api, Some(&foreign));
    let mut found: Vec<Option<FoundObject>> = ids.iter().map(|_| None).collect();
    let mut asked: Vec<(usize, &str)> = ids.iter().copied().enumerate().collect();
    let (mut offset, mut limit) = (0_u64, PAGE);
    for _ in 0..NEAR_MATCH_PAGES {
        let joined = asked.iter().map(|(_, id)| *id).collect::<Vec<_>>().join(",");
        let Page { total, items } = inquiry.page(&format!("orders?ids={joined}"), offset, &mut limit).await?;
        for order in &items {
            let order_ids = OrderIds::of(order);
            for (place, _) in &asked {
                if let Some(shown @ None) = found.get_mut(*place)
                    && is_it(*place, &order_ids)
                {
                    *shown = object::order(order.clone()).ok();
                }
            }
        }
        offset = offset.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
        let is_read = offset >= total || found.iter().all(Option::is_some);
        if !is_read && total > u64::try_from(asked.len() * IDS_OF_AN_ORDER).unwrap_or(u64::MAX) {
            let before = asked.len();
            asked.retain(|(_, id)| !items.iter().any(|order| is_near(id, order)));
            if asked.len() == before {
                break;
            }
            offset = 0;
        }
        if is_read || asked.is_empty() {
            return Ok(found.into_iter().map(|shown| Some(inquiry.shown(shown?))).collect());
        }
    }
    Err(too_long(NEAR_MATCH_PAGES))
}

/// Maximum number of exact matches of one id: an order by each kind of id. All others in a list are near
/// matches.
const IDS_OF_AN_ORDER: usize = 3;

/// Whether an id of the order contains `id` and more.
fn is_near(id: &str, order: &Value) -> bool {
    let id = id.to_ascii_lowercase();
    let is_near = |known: &String| known.len() > id.len() && known.to_ascii_lowercase().contains(&id);
    OrderIds::of(order).all().iter().any(is_near)
}
