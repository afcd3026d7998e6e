//! Section 8 of the contract: the admin listener.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::formats::{self, FORMATS, KEYS, OLD, SHOP};
use crate::support::{Request, Serve};

fn ready(serve: &Serve) -> (u16, Value) {
    let answer = serve.admin_page("/readyz");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    (answer.status, serde_json::from_str(&answer.text()).unwrap())
}

#[test]
fn healthz_says_ok_and_readyz_names_every_check_as_ok() {
    let env = formats::env();
    let serve = env.serve();
    let health = serve.admin_page("/healthz");
    assert_eq!((health.status, health.text().as_str()), (200, "ok"));
    let (status, readiness) = ready(&serve);
    assert_eq!((status, &readiness["ready"]), (200, &Value::Bool(true)), "{readiness}");
    let checks = readiness["checks"].as_array().unwrap();
    let names: BTreeSet<&str> = checks.iter().filter_map(|check| check["name"].as_str()).collect();
    for name in ["store_writable", "store_readable", "store_sound", "disk", "wal", "worker"] {
        assert!(names.contains(name), "{readiness}");
    }
    assert!(checks.iter().all(|check| check["ok"] == true), "{readiness}");
}

#[test]
fn nothing_but_reading_is_served_and_no_intake() {
    let env = formats::env();
    let serve = env.serve();
    for path in ["/hooks/shop", "/metrics/", "/readyz/x"] {
        assert_eq!(serve.admin_page(path).status, 404, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(Request::post(path).send(serve.admin).status, 405, "{path}");
    }
    assert_eq!(SHOP.request(SHOP.truth(1207)).send(serve.admin).status, 403);
    assert_eq!(env.rows().len(), 0);
}

#[test]
fn readyz_is_503_and_names_the_store_while_it_is_locked() {
    let env = formats::env();
    let serve = env.serve();
    let other = Connection::open(env.store_path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (status, readiness) = ready(&serve);
    assert_eq!((status, &readiness["failing"]), (503, &serde_json::json!(["store_writable"])), "{readiness}");
    assert_eq!(serve.admin_page("/healthz").status, 200, "alive all the same");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(ready(&serve).0, 200);
}

#[test]
fn readyz_is_503_and_names_the_disk_where_it_is_low() {
    let env = formats::env().store_keys("min_free = \"1000000GiB\"");
    let serve = env.serve();
    let (status, readiness) = ready(&serve);
    assert_eq!((status, &readiness["failing"]), (503, &serde_json::json!(["disk"])), "{readiness}");
}

/// The lines of the metrics that are no comments, as series and value.
fn series(serve: &Serve) -> Vec<(String, f64)> {
    let answer = serve.admin_page("/metrics");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    let text = answer.text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// The same once there is a series of this name: a verdict is counted a moment after it is in the store.
fn series_with(serve: &Serve, name: &str) -> Vec<(String, f64)> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let all = series(serve);
        if all.iter().any(|(series, _)| series == name) || Instant::now() > until {
            return all;
        }
    }
}

#[track_caller]
fn assert_series(all: &[(String, f64)], name: &str, value: f64) {
    let found = all.iter().find(|(series, _)| series == name).map(|(_, value)| *value);
    assert_eq!(found, Some(value), "{name} in {all:#?}");
}

#[test]
fn metrics_count_what_came_in_what_became_of_it_and_what_was_asked() {
    let env = formats::env();
    let serve = env.serve();
    for (id, format) in (1..).zip(FORMATS) {
        serve.send(&format.request(format.truth(1207)));
        serve.settled(id);
    }
    serve.send(&OLD.request(OLD.truth(9999)));
    serve.settled(6);
    let fake = "countersign_verdicts_total{reason=\"not_found\",source=\"old\",state=\"ignored\"}";
    let all = series_with(&serve, fake);
    for (at, format) in FORMATS.into_iter().enumerate() {
        let source = format.source;
        let received = if at == 0 { 2.0 } else { 1.0 };
        assert_series(&all, &format!("countersign_notifications_total{{source=\"{source}\"}}"), received);
        let verdict = format!("{{reason=\"match\",source=\"{source}\",state=\"confirmed\"}}");
        assert_series(&all, &format!("countersign_verdicts_total{verdict}"), 1.0);
        assert_series(&all, &format!("countersign_intake_seconds_count{{source=\"{source}\"}}"), received);
        assert_series(&all, &format!("countersign_pending{{source=\"{source}\"}}"), 0.0);
        assert_series(&all, &format!("countersign_oldest_pending_seconds{{source=\"{source}\"}}"), 0.0);
        let last = format!("countersign_last_notification_timestamp_seconds{{source=\"{source}\"}}");
        assert!(all.iter().any(|(name, value)| *name == last && *value > 1.7e9), "{all:#?}");
        let ok = format!("countersign_api_requests_total{{code=\"200\",source=\"{source}\"}}");
        assert!(all.iter().any(|(name, value)| *name == ok && *value >= 1.0), "{all:#?}");
        let timed = format!("countersign_api_request_seconds_count{{source=\"{source}\"}}");
        assert!(all.iter().any(|(name, value)| *name == timed && *value >= 1.0), "{all:#?}");
    }
    assert_series(&all, fake, 1.0);
}

#[test]
fn every_series_is_named_and_explained_as_prometheus_demands() {
    let env = formats::env();
    let serve = env.serve();
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.settled(1);
    let text = serve.admin_page("/metrics").text();
    let mut kinds = std::collections::BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not explained");
        let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(is_plain && name.starts_with("countersign_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
        assert!(!name.contains("_ms") && !name.contains("minutes"), "{name}: base units only");
    }
    for (series, _) in series(&serve) {
        let name = series.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        assert!(kinds.contains_key(name) || family.is_some_and(|f| kinds[f] == "histogram"), "{name}");
    }
    for gauge in [
        "countersign_store_bytes",
        "countersign_store_wal_bytes",
        "countersign_disk_free_bytes",
        "countersign_disk_min_free_bytes",
        "countersign_worker_last_turn_timestamp_seconds",
    ] {
        let found = series(&serve).into_iter().find(|(name, _)| name == gauge);
        assert!(found.is_some_and(|(_, value)| value > 0.0), "{gauge}");
    }
}

#[test]
fn no_label_ever_comes_from_a_request() {
    let env = formats::env().server_keys("max_body = \"1KiB\"");
    let lines = formats::lines(&env, KEYS);
    let env = env.source("guarded", &format!("{lines}secret = \"s\"\npath_token = \"door\"\n"));
    let serve = env.serve();
    let stranger = "stranger-7f3a";
    for request in [
        Request::post(&format!("/hooks/{stranger}")),
        Request::post(&format!("/hooks/shop/{stranger}")),
        Request::post(&format!("/hooks/guarded/{stranger}")),
        Request::post("/hooks/guarded/door").header("X-Event-Secret", stranger).body("{\"a\":1}"),
        Request::post("/hooks/guarded/door").header("X-Event-Name", stranger),
        Request::post("/hooks/keys").header("X-Event-Name", stranger).body("{}"),
        Request::post("/hooks/shop").body(format!("{{\"eventType\":\"{stranger}\"}}")),
        Request::post("/hooks/shop").body(stranger.repeat(200)),
        Request::new(&stranger.to_uppercase(), "/hooks/shop"),
        SHOP.request(SHOP.truth(1207)).header("X-Forwarded-For", "198.51.100.77"),
    ] {
        serve.send(&request);
    }
    serve.settled(3);
    let all = series(&serve);
    for (name, _) in &all {
        assert!(!name.to_lowercase().contains(stranger) && !name.contains("198.51"), "{name}");
        let source = name.split("source=\"").nth(1).and_then(|rest| rest.split('"').next());
        if name.contains("source=") {
            let known = ["old", "shop", "pop", "keys", "game", "guarded"];
            assert!(source.is_some_and(|source| known.contains(&source)), "{name}");
        }
    }
    for (source, cause) in [
        ("guarded", "wrong_secret"),
        ("guarded", "test_call"),
        ("guarded", "wrong_path_token"),
        ("shop", "wrong_path_token"),
        ("shop", "too_large"),
    ] {
        let name = format!("countersign_refusals_total{{cause=\"{cause}\",source=\"{source}\"}}");
        assert_series(&all, &name, 1.0);
    }
}
