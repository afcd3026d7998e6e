//! The other commands work beside a running `serve`.

use std::time::Duration;

use countersign::simulator::{Fault, Trouble};
use serde_json::Value;

use crate::support::formats::{self, FORMATS, OLD, SHOP};
use crate::support::{TestEnv, assert_verdict};

fn run(env: &TestEnv, arguments: &[&str]) -> (Option<i32>, String) {
    let output = env.run(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn list_show_and_doctor_read_while_serve_writes() {
    let env = formats::env();
    let serve = env.serve();
    for (id, format) in (1..).zip(FORMATS) {
        serve.send(&format.request(format.truth(1207)));
        serve.settled(id);
    }
    let (code, listed) = run(&env, &["list", "--json"]);
    assert_eq!(code, Some(0), "{listed}");
    let ids: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(ids, [5, 4, 3, 2, 1].map(Value::from), "newest first");
    let (code, shown) = run(&env, &["show", "1", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((code, &shown["state"], &shown["source"]), (Some(0), &"confirmed".into(), &"old".into()));
    assert_eq!(shown["verifications"].as_array().map(Vec::len), Some(1));
    let (code, said) = run(&env, &["doctor"]);
    assert_eq!(code, Some(0), "{said}");
    for format in FORMATS {
        assert!(said.contains(&format!("/hooks/{}", format.source)), "{said}");
    }
    for secret in [formats::TOKEN, formats::API_KEY, "PRIVATE KEY"] {
        assert!(!said.contains(secret) && !serve.log().contains(secret), "{said}");
    }
}

#[test]
fn retry_wakes_a_running_serve_and_dismiss_settles_beside_it() {
    let env = formats::env().verify("give_up_after = \"1ms\"");
    let shops = env.simulator.shops();
    let down = shops.add_fault(Fault::new(Trouble::Reset));
    let serve = env.serve();
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.send(&OLD.request(OLD.truth(1207)));
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "undecided", "api_unreachable");
    assert_verdict(&env.row(2), "undecided", "api_unreachable");
    shops.clear_fault(down);
    let (code, said) = run(&env, &["retry", "1"]);
    assert_eq!(code, Some(0), "{said}");
    serve.wait_for_line("1 is confirmed", |line| {
        line.contains("notification=1 ") && line.contains("verdict=confirmed")
    });
    assert_verdict(&env.row(1), "confirmed", "match");
    let (code, said) = run(&env, &["dismiss", "2", "--note", "seen in the panel"]);
    assert_eq!(code, Some(0), "{said}");
    assert_verdict(&env.row(2), "ignored", "dismissed");
    let (code, said) = run(&env, &["retry", "1"]);
    assert_eq!(code, Some(1), "a confirmed row is refused: {said}");
}

#[test]
fn verify_beside_serve_settles_what_serve_only_stores() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for format in FORMATS {
        serve.send(&format.request(format.truth(1207)));
    }
    let (code, said) = run(&env, &["verify"]);
    assert_eq!(code, Some(0), "{said}");
    for id in 1..=5 {
        assert_verdict(&env.row(id), "confirmed", "match");
    }
    assert_eq!(serve.send(&SHOP.request(SHOP.truth(1208))).status, 200);
}

#[test]
fn a_notification_is_asked_about_once_though_serve_and_verify_both_work() {
    let env = formats::env();
    let shops = env.simulator.shops();
    let held = shops.add_fault(Fault::new(Trouble::Hold).path("1207"));
    let serve = env.serve();
    serve.send(&SHOP.request(SHOP.truth(1207)));
    assert!(shops.wait_for_calls(1, Duration::from_secs(20)));
    let (code, said) = run(&env, &["verify"]);
    assert_eq!(code, Some(0), "{said}");
    shops.clear_fault(held);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(shops.calls().len(), 1);
}
