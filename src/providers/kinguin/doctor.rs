//! The checks of `doctor` for a Kinguin source, with an explanation of each answer.

use super::{API_BASE, Format, Kinguin, api};
use crate::domain::{Cause, Failure};
use crate::providers::{Api, DoctorCheck, Examination};

/// The path of Kinguin's API of 2019 (`api2.kinguin.net/integration`), switched off in 2025.
const DEAD_PATH: &str = "/integration";

/// Reads one order with the configured key, as every verification does.
pub(super) async fn examine(kinguin: &Kinguin, api: &Api) -> Examination {
    let mut examination = Examination::default();
    examination.checks.push(admission(kinguin));
    if api.base_path().starts_with(DEAD_PATH) {
        let words = format!("api_base is Kinguin's API of 2019, switched off in 2025: set it to {API_BASE}");
        examination.checks.push(DoctorCheck::bad(words));
    }
    match api::control(api, &kinguin.api_key).await {
        Ok(reply) => {
            examination.clock = reply.date().map(|date| (date, api.now()));
            examination.checks.push(DoctorCheck::good("the API takes the api_key and shows orders"));
        }
        Err(failure) => examination.checks.push(DoctorCheck::bad(advice(&failure))),
    }
    examination
}

fn admission(kinguin: &Kinguin) -> DoctorCheck {
    DoctorCheck::good(match (kinguin.format, kinguin.secrets.len()) {
        (Format::Postback, _) => {
            "postbacks carry no secret: a path_token keeps strangers out, the API decides in any case"
                .to_owned()
        }
        (Format::Webhook, 0) => {
            "no secret is configured: any sender's notifications are stored, the API decides in any case"
                .to_owned()
        }
        (Format::Webhook, 1) => "X-Event-Secret must equal the configured secret".to_owned(),
        (Format::Webhook, count) => format!("X-Event-Secret must equal one of {count} configured secrets"),
    })
}

fn advice(failure: &Failure) -> String {
    let what = &failure.detail;
    let todo = match (failure.cause, failure.http_status) {
        (Cause::ApiUnreachable, _) => "check api_base, the network and the firewall",
        (Cause::ApiRateLimited, _) => "wait, then run doctor again; a lower rate_limit may help",
        (Cause::ApiDenied, Some(401)) => {
            "the api_key is wrong: copy it from the store's page in Kinguin's dashboard (the webhook secret is \
             another one, and the sandbox has keys of its own)"
        }
        (Cause::ApiDenied, Some(_)) => {
            "the key is known but may not read: is this machine's address on the store's IP allow-list? Kinguin's \
             business manager sets it"
        }
        (Cause::ApiDenied, None) => "paste the api_key again",
        (Cause::ApiError, Some(200..=404)) => "this is not Kinguin's API: check api_base",
        (Cause::ApiError, _) => "Kinguin's API has problems: run doctor again later",
    };
    format!("{what}: {todo}")
}
