//! The checks of `doctor` for an Ecwid store, with an explanation of each refusal.

use secrecy::SecretString;

use crate::domain::{Failure, FailureScope};
use crate::providers::{Api, DoctorCheck, Examination};

use super::api::{CONTROL, Inquiry, Shop, looks_like_token};
use super::errors::excerpt;

/// The permissions that a source's notifications need.
#[derive(Clone, Copy, Debug)]
pub(super) enum Duties<'a> {
    Orders,
    /// Orders, products and their deletions, and the key that checks signatures, if one is configured.
    Webhooks(Option<&'a SecretString>),
}

/// A kind of call, its purpose, and the scope that Ecwid's documentation names for it.
struct Trial {
    path: &'static str,
    what: &'static str,
    scope: &'static str,
}

const ORDERS: Trial = Trial { path: CONTROL, what: "orders", scope: "read_orders" };

const OTHERS: [Trial; 3] = [
    Trial { path: "products?limit=1&responseFields=total", what: "products", scope: "read_catalog" },
    Trial { path: "orders/deleted?limit=1", what: "deleted orders", scope: "read_orders" },
    Trial { path: "products/deleted?limit=1", what: "deleted products", scope: "read_catalog" },
];

/// Tries the token. A refused token is not tried again, because Ecwid blocks an address that repeats it.
pub(super) async fn examine(shop: &Shop, api: &Api, duties: Duties<'_>) -> Examination {
    let mut examination = Examination::default();
    if api.base_path().contains("/api/v1") {
        let words = "api_base names API v1, which ended in 2017; it ends in /api/v3 today";
        examination.checks.push(DoctorCheck::bad(words));
    }
    if let Duties::Webhooks(client_secret) = duties {
        examination.checks.extend(client_secret.map(|secret| client_secret_check(shop, secret)));
    }
    let orders = try_one(shop, api, &ORDERS, &mut examination).await;
    let goes_on = orders.as_ref().map_or_else(|failure| failure.scope == FailureScope::CallKind, |()| true);
    if let Duties::Webhooks(_) = duties
        && goes_on
    {
        for trial in &OTHERS {
            if let Err(Failure { scope: FailureScope::Source, .. }) =
                try_one(shop, api, trial, &mut examination).await
            {
                break;
            }
        }
    }
    examination
}

pub(super) fn client_secret_check(shop: &Shop, client_secret: &SecretString) -> DoctorCheck {
    if shop.has_token(client_secret) || looks_like_token(client_secret) {
        DoctorCheck::bad(
            "client_secret holds an access token (secret_…): signatures are checked with the app's client_secret, \
             from the app's details page",
        )
    } else {
        DoctorCheck::good("client_secret is configured: unsigned webhooks are refused")
    }
}

async fn try_one(
    shop: &Shop,
    api: &Api,
    trial: &Trial,
    examination: &mut Examination,
) -> Result<(), Failure> {
    let mut inquiry = Inquiry::new(shop, api, None);
    let what = trial.what;
    let reply = match inquiry.get(trial.path).await {
        Ok(reply) => reply,
        Err(failure) => {
            examination.checks.push(DoctorCheck::bad(format!("{what} cannot be read: {}", failure.detail)));
            return Err(failure);
        }
    };
    if examination.clock.is_none() {
        examination.clock = reply.date().map(|theirs| (theirs, api.now()));
    }
    let Err(failure) = inquiry.total(&reply) else {
        examination.checks.push(DoctorCheck::good(format!("{what} can be read")));
        return Ok(());
    };
    let word = inquiry.word(&reply).unwrap_or_default();
    let advice = match (reply.status, word.as_str()) {
        (403, "INSUFFICIENT_APP_SCOPE") => {
            format!("the app lacks a scope; grant it {} and install it again", trial.scope)
        }
        (401 | 403, _) if shop.token_looks_right() => {
            "the token is refused; take the access token of an app that is installed in this store".to_owned()
        }
        (401 | 403, _) => {
            "the token is refused, and it does not begin with secret_: take the app's access token, \
                           not its client_secret"
                .to_owned()
        }
        (402, "STORE_IS_SUSPENDED") => "the store is suspended; ask Ecwid".to_owned(),
        (402, _) => "the store's plan does not include the API; it takes a paid plan".to_owned(),
        (404, "STORE_NOT_FOUND" | "PROFILE_NOT_FOUND") => {
            format!("there is no store {}; check store_id", shop.store_id)
        }
        (404, _) => "nothing of API v3 answers there; check api_base and store_id".to_owned(),
        _ => failure.detail.clone(),
    };
    let said = if word.is_empty() { String::new() } else { format!(" {}", excerpt(&word)) };
    examination
        .checks
        .push(DoctorCheck::bad(format!("{what} cannot be read ({}{said}): {advice}", reply.status)));
    Err(failure)
}
