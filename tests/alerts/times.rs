//! When an alert is sent: through a real `serve`, whose clock is set ahead.

use countersign::simulator::Fault;
use countersign::simulator::ecwid::EcwidStore;
use serde_json::Value;

use super::kinds::kinds;
use crate::actions::{Endpoint, ok, status};
use crate::clock::jump;
use crate::news::{about_order, env, order, tell};
use crate::support::disk::Disk;
use crate::support::smtp::MailServer;
use crate::support::{Serve, TestEnv};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A message is written so long after the first problem that is due.
const BUNDLE: i64 = 31;

/// The service checks so often what needs the owner.
const CHECK: i64 = 5;

/// A `serve` with an action that answers 410, alerts, and a clock to set.
struct Stage {
    env: TestEnv,
    store: EcwidStore,
    erp: Endpoint,
    alerts: Endpoint,
    disk: Disk,
    serve: Serve,
}

impl Stage {
    /// `lines` are more of `[alerts]`.
    fn new(lines: &str) -> Self {
        Self::with(|env| env, lines)
    }

    fn with(prepare: impl FnOnce(TestEnv) -> TestEnv, lines: &str) -> Self {
        let (erp, alerts, disk) =
            (Endpoint::answering(|_| status(410, "", "")), Endpoint::new(), Disk::new());
        let (env, store) = env();
        let env = prepare(env.action("erp", &format!("url = \"{}\"\n", erp.url())));
        let env = env.section("alerts", &format!("url = \"{}\"\n{lines}", alerts.url()));
        let serve = env.serve_on(&disk);
        Self { env, store, erp, alerts, disk, serve }
    }

    /// Sells order `n`: the action is gone, and the delivery dead.
    fn sell(&self, n: u64, id: i64) {
        self.store.put_order(order(n));
        tell(&self.serve, about_order("order.updated", n, &format!("e{id}")), id);
        self.env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'dead'", "1");
    }

    /// The shop denies what it is asked about order `n`.
    fn deny(&self, n: u64, id: i64) {
        self.env.simulator.shops().add_fault(Fault::status(401));
        self.serve.post("shop", about_order("order.updated", n, &format!("e{id}")));
        self.serve.pending(id, "api_denied");
    }

    /// Lets the time of a check come, and waits until exactly these kinds of problems are open.
    #[track_caller]
    fn open(&self, kinds: &str) {
        self.disk.pass(CHECK);
        let sql = "SELECT coalesce(group_concat(kind, ' '), '') FROM
                     (SELECT kind FROM alert_problems WHERE gone_at IS NULL ORDER BY kind)";
        self.env.wait_for_value(sql, kinds);
    }

    /// The action is back, and the dead delivery delivered.
    fn mend(&self) {
        self.erp.answer(|_| ok());
        for arguments in [&["send-test", "erp"][..], &["redeliver", "--action", "erp", "--yes"]] {
            let output = self.env.run(arguments);
            assert!(output.status.success(), "{output:?}");
        }
        self.env.wait_for_value("SELECT count(*) FROM deliveries WHERE state <> 'delivered'", "0");
        self.open("");
    }

    /// Sets the clock ahead, and lets the time of a check come.
    fn ahead(&self, seconds: i64) {
        jump(&self.serve, &self.disk, seconds);
        self.disk.pass(CHECK);
    }

    /// Waits until so many messages were sent to the URL, and are remembered as sent; returns the last one.
    #[track_caller]
    fn sent(&self, count: usize) -> Value {
        let last = self.alerts.wait_for(count).remove(count - 1).json();
        self.env.wait_for_value("SELECT count(*) FROM alert_messages WHERE next_attempt_at IS NOT NULL", "0");
        last
    }

    /// A time of the store, in milliseconds.
    fn time(&self, sql: &str) -> i64 {
        let millis = format!("SELECT CAST(round(unixepoch(({sql}), 'subsec') * 1000) AS INTEGER)");
        self.env.value(&millis).expect("a time").parse().expect("milliseconds")
    }

    /// Lets the service check once more what needs the owner. `id` is the next notification's.
    fn check(&self, id: i64) {
        for id in [id, id + 1] {
            self.serve.post("shop", "not understood");
            self.disk.pass(CHECK);
            self.serve.wait_for_line("a check", |line| line.ends_with(&format!("recorded last_id={id}")));
        }
    }
}

const LAST: &str = "SELECT max(at) FROM alert_messages";

#[test]
fn problems_are_told_in_one_alert_the_worst_first_once_listed_for_after() {
    let stage = Stage::new("format = \"json\"\nafter = \"10m\"\n");
    stage.sell(1, 1);
    stage.open("action_gone delivery_dead");
    stage.deny(2, 2);
    stage.open("action_gone api_denied delivery_dead");
    stage.ahead(9 * MINUTE);
    stage.ahead(MINUTE + BUNDLE);
    let json = stage.sent(1);
    assert_eq!(kinds(&json), ["api_denied", "action_gone", "delivery_dead"], "{json}");
    for warning in json["warnings"].as_array().unwrap() {
        assert!(warning["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{json}");
    }
    let first = stage.time("SELECT min(since) FROM alert_problems");
    assert!(stage.time(LAST) - first >= (10 * MINUTE + 30) * 1000, "too early");
    assert_eq!(stage.env.value("SELECT count(*) FROM alert_messages").as_deref(), Some("1"));
}

#[test]
fn what_stays_open_is_told_again_every_remind() {
    let stage = Stage::new("format = \"json\"\nafter = \"1ms\"\n");
    stage.sell(1, 1);
    stage.open("action_gone delivery_dead");
    stage.ahead(BUNDLE);
    stage.sent(1);
    let first = stage.time(LAST);
    stage.ahead(23 * HOUR);
    stage.check(2);
    stage.ahead(HOUR + BUNDLE);
    assert_eq!(kinds(&stage.sent(2)), ["action_gone", "delivery_dead"]);
    assert!(stage.time(LAST) - first >= 24 * HOUR * 1000, "too early");
}

#[test]
fn what_stays_open_is_told_once_where_remind_is_never() {
    let stage = Stage::new("format = \"json\"\nafter = \"1ms\"\nremind = \"never\"\n");
    stage.sell(1, 1);
    stage.open("action_gone delivery_dead");
    stage.ahead(BUNDLE);
    stage.sent(1);
    stage.ahead(49 * HOUR);
    stage.check(2);
    stage.deny(2, 4);
    stage.open("action_gone api_denied delivery_dead");
    stage.ahead(BUNDLE);
    let json = stage.sent(2);
    assert_eq!(kinds(&json), ["api_denied"], "{json}");
    assert!(json["text"].as_str().unwrap().contains("2 other things are still open"), "{json}");
}

#[test]
fn an_end_is_told_after_ten_quiet_minutes() {
    assert_end_is_told(true);
}

#[test]
fn no_end_is_told_where_recovery_is_off() {
    assert_end_is_told(false);
}

#[track_caller]
fn assert_end_is_told(recovery: bool) {
    let stage = Stage::new(&format!(
        "format = \"json\"\nafter = \"1ms\"\nremind = \"never\"\nrecovery = {recovery}\n"
    ));
    stage.sell(1, 1);
    stage.open("action_gone delivery_dead");
    stage.ahead(BUNDLE);
    stage.sent(1);
    let since = || stage.time("SELECT min(since) FROM alert_problems");
    let begun = since();
    stage.mend();
    // Nine minutes after it began, it returns, and is the same problem.
    stage.ahead(9 * MINUTE - BUNDLE);
    stage.erp.answer(|_| status(410, "", ""));
    stage.sell(2, 2);
    stage.open("action_gone delivery_dead");
    assert_eq!(since(), begun);
    stage.mend();
    let ended = stage.time("SELECT max(gone_at) FROM alert_problems");
    stage.ahead(9 * MINUTE);
    stage.ahead(MINUTE + BUNDLE);
    if recovery {
        let json = stage.sent(2);
        assert_eq!(json["warnings"], serde_json::json!([]), "{json}");
        let over: Vec<_> = json["over"].as_array().unwrap().iter().collect();
        assert_eq!(over.iter().map(|one| &one["kind"]).collect::<Vec<_>>(), ["action_gone", "delivery_dead"]);
        assert!(over.iter().all(|one| one["lasted"] == "9 min"), "{json}");
        assert!(stage.time(LAST) - ended >= (10 * MINUTE + 30) * 1000, "too early");
    } else {
        let left = "SELECT coalesce(group_concat(kind || ' gone at ' || coalesce(gone_at, 'never')), '') FROM alert_problems";
        stage.env.wait_for_value(left, "");
        stage.check(3);
        assert_eq!(stage.alerts.seen().len(), 1);
    }
}

#[test]
fn at_most_six_messages_are_sent_in_an_hour() {
    assert_most(&Stage::new(OFTEN), 6);
}

#[test]
fn at_most_six_messages_are_sent_in_an_hour_over_both_channels() {
    let mail = MailServer::new();
    let by_mail = |env: TestEnv| env.section("mail", &mail.lines_of_mail());
    assert_most(&Stage::with(by_mail, &format!("mail = [\"owner@example.test\"]\n{OFTEN}")), 3);
    mail.wait_for(4);
}

const OFTEN: &str = "format = \"json\"\nafter = \"1ms\"\nremind = \"5m\"\n";

/// Asserts that the URL gets `most` messages within an hour, and what was held back after it.
#[track_caller]
fn assert_most(stage: &Stage, most: usize) {
    stage.sell(1, 1);
    stage.open("action_gone delivery_dead");
    let mut first = None;
    for count in 1..=most {
        stage.ahead(5 * MINUTE + BUNDLE);
        stage.sent(count);
        first.get_or_insert(stage.time(LAST));
    }
    stage.ahead(5 * MINUTE + BUNDLE);
    stage.check(2);
    assert_eq!(stage.alerts.seen().len(), most, "one more within the hour");
    stage.ahead(HOUR);
    assert_eq!(kinds(&stage.sent(most + 1)), ["action_gone", "delivery_dead"]);
    assert!(first.is_some_and(|first| stage.time(LAST) - first >= HOUR * 1000), "too early");
}

#[test]
fn slack_gets_the_text_alone_as_json_and_ntfy_the_text_itself() {
    for (format, content_type) in [("slack", "application/json"), ("text", "text/plain; charset=utf-8")] {
        let stage = Stage::new(&format!("format = \"{format}\"\nafter = \"1ms\"\n"));
        stage.sell(1, 1);
        stage.open("action_gone delivery_dead");
        stage.ahead(BUNDLE);
        let posted = stage.alerts.wait_for(1).remove(0);
        assert_eq!(posted.header("content-type"), Some(content_type));
        let text = match format {
            "slack" => {
                let json = posted.json();
                let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
                assert_eq!(keys, ["text"], "{json}");
                json["text"].as_str().unwrap().to_owned()
            }
            _ => posted.body,
        };
        assert!(text.starts_with("2 things need attention:\n1. action erp: "), "{text}");
        assert!(text.contains("\n   → ") && text.contains("   action_gone since 20"), "{text}");
    }
}
