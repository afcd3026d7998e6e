//! The control pages: the simulator's state over HTTP, for people and for programs in other languages. They have no
//! password and are on loopback only.
//!
//! | call | does |
//! |---|---|
//! | `GET /_control/calls`, `DELETE` | the call log; forgets it |
//! | `GET /_control/faults`, `DELETE`, `DELETE …/faults/{id}` | the faults that are set; clears all, one |
//! | `POST /_control/faults` | sets one: `{"trouble":"status","status":503,"provider":"ecwid","store":"1003","path":"/orders","times":2}` |
//! | `PUT /_control/ecwid/{storeId}` | opens a store: `{"token":"…"}` |
//! | `PUT /_control/kinguin/{name}` | opens an account: `{"api_key":"…"}` |
//! | `PUT /_control/midas/{merchantId}` | opens a merchant: `{"project_id":"…"}` |
//! | `GET …/{orders or products or transactions}`, `POST`, `DELETE …/{id}` | lists, puts (an API object; defaults fill the rest), removes |
//! | `GET /_control/midas/{merchantId}/keys` | the PEM texts and serials |
//! | `POST /_control/midas/{merchantId}/sign` | the `txgw-` headers for the body as sent |
//!
//! Troubles: `latency` and `dribble` (`ms`), `hold`, `status` (`status`, `headers`, `body`), `reset`, `truncate`, `huge` (`bytes`),
//! `redirect` (`location`), `not_json`, `wrong_signature`, `unsigned`, `date_skew` (`seconds`), `gzip`. A put object may carry
//! `_visible_after_ms` or `_visible_after_asks`. Removing an Ecwid object lists it as deleted, except with `?vanish=1`.

mod faults;
mod records;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::calls::Call;
use super::exchange::{Request, Response};
use super::faults::FaultId;
use super::shops::Shops;
use super::time;

/// The result of a control call: an answer, or a status with a text for a person.
type Outcome = Result<Response, (u16, String)>;

/// Answers one control call.
pub(super) fn answer(shops: &Shops, request: &Request<'_>) -> Response {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let outcome = match (request.method, path.as_slice()) {
        ("GET", ["calls"]) => Ok(Response::json(200, &shops.calls().iter().map(call).collect())),
        ("DELETE", ["calls"]) => done(|| shops.clear_calls()),
        ("GET", ["faults"]) => Ok(faults::list(shops)),
        ("POST", ["faults"]) => body(request).and_then(|fields| faults::set(shops, &fields)),
        ("DELETE", ["faults"]) => done(|| shops.clear_faults()),
        ("DELETE", ["faults", id]) => match id.parse() {
            Ok(id) => done(|| shops.clear_fault(FaultId(id))),
            Err(_) => Err((400, "a fault's id is a number".to_owned())),
        },
        (_, ["ecwid" | "kinguin" | "midas", ..]) => records::answer(shops, &path, request),
        _ => Err(no_such_page()),
    };
    outcome.unwrap_or_else(|(status, message)| Response::json(status, &json!({"message": message})))
}

fn done(act: impl FnOnce()) -> Outcome {
    act();
    Ok(Response::empty(204))
}

fn no_such_page() -> (u16, String) {
    (404, "no such control page".to_owned())
}

/// The body as a JSON object; an empty one as an empty object.
fn body(request: &Request<'_>) -> Result<Map<String, Value>, (u16, String)> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(request.body)
        .map_err(|error| (400, format!("the body is not a JSON object: {error}")))
}

fn call(call: &Call) -> Value {
    json!({
        "provider": call.provider.word(), "store": call.store, "method": call.method, "target": call.target,
        "user_agent": call.user_agent, "at": time::millis(call.at), "in_flight": call.in_flight,
        "status": call.status, "took_ms": call.took.map(|took| took.as_secs_f64() * 1000.0),
        "forbidden": call.forbidden,
    })
}
