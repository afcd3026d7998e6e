//! Instant Order Notifications: two order events as form fields, without any authentication; Ecwid announced
//! their end for 2017. Ecwid's documentation asks the receiver to look up the order and to ignore claims that
//! the shop does not confirm.

mod notification;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::domain::replaced::is_replaced;
use crate::domain::{
    Answer, Claim, Comparison, Course, Failure, FoundObject, Judge, Known, ListRequest, Listing,
    RawNotification, Reading, Timestamp,
};
use crate::providers::ids::{is_asked_by_query, is_plain};
use crate::providers::{Acknowledgement, Admission, Api, Examination, Provider};

use crate::providers::ecwid::api::{Inquiry, Shop, encoded};
use crate::providers::ecwid::errors::excerpt;
use crate::providers::ecwid::judge::{self, Asserted, compare_order};
use crate::providers::ecwid::object::{self, OrderIds};
use crate::providers::ecwid::{doctor, listing, lookup};

/// A source that receives Instant Order Notifications.
#[derive(Debug)]
pub struct Ion {
    shop: Shop,
}

impl Ion {
    pub(in crate::providers::ecwid) fn new(shop: Shop) -> Self {
        Self { shop }
    }

    /// The order whose number or id is exactly `order_id`. The direct call may show another one: Ecwid's pages disagree
    /// whether it takes internal ids too.
    async fn look_up(inquiry: &mut Inquiry<'_>, order_id: &str) -> Result<Option<Value>, Failure> {
        let is_it = |order: &Value| OrderIds::of(order).has_number(order_id);
        if !is_asked_by_query(order_id) {
            let direct = inquiry.object(&format!("orders/{}", encoded(order_id))).await?;
            if let Some(order) = direct.filter(is_it) {
                return Ok(Some(order));
            }
        }
        inquiry.find_order(order_id, is_it).await
    }
}

impl Provider for Ion {
    /// Ecwid's documentation: only 200 or 201 end the retries of an Instant Order Notification.
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "", content_type: None }
    }

    fn admit(&self, _notification: &RawNotification) -> Admission {
        Admission::Admitted
    }

    fn read(&self, notification: &RawNotification) -> Reading {
        notification::read(&self.shop.store_id, notification)
    }

    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let order_id = claim.subject.id.as_str();
            let mut inquiry = Inquiry::new(&self.shop, api, Some(&claim.question));
            let asked = Self::look_up(&mut inquiry, order_id).await;
            inquiry.answer(asked, object::order, &format!("the shop has no order {}", excerpt(order_id)))
        })
    }

    fn is_listable(&self, claim: &Claim) -> bool {
        is_plain(&claim.subject.id)
    }

    fn ask_list<'a>(
        &'a self,
        api: &'a Api,
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>, Failure>> {
        Box::pin(async move {
            let numbers: Vec<&str> = claims.iter().map(|claim| claim.subject.id.as_str()).collect();
            let is_it = |place: usize, ids: &OrderIds| {
                numbers.get(place).is_some_and(|number| ids.has_number(number))
            };
            lookup::orders(&self.shop, api, &numbers, is_it).await
        })
    }

    fn ask_order<'a>(&'a self, api: &'a Api, order_id: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(lookup::order(&self.shop, api, order_id))
    }

    fn list_orders<'a>(
        &'a self,
        api: &'a Api,
        request: ListRequest,
    ) -> BoxFuture<'a, Result<Option<Listing>, Failure>> {
        Box::pin(async move { listing::orders(&self.shop, api, request.window).await.map(Some) })
    }

    fn names_of(&self, object: &FoundObject) -> Vec<String> {
        OrderIds::of(&object.body).all()
    }

    fn control<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.shop.control(api))
    }

    fn examine<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(doctor::examine(&self.shop, api, doctor::Duties::Orders))
    }
}

impl Judge for Ion {
    fn compare(&self, claim: &Claim, answer: &Answer, _known: &Known) -> Comparison {
        let order_id = claim.asserted_text(&["order_id"]).unwrap_or_default();
        let other_ids = |ids: &OrderIds| {
            let shown = |id: &Option<String>| id.as_deref().map_or_else(|| "missing".to_owned(), excerpt);
            (order_id.is_empty() || !ids.has_number(order_id)).then(|| {
                format!(
                    "order_id is {}, but the order shown has the id {} and the number {}",
                    excerpt(order_id),
                    shown(&ids.id),
                    shown(&ids.order_number)
                )
            })
        };
        let asserted = |field, name, v3: fn(&str) -> &str| {
            let is_readable = !claim.asserted.get(name).is_some_and(is_replaced);
            let notified = claim.asserted_text(&[name]).unwrap_or_default();
            is_readable.then(|| Asserted { field, notified, expected: v3(notified) })
        };
        let asserted = [
            asserted("paymentStatus", "payment_status", v3_payment),
            asserted("fulfillmentStatus", "fulfillment_status", v3_fulfillment),
        ];
        compare_order(answer, other_ids, asserted.into_iter().flatten())
    }

    fn course(&self, claim: &Claim) -> Course {
        let old = |name: &str| claim.text_before(&[name]);
        let new = |name: &str| claim.asserted_text(&[name]);
        judge::course(
            [new("payment_status").map(v3_payment), new("fulfillment_status").map(v3_fulfillment)],
            [old("old_payment_status").map(v3_payment), old("old_fulfillment_status").map(v3_fulfillment)],
        )
    }

    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        judge::latest_time(answer)
    }

    fn statuses(&self, compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
        judge::statuses(compared)
    }

    /// Ecwid's documentation has no word here for partly refunded orders, pickup, delivery in progress, and
    /// custom statuses.
    fn can_announce(&self, field: &str, status: &str) -> bool {
        match field {
            judge::PAYMENT => matches!(status, "AWAITING_PAYMENT" | "PAID" | "CANCELLED" | "REFUNDED"),
            _ => matches!(
                status,
                "AWAITING_PROCESSING"
                    | "PROCESSING"
                    | "SHIPPED"
                    | "DELIVERED"
                    | "WILL_NOT_DELIVER"
                    | "RETURNED"
            ),
        }
    }
}

/// The v3 word for a payment status; v3's own words stay as they are.
fn v3_payment(word: &str) -> &str {
    match word {
        "QUEUED" | "CHARGEABLE" => "AWAITING_PAYMENT",
        "ACCEPTED" => "PAID",
        "DECLINED" => "CANCELLED",
        other => other,
    }
}

/// The v3 word for a fulfilment status; v3's own words stay as they are.
fn v3_fulfillment(word: &str) -> &str {
    match word {
        "NEW" => "AWAITING_PROCESSING",
        other => other,
    }
}
