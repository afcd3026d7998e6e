//! A month of trade in three shops, with known numbers of everything that can go wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use countersign::domain::{Headers, RawNotification, Timestamp};
use countersign::simulator::ecwid::{EcwidStore, Order};
use countersign::simulator::kinguin::{self, KinguinAccount};
use countersign::simulator::midas::{MidasMerchant, Transaction};
use countersign::simulator::{Fault, Trouble};

use super::findings::{self, Findings};
use super::midas::{merchant_lines, paid};
use super::{Run, ecwid_lines, notification, now, receive, webhook};
use crate::support::TestEnv;

const SALES: u64 = 1500;
const KEYS: u64 = 500;
const PAYMENTS: u64 = 120;
const FAKES: u64 = 120;

/// What has to be found, by source and kind.
const EXPECTED: [(&str, &str, u64); 11] = [
    ("shop", "missed", 9),
    ("shop", "drift", 6),
    ("shop", "vanished", 4),
    ("shop", "open", 3),
    ("shop", "fake", FAKES),
    ("keys", "missed", 5),
    ("keys", "drift", 7),
    ("keys", "vanished", 3),
    ("game", "drift", 4),
    ("game", "vanished", 2),
    ("game", "silent", 1),
];

struct Trade {
    env: TestEnv,
    shop: EcwidStore,
    keys: KinguinAccount,
    game: MidasMerchant,
}

fn trade() -> Trade {
    let env = TestEnv::new();
    let shops = env.simulator.shops();
    let shop = shops.open_ecwid(super::STORE, super::TOKEN);
    let keys = shops.open_kinguin("keys", "month-api-key");
    let game = shops.open_midas("m-1001", "pr-77").unwrap();
    let keys_lines = format!(
        "provider = \"kinguin\"\napi_key = \"month-api-key\"\nrate_limit = \"10000/s\"\napi_base = \"{}\"\n",
        env.simulator.kinguin_base()
    );
    let (shop_lines, game_lines) = (ecwid_lines(&env), merchant_lines(&env, &game));
    let env = env
        .source("shop", &shop_lines)
        .source("keys", &keys_lines)
        .source("game", &format!("{game_lines}expect_every = \"1ms\"\n"));
    Trade { env, shop, keys, game }
}

/// A time of the month for the n-th of `of` orders, the last one a day ago.
fn time_of(n: u64, of: u64) -> DateTime<Utc> {
    let ago = TimeDelta::hours(24) + TimeDelta::minutes(i64::try_from(29 * 24 * 60 * (of - n) / of).unwrap());
    Utc::now() - ago
}

fn sent_at(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

fn told(order_id: &str, internal_id: u64) -> String {
    webhook("order.created", order_id, internal_id, "PAID", "AWAITING_PROCESSING")
}

fn key_status(order_id: &str, at: DateTime<Utc>) -> RawNotification {
    let body =
        format!(r#"{{"orderId":"{order_id}","status":"completed","updatedAt":"2025-03-04T10:15:09+00:00"}}"#);
    let headers = Headers::new([("X-Event-Name", "order.status")]);
    RawNotification { headers, ..notification("keys", "kinguin", sent_at(at), body) }
}

impl Trade {
    /// Everything that was sold, and told but for what is missed; and what was made up.
    fn sell(&self) -> Vec<RawNotification> {
        let mut notifications = Vec::new();
        for n in 0..SALES {
            let (order_id, at) = (format!("SALE-{n:04}"), time_of(n, SALES));
            self.shop.put_order(Order::new(&order_id, 10_000 + n).paid().created_at(at).updated_at(at));
            if n % 167 != 0 {
                notifications.push(notification("shop", "ecwid", sent_at(at), told(&order_id, 10_000 + n)));
            }
        }
        for n in 0..FAKES {
            let at = sent_at(time_of(n, FAKES));
            notifications.push(notification("shop", "ecwid", at, told(&format!("FAKE-{n:03}"), 90_000 + n)));
        }
        for n in 0..KEYS {
            let (order_id, at) = (format!("KEY{n:04}"), time_of(n, KEYS));
            self.keys.put_order(kinguin::Order::new(&order_id).completed().created_at(at));
            if n % 100 != 0 {
                notifications.push(key_status(&order_id, at));
            }
        }
        for n in 0..PAYMENTS {
            let external_id = format!("pay-{n}");
            self.game.put_transaction(Transaction::new(&external_id));
            let at = sent_at(time_of(n, PAYMENTS));
            notifications.push(notification("game", "midas", at, paid(&external_id)));
        }
        notifications
    }

    /// What happened afterwards without a word.
    fn go_astray(&self) {
        let sale = |n: u64| format!("SALE-{n:04}");
        for n in 1..=3 {
            self.shop.edit_order(&sale(n), |order| order.payment("REFUNDED"));
            self.shop.edit_order(&sale(100 + n), |order| order.fulfillment("SHIPPED"));
        }
        (201..=202).for_each(|n| assert!(self.shop.vanish_order(&sale(n))));
        (203..=204).for_each(|n| assert!(self.shop.delete_order(&sale(n))));
        for n in 301..=330 {
            self.shop.edit_order(&sale(n), |order| order.total("99.90"));
        }
        for n in 1..=7 {
            self.keys.edit_order(&format!("KEY{n:04}"), |order| order.status("refunded"));
        }
        (11..=13).for_each(|n| assert!(self.keys.vanish_order(&format!("KEY{n:04}"))));
        for n in 0..4 {
            self.game.edit_transaction(&format!("pay-{n}"), |paid| paid.status("Cancelled"));
            self.game.edit_transaction(&format!("pay-{}", 10 + n), |paid| paid.status("Pending"));
        }
        (20..22).for_each(|n| assert!(self.game.vanish_transaction(&format!("pay-{n}"))));
    }

    /// What has come in and waits: three for too long, five that say what the shop says.
    fn wait(&self) {
        let mut notifications = Vec::new();
        for n in 0..3 {
            let at = now().minus(Duration::from_secs(7200));
            notifications.push(notification("shop", "ecwid", at, told(&format!("OPEN-{n}"), 80_000 + n)));
        }
        for n in 0..5 {
            let order_id = format!("WAITING-{n}");
            self.shop.put_order(Order::new(&order_id, 70_000 + n).paid());
            notifications.push(notification("shop", "ecwid", now(), told(&order_id, 70_000 + n)));
        }
        receive(&self.env, notifications);
    }

    /// Each finding that all of this makes.
    fn findings() -> Findings {
        let mut findings = Findings::new();
        let mut find = |source: &str, kind: &str, numbers: Vec<u64>, name: &dyn Fn(u64) -> String| {
            findings.extend(numbers.into_iter().map(|n| (source.to_owned(), kind.to_owned(), name(n))));
        };
        let sale = |n| format!("SALE-{n:04}");
        find("shop", "missed", (0..SALES).step_by(167).collect(), &sale);
        find("shop", "drift", (1..=3).chain(101..=103).collect(), &sale);
        find("shop", "vanished", (201..=204).collect(), &sale);
        find("shop", "open", (0..3).collect(), &|n| format!("OPEN-{n}"));
        find("shop", "fake", (0..FAKES).collect(), &|n| format!("FAKE-{n:03}"));
        let key = |n| format!("KEY{n:04}");
        find("keys", "missed", (0..KEYS).step_by(100).collect(), &key);
        find("keys", "drift", (1..=7).collect(), &key);
        find("keys", "vanished", (11..=13).collect(), &key);
        let payment = |n| format!("pay-{n}");
        find("game", "drift", (0..4).collect(), &payment);
        find("game", "vanished", (20..22).collect(), &payment);
        find("game", "silent", vec![0], &|_| "-".to_owned());
        findings
    }

    /// Faults that pass, in the middle of each shop's answers.
    fn stumble(&self) {
        let shops = self.env.simulator.shops();
        shops.add_fault(Fault::too_many(Some("1")).path("offset=700").times(1));
        shops.add_fault(Fault::new(Trouble::Truncate).path("offset=300").times(1));
        shops.add_fault(Fault::status(502).path("page=3").times(2));
        shops.add_fault(Fault::new(Trouble::Reset).path("external_id=pay-33").times(1));
    }

    fn run(&self, format: &str) -> std::process::Output {
        self.stumble();
        self.env.run(&["reconcile", "--since", "31d", "--format", format])
    }
}

fn found(run: &Run) -> BTreeMap<(String, String), u64> {
    let mut found = BTreeMap::new();
    for source in run.report["sources"].as_array().unwrap() {
        let name = source["source"].as_str().unwrap();
        for finding in source["findings"].as_array().unwrap() {
            let kind = finding["kind"].as_str().unwrap().to_owned();
            *found.entry((name.to_owned(), kind)).or_insert(0) += 1;
        }
        for (kind, more) in source["omitted"].as_object().unwrap() {
            let more = more.as_u64().unwrap();
            if more > 0 {
                *found.entry((name.to_owned(), kind.clone())).or_insert(0) += more;
            }
        }
    }
    found
}

#[test]
fn every_finding_of_a_month_is_in_every_format_once_and_recovered_once() {
    let trade = trade();
    receive(&trade.env, trade.sell());
    let verified = trade.env.run(&["verify"]);
    assert!(verified.status.success(), "{verified:?}");
    trade.go_astray();
    trade.wait();
    let expected: BTreeMap<_, _> =
        EXPECTED.iter().map(|(source, kind, n)| (((*source).to_owned(), (*kind).to_owned()), *n)).collect();

    let run = Run::of(&trade.run("json"));
    assert_eq!((run.code, run.errors.as_str()), (Some(3), ""));
    assert_eq!(found(&run), expected);
    let listed = |name| run.source(name)["listed"].as_u64().unwrap();
    assert_eq!((listed("shop"), listed("keys"), listed("game")), (SALES - 4 + 5, KEYS - 3, PAYMENTS - 2));
    let counts = &run.source("shop")["counts"];
    assert_eq!(counts["received"], SALES - 9 + FAKES + 3 + 5);
    assert_eq!((&counts["fakes"], &counts["pending"]), (&FAKES.into(), &8.into()));

    let wanted = Trade::findings();
    let (fakes, others): (Findings, Findings) =
        wanted.clone().into_iter().partition(|(_, kind, _)| kind == "fake");
    let listed: Findings = others
        .iter()
        .cloned()
        .chain(fakes.iter().filter(|fake| fake.2.as_str() >= "FAKE-020").cloned())
        .collect();
    assert_eq!(findings::in_json(&run.report), listed);

    let printed = |format| String::from_utf8(trade.run(format).stdout).unwrap();
    let rows = findings::in_csv(&printed("csv"));
    let row = |kind: &str| ("shop".to_owned(), kind.to_owned(), "-".to_owned());
    assert_eq!(rows.len(), listed.len() + 1, "one row a finding, and one for the fakes that are not listed");
    assert_eq!(rows.into_iter().filter(|found| *found != row("omitted")).collect::<Findings>(), listed);
    assert_eq!(findings::in_html(&printed("html")), listed);

    let text = printed("text");
    let mail = findings::in_text(&text);
    let latest: Findings = fakes.iter().rev().take(5).cloned().collect();
    assert_eq!(mail, others.iter().chain(&latest).cloned().collect(), "{text}");
    for (source, kind, n) in EXPECTED {
        assert!(text.contains(&format!("{n} {kind}")), "{source} {n} {kind}:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    let recover = |code| {
        let run = Run::of(&trade.env.run(&["reconcile", "--since", "31d", "--recover", "--format", "json"]));
        assert_eq!(run.code, Some(code), "{}", run.errors);
        let kinds = found(&run).into_keys().map(|(_, kind)| kind);
        kinds.filter(|kind| kind == "missed" || kind == "drift").count()
    };
    assert_eq!((recover(3), recover(3)), (5, 0));
    let recovered = "SELECT count(*) FROM notifications WHERE origin = 'reconcile'";
    assert_eq!(trade.env.value(recovered).as_deref(), Some("31"));
}
