//! The rules of section 9, a row each.

use std::time::Duration;

use super::{Endpoint, QUICK, Reply, STATES, announce, ok, sell, states, status, told};
use crate::news::{about_product, env, mug, tell};

#[test]
fn filters_pass_by_source_kind_and_status_and_no_status_passes_no_status_filter() {
    let (all, orders, paid, other) = (Endpoint::new(), Endpoint::new(), Endpoint::new(), Endpoint::new());
    let (env, store) = told(&all, "");
    let url = |endpoint: &Endpoint| format!("url = \"{}\"\n{QUICK}", endpoint.url());
    let env = env
        .action("orders", &format!("{}kinds = [\"order\"]\nsources = [\"shop\"]\n", url(&orders)))
        .action("paid", &format!("{}status = [\"PAID\", \"SHIPPED\"]\n", url(&paid)))
        .action("other", &format!("{}status = [\"REFUNDED\"]\n", url(&other)));
    let serve = env.serve();
    store.put_product(mug());
    tell(&serve, about_product("product.updated", 9001, "p"), 1);
    sell(&serve, &store, 1, 2);
    store.edit_order("SALE-1", |order| order.payment("AWAITING_PAYMENT").fulfillment("SHIPPED"));
    announce(&serve, 1, 3);
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'delivered'", "7");
    let actions = "SELECT group_concat(seq || action, ' ') FROM (SELECT seq, action FROM deliveries ORDER BY seq, action)";
    assert_eq!(env.value(actions).as_deref(), Some("1erp 2erp 2orders 2paid 3erp 3orders 3paid"));
    assert!(other.seen().is_empty());
}

#[test]
fn order_the_next_delivery_of_a_subject_waits_and_other_subjects_go_on() {
    let endpoint = Endpoint::answering(|seen| {
        let is_first = seen.json()["data"]["seq"] == 1;
        if is_first { status(500, "", "") } else { ok() }
    });
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    announce(&serve, 1, 2);
    sell(&serve, &store, 2, 3);
    env.wait_for_value("SELECT max(state) FROM deliveries WHERE seq = 3", "delivered");
    assert_eq!(states(&env), "waiting waiting delivered");
    assert_eq!(env.value("SELECT attempts FROM deliveries WHERE seq = 2").as_deref(), Some("0"));
    endpoint.answer(|_| ok());
    env.wait_for_value(STATES, "delivered delivered delivered");
    let of_one: Vec<i64> = endpoint
        .seen()
        .iter()
        .filter(|seen| seen.subject() == "SALE-1")
        .map(|seen| seen.json()["data"]["seq"].as_i64().unwrap())
        .collect();
    assert!(of_one.is_sorted(), "{of_one:?}");
}

#[test]
fn order_a_dead_or_skipped_delivery_lets_the_next_one_go() {
    let endpoint = Endpoint::answering(|seen| match seen.json()["data"]["seq"].as_i64() {
        Some(1) => status(500, "", ""),
        _ => ok(),
    });
    let (env, store) = told(&endpoint, "give_up_after = \"100ms\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    announce(&serve, 1, 2);
    env.wait_for_value(STATES, "dead delivered");
    let detail = env.value("SELECT detail FROM deliveries WHERE id = 1").unwrap();
    assert!(detail.starts_with("gave up after") && detail.ends_with("HTTP 500"), "{detail}");
}

#[test]
fn retries_everything_but_success_until_give_up_after_then_dead() {
    let endpoint = Endpoint::answering(|_| status(404, "", ""));
    let (env, store) = told(&endpoint, "give_up_after = \"300ms\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "dead");
    let tries: i64 = env.value("SELECT attempts FROM deliveries").unwrap().parse().unwrap();
    assert!((2..=8).contains(&tries), "{tries}");
    assert_eq!(endpoint.seen().len(), usize::try_from(tries).unwrap());
    let status = env.run(&["status", "--json"]);
    assert_eq!(status.status.code(), Some(3));
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(said.contains("\"kind\":\"delivery_dead\"") && said.contains("\"action\":\"erp\""), "{said}");
}

#[test]
fn retries_a_success_that_does_not_end_is_a_timeout_and_over_64_kib_is_delivered() {
    let endpoint = Endpoint::answering(|seen| match seen.subject().as_str() {
        "SALE-1" => Reply::Hang("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_owned()),
        _ => {
            Reply::Hang(format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}", "x".repeat(100_000)))
        }
    });
    let (env, store) = told(&endpoint, "timeout = \"1s\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    env.wait_for_value("SELECT max(state) FROM deliveries WHERE seq = 2", "delivered");
    env.wait_for_value(
        "SELECT min(outcome || http_status) FROM delivery_attempts WHERE delivery_id = 1",
        "timeout200",
    );
}

#[test]
fn retries_a_target_that_is_not_there_is_unreachable() {
    let (env, store) = env();
    let env = env.action("erp", &format!("url = \"http://127.0.0.1:1/x\"\n{QUICK}"));
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value("SELECT min(outcome) FROM delivery_attempts", "unreachable");
    assert!(!serve.log().contains("127.0.0.1:1/x"), "{}", serve.log());
}

#[test]
fn http_410_is_dead_and_the_action_rests_until_a_restart_a_reload_or_a_test() {
    let endpoint = Endpoint::answering(|_| status(410, "", "gone"));
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "dead");
    assert_eq!(
        env.value("SELECT count(*) FROM action_states WHERE gone_at IS NOT NULL").as_deref(),
        Some("1")
    );
    sell(&serve, &store, 2, 2);
    serve.wait_for_line("the warning", |line| line.contains("warning=action_gone action=erp"));
    assert_eq!((states(&env).as_str(), endpoint.seen().len()), ("dead waiting", 1));
    // A test that fails changes nothing.
    assert_eq!(env.run(&["send-test", "erp"]).status.code(), Some(1));
    assert_eq!(states(&env), "dead waiting");
    endpoint.answer(|_| ok());
    let test = env.run(&["send-test", "erp"]);
    assert!(test.status.success(), "{test:?}");
    env.wait_for_value(STATES, "dead delivered");
    endpoint.answer(|_| status(410, "", ""));
    sell(&serve, &store, 3, 3);
    env.wait_for_value(STATES, "dead delivered dead");
    sell(&serve, &store, 4, 4);
    endpoint.answer(|_| ok());
    serve.signal("HUP");
    env.wait_for_value(STATES, "dead delivered dead delivered");
    endpoint.answer(|_| status(410, "", ""));
    sell(&serve, &store, 5, 5);
    env.wait_for_value(STATES, "dead delivered dead delivered dead");
    sell(&serve, &store, 6, 6);
    endpoint.answer(|_| ok());
    assert!(serve.stop().success());
    let serve = env.serve();
    env.wait_for_value(STATES, "dead delivered dead delivered dead delivered");
    drop(serve);
}

#[test]
fn rate_limits_429_holds_the_action_and_counts_as_a_try_of_that_delivery_alone() {
    let mut tries = 0;
    let endpoint = Endpoint::answering(move |_| {
        tries += 1;
        if tries == 1 { status(429, "Retry-After: 3\r\n", "") } else { ok() }
    });
    let (env, store) = told(&endpoint, "concurrency = 1\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    endpoint.wait_for(1);
    sell(&serve, &store, 2, 2);
    env.wait_for_value(STATES, "delivered delivered");
    let seen = endpoint.seen();
    let pause = seen[1].at.duration_since(seen[0].at);
    assert!(pause >= Duration::from_millis(2500), "{pause:?}");
    assert_eq!(env.value("SELECT group_concat(attempts, ' ') FROM deliveries").as_deref(), Some("2 1"));
    assert_eq!(env.value("SELECT coalesce(sum(failures), 0) FROM action_states").as_deref(), Some("0"));
}

#[test]
fn rate_limits_503_with_retry_after_holds_and_without_it_is_a_failure() {
    let endpoint = Endpoint::answering(|_| status(503, "Retry-After: 3600\r\n", ""));
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(
        "SELECT count(*) FROM action_states WHERE held_until IS NOT NULL AND failures = 0",
        "1",
    );
    let plain = Endpoint::answering(|_| status(503, "", ""));
    let env = env.action("crm", &format!("url = \"{}\"\n{QUICK}", plain.url()));
    env.write_config();
    serve.signal("HUP");
    serve.wait_for_line("the reload", |line| line.contains("reloaded the configuration"));
    sell(&serve, &store, 2, 2);
    plain.wait_for(3);
    assert_eq!(endpoint.seen().len(), 1, "held");
}

#[test]
fn circuit_breaker_after_five_failures_one_probes_and_the_others_use_up_no_tries() {
    let endpoint = Endpoint::answering(|_| status(500, "", ""));
    let (env, store) = told(&endpoint, "concurrency = 1\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value("SELECT coalesce(max(failures), 0) >= 5 FROM action_states", "1");
    for n in 2..=6 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
    }
    let before = endpoint.seen().len();
    let seen = endpoint.wait_for(before + 10);
    assert!(seen.iter().all(|seen| seen.subject() == "SALE-1"), "{seen:#?}");
    let tries =
        "SELECT group_concat(attempts, ' ') FROM (SELECT attempts FROM deliveries WHERE id > 1 ORDER BY id)";
    assert_eq!(env.value(tries).as_deref(), Some("0 0 0 0 0"));
    endpoint.answer(|_| ok());
    env.wait_for_value(STATES, &["delivered"; 6].join(" "));
    assert_eq!(env.value("SELECT failures FROM action_states").as_deref(), Some("0"), "it closes by itself");
}

#[test]
fn isolation_a_target_that_never_answers_delays_no_verdict_and_no_other_action() {
    let dead = Endpoint::answering(|_| Reply::Hang(String::new()));
    let (env, store) = told(&dead, "timeout = \"1h\"\nconcurrency = 8\n");
    let well = Endpoint::new();
    let env = env.action("well", &format!("url = \"{}\"\n", well.url()));
    let serve = env.serve();
    for n in 1..=20 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
    }
    well.wait_for(20);
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE action = 'well' AND state = 'delivered'", "20");
    assert_eq!(dead.wait_for(8).len(), 8, "its own places are taken, and no more");
}

#[test]
fn shutdown_requests_in_flight_end_and_what_did_not_end_waits_again() {
    let endpoint = Endpoint::answering(|_| Reply::Hang(String::new()));
    let (env, store) = told(&endpoint, "timeout = \"1h\"\n");
    let env = env.server_keys("drain = \"1s\"");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    endpoint.wait_for(1);
    assert!(serve.stop().success());
    assert_eq!(
        env.value("SELECT state || attempts || coalesce(lease, '') FROM deliveries").as_deref(),
        Some("waiting0")
    );
    endpoint.answer(|_| ok());
    let serve = env.serve();
    env.wait_for_value(STATES, "delivered");
    let ids: Vec<_> =
        endpoint.seen().iter().map(|seen| seen.header("webhook-id").map(str::to_owned)).collect();
    assert_eq!(ids[0], ids[1], "the same id after a restart");
    drop(serve);
}

#[test]
fn limits_the_timeout_covers_the_whole_try_and_64_kib_of_an_answer_are_read() {
    let endless = format!("HTTP/1.1 500 Word\r\nContent-Length: 99999999\r\n\r\n{}", "x".repeat(100_000));
    let endpoint = Endpoint::answering(move |seen| match seen.subject().as_str() {
        "SALE-1" => Reply::Hang("HTTP/1.1 200 OK\r\nContent-".to_owned()),
        _ => Reply::Hang(endless.clone()),
    });
    let (env, store) = told(&endpoint, "timeout = \"2s\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    let first = "SELECT group_concat(DISTINCT outcome || coalesce(http_status, '')) FROM delivery_attempts WHERE delivery_id = ";
    env.wait_for_value(&format!("{first}1"), "timeout");
    // It is not waited for what follows.
    env.wait_for_value(&format!("{first}2"), "refused500");
    let quick = "SELECT min(latency_ms) < 2000 FROM delivery_attempts WHERE delivery_id = 2";
    assert_eq!(env.value(quick).as_deref(), Some("1"));
}

#[test]
fn a_new_action_starts_with_the_next_news_and_one_that_is_gone_keeps_its_deliveries() {
    let endpoint = Endpoint::answering(|_| status(500, "", ""));
    let (env, store) = env();
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    let env = env.action("erp", &format!("url = \"{}\"\n{QUICK}", endpoint.url()));
    env.write_config();
    serve.signal("HUP");
    serve.wait_for_line("the reload", |line| line.contains("reloaded the configuration"));
    sell(&serve, &store, 2, 2);
    endpoint.wait_for(1);
    assert_eq!(env.value("SELECT group_concat(seq) FROM deliveries").as_deref(), Some("2"));
    let env = env.without_action("erp");
    env.write_config();
    serve.signal("HUP");
    serve.wait_for_lines("the second reload", 2, |line| line.contains("reloaded the configuration"));
    sell(&serve, &store, 3, 3);
    assert_eq!(env.value("SELECT group_concat(seq || state) FROM deliveries").as_deref(), Some("2waiting"));
    let said = env.run(&["status"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("action erp: 1 delivery waits for an action that is not configured"), "{said}");
    let env = env.action("erp", &format!("url = \"{}\"\n{QUICK}", endpoint.url()));
    endpoint.answer(|_| ok());
    env.write_config();
    serve.signal("HUP");
    env.wait_for_value(STATES, "delivered");
}
