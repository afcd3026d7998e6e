//! Webhooks: events as JSON. The signature is checked if a `client_secret` is configured, but it proves
//! little.

mod notification;
mod signature;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::domain::{
    Answer, Claim, Comparison, Course, Failure, FoundObject, Judge, Known, ListRequest, Listing,
    RawNotification, Reading, Timestamp,
};
use crate::providers::ids::is_plain;
use crate::providers::{Acknowledgement, Admission, Api, Examination, Provider};

use self::notification::Event;
use crate::providers::ecwid::api::{Inquiry, Shop};
use crate::providers::ecwid::errors::excerpt;
use crate::providers::ecwid::judge;
use crate::providers::ecwid::lookup::{self, OrderNames};
use crate::providers::ecwid::{doctor, listing, object};

/// A source that receives webhooks.
#[derive(Debug)]
pub struct Webhook {
    shop: Shop,
    client_secret: Option<SecretString>,
}

impl Webhook {
    pub(in crate::providers::ecwid) fn new(shop: Shop, client_secret: Option<SecretString>) -> Self {
        Self { shop, client_secret }
    }
}

/// The ids of an order's claim.
fn names(claim: &Claim) -> OrderNames<'_> {
    OrderNames {
        order_id: claim.asserted_text(&["data", "orderId"]),
        entity_id: claim.asserted_text(&["entityId"]).unwrap_or_default(),
    }
}

impl Provider for Webhook {
    /// 200 satisfies all of Ecwid's pages; they disagree about every other status.
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "", content_type: None }
    }

    fn admit(&self, notification: &RawNotification) -> Admission {
        match &self.client_secret {
            Some(client_secret) => signature::admit(client_secret, notification),
            None => Admission::Admitted,
        }
    }

    fn read(&self, notification: &RawNotification) -> Reading {
        notification::read(&self.shop.store_id, notification)
    }

    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let (names, id) = (names(claim), claim.subject.id.as_str());
            let since = notification::since(claim, api.now());
            let mut inquiry = Inquiry::new(&self.shop, api, Some(&claim.question));
            let absent = |object: &str| format!("the shop has no {object} {}", excerpt(id));
            match Event::of(&claim.event) {
                Some(Event::Product) => {
                    let asked = lookup::product(&mut inquiry, names.entity_id).await;
                    inquiry.answer(asked, object::product, &absent("product"))
                }
                Some(Event::ProductDeleted) => {
                    let asked = lookup::deleted_product(&mut inquiry, names.entity_id, since).await;
                    inquiry.answer_to_deletion(asked, object::product, &absent("product"))
                }
                Some(Event::OrderDeleted) => {
                    let asked = names.deleted_order(&mut inquiry, since).await;
                    inquiry.answer_to_deletion(asked, object::order, &absent("order"))
                }
                Some(Event::Order) | None => {
                    let asked = names.order(&mut inquiry).await;
                    inquiry.answer(asked, object::order, &absent("order"))
                }
            }
        })
    }

    fn is_listable(&self, claim: &Claim) -> bool {
        Event::of(&claim.event) == Some(Event::Order) && is_plain(&claim.subject.id)
    }

    fn ask_list<'a>(
        &'a self,
        api: &'a Api,
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>, Failure>> {
        Box::pin(async move {
            let ids: Vec<&str> = claims.iter().map(|claim| claim.subject.id.as_str()).collect();
            let is_it = |place: usize, ids: &object::OrderIds| {
                claims.get(place).map(names).is_some_and(|names| names.differ_from(ids).is_none())
            };
            lookup::orders(&self.shop, api, &ids, is_it).await
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
        object::OrderIds::of(&object.body).all()
    }

    fn control<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.shop.control(api))
    }

    fn examine<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(doctor::examine(&self.shop, api, doctor::Duties::Webhooks(self.client_secret.as_ref())))
    }
}

impl Judge for Webhook {
    fn compare(&self, claim: &Claim, answer: &Answer, _known: &Known) -> Comparison {
        let names = names(claim);
        match Event::of(&claim.event) {
            Some(Event::Order) | None => {
                let status =
                    |field, name| Some(judge::Asserted::in_v3(field, claim.asserted_text(&["data", name])?));
                let asserted = [
                    status("paymentStatus", "newPaymentStatus"),
                    status("fulfillmentStatus", "newFulfillmentStatus"),
                ];
                judge::compare_order(answer, |ids| names.differ_from(ids), asserted.into_iter().flatten())
            }
            Some(Event::Product) => judge::compare_product(answer, names.entity_id),
            Some(Event::OrderDeleted) => judge::compare_deletion(answer, names.entity_id, names.order_id),
            Some(Event::ProductDeleted) => judge::compare_deletion(answer, names.entity_id, None),
        }
    }

    /// `entityId`, which is the internal id, names an order only where no `orderId` was sent.
    fn names_by_internal_id(&self, claim: &Claim) -> bool {
        names(claim).order_id.is_none()
    }

    fn course(&self, claim: &Claim) -> Course {
        let old = |name| claim.text_before(&["data", name]);
        let new = |name| claim.asserted_text(&["data", name]);
        judge::course(
            [new("newPaymentStatus"), new("newFulfillmentStatus")],
            [old("oldPaymentStatus"), old("oldFulfillmentStatus")],
        )
    }

    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        judge::latest_time(answer)
    }

    fn statuses(&self, compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
        judge::statuses(compared)
    }

    fn is_deletion(&self, claim: &Claim) -> bool {
        Event::of(&claim.event) == Some(Event::OrderDeleted)
    }
}
