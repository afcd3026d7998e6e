//! The admin listener over HTTP, on a real store.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::Data;
use actix_web::{App, test};
use arc_swap::ArcSwap;
use serde_json::Value;

use super::{Admin, Guard, Reach, page, routes};
use crate::config::Settings;
use crate::domain::{Clock, Headers, LastTurn, RawNotification, ReportedSource, Timestamp};
use crate::metrics::Metrics;
use crate::store::Store;

const NOW: i64 = 1_750_000_000_000;

struct TestAdmin {
    admin: Data<Admin>,
    _folder: tempfile::TempDir,
}

async fn env(change: impl FnOnce(&mut Admin)) -> TestAdmin {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::fresh(&folder.path().join("store.db"));
    let (clock, metrics) = (Clock::standing_at(Timestamp::from_millis(NOW)), Metrics::new().unwrap());
    let known = vec![("shop".to_owned(), "ecwid"), ("old".to_owned(), "ecwid")];
    assert!(store.introduce_sources(known, clock.now()).await.unwrap().is_empty());
    metrics.introduce("shop");
    let shop = ReportedSource { name: "shop".to_owned(), provider: "ecwid".to_owned(), expect_every: None };
    let config = folder.path().join("countersign.toml");
    std::fs::write(
        &config,
        "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"t\"\n[admin]\npage = false\n",
    )
    .unwrap();
    let mut admin = Admin {
        store,
        metrics,
        clock,
        sources: vec![shop],
        actions: Vec::new(),
        guard: Guard::new(None, Vec::new(), Reach::Loopback),
        stopping: tokio::sync::watch::channel(false).1,
        min_free: 1,
        forgets: false,
        settings: Arc::new(Settings::load(&config, |_| None).unwrap()),
        permits: page::ViewPermits::default(),
        last_turn: None,
    };
    change(&mut admin);
    TestAdmin { admin: Data::new(admin), _folder: folder }
}

impl TestAdmin {
    async fn receive(&self, source: &str) {
        let notification = RawNotification {
            source: source.to_owned(),
            provider: "ecwid".to_owned(),
            received_at: self.admin.clock.now(),
            remote_addr: "198.51.100.1".to_owned(),
            content_type: None,
            headers: Headers::default(),
            body: b"{}".to_vec(),
        };
        self.admin.store.append(notification).await.unwrap();
    }

    /// Status, content type and body.
    async fn ask(&self, method: Method, path: &str) -> (u16, String, String) {
        let app = test::init_service(
            App::new().configure(routes(Data::new(ArcSwap::new(Data::clone(&self.admin).into_inner())))),
        )
        .await;
        let request = test::TestRequest::default().method(method).uri(path).to_request();
        let answer = test::call_service(&app, request).await;
        let content_type = answer.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        (status, content_type, String::from_utf8(test::read_body(answer).await.to_vec()).unwrap())
    }

    async fn ready(&self) -> (u16, Value) {
        let (status, content_type, body) = self.ask(Method::GET, "/readyz").await;
        assert_eq!(content_type, "application/json");
        (status, serde_json::from_str(&body).unwrap())
    }
}

fn check<'a>(readiness: &'a Value, name: &str) -> &'a Value {
    readiness["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[actix_web::test]
async fn healthz_says_ok() {
    let env = env(|_| ()).await;
    let (status, _, body) = env.ask(Method::GET, "/healthz").await;
    assert_eq!((status, body.as_str()), (200, "ok"));
    assert_eq!(env.ask(Method::HEAD, "/healthz").await.0, 200);
}

#[actix_web::test]
async fn what_is_no_get_is_refused_and_nothing_else_is_served() {
    let env = env(|_| ()).await;
    assert_eq!(env.ask(Method::POST, "/readyz").await.0, 405);
    assert_eq!(env.ask(Method::GET, "/").await.0, 404);
    assert_eq!(env.ask(Method::GET, "/hooks/shop").await.0, 404);
}

#[actix_web::test]
async fn readyz_is_200_where_all_is_well() {
    let env = env(|_| ()).await;
    let (status, readiness) = env.ready().await;
    assert_eq!((status, &readiness["ready"]), (200, &Value::Bool(true)), "{readiness}");
    for name in ["store_writable", "disk", "wal", "worker"] {
        assert_eq!(check(&readiness, name)["ok"], true);
    }
    assert_eq!(check(&readiness, "worker")["detail"], "off (--no-worker)");
}

#[actix_web::test]
async fn readyz_is_503_and_names_the_disk_where_it_is_low() {
    let env = env(|admin| admin.min_free = u64::MAX).await;
    let (status, readiness) = env.ready().await;
    assert_eq!((status, &readiness["ready"]), (503, &Value::Bool(false)));
    assert_eq!(readiness["failing"], serde_json::json!(["disk"]));
    assert_eq!(check(&readiness, "disk")["ok"], false);
    assert_eq!(check(&readiness, "wal")["ok"], true);
}

#[actix_web::test]
async fn readyz_is_503_where_the_worker_took_no_turn_for_a_minute() {
    let clock = Clock::standing_at(Timestamp::from_millis(NOW));
    let last_turn = LastTurn::new(&clock);
    let env = env(|admin| (admin.last_turn, admin.clock) = (Some(last_turn), clock.clone())).await;
    clock.set(Timestamp::from_millis(NOW + 60_000));
    assert_eq!(env.ready().await.0, 200);
    clock.set(Timestamp::from_millis(NOW + 60_001));
    let (status, readiness) = env.ready().await;
    assert_eq!(status, 503);
    assert_eq!(readiness["failing"], serde_json::json!(["worker"]));
}

#[actix_web::test]
async fn readyz_takes_no_clock_that_was_set_for_a_worker_that_hangs() {
    let clock = Clock::followed();
    let last_turn = LastTurn::new(&clock);
    let env = env(|admin| (admin.last_turn, admin.clock) = (Some(last_turn), clock.clone())).await;
    clock.follow(3_600_000);
    assert_eq!(env.ready().await.0, 200);
}

#[actix_web::test]
async fn readyz_names_unconfigured_sources_that_wait_and_stays_ready() {
    let env = env(|_| ()).await;
    env.receive("old").await;
    env.receive("shop").await;
    let (status, readiness) = env.ready().await;
    assert_eq!(status, 200);
    assert_eq!(readiness["unconfigured"], serde_json::json!([{ "name": "old", "pending": 1 }]));
}

#[actix_web::test]
async fn metrics_show_the_queues_of_configured_sources_only() {
    let env = env(|_| ()).await;
    env.receive("old").await;
    env.receive("shop").await;
    env.receive("shop").await;
    let (status, content_type, body) = env.ask(Method::GET, "/metrics").await;
    assert_eq!((status, content_type.as_str()), (200, "text/plain; version=0.0.4"));
    assert!(body.contains("countersign_pending{source=\"shop\"} 2\n"), "{body}");
    assert!(!body.contains("source=\"old\""), "{body}");
}
