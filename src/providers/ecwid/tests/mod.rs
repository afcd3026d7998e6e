//! Ecwid's two formats against a scripted store, which answers each request line and keeps the lines it saw.

mod doctor;
mod ion;
mod keys;
mod lists;
mod signature;
mod webhook;
mod webhook_calls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::{Answer, CallResult, Claim, Clock, Headers, Known, Outcome, RawNotification, Timestamp};
use crate::metrics::Metrics;
use crate::providers::Provider;
use crate::providers::http::{Api, Client, OpenGate};

type Script = Arc<dyn Fn(&str) -> (u16, String) + Send + Sync>;

/// A scripted store on a free loopback port.
pub(super) struct ShopDouble {
    /// The way to it, at the time of [`now`].
    pub(super) api: Api,
    seen: Arc<Mutex<Vec<String>>>,
    handle: ServerHandle,
}

/// The time of the tests: shortly after the documentation's sample event.
pub(super) fn now() -> Timestamp {
    Timestamp::from_seconds(1_764_000_030)
}

/// A notification with `body` at the time of [`now`].
pub(super) fn notification(body: &[u8]) -> RawNotification {
    RawNotification {
        source: "shop".to_owned(),
        provider: "ecwid".to_owned(),
        received_at: now(),
        remote_addr: "192.0.2.1".to_owned(),
        content_type: None,
        headers: Headers::default(),
        body: body.to_vec(),
    }
}

/// A list of one page.
pub(super) fn listing(items: &[Value]) -> String {
    json!({"total": items.len(), "count": items.len(), "offset": 0, "limit": 100, "items": items}).to_string()
}

/// The scripted store's answer about a claim, and the outcome unless the call failed.
pub(super) async fn asked(
    source: &impl Provider,
    claim: &Claim,
    shop: &ShopDouble,
) -> (Answer, Option<Outcome>) {
    let answer = source.ask(&shop.api, claim).await;
    let outcome = match &answer.result {
        CallResult::Failed(_) => None,
        _ => Some(source.compare(claim, &answer, &Known::default()).outcome),
    };
    (answer, outcome)
}

impl ShopDouble {
    /// Serves what `script` says for a path and query below the base: a status and a body.
    pub(super) fn serving(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (lines, script): (_, Script) = (Arc::clone(&seen), Arc::new(script));
        let server = HttpServer::new(move || {
            let (lines, script) = (Arc::clone(&lines), Arc::clone(&script));
            App::new().default_service(web::to(move |request: HttpRequest| {
                let line = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                let (status, body) = script(&line);
                lines.lock().unwrap().push(line);
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                async move { HttpResponse::build(status).body(body) }
            }))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        let client =
            Client::new(Duration::from_secs(5), Metrics::new().unwrap(), Clock::standing_at(now())).unwrap();
        let api = Api::new(client, "shop", &base, Arc::new(OpenGate));
        Self { api, seen, handle }
    }

    /// The request lines so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) async fn close(self) {
        self.handle.stop(false).await;
    }
}

/// Any JSON, often with the names and values that answers have.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop_oneof![Just(1207), Just(731_200_456), Just(9001)].prop_map(Value::from),
        prop_oneof![Just("1207"), Just("SALE-H4K9P"), Just("PAID"), Just("AWAITING_PROCESSING")]
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        4 => prop_oneof![
            Just("id"), Just("internalId"), Just("orderNumber"), Just("paymentStatus"),
            Just("fulfillmentStatus"), Just("items"), Just("total"),
        ].prop_map(str::to_owned),
        1 => ".{0,6}",
    ];
    leaf.prop_recursive(3, 24, 8, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            4 => proptest::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}
