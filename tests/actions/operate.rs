//! What an owner does with deliveries: look, deliver again, skip, try an action, report.

use serde_json::Value;

use super::{Endpoint, QUICK, STATES, announce, ok, sell, states, status, told};
use crate::news::env;

fn json_lines(output: &std::process::Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn deliveries_and_show_tell_what_became_of_each() {
    let endpoint =
        Endpoint::answering(|seen| if seen.subject() == "SALE-1" { status(500, "", "no") } else { ok() });
    let (env, store) = told(&endpoint, "give_up_after = \"10ms\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    env.wait_for_value(STATES, "dead delivered");
    let all = json_lines(&env.run(&["deliveries", "--json"]));
    let keys: Vec<&String> = all[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "action",
            "seq",
            "source",
            "subject_kind",
            "subject_id",
            "state",
            "attempts",
            "next_attempt_at",
            "decided_at",
            "detail"
        ]
    );
    assert_eq!((all.len(), &all[0]["id"], &all[1]["state"]), (2, &2.into(), &"dead".into()));
    for filter in [
        &["--state", "dead"][..],
        &["--subject", "SALE-1"],
        &["--limit", "5", "--state", "dead", "--since", "1h"],
    ] {
        let arguments = [&["deliveries", "--json", "--action", "erp"], filter].concat();
        let found = json_lines(&env.run(&arguments));
        assert_eq!((found.len(), &found[0]["subject_id"]), (1, &"SALE-1".into()), "{filter:?}");
    }
    let shown = &json_lines(&env.run(&["show", "1", "--json"]))[0]["deliveries"][0];
    assert_eq!((&shown["action"], &shown["state"]), (&"erp".into(), &"dead".into()));
    assert_eq!(shown["delivery_attempts"][0]["outcome"], "refused");
    assert_eq!(shown["delivery_attempts"][0]["http_status"], 500);
    assert_eq!(shown["delivery_attempts"][0]["answer"], "no");
}

#[test]
fn redeliver_starts_dead_ones_afresh_and_refuses_waiting_ones_by_id() {
    let endpoint = Endpoint::answering(|_| status(500, "", ""));
    let (env, store) = told(&endpoint, "give_up_after = \"10ms\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    env.wait_for_value(STATES, "dead dead");
    endpoint.answer(|_| ok());
    assert!(env.run(&["redeliver", "1"]).status.success());
    env.wait_for_value(STATES, "delivered dead");
    assert!(env.run(&["redeliver", "--action", "erp"]).status.success());
    env.wait_for_value(STATES, "delivered delivered");
    assert!(serve.stop().success());
    assert!(env.run(&["redeliver", "1"]).status.success());
    let refused = env.run(&["redeliver", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("delivery 1 is unchanged: it is waiting already"), "{said}");
    assert!(env.run(&["verify"]).status.success(), "verify delivers where no serve runs");
    assert_eq!(states(&env), "delivered delivered");
    let ids: Vec<_> =
        endpoint.seen().iter().map(|seen| seen.header("webhook-id").map(str::to_owned)).collect();
    let (again, before) = ids.split_last().unwrap();
    assert!(before.contains(again), "the same id, whenever it is delivered: {ids:?}");
}

#[test]
fn redeliver_missing_reaches_back_through_the_filter_and_only_once() {
    let (env, store) = env();
    let serve = env.serve();
    for n in 1..=3 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
    }
    let endpoint = Endpoint::new();
    let env = env.action("erp", &format!("url = \"{}\"\n{QUICK}status = [\"PAID\"]\n", endpoint.url()));
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    announce(&serve, 1, 4);
    env.write_config();
    serve.signal("HUP");
    serve.wait_for_line("the reload", |line| line.contains("reloaded the configuration"));
    let missing = ["redeliver", "--action", "erp", "--missing", "--since", "1h"];
    let output = env.run(&missing);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 that the action never had"), "{output:?}");
    endpoint.wait_for(3);
    env.wait_for_value(STATES, "delivered delivered delivered");
    assert!(env.run(&missing).status.success());
    assert_eq!(states(&env), "delivered delivered delivered");
}

#[test]
fn skip_decides_by_hand_and_refuses_delivered_ones() {
    let endpoint = Endpoint::answering(|_| status(500, "", ""));
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    endpoint.wait_for(2);
    assert!(env.run(&["skip", "1"]).status.success());
    assert!(env.run(&["skip", "--action", "erp"]).status.success());
    assert_eq!(states(&env), "skipped skipped");
    assert_eq!(env.value("SELECT detail FROM deliveries WHERE id = 1").as_deref(), Some("skipped by hand"));
    endpoint.answer(|_| ok());
    sell(&serve, &store, 3, 3);
    env.wait_for_value("SELECT max(state) FROM deliveries WHERE id = 3", "delivered");
    assert_eq!(env.run(&["skip", "3"]).status.code(), Some(1));
    assert_eq!(env.run(&["skip", "99"]).status.code(), Some(1));
}

#[test]
fn send_test_sends_an_event_of_type_test_prints_what_came_back_and_stores_nothing() {
    let endpoint = Endpoint::answering(|_| status(200, "", "thanks"));
    let (env, _store) = told(&endpoint, "");
    let serve = env.serve();
    let output = env.run(&["send-test", "erp"]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("thanks"), "{output:?}");
    let seen = endpoint.wait_for(1).remove(0);
    assert!(seen.header("webhook-id").unwrap().starts_with("test_"));
    assert_eq!(seen.json()["type"], "test");
    assert_eq!(seen.json()["data"], serde_json::json!({ "action": "erp" }));
    assert_eq!(env.value("SELECT count(*) FROM deliveries").as_deref(), Some("0"));
    endpoint.answer(|_| status(500, "", ""));
    assert_eq!(env.run(&["send-test", "erp"]).status.code(), Some(1));
    assert_eq!(env.run(&["send-test", "nope"]).status.code(), Some(1));
    drop(serve);
}

#[test]
fn prune_takes_no_notification_whose_delivery_waits_or_is_dead() {
    let endpoint =
        Endpoint::answering(|seen| if seen.subject() == "SALE-3" { ok() } else { status(500, "", "") });
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    for n in 1..=3 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
        // The next is sold once this one has its news, so that news and notifications have the same numbers.
        env.wait_for_value("SELECT count(*) FROM news", &n.to_string());
    }
    env.wait_for_value("SELECT max(state) FROM deliveries WHERE id = 3", "delivered");
    let prune = ["prune", "--older-than", "0s"];
    let said = |arguments: &[&str]| String::from_utf8(env.run(arguments).stdout).unwrap();
    assert_eq!(
        said(&["prune", "--older-than", "0s", "--dry-run"]),
        "would remove 1 notification: 1 confirmed, 0 ignored\n"
    );
    assert_eq!(said(&prune), "removed 1 notification: 1 confirmed, 0 ignored\n");
    let left =
        "SELECT (SELECT group_concat(id) FROM notifications) || ' ' || (SELECT group_concat(seq) FROM news)
                  || ' ' || (SELECT group_concat(id) FROM deliveries)";
    assert_eq!(env.value(left).as_deref(), Some("1,2 1,2 1,2"));
    assert!(env.run(&["skip", "--action", "erp"]).status.success());
    assert_eq!(said(&prune), "removed 2 notifications: 2 confirmed, 0 ignored\n");
    assert_eq!(env.value("SELECT count(*) FROM delivery_attempts").as_deref(), Some("0"));
    assert_eq!(env.value("SELECT coalesce(sum(n), 0) FROM delivery_counts").as_deref(), Some("0"));
}

#[test]
fn undelivered_a_dead_delivery_is_a_finding_of_report_and_reconcile() {
    let endpoint = Endpoint::answering(|_| status(500, "", ""));
    let (env, store) = told(&endpoint, "give_up_after = \"10ms\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "dead");
    for command in ["report", "reconcile"] {
        let output = env.run(&[command, "--since", "1h", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["sources"][0]["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["kind"] == "undelivered").unwrap();
        assert_eq!(
            (&found["subject_id"], &found["notification_id"]),
            (&"SALE-1".into(), &1.into()),
            "{command}"
        );
        let detail = found["detail"].as_str().unwrap();
        assert!(detail.contains("erp") && detail.contains("HTTP 500"), "{detail}");
        assert_eq!(output.status.code(), Some(if command == "reconcile" { 3 } else { 0 }));
    }
    drop(serve);
}

#[test]
fn metrics_count_the_deliveries_of_each_action() {
    let endpoint =
        Endpoint::answering(|seen| if seen.subject() == "SALE-1" { ok() } else { status(500, "", "") });
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    endpoint.wait_for(2);
    env.wait_for_value("SELECT max(state) FROM deliveries WHERE id = 1", "delivered");
    let text = serve.admin_page("/metrics").text();
    for series in [
        "countersign_deliveries_total{action=\"erp\",outcome=\"delivered\"} 1",
        "countersign_deliveries_waiting{action=\"erp\"} 1",
        "countersign_oldest_delivery_seconds{action=\"erp\"} ",
        "countersign_delivery_seconds_bucket{action=\"erp\"",
    ] {
        assert!(text.contains(series), "{series}: {text}");
    }
}

#[test]
fn config_show_masks_secrets_and_mistakes_of_actions_are_named() {
    let (env, _store) = env();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let env =
        env.action("erp", &format!("url = \"https://erp.example.com/o?key=tok3n\"\nsecret = \"{secret}\"\n"));
    let said = String::from_utf8(env.run(&["config", "show"]).stdout).unwrap();
    assert!(said.contains("https://erp.example.com/o?…"), "{said}");
    assert!(!said.contains("tok3n") && !said.contains(secret), "{said}");
    for (lines, wrong) in [
        ("", "has none of url, command"),
        ("url = \"https://a.example/\"\ncommand = [\"/bin/true\"]", "is set together with url"),
        ("url = \"http://erp.example.com/\"", "would send orders unencrypted"),
        ("url = \"https://a.example/\"\nsecret = \"whsec_?\"", "is not base64"),
        ("url = \"https://a.example/\"\nsources = [\"nope\"]", "no such source is configured"),
        ("url = \"https://a.example/\"\nkinds = [\"orders\"]", "must be order or product"),
        ("url = \"https://a.example/\"\nretry = []", "is an empty list"),
        ("command = []", "names no program"),
        ("command = [\"/bin/true\"]\nsecret = \"whsec_x\"", "is a key of actions with a url"),
        ("url = \"https://a.example/\"\ncurl = 1", "unknown key"),
    ] {
        let (env, _store) = super::env();
        let output = env.action("erp", lines).run(&["config", "check"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{lines}: {said}");
        assert!(said.contains(wrong) && said.contains("actions.erp"), "{lines}: {said}");
    }
}
