//! What `status` lists about actions is told, and nothing that a stranger chose; secrets come from the environment, too.

use serde_json::Value;

use super::left_behind;
use crate::actions::Endpoint;
use crate::news::{about_order, house, order, tell};
use crate::support::{House, countersign};

/// The kinds of the warnings in a JSON object.
fn kinds(json: &Value) -> Vec<&str> {
    let warnings = json["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

/// Lets everything that is listed be due at once, as if it had been listed for long.
fn listed_for_long(house: &House, kinds: &[(&str, Option<&str>)]) {
    for (kind, about) in kinds {
        let (source, action) = match about {
            Some("shop") => ("'shop'", "NULL"),
            Some(_) => ("NULL", "'erp'"),
            None => ("NULL", "NULL"),
        };
        left_behind(
            house,
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
    let (house, store) = house();
    let action = format!("url = \"{}\"\nretry = [\"1h\"]\n", erp.url());
    let house = house.action("erp", &action);
    let serve = house.serve();
    store.put_order(order(1));
    tell(&serve, about_order("order.updated", 1, "e1"), 1);
    house.wait_for_value("SELECT attempts FROM deliveries", "1");
    assert!(serve.stop().success());
    let status = |house: &House| -> Value {
        serde_json::from_slice(&house.run(&["status", "--json"]).stdout).unwrap()
    };
    assert!(!kinds(&status(&house)).contains(&"action_failing"), "not yet");
    left_behind(&house, "UPDATE action_states SET failing_since = '2026-01-01T00:00:00.000Z'");
    assert!(kinds(&status(&house)).contains(&"action_failing"));
    listed_for_long(&house, &[("action_failing", Some("erp"))]);
    let house = house.section("alerts", &format!("url = \"{}\"\nformat = \"json\"\n", alerts.url()));
    let serve = house.serve();
    let json = alerts.wait_for(1)[0].json();
    assert_eq!(kinds(&json), ["action_failing"], "{json}");
    let warning = &json["warnings"][0];
    assert_eq!((&warning["action"], &warning["source"]), (&Value::from("erp"), &Value::Null));
    assert!(serve.stop().success());
    let house = house.without_action("erp");
    assert!(kinds(&status(&house)).contains(&"action_unconfigured"));
    left_behind(&house, "DELETE FROM alert_problems");
    listed_for_long(&house, &[("action_unconfigured", Some("erp"))]);
    let serve = house.serve();
    let json = alerts.wait_for(2)[1].json();
    assert_eq!(kinds(&json), ["action_unconfigured"], "{json}");
    assert!(serve.stop().success());
}

#[test]
fn an_alert_holds_nothing_that_a_stranger_chose() {
    let alerts = Endpoint::new();
    let (house, _store) = house();
    let serve = house.serve();
    for id in 1..=10 {
        tell(
            &serve,
            about_order("order.updated", 900_000 + id, &format!("evil-{id}")),
            i64::try_from(id).unwrap(),
        );
    }
    assert!(serve.stop().success());
    let said = String::from_utf8(house.run(&["status", "--json"]).stdout).unwrap();
    assert!(said.contains("none_confirmed") && said.contains("SALE-9000"), "{said}");
    listed_for_long(&house, &[("none_confirmed", Some("shop"))]);
    let house = house.section("alerts", &format!("url = \"{}\"\nformat = \"json\"\n", alerts.url()));
    let serve = house.serve();
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
    let (house, _store) = house();
    let mail = server.lines_of_mail().replace("smtp://", "smtp://shop@");
    let house = house.section("mail", &mail).section("alerts", "mail = [\"owner@example.test\"]\n");
    assert!(house.serve_with_environment(&[("COUNTERSIGN_MAIL_PASSWORD", "hush-mail")]).stop().success());
    let url = alerts.url().replace("http://", "http://owner:hush-word@");
    let run = |arguments: &[&str]| {
        let mut command = countersign();
        command.arg("--config").arg(house.write_config()).args(arguments);
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
