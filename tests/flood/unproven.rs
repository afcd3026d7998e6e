//! What a flood may occupy while it lasts.

use std::cell::Cell;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use countersign::simulator::Fault;
use countersign::simulator::ecwid::Order;

use super::load::{self, Forwarded};
use crate::support::formats::{self, GAME, KEYS, OLD, TOKEN};
use crate::support::{Request, Response, Serve, TestEnv, assert_verdict, paid};

const STRANGER: &str = "203.0.113.66";
const OTHER_STRANGER: &str = "203.0.113.77";
const PROVEN: &str = "198.51.100.7";

fn send(serve: &Serve, request: Request, from: &str) -> Response {
    serve.send(&request.header("X-Forwarded-For", from))
}

fn ion(serve: &Serve, from: &str, order: &str) -> Response {
    send(serve, Request::post("/hooks/shop").body(paid(1003, order)), from)
}

/// Sends so many notifications that are settled as soon as they are read; the first has the id `first`. What is not read
/// yet cannot be removed, so that a faster flood would be refused.
fn flood(serve: &Serve, count: usize, first: usize, notification: impl Fn(usize) -> Forwarded) {
    for begin in (0..count).step_by(100) {
        load::send(serve.intake, "/hooks/shop", (begin..begin + 100).map(&notification));
        serve.settled(i64::try_from(first + begin + 99).unwrap());
    }
}

#[test]
fn what_a_flood_leaves_is_bounded_while_it_lasts_and_still_counted() {
    const FORGED: usize = 3_000;
    let env = TestEnv::new().store_keys("max_unproven = 1000").ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let broken =
        |n: usize| Forwarded { sender: format!("203.0.113.{}", n % 3), body: format!("order_id={n}") };
    flood(&serve, FORGED, 1, broken);
    let removed = Cell::new(0);
    serve.wait_for_line("the rule is kept", |line| {
        let words = line.strip_suffix(" notifications removed by store.max_unproven");
        let count = words.and_then(|words| words.rsplit(' ').next()?.parse::<usize>().ok());
        removed.set(removed.get() + count.unwrap_or(0));
        removed.get() >= FORGED - 1_100
    });
    serve.settled(i64::try_from(FORGED).unwrap());
    assert!(serve.stop().success());
    let ids: Vec<usize> = env.rows().iter().map(|row| usize::try_from(row.id).unwrap()).collect();
    assert!((1_000..=1_100).contains(&ids.len()), "{} are kept", ids.len());
    assert!(ids.into_iter().rev().eq((1..=FORGED).rev().take(env.rows().len())), "not the oldest went");
    let counted = env.value("SELECT sum(received) || ' ' || sum(ignored) FROM daily");
    assert_eq!(counted.as_deref(), Some("3000 3000"));
}

#[test]
fn when_pending_ones_fill_the_bound_only_proven_senders_get_in() {
    let env = TestEnv::new().store_keys("max_unproven = 20");
    let env = env.ion_shop("shop", 1003, 9).ion_shop("other", 1004, 0);
    let shops = env.simulator.shops();
    let serve = env.serve();
    assert_eq!(ion(&serve, PROVEN, "o.1").status, 200);
    serve.settled(1);
    let fault = shops.add_fault(Fault::status(500));
    for n in 1..=20 {
        let fake = Request::post("/hooks/other").body(paid(1004, &format!("fake.{n}")));
        assert_eq!(send(&serve, fake, STRANGER).status, 200, "{n}");
    }
    for from in [STRANGER, OTHER_STRANGER] {
        for _ in 0..5 {
            let refused = ion(&serve, from, "fake.21");
            assert_eq!(refused.status, 503);
            assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().unwrap() > 0));
            assert!(refused.text().starts_with(r#"{"processed":false,"message":""#), "{}", refused.text());
        }
    }
    for n in 2..=5 {
        assert_eq!(ion(&serve, PROVEN, &format!("o.{n}")).status, 200, "the proven sender gets in");
    }
    assert_eq!(env.rows().len(), 25);
    let counted = "SELECT count || ' ' || last_remote_addr FROM refusals WHERE cause = 'unproven_full'";
    assert_eq!(env.value(counted), Some(format!("10 {OTHER_STRANGER}")));
    let status = env.run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let warnings = status["warnings"].as_array().unwrap();
    let full = warnings.iter().find(|warning| warning["kind"] == "unproven_full").expect("it is said");
    assert_eq!(full["source"], "shop");
    assert!(full["what"].as_str().unwrap().starts_with("10 requests today and yesterday"), "{full}");
    let remedy = full["remedy"].as_str().unwrap();
    let begins = "see why they stay pending: countersign list --state pending; raise";
    assert!(remedy.starts_with(begins), "those of the other source fill it: {remedy}");
    let page = serve.admin_page("/").text();
    let (need, _) =
        page.split_once(r#"</a></p><p class="remedy"><bdi>see why they stay pending"#).expect("it is shown");
    assert!(need.ends_with(r#"href="/notifications?state=pending">Show the pending ones"#), "{need}");
    shops.clear_fault(fault);
    (2..=25).for_each(|id| serve.settled(id));
    let deadline = Instant::now() + Duration::from_secs(30);
    while ion(&serve, OTHER_STRANGER, "o.9").status != 200 {
        assert!(Instant::now() < deadline, "settled ones make room");
    }
    serve.settled(26);
    assert_verdict(&env.row(26), "confirmed", "match");
}

#[test]
fn what_nobody_has_read_yet_counts_too() {
    let env = TestEnv::new().store_keys("max_unproven = 5").ion_shop("shop", 1003, 1);
    let serve = env.serve_with(&["--no-worker"]);
    let statuses: Vec<u16> = (1..=8).map(|n| ion(&serve, STRANGER, &format!("fake.{n}")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503, 503, 503]);
    assert_eq!(env.rows().len(), 5);
}

#[test]
fn a_thousand_others_after_one_true_notification_make_its_sender_unproven() {
    let env = TestEnv::new().store_keys("max_unproven = 500").ion_shop("shop", 1003, 1);
    let serve = env.serve();
    assert_eq!(ion(&serve, STRANGER, "o.1").status, 200);
    serve.settled(1);
    let broken = |n: usize| Forwarded { sender: STRANGER.to_owned(), body: format!("order_id={n}") };
    flood(&serve, 2_000, 2, broken);
    assert!(serve.stop().success());
    let kept = env.rows().len();
    assert!((500..1_000).contains(&kept), "{kept} are kept");
}

/// Claims that no answer can ever settle, each another one: an order's id that a thousand others begin with, a product that
/// changes only in a while, and a transaction of a merchant of whom nothing was ever found.
fn never_settling(n: usize) -> [Request; 3] {
    let date = (Utc::now() + TimeDelta::minutes(5)).to_rfc3339_opts(SecondsFormat::Millis, true);
    let product = format!(
        r#"{{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"{date}","n":{n}}}"#
    );
    [
        OLD.request(format!("{}&n={n}", OLD.truth(1207).replace("order_id=1207", "order_id=NEAR-"))),
        Request::post("/hooks/keys").header("X-Event-Name", "product.update").body(product),
        GAME.request(GAME.truth(1207).replace("T1207", &format!("MADE-UP-{}", n % 20))),
    ]
}

#[test]
fn claims_that_never_settle_stay_within_the_bound_and_keep_no_true_one_waiting() {
    const EACH: usize = 2_000;
    let env = formats::env().store_keys("max_unproven = 1000");
    let env = env.verify("give_up_after = \"1s\"\nretry_base = \"5ms\"\nretry_cap = \"20ms\"");
    let ecwid = env.simulator.shops().open_ecwid(1003, TOKEN);
    for n in 0..1_001 {
        ecwid.put_order(Order::new(&format!("NEAR-{n:04}"), 90_000 + n).paid());
    }
    let serve = env.serve();
    assert_eq!(send(&serve, OLD.request(OLD.truth(1207)), PROVEN).status, 200);
    serve.settled(1);
    let mut taken = 1;
    let mut refused = 0;
    for n in 0..EACH {
        for request in never_settling(n) {
            match send(&serve, request, STRANGER).status {
                200 | 204 => taken += 1,
                status => {
                    assert_eq!(status, 503);
                    refused += 1;
                }
            }
        }
        if n == 100 {
            let first = send(&serve, KEYS.request(KEYS.truth(1207)), OTHER_STRANGER);
            assert_eq!(first.status, 204, "a new shop's first notification, below the bound");
            taken += 1;
            serve.settled(taken);
            assert_verdict(&env.row(taken), "confirmed", "match");
        }
        if n == EACH - 1 {
            let began = Instant::now();
            assert_eq!(send(&serve, OLD.request(OLD.truth(1208)), PROVEN).status, 200);
            taken += 1;
            serve.settled(taken);
            assert_verdict(&env.row(taken), "confirmed", "match");
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        }
    }
    serve.wait_for_line("an order's id that many begin with is given up", |line| {
        line.contains("source=old verdict=undecided reason=api_error")
    });
    env.wait_for_value("SELECT count(*) <= 1100 FROM notifications", "1");
    let calls = env.simulator.shops().calls().len();
    println!("{taken} taken, {refused} refused, {calls} calls");
    let refusals = "SELECT max(n) FROM (SELECT count(*) AS n FROM verifications WHERE outcome = 'api_error'
                    GROUP BY notification_id)";
    assert!(env.value(refusals).unwrap().parse::<u32>().unwrap() <= 5, "five and out");
    assert_eq!(
        env.value("SELECT count(*) FROM notifications WHERE state = 'confirmed'").as_deref(),
        Some("3")
    );
}
