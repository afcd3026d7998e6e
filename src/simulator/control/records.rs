//! Shops and their objects over HTTP.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Outcome, body, no_such_page};
use crate::simulator::exchange::{Request, Response};
use crate::simulator::record::{Record, RecordKind, text_of};
use crate::simulator::shops::Shops;
use crate::simulator::{ecwid, kinguin, midas};

pub(super) fn answer(shops: &Shops, path: &[&str], request: &Request<'_>) -> Outcome {
    match (request.method, path) {
        ("PUT", [provider, name]) => open(shops, provider, name, &body(request)?),
        (_, ["ecwid", store, rest @ ..]) => {
            let store = shops.ecwid_store(store).ok_or_else(no_such_page)?;
            ecwid(&store, rest, request)
        }
        (_, ["kinguin", account, rest @ ..]) => {
            let account = shops.kinguin_account(account).ok_or_else(no_such_page)?;
            kinguin(&account, rest, request)
        }
        (_, ["midas", merchant, rest @ ..]) => {
            let merchant = shops.midas_merchant(merchant).ok_or_else(no_such_page)?;
            midas(&merchant, rest, request)
        }
        _ => Err(no_such_page()),
    }
}

fn open(shops: &Shops, provider: &str, name: &str, fields: &Map<String, Value>) -> Outcome {
    let text = |key: &str| match fields.get(key).map(text_of) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err((400, format!("{key} is missing"))),
    };
    match provider {
        "ecwid" => {
            let id = name.parse().map_err(|_| (400, "a store id is a number".to_owned()))?;
            shops.open_ecwid(id, &text("token")?);
        }
        "kinguin" => {
            shops.open_kinguin(name, &text("api_key")?);
        }
        _ => {
            shops.open_midas(name, &text("project_id")?).map_err(|error| (500, error.to_string()))?;
        }
    }
    Ok(Response::empty(204))
}

fn ecwid(store: &ecwid::EcwidStore, path: &[&str], request: &Request<'_>) -> Outcome {
    let vanish = request.params().get("vanish").is_some();
    match (request.method, path) {
        ("GET", ["orders"]) => Ok(shown(&store.orders())),
        ("GET", ["products"]) => Ok(shown(&store.products())),
        ("POST", ["orders"]) => put(request, |order| store.put_order(order)),
        ("POST", ["products"]) => put(request, |product| store.put_product(product)),
        ("DELETE", ["orders", id]) if vanish => removed(store.vanish_order(id)),
        ("DELETE", ["orders", id]) => removed(store.delete_order(id)),
        ("DELETE", ["products", id]) => removed(id.parse().is_ok_and(|id| store.delete_product(id))),
        _ => Err(no_such_page()),
    }
}

fn kinguin(account: &kinguin::KinguinAccount, path: &[&str], request: &Request<'_>) -> Outcome {
    match (request.method, path) {
        ("GET", ["orders"]) => Ok(shown(&account.orders())),
        ("GET", ["products"]) => Ok(shown(&account.products())),
        ("POST", ["orders"]) => put(request, |order| account.put_order(order)),
        ("POST", ["products"]) => put(request, |product| account.put_product(product)),
        ("DELETE", ["orders", id]) => removed(account.vanish_order(id)),
        ("DELETE", ["products", id]) => removed(id.parse().is_ok_and(|id| account.vanish_product(id))),
        _ => Err(no_such_page()),
    }
}

fn midas(merchant: &midas::MidasMerchant, path: &[&str], request: &Request<'_>) -> Outcome {
    let failed = |error: std::io::Error| (500, error.to_string());
    match (request.method, path) {
        ("GET", ["transactions"]) => Ok(shown(&merchant.transactions())),
        ("POST", ["transactions"]) => put(request, |transaction| merchant.put_transaction(transaction)),
        ("DELETE", ["transactions", id]) => removed(merchant.vanish_transaction(id)),
        ("GET", ["keys"]) => Ok(Response::json(
            200,
            &json!({
                "serial_no": merchant.serial_no(),
                "private_key": merchant.private_key_pem().map_err(failed)?,
                "public_key": merchant.public_key_pem(),
                "platform_serial": merchant.platform_serial().map_err(failed)?,
                "platform_public_key": merchant.platform_public_key_pem().map_err(failed)?,
            }),
        )),
        ("POST", ["sign"]) => {
            let headers = merchant.sign_notification(request.body).map_err(failed)?;
            let headers: Map<String, Value> =
                headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            Ok(Response::json(200, &Value::Object(headers)))
        }
        _ => Err(no_such_page()),
    }
}

fn put<K: RecordKind>(request: &Request<'_>, keep: impl FnOnce(Record<K>)) -> Outcome {
    let mut fields = body(request)?;
    let mut whole = |name: &str| match fields.shift_remove(name).map(|value| text_of(&value).parse::<u32>()) {
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err((400, format!("{name} must be a whole number"))),
        None => Ok(None),
    };
    let (millis, asks) = (whole("_visible_after_ms")?, whole("_visible_after_asks")?);
    let mut record = K::from_fields(&fields).map_err(|message| (400, message))?;
    if let Some(millis) = millis {
        record = record.visible_after(Duration::from_millis(millis.into()));
    }
    if let Some(asks) = asks {
        record = record.visible_after_asks(asks);
    }
    keep(record);
    Ok(Response::empty(204))
}

fn removed(known: bool) -> Outcome {
    if known { Ok(Response::empty(204)) } else { Err((404, "no such id".to_owned())) }
}

fn shown<K: RecordKind>(records: &[Record<K>]) -> Response {
    Response::json(200, &records.iter().map(|record| Value::Object(record.fields().clone())).collect())
}
