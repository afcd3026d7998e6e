//! Kinguin's eCommerce API and the two formats of its notifications.
//!
//! `kinguin` are webhooks, with the event in one header and a shared secret in another; `kinguin-postback` is the format
//! before March 2021, without either. Both are verified by the same calls.
//!
//! | file | its one job |
//! |---|---|
//! | `notification` | parses a notification of either format into a claim |
//! | `signature` | the shared secret of webhooks |
//! | `api` | the calls for verification, and what their answers mean |
//! | `object` | parses an order or a product of an answer |
//! | `judge` | compares a claim with it |
//! | `listing` | reads the list of orders for `reconcile` |
//! | `dates`, `fields` | read single values of a body |
//! | `doctor` | tests the key |
//!
//! No call here returns a purchased key, and none may: verification does not need them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::ids::is_plain;
use super::keys::fits_header;
use super::{
    Acknowledgement, Admission, Api, Built, Examination, Key, KeyError, KeyKind, Keys, Provider, ProviderKind,
};
use crate::domain::{
    Answer, Claim, Comparison, Course, Failure, Judge, Known, ListRequest, Listing, RawNotification, Reading,
    SubjectKind, Timestamp,
};

mod api;
mod dates;
mod doctor;
mod fields;
mod judge;
mod listing;
mod notification;
mod object;
mod signature;
#[cfg(test)]
mod tests;

pub use judge::is_stored;

/// The status of an order whose keys are all delivered; an "order complete" asserts it.
const COMPLETED: &str = "completed";

/// Kinguin's production API; its sandbox has another host, accounts and keys.
const API_BASE: &str = "https://gateway.kinguin.net/esa/api";

/// Kinguin publishes no limit, but has taken a busy client for an attack.
const RATE_LIMIT: &str = "5/s";

const API_KEY: Key =
    Key { name: "api_key", kind: KeyKind::Secret, required: true, example: "\"0123abcd…\"", default: None };

const SECRET: Key = Key {
    name: "secret",
    kind: KeyKind::Secrets,
    required: false,
    example: "[\"new\", \"old\"]",
    default: None,
};

/// Webhooks, sent since March 2021.
pub static KINGUIN: ProviderKind = ProviderKind {
    name: "kinguin",
    keys: &[API_KEY, SECRET],
    default_api_base: API_BASE,
    default_rate_limit: RATE_LIMIT,
    setup: "paste it into Kinguin's dashboard → store → WEBHOOKS",
    build: |keys| build(Format::Webhook, keys),
};

/// Postbacks, documented from 2019 to March 2021.
pub static KINGUIN_POSTBACK: ProviderKind = ProviderKind {
    name: "kinguin-postback",
    keys: &[API_KEY],
    default_api_base: API_BASE,
    default_rate_limit: RATE_LIMIT,
    setup: "paste it into Kinguin's dashboard → store → POSTBACK NOTIFICATIONS",
    build: |keys| build(Format::Postback, keys),
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Webhook,
    Postback,
}

struct Kinguin {
    format: Format,
    api_key: SecretString,
    /// Empty if the source has none, and for postbacks.
    secrets: Vec<SecretString>,
}

fn build(format: Format, keys: &Keys) -> Built {
    let mut errors = Vec::new();
    let mut wrong = |key, message: &str| errors.push(KeyError { key, message: message.to_owned() });
    let api_key = keys.required_secret("api_key");
    if api_key.as_ref().is_ok_and(|key| !fits_header(key)) {
        wrong("api_key", "holds characters that no HTTP header can carry: paste it again");
    }
    let secrets = if format == Format::Webhook { keys.secrets("secret") } else { &[] };
    if !secrets.iter().all(fits_header) {
        wrong("secret", "holds characters that no HTTP header can carry: paste it again");
    }
    match api_key {
        Ok(api_key) if errors.is_empty() => {
            Ok(Arc::new(Kinguin { format, api_key: api_key.clone(), secrets: secrets.to_vec() }))
        }
        Ok(_) => Err(errors),
        Err(missing) => Err(std::iter::once(missing).chain(errors).collect()),
    }
}

impl Judge for Kinguin {
    fn compare(&self, claim: &Claim, answer: &Answer, known: &Known) -> Comparison {
        judge::compare(claim, answer, known)
    }

    fn course(&self, claim: &Claim) -> Course {
        judge::course(claim)
    }

    fn latest_time(&self, answer: &Answer) -> Option<Timestamp> {
        judge::latest_time(answer)
    }

    fn statuses(&self, compared: &Map<String, Value>) -> Vec<(&'static str, String)> {
        judge::statuses(compared)
    }

    /// A postback about an order says that it is complete, and nothing else.
    fn can_announce(&self, _field: &str, status: &str) -> bool {
        self.format == Format::Webhook || status == COMPLETED
    }

    fn is_final(&self, compared: &Map<String, Value>) -> bool {
        judge::statuses(compared).iter().any(|(_, status)| judge::is_final(status))
    }
}

impl Provider for Kinguin {
    /// Kinguin's documentation asks for an empty 2xx and recommends 204.
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 204, body: "", content_type: None }
    }

    fn admit(&self, notification: &RawNotification) -> Admission {
        signature::admit(&self.secrets, notification)
    }

    fn read(&self, notification: &RawNotification) -> Reading {
        match self.format {
            Format::Webhook => notification::read_webhook(notification),
            Format::Postback => notification::read_postback(notification),
        }
    }

    fn ask<'a>(&'a self, api: &'a Api, claim: &'a Claim) -> BoxFuture<'a, Answer> {
        Box::pin(api::ask(api, &self.api_key, claim))
    }

    fn is_listable(&self, claim: &Claim) -> bool {
        claim.subject.kind == SubjectKind::Product && is_plain(&claim.subject.id)
    }

    fn ask_list<'a>(
        &'a self,
        api: &'a Api,
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Option<Answer>>, Failure>> {
        Box::pin(api::ask_products(api, &self.api_key, claims))
    }

    fn ask_order<'a>(&'a self, api: &'a Api, order_id: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(api::ask_order(api, &self.api_key, order_id))
    }

    fn list_orders<'a>(
        &'a self,
        api: &'a Api,
        request: ListRequest,
    ) -> BoxFuture<'a, Result<Option<Listing>, Failure>> {
        Box::pin(async move { listing::orders(api, &self.api_key, request).await.map(Some) })
    }

    fn control<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { api::control(api, &self.api_key).await.map(|_| ()) })
    }

    fn examine<'a>(&'a self, api: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(doctor::examine(self, api))
    }
}
