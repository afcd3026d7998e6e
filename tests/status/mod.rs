//! `status`, and the same findings in the log, in `/readyz` and in `/metrics`.

mod unconfirmed;

use std::process::Output;

use countersign::simulator::{Fault, Trouble};
use rusqlite::Connection;
use serde_json::Value;

use crate::support::disk::Disk;
use crate::support::formats::{self, FORMATS, KEYS, OLD, ORDERS, SHOP};
use crate::support::{Request, Serve, TestEnv};

/// So many seconds lie between two looks of the service at its health.
const CHECK: i64 = 5;

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The kinds of the warnings with their sources, and the whole.
#[track_caller]
fn status(env: &TestEnv, code: i32) -> (Vec<String>, Value) {
    let told: Value = serde_json::from_str(&said(&env.run(&["status", "--json"]), code)).unwrap();
    (kinds(&told["warnings"]), told)
}

fn kinds(warnings: &Value) -> Vec<String> {
    let warnings = warnings.as_array().unwrap();
    let text = |warning: &Value, key: &str| warning[key].as_str().unwrap_or("").to_owned();
    warnings.iter().map(|warning| format!("{} {}", text(warning, "kind"), text(warning, "source"))).collect()
}

fn readiness(serve: &Serve) -> (u16, Value) {
    let answer = serve.admin_page("/readyz");
    (answer.status, serde_json::from_str(&answer.text()).unwrap())
}

#[test]
fn all_is_well_beside_a_running_serve_and_without_one_that_is_the_first_thing_said() {
    let env = formats::env();
    let serve = env.serve();
    for (id, format) in (1..).zip(FORMATS) {
        serve.send(&format.request(format.truth(ORDERS[0])));
        serve.settled(id);
    }
    let text = said(&env.run(&["status"]), 0);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("All is well."), "{text}");
    assert!(text.contains("serve   runs (countersign serve, process "), "{text}");
    assert!(text.contains("free on its disk"), "{text}");
    for format in FORMATS {
        let line = text.lines().find(|line| line.starts_with(&format!("{}  ", format.source))).unwrap();
        assert!(line.contains(" s ago") && line.ends_with("answers"), "{line}");
    }
    let (found, told) = status(&env, 0);
    assert!(found.is_empty() && told["well"] == true && told["serve"]["running"] == true, "{told}");
    let shop = told["sources"].as_array().unwrap().iter().find(|source| source["source"] == "shop").unwrap();
    assert_eq!(shop["today"], serde_json::json!({ "received": 1, "confirmed": 1, "fakes": 0 }));
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(ORDERS[1]))).status, 200, "looking does no harm");
    assert!(serve.stop().success());
    let text = said(&env.run(&["status"]), 3);
    assert!(text.starts_with("1 thing needs attention:\n1. no serve runs"), "{text}");
    assert!(text.contains("   → start it"), "{text}");
    for secret in [formats::TOKEN, formats::API_KEY] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn what_status_cannot_do_is_an_exit_code_of_its_own() {
    let env = formats::env();
    let output = env.run(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no store"), "{output:?}");
    let wrong = formats::env().server_keys("nonsense = 1");
    assert_eq!(wrong.run(&["status"]).status.code(), Some(2));
}

#[test]
fn one_finding_is_told_alike_by_status_readyz_metrics_and_once_by_the_log() {
    let env = formats::env();
    let lines =
        formats::lines(&env, OLD).replace("store_id = 1003", "store_id = 1003\nexpect_every = \"1ms\"");
    let env = env.source("quiet", &lines);
    let serve = env.serve();
    let begun = serve.wait_for_line("the log says it", |line| line.contains("warning=silent source=quiet"));
    assert!(begun.contains("WARN") && begun.contains("intake URL"), "{begun}");
    let (found, _) = status(&env, 3);
    assert_eq!(found, ["silent quiet"]);
    let (code, ready) = readiness(&serve);
    assert_eq!((code, kinds(&ready["warnings"])), (200, vec!["silent quiet".to_owned()]), "{ready}");
    let metrics = serve.admin_page("/metrics").text();
    assert!(
        metrics.contains("countersign_warning{action=\"\",kind=\"silent\",source=\"quiet\"} 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("countersign_expected_interval_seconds{source=\"quiet\"} 0\n"), "{metrics}");
    assert_eq!(serve.log().matches("warning=silent").count(), 1);
}

#[test]
fn undecided_ones_and_a_rejected_credential_begin_and_are_over() {
    let env = formats::env().verify("give_up_after = \"1ms\"\ndenied_pause = \"5m\"");
    let stale = formats::lines(&env, KEYS).replace(formats::API_KEY, "stale-key");
    let env = env.source("stale", &stale);
    let shops = env.simulator.shops();
    let down = shops.add_fault(Fault::new(Trouble::Reset).path("1207"));
    let disk = Disk::new();
    let serve = env.serve_on(&disk);
    serve.send(&SHOP.request(SHOP.truth(ORDERS[0])));
    serve.settled(1);
    disk.pass(CHECK);
    serve.wait_for_line("it is said", |line| line.contains("warning=undecided source=shop"));
    serve.send(&KEYS.request_to("/hooks/stale", KEYS.truth(ORDERS[1])));
    serve.pending(2, "api_denied");
    disk.pass(CHECK);
    serve.wait_for_line("it is said", |line| line.contains("warning=api_denied source=stale"));
    let (found, told) = status(&env, 3);
    for kind in ["undecided shop", "api_denied stale"] {
        assert!(found.iter().any(|found| found == kind), "{told}");
    }
    let text = said(&env.run(&["status"]), 3);
    assert!(text.contains("countersign retry --state undecided --source shop"), "{text}");
    let metrics = serve.admin_page("/metrics").text();
    assert!(metrics.contains("countersign_undecided{source=\"shop\"} 1\n"), "{metrics}");
    assert!(
        metrics.contains("countersign_api_failing{cause=\"api_denied\",source=\"stale\"} 1\n"),
        "{metrics}"
    );
    shops.clear_fault(down);
    assert!(env.run(&["dismiss", "1"]).status.success());
    disk.pass(CHECK);
    serve.wait_for_line("it is over", |line| {
        line.contains("INFO") && line.contains("over=undecided source=shop")
    });
    let metrics = serve.admin_page("/metrics").text();
    assert!(metrics.contains("countersign_undecided{source=\"shop\"} 0\n"), "{metrics}");
}

#[test]
fn refusals_by_a_wrong_secret_a_low_disk_and_a_late_reconcile_are_said() {
    let env = formats::env();
    let lines = formats::lines(&env, KEYS);
    let env = env.source("guarded", &format!("{lines}secret = \"s\"\n"));
    let serve = env.serve();
    for n in 1..=3 {
        assert_eq!(status(&env, 0).0, [] as [&str; 0], "before the {n}th");
        let guess = Request::post("/hooks/guarded").header("X-Event-Secret", "old").body("{\"a\":1}");
        assert_eq!(serve.send(&guess).status, 401);
    }
    assert_eq!(status(&env, 3).0, ["wrong_secret guarded"]);
    assert!(serve.stop().success());
    let conn = Connection::open(env.store_path()).unwrap();
    conn.execute_batch(
        "INSERT INTO reconciliations VALUES ('shop', '2020-01-01T00:00:00.000Z', '2020-01-02T00:00:00.000Z',
         '2020-01-02T06:00:00.000Z')",
    )
    .unwrap();
    drop(conn);
    let free = countersign::store::free_disk(&env.store_path()).unwrap();
    let env = env.store_keys(&format!("min_free = \"{}KiB\"", free / 1024 * 2 / 3));
    let (found, told) = status(&env, 3);
    assert_eq!(found, ["not_serving ", "disk_low ", "reconcile_late shop", "wrong_secret guarded"], "{told}");
}
