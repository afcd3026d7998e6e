//! The intake listener over HTTP, on a real store, with a provider that only knows a secret.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::App;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use actix_web::web::Data;
use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{BODY_TIME, Intake, IntakeParts, IntakeSource, routes};
use crate::domain::{
    Answer, Claim, Clock, Comparison, Failure, Judge, Known, Outcome, RawNotification, Reading, Timestamp,
    Unasked,
};
use crate::metrics::Metrics;
use crate::providers::{Acknowledgement, Admission, Api, Examination, Provider, is_test_body};
use crate::store::{Filter, Notification, Store};

mod refused;
mod stored;
mod wire;

/// Wants the header `x-event-secret: right`; acknowledges as Midas does, or without a body.
struct Fake {
    is_wordy: bool,
}

impl Judge for Fake {
    fn compare(&self, _: &Claim, _: &Answer, _: &Known) -> Comparison {
        Comparison::differs(Outcome::NotYet, "", Value::Null)
    }
}

impl Provider for Fake {
    fn acknowledgement(&self) -> Acknowledgement {
        match self.is_wordy {
            true => Acknowledgement {
                status: 200,
                body: r#"{"processed":true,"message":"stored"}"#,
                content_type: Some("application/json"),
            },
            false => Acknowledgement { status: 204, body: "", content_type: None },
        }
    }

    fn admit(&self, notification: &RawNotification) -> Admission {
        match notification.headers.get("x-event-secret") {
            Some("right") => Admission::Admitted,
            Some(_) => Admission::refused("wrong_secret"),
            None if is_test_body(&notification.body) => Admission::TestCall,
            None => Admission::refused("missing_secret"),
        }
    }

    fn read(&self, _: &RawNotification) -> Reading {
        Unasked::malformed("").into()
    }

    fn ask<'a>(&'a self, _: &'a Api, _: &'a Claim) -> BoxFuture<'a, Answer> {
        Box::pin(async { unreachable!("intake makes no calls") })
    }

    fn ask_order<'a>(&'a self, _: &'a Api, _: &'a str) -> BoxFuture<'a, Answer> {
        Box::pin(async { unreachable!("intake makes no calls") })
    }

    fn control<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { unreachable!("intake makes no calls") })
    }

    fn examine<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Examination> {
        Box::pin(async { unreachable!("intake makes no calls") })
    }
}

/// An intake with three sources: `keys`, `game` with a wordy acknowledgement, and `shop` with the path token `t/k`.
struct TestIntake {
    intake: Data<Intake>,
    _folder: tempfile::TempDir,
}

/// An answer as a client sees it.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl TestIntake {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut IntakeParts)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::new().unwrap();
        let source = |name: &str, is_wordy, token: Option<&str>| {
            let source = IntakeSource {
                name: name.to_owned(),
                provider: Arc::new(Fake { is_wordy }),
                provider_name: "kinguin",
                path_token: token.map(Into::into),
                counters: metrics.intake(name),
            };
            (name.to_owned(), source)
        };
        let mut parts = IntakeParts {
            store: Store::fresh(&folder.path().join("store.db")),
            sources: HashMap::from([
                source("keys", false, None),
                source("game", true, None),
                source("shop", false, Some("t/k")),
            ]),
            metrics: metrics.clone(),
            clock: Clock::standing_at(Timestamp::parse_rfc3339("2025-06-15T15:06:40.123Z").unwrap()),
            trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
            max_body: 64,
            body_time: BODY_TIME,
            per_address_limit: None,
            max_unproven: 1_000_000,
            overfull: Arc::default(),
            has_room: Arc::new(AtomicBool::new(true)),
        };
        change(&mut parts);
        Self { intake: Data::new(Intake::new(parts)), _folder: folder }
    }

    /// Sends a request from 127.0.0.1, a trusted proxy.
    async fn send(&self, request: TestRequest) -> Seen {
        let app = test::init_service(App::new().configure(routes(in_force(&self.intake)))).await;
        let proxy = (IpAddr::from([127, 0, 0, 1]), 4711).into();
        let answer = test::call_service(&app, request.peer_addr(proxy).to_request()).await;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = String::from_utf8(test::read_body(answer).await.to_vec()).unwrap();
        Seen { status, headers, body }
    }

    /// Everything stored, newest first.
    async fn rows(&self) -> Vec<Notification> {
        let filter = Filter { limit: 100, ..Filter::default() };
        self.intake.parts.store.reader().list(filter).await.unwrap()
    }

    fn counted(&self, series: &str) -> bool {
        self.intake.parts.metrics.render().unwrap().lines().any(|line| line == series)
    }

    fn refusals_counted(&self, source: &str, cause: &str, count: u32) -> bool {
        self.counted(&format!("countersign_refusals_total{{cause=\"{cause}\",source=\"{source}\"}} {count}"))
    }
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Whether this is a refusal of `status` in the form that every refusal but the 405 has.
    fn is_refusal(&self, status: u16) -> bool {
        let body: Map<String, Value> = serde_json::from_str(&self.body).unwrap();
        self.status == status
            && self.header("content-type") == Some("application/json")
            && body.keys().collect::<Vec<_>>() == ["processed", "message"]
            && body["processed"] == json!(false)
            && body["message"].is_string()
    }
}

/// The intake as the listener takes it.
fn in_force(intake: &Data<Intake>) -> Data<ArcSwap<Intake>> {
    Data::new(ArcSwap::new(Data::clone(intake).into_inner()))
}

/// A POST with the right secret.
fn good(path: &str, body: &'static str) -> TestRequest {
    TestRequest::post().uri(path).insert_header(("X-Event-Secret", "right")).set_payload(body)
}
