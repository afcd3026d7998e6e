//! A simulated Midas: `GET {base}/v1/mor/transaction/query`, signed both ways.
//!
//! Midas' public pages leave the parameter's name, the signed path and the answer for an unknown id open: [`MerchantOptions`]
//! chooses. Every error says in its `message` what was wrong with the call.

mod authorization;
mod handle;
mod keys;
mod merchant;
mod objects;
mod signature;
#[cfg(test)]
mod tests;

pub use handle::MidasMerchant;
pub use merchant::{MerchantOptions, SignedPath, UnknownId};
pub use objects::{Transaction, TransactionKind};

pub(super) use merchant::MidasPlatform;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::exchange::{Request, Response};
use super::faults::{FaultId, Trouble};
use authorization::Authorization;
use merchant::MerchantState;
use signature::PlatformSigner;

const QUERY: &str = "v1/mor/transaction/query";

/// The merchant id that the request claims, right or wrong.
pub(super) fn merchant_of(request: &Request<'_>) -> String {
    Authorization::of(request).map(|found| found.auth_id).unwrap_or_default()
}

/// Answers one call; the signature comes before everything else.
pub(super) fn answer(platform: &mut MidasPlatform, request: &Request<'_>) -> Response {
    let authorization = match Authorization::of(request) {
        Ok(authorization) => authorization,
        Err(why) => return error(401, "UNAUTHENTICATED", &why),
    };
    let Some(merchant) = platform.merchants.get_mut(&authorization.auth_id) else {
        return error(401, "UNAUTHENTICATED", "auth_id names no merchant");
    };
    if let Err(why) = authorization.check(&merchant.settings, &merchant.public_key, request) {
        return error(401, "UNAUTHENTICATED", &why);
    }
    match (request.method, request.path) {
        ("GET", QUERY) => query(merchant, request),
        (_, QUERY) => error(405, "METHOD_NOT_ALLOWED", "Only GET is simulated"),
        // A gateway's 404: the error body without its one sure field.
        _ => Response::json(404, &json!({"message": "no route"})),
    }
}

fn query(merchant: &mut MerchantState, request: &Request<'_>) -> Response {
    let params = request.params();
    let found = match (params.get(&merchant.settings.id_param), params.get("token")) {
        (Some(id), _) => merchant.transactions.ask(id, request.now),
        (None, Some(token)) => merchant.transactions.ask_alias(token, request.now),
        (None, None) => return invalid_argument(&merchant.settings.id_param),
    };
    match (found, merchant.settings.unknown_id) {
        (Some(transaction), _) => {
            let mut shown = transaction.fields().clone();
            shown.shift_remove("token");
            Response::json(200, &Value::Object(shown))
        }
        (None, UnknownId::NotFound) => error(404, "RESOURCE_NOT_FOUND", "No such transaction"),
        (None, UnknownId::NotFoundWithoutName) => Response::json(404, &json!({"message": "not found"})),
        (None, UnknownId::EmptyObject) => Response::json(200, &json!({})),
    }
}

fn error(status: u16, name: &str, message: &str) -> Response {
    Response::json(status, &json!({"name": name, "message": message, "debug_id": "247d0c"}))
}

fn invalid_argument(field: &str) -> Response {
    let body = json!({
        "name": "INVALID_ARGUMENT", "message": "A query parameter is missing", "debug_id": "247d0c",
        "details": [{
            "@type": "type.apis.com/rpc.BadRequest.FieldViolation", "field": field, "value": "",
            "description": "must be given",
        }],
        "causes": [{"cause": "no id", "solution": format!("send {field} or token")}],
    });
    Response::json(400, &body)
}

/// The answer with the platform's `Txgw-` headers, unless a trouble withholds or spoils them.
///
/// A redirect and a page of HTML come from something in front of the platform: they carry no signature.
pub(super) fn signed(
    mut answer: Response,
    signer: &PlatformSigner,
    now: DateTime<Utc>,
    met: &[(FaultId, Trouble)],
) -> Response {
    let meets = |wanted: fn(&Trouble) -> bool| met.iter().any(|(_, trouble)| wanted(trouble));
    if meets(|trouble| matches!(trouble, Trouble::Unsigned | Trouble::NotJson | Trouble::Redirect(_))) {
        return answer;
    }
    let headers = if meets(|trouble| *trouble == Trouble::WrongSignature) {
        signer.sign(now, b"another body")
    } else {
        signer.sign(now, &answer.body)
    };
    answer.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
    answer
}
