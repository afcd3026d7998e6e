//! What `status` lists about actions is told, and nothing that a stranger chose; secrets come from the environment, too.

use serde_json::Value;

use super::left_behind;
use crate::actions::Endpoint;
use crate::news::{about_order, env, order, tell};
use crate::support::{TestEnv, countersign};

/// The kinds of the warnings in a JSON object.
pub(super) fn kinds(json: &Value) -> Vec<&str> {
    let warnings = json["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

/// Lets everything that is listed be due at once, as if it had been listed for long.
fn listed_for_long(env: &TestEnv, kinds: &[(&str, Option<&str>)]) {
    for (kind, about) in kinds {
        let (source, action) = match about {
            Some("shop") => ("'shop'", "NULL"),
            Some(_) => ("NULL", "'erp'"),
            None => ("NULL", "NULL"),
        };
        left_behind(
            env,
            &format!(
                "INSERT INTO alert_problems (kind, source, action, since)
                 VALUES ('{kind}', {source}, {action}, '2026-01-01T00:00:00.000Z')"
            ),
        );
    }
}

#[test]
fn an_action_that_fails_for_15_minutes_is_dead_or_not_configured_is_told() {
    let (erp, alerts) = (Endpoint::answering(|_| crate::actions::status(500, "", "")), Endpoint::new());
    let (env, store) = env();
    let action = format!("url = \"{}\"\nretry = [\"1h\"]\n", erp.url());
    let env = env.action("erp", &action);
    let serve = env.serve();
    store.put_order(order(1));
    tell(&serve, about_order("order.updated", 1, "e1"), 1);
    env.wait_for_value("SELECT attempts FROM deliveries", "1");
    assert!(serve.stop().success());
    let status =
        |env: &TestEnv| -> Value { serde_json::from_slice(&env.run(&["status", "--json"]).stdout).unwrap() };
    assert!(!kinds(&status(&env)).contains(&"action_failing"), "not yet");
    left_behind(&env, "UPDATE action_states SET failing_since = '2026-01-01T00:00:00.000Z'");
    assert!(kinds(&status(&env)).contains(&"action_failing"));
    listed_for_long(&env, &[("action_failing", Some("erp"))]);
    let env = env.section("alerts", &format!("url = \"{}\"\nformat = \"json\"\n", alerts.url()));
    let serve = env.serve();
    let json = alerts.wait_for(1)[0].json();
    assert_eq!(kinds(&json), ["action_failing"], "{json}");
    let warning = &json["warnings"][0];
    assert_eq!((&warning["action"], &warning["source"]), (&Value::from("erp"), &Value::Null));
    assert!(serve.stop().success());
    let env = env.without_action("erp");
    assert!(kinds(&status(&env)).contains(&"action_unconfigured"));
    left_behind(&env, "DELETE FROM alert_problems");
    listed_for_long(&env, &[("action_unconfigured", Some("erp"))]);
    let serve = env.serve();
    let json = alerts.wait_for(2)[1].json();
    assert_eq!(kinds(&json), ["action_unconfigured"], "{json}");
    assert!(serve.stop().success());
}

#[test]
fn an_alert_holds_nothing_that_a_stranger_chose() {
    let alerts = Endpoint::new();
    let (env, _store) = env();
    let serve = env.serve();
    for id in 1..=10 {
        tell(
            &serve,
            about_order("order.updated", 900_000 + id, &format!("evil-{id}")),
            i64::try_from(id).unwrap(),
        );
    }
    assert!(serve.stop().success());
    let said = String::from_utf8(env.run(&["status", "--json"]).stdout).unwrap();
    assert!(said.contains("none_confirmed") && said.contains("SALE-9000"), "{said}");
    listed_for_long(&env, &[("none_confirmed", Some("shop"))]);
    let env = env.section("alerts", &format!("url = \"{}\"\nformat = \"json\"\n", alerts.url()));
    let serve = env.serve();
    let request = alerts.wait_for(1).remove(0);
    assert!(
        request.body.contains("none_confirmed") && !request.body.contains("SALE-9000"),
        "{}",
        request.body
    );
    assert!(serve.stop().success());
}

#[test]
fn the_secrets_of_alerts_and_mail_come_from_the_environment_too() {
    let alerts = Endpoint::new();
    let server = crate::support::smtp::MailServer::new();
    let (env, _store) = env();
    let mail = server.lines_of_mail().replace("smtp://", "smtp://shop@");
    let env = env.section("mail", &mail).section("alerts", "mail = [\"owner@example.test\"]\n");
    assert!(env.serve_with_environment(&[("COUNTERSIGN_MAIL_PASSWORD", "hush-mail")]).stop().success());
    let url = alerts.url().replace("http://", "http://owner:hush-word@");
    let run = |arguments: &[&str]| {
        let mut command = countersign();
        command.arg("--config").arg(env.write_config()).args(arguments);
        command.env("COUNTERSIGN_MAIL_PASSWORD", "hush-mail").env("COUNTERSIGN_ALERTS_URL", &url);
        command.env("COUNTERSIGN_ALERTS_HEARTBEAT_URL", alerts.url()).output().unwrap()
    };
    let test = run(&["send-test", "alerts"]);
    assert!(test.status.success(), "{test:?}");
    assert_eq!(alerts.wait_for(1)[0].header("authorization"), Some("Basic b3duZXI6aHVzaC13b3Jk"));
    server.wait_for(1);
    // \0shop\0hush-mail
    assert!(
        server.lines().iter().any(|line| line == "AUTH PLAIN AHNob3AAaHVzaC1tYWls"),
        "{:?}",
        server.lines()
    );
    let shown = String::from_utf8(run(&["config", "show"]).stdout).unwrap();
    for key in ["mail.password", "alerts.url", "alerts.heartbeat_url"] {
        assert!(shown.contains(key), "{shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
}
