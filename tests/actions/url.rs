//! `url`: one POST a delivery, as Standard Webhooks say, checked by an implementation that is not ours.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::Webhook;

use super::{Endpoint, announce, sell, status, told};
use crate::actions::STATES;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

#[test]
fn url_is_a_post_that_another_implementation_verifies_with_each_secret() {
    let endpoint = Endpoint::new();
    let (env, store) = told(&endpoint, &format!("secret = [\"{SECRET}\", \"{OTHER}\"]\n"));
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    let seen = endpoint.wait_for(1).remove(0);
    assert_eq!(seen.line, "POST /orders HTTP/1.1");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let file = env.value("SELECT file FROM identity").unwrap();
    assert_eq!(seen.header("webhook-id"), Some(format!("news_{file}_1").as_str()));
    let mut headers = HeaderMap::new();
    for (name, value) in &seen.headers {
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    for secret in [SECRET, OTHER] {
        Webhook::new(secret).unwrap().verify(seen.body.as_bytes(), &headers).unwrap();
    }
    let stranger = Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    assert!(stranger.verify(seen.body.as_bytes(), &headers).is_err());
    let json = seen.json();
    assert_eq!(json["type"], "order.changed");
    assert_eq!(json["data"]["subject_id"], "SALE-1");
    assert_eq!(json["data"]["current"]["status"], "PAID");
    assert!(json["data"]["previous"].is_null());
    env.wait_for_value(STATES, "delivered");
    let attempt = "SELECT concat_ws(' ', outcome, http_status, answer) FROM delivery_attempts";
    assert_eq!(env.value(attempt).as_deref(), Some("delivered 200 stored"));
}

#[test]
fn id_and_body_are_the_same_on_every_try_and_the_time_is_that_of_the_try() {
    let mut tries = 0;
    let endpoint = Endpoint::answering(move |_| {
        tries += 1;
        if tries < 3 { status(500, "", "") } else { super::ok() }
    });
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    let seen = endpoint.wait_for(3);
    for again in &seen[1..] {
        assert_eq!(again.body, seen[0].body);
        assert_eq!(again.header("webhook-id"), seen[0].header("webhook-id"));
    }
    assert!(seen[0].header("webhook-signature").is_none(), "there is no secret");
    let now = chrono::Utc::now().timestamp();
    for again in &seen {
        let sent: i64 = again.header("webhook-timestamp").unwrap().parse().unwrap();
        assert!((now - 60..=now).contains(&sent), "{sent} {now}");
    }
    env.wait_for_value(STATES, "delivered");
    assert_eq!(env.value("SELECT attempts FROM deliveries").as_deref(), Some("3"));
}

#[test]
fn a_redirect_is_not_followed_and_the_proxy_environment_is_ignored() {
    let elsewhere = Endpoint::new();
    let location = format!("Location: {}\r\n", elsewhere.url());
    let endpoint = Endpoint::answering(move |_| status(307, &location, ""));
    let (env, store) = told(&endpoint, "");
    let config = env.write_config();
    let proxy = format!("http://{}", elsewhere.addr);
    let serve = crate::support::Serve::start_with(&config, |command| {
        for name in ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"] {
            command.env(name, &proxy);
        }
    });
    sell(&serve, &store, 1, 1);
    endpoint.wait_for(2);
    assert!(elsewhere.seen().is_empty());
    let outcomes = "SELECT group_concat(DISTINCT outcome || http_status) FROM delivery_attempts";
    env.wait_for_value(outcomes, "refused307");
}

#[test]
fn include_adds_what_was_fetched_of_the_order_and_nothing_else_tells_it() {
    let (plain, rich) = (Endpoint::new(), Endpoint::new());
    let (env, store) = told(&plain, "");
    let env = env.action("crm", &format!("url = \"{}\"\ninclude = [\"email\", \"raw\"]\n", rich.url()));
    let serve = env.serve();
    store.put_order(crate::news::order(1).email("buyer@example.test"));
    announce(&serve, 1, 1);
    let rich = rich.wait_for(1).remove(0).json();
    assert_eq!(rich["data"]["email"], "buyer@example.test");
    assert_eq!(rich["data"]["raw"]["id"], "SALE-1");
    let plain = plain.wait_for(1).remove(0);
    assert!(!plain.body.contains("buyer@example.test"), "{}", plain.body);
}

#[test]
fn a_copy_made_by_backup_tells_under_another_id() {
    let endpoint = Endpoint::new();
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    let before = endpoint.wait_for(1).remove(0).header("webhook-id").unwrap().to_owned();
    env.wait_for_value(STATES, "delivered");
    let copy = env.folder().join("copy.db");
    assert!(env.run(&["backup", copy.to_str().unwrap()]).status.success());
    assert!(serve.stop().success());
    std::fs::rename(&copy, env.store_path()).unwrap();
    for suffix in ["-wal", "-shm"] {
        let mut beside = env.store_path().into_os_string();
        beside.push(suffix);
        drop(std::fs::remove_file(beside));
    }
    let serve = env.serve();
    sell(&serve, &store, 2, 2);
    let after = endpoint.wait_for(2).remove(1).header("webhook-id").unwrap().to_owned();
    let file = |id: &str| id.split('_').nth(1).unwrap().to_owned();
    assert_ne!(file(&before), file(&after));
    assert!(after.ends_with("_2"), "{after}");
}

#[test]
fn hostile_values_reach_no_header_log_line_or_terminal() {
    let endpoint = Endpoint::answering(|_| status(500, "", "\u{1b}[31mno\r\nX: y"));
    let (env, store) = told(&endpoint, "");
    let serve = env.serve();
    let hostile = countersign::simulator::ecwid::Order::new("SALE-1", 1)
        .paid()
        .email("a@b.example\r\nBcc: evil@example.com")
        .payment("PAID\u{1b}[31m\r\nX-Evil: 1\u{202e}");
    store.put_order(hostile);
    announce(&serve, 1, 1);
    let seen = endpoint.wait_for(1).remove(0);
    let known =
        ["webhook-id", "webhook-timestamp", "content-type", "content-length", "host", "accept", "user-agent"];
    for (name, _) in &seen.headers {
        assert!(known.contains(&name.as_str()), "{seen:#?}");
    }
    assert!(seen.body.contains("\\u001b") && !seen.body.contains('\u{1b}'));
    env.wait_for_value("SELECT count(*) > 0 FROM delivery_attempts WHERE answer = '[31mno  X: y'", "1");
    for arguments in
        [&["news"][..], &["news", "--json"], &["deliveries"], &["deliveries", "--json"], &["show", "1"]]
    {
        let output = env.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains(['\u{1b}', '\r', '\u{202e}']), "{arguments:?}: {said:?}");
    }
    assert!(
        !serve.log().contains(['\u{1b}', '\u{202e}']) && !serve.log().contains("X-Evil"),
        "{}",
        serve.log()
    );
}
