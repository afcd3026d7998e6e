//! Ecwid: two notification formats, one API that verifies both.
//!
//! * [`ion`] — Instant Order Notifications, form fields of 2012–2017, kind `ecwid-ion` (`notification` parses the body)
//! * [`webhook`] — today's webhooks, kind `ecwid` (`notification` parses the body, `signature` checks it)
//! * `lookup` — the calls that answer a question
//! * `listing` — the orders that changed in a window, all pages
//! * `api` — the calls of API v3 and its lists (`errors` reads its errors)
//! * `object` — parses the API's orders and products
//! * `judge` — compares a claim with an answer
//! * `doctor` — checks the credentials

use std::sync::Arc;

use super::keys::fits_header;
use super::{Built, Key, KeyError, KeyKind, Keys, ProviderKind};

mod api;
mod doctor;
mod errors;
pub mod ion;
mod judge;
mod listing;
mod lookup;
mod object;
pub mod webhook;

#[cfg(test)]
mod tests;

const STORE_ID: Key =
    Key { name: "store_id", kind: KeyKind::Id, required: true, example: "1003", default: None };
const TOKEN: Key =
    Key { name: "token", kind: KeyKind::Secret, required: true, example: "\"secret_…\"", default: None };
const CLIENT_SECRET: Key =
    Key { name: "client_secret", kind: KeyKind::Secret, required: false, example: "\"…\"", default: None };

/// The URL of API v3 in Ecwid's documentation; the store ID follows.
const API_BASE: &str = "https://app.ecwid.com/api/v3";

/// Ecwid's documentation: 600 requests a minute and token.
const RATE_LIMIT: &str = "600/min";

pub static ION: ProviderKind = ProviderKind {
    name: "ecwid-ion",
    keys: &[STORE_ID, TOKEN],
    default_api_base: API_BASE,
    default_rate_limit: RATE_LIMIT,
    setup: "paste it as endpoint URL of Instant Order Notifications in Ecwid's control panel",
    build: build_ion,
};

fn build_ion(keys: &Keys) -> Built {
    Ok(Arc::new(ion::Ion::new(shop(keys)?)))
}

pub static WEBHOOK: ProviderKind = ProviderKind {
    name: "ecwid",
    keys: &[STORE_ID, TOKEN, CLIENT_SECRET],
    default_api_base: API_BASE,
    default_rate_limit: RATE_LIMIT,
    setup: "ask Ecwid's support to send the webhooks of your app there (one URL per app)",
    build: build_webhook,
};

fn build_webhook(keys: &Keys) -> Built {
    Ok(Arc::new(webhook::Webhook::new(shop(keys)?, keys.secret(CLIENT_SECRET.name).cloned())))
}

/// The store and the token, or the mistakes in them.
fn shop(keys: &Keys) -> Result<api::Shop, Vec<KeyError>> {
    let store_id = keys.required_text(STORE_ID.name).and_then(|id| {
        if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
            Ok(id)
        } else {
            let message = "is not a store number; take the digits shown at the foot of the control panel";
            Err(KeyError { key: STORE_ID.name, message: message.to_owned() })
        }
    });
    let token = keys.required_secret(TOKEN.name).and_then(|token| {
        let message = "holds characters that no HTTP header can carry: paste it again";
        fits_header(token).then_some(token).ok_or(KeyError { key: TOKEN.name, message: message.to_owned() })
    });
    match (store_id, token) {
        (Ok(store_id), Ok(token)) => Ok(api::Shop::new(store_id, token.clone())),
        (store_id, token) => Err(store_id.err().into_iter().chain(token.err()).collect()),
    }
}
