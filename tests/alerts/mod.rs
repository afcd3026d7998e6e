//! Section 10 of the contract: what needs the owner comes to him, through real servers.

mod heartbeat;
mod kinds;
mod reports;
mod times;

use rusqlite::Connection;
use serde_json::Value;

use crate::actions::{Endpoint, ok, status};
use crate::news::{about_order, env, order, tell};
use crate::support::TestEnv;
use crate::support::disk::Disk;
use crate::support::smtp::{MailServer, Say};

/// An environment with an action that answers 410 and a mail server; without alerts yet.
fn gone(mail: &MailServer) -> (TestEnv, countersign::simulator::ecwid::EcwidStore) {
    let erp = Endpoint::answering(|_| status(410, "", ""));
    let (env, store) = env();
    let env = env.action("erp", &format!("url = \"{}\"\n", erp.url()));
    (env.section("mail", &mail.lines_of_mail()), store)
}

/// Writes into the store as an earlier `serve` would have left it.
fn left_behind(env: &TestEnv, sql: &str) {
    Connection::open(env.store_path()).unwrap().execute_batch(sql).unwrap();
}

/// A message to the mailbox that failed twice.
const TRIED_TWICE: &str = "INSERT INTO alert_messages VALUES
    (1, 'mail', '2026-01-01T00:00:00.000Z', '{\"warnings\":[],\"over\":[],\"others\":0}', 2, '2026-01-01T00:00:00.000Z')";

#[test]
fn what_status_lists_is_told_on_every_channel_and_a_restart_forgets_nothing() {
    let (mail, url) = (MailServer::new(), Endpoint::new());
    let (env, store) = gone(&mail);
    let disk = Disk::new();
    let serve = env.serve_on(&disk);
    store.put_order(order(1));
    tell(&serve, about_order("order.updated", 1, "e1"), 1);
    env.wait_for_value("SELECT count(*) FROM action_states WHERE gone_at IS NOT NULL", "1");
    // The alerts come by a reload.
    let url_of_alerts = url.url().replace("http://", "http://owner:hush-word@");
    let env = env.section(
        "alerts",
        &format!(
            "mail = [\"owner@example.test\"]\nurl = \"{url_of_alerts}\"\nformat = \"json\"\nafter = \"1ms\"\n"
        ),
    );
    env.write_config();
    serve.signal("HUP");
    // Others may be listed within half a minute, and are told with it.
    env.wait_for_value("SELECT count(*) FROM alert_problems", "1");
    disk.pass(31);
    let told = mail.wait_for(1).remove(0);
    assert_eq!(told.to, ["owner@example.test"]);
    assert!(
        told.header("Subject").unwrap().starts_with("countersign: action erp: 1 delivery is dead"),
        "{}",
        told.text
    );
    let posted = url.wait_for(1).remove(0);
    assert_eq!(posted.header("authorization"), Some("Basic b3duZXI6aHVzaC13b3Jk"));
    assert_eq!(posted.header("content-type"), Some("application/json"));
    let json = posted.json();
    let kinds = |json: &Value| -> Vec<String> {
        json["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    // The reload woke the action, but the delivery stays dead.
    assert_eq!(kinds(&json), ["delivery_dead"], "{json}");
    assert!(json["text"].as_str().unwrap().contains("→"), "{json}");
    assert!(!serve.log().contains("hush-word"), "{}", serve.log());
    env.wait_for_value("SELECT count(*) FROM alert_messages WHERE next_attempt_at IS NULL", "2");
    assert!(serve.stop().success());
    // One more was listed before the restart, and not told yet.
    left_behind(&env, "DELETE FROM alert_problems WHERE kind = 'delivery_dead';
        INSERT INTO alert_problems (kind, action, since) VALUES ('delivery_dead', 'erp', '2026-01-01T00:00:00.000Z')");
    let serve = env.serve_on(&disk);
    let json = url.wait_for(2).remove(1).json();
    assert_eq!(kinds(&json), ["delivery_dead"], "{json}");
    assert!(serve.stop().success());
    let shown = env.run(&["config", "show"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("alerts.url") && !shown.contains("hush-word"), "{shown}");
}

#[test]
fn an_alert_that_cannot_be_sent_is_in_the_log_in_status_and_in_readyz_without_503() {
    let mail = MailServer::answering(|line| line.starts_with("MAIL").then_some(Say::Line("451 later")));
    let (env, _store) = gone(&mail);
    let env = env.section("alerts", "mail = [\"owner@example.test\"]\n");
    assert!(env.serve().stop().success());
    left_behind(&env, TRIED_TWICE);
    let serve = env.serve();
    serve.wait_for_line("the failure", |line| line.contains("channel=mail try=3 given up: SMTP 451"));
    env.wait_for_value("SELECT coalesce((SELECT cause FROM alert_channels), '')", "SMTP 451");
    let status = env.run(&["status", "--json"]);
    assert_eq!(status.status.code(), Some(3), "{status:?}");
    let json: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(json["warnings"][0]["kind"], "alert_failing", "{json}");
    let ready = serve.admin_page("/readyz");
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert!(ready.text().contains("alert_failing"), "{}", ready.text());
}

#[test]
fn no_worker_sends_alerts_and_no_heartbeat() {
    let (mail, monitor) = (MailServer::new(), Endpoint::new());
    let (env, _store) = gone(&mail);
    let lines = format!(
        "mail = [\"owner@example.test\"]\nheartbeat_url = \"{}\"\nheartbeat_every = \"1s\"\n",
        monitor.url()
    );
    let env = env.section("alerts", &lines);
    assert!(env.serve_with(&["--no-worker"]).stop().success());
    left_behind(&env, TRIED_TWICE);
    let serve = env.serve_with(&["--no-worker"]);
    mail.wait_for(1);
    assert!(serve.stop().success());
    assert!(monitor.seen().is_empty());
}

#[test]
fn send_test_alerts_tries_every_channel_and_doctor_sends_nothing() {
    let (mail, url) = (MailServer::new(), Endpoint::answering(|_| status(500, "", "")));
    let (env, _store) = gone(&mail);
    let lines = format!("mail = [\"owner@example.test\"]\nurl = \"{}\"\n", url.url());
    let env = env.section("alerts", &lines);
    let serve = env.serve();
    let doctor = env.run(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("ok     alerts by mail") && said.contains("ok     alerts by url"), "{said}");
    assert!(mail.mails().is_empty() && url.seen().is_empty());
    let test = env.run(&["send-test", "alerts"]);
    assert_eq!(test.status.code(), Some(1), "{test:?}");
    let said = String::from_utf8_lossy(&test.stdout).into_owned();
    assert!(said.contains("mail sent in") && said.contains("url failed: HTTP 500"), "{said}");
    assert_eq!(mail.wait_for(1)[0].header("Subject").as_deref(), Some("countersign: test of the alerts"));
    assert_eq!(url.wait_for(1)[0].header("content-type"), Some("text/plain; charset=utf-8"));
    url.answer(|_| ok());
    assert!(env.run(&["send-test", "alerts"]).status.success());
    // Of the six in an hour.
    assert_eq!(env.value("SELECT count(*) FROM alert_messages").as_deref(), Some("0"));
    drop(serve);
}
