//! SIGHUP: the configuration is read again.

use std::time::Duration;

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Trouble};

use super::edit;
use crate::support::formats::{self, API_KEY, KEYS, SHOP, TOKEN};
use crate::support::{Serve, TestEnv, assert_verdict, paid};

const PATIENCE: Duration = Duration::from_secs(30);

/// Asks for a reload and waits until it is over.
fn reload(serve: &Serve) {
    let before = serve.log().lines().filter(|line| is_over(line)).count();
    serve.signal("HUP");
    serve.wait_for_lines("the reload is over", before + 1, is_over);
}

fn is_over(line: &str) -> bool {
    line.ends_with("reloaded the configuration") || line.ends_with("stays in force")
}

#[test]
fn a_new_secret_counts_and_the_old_one_no_longer() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let status =
        |secret: &str| serve.send(&KEYS.request(KEYS.truth(1207)).header("X-Event-Secret", secret)).status;
    assert_eq!((status("old"), status("new")), (204, 204), "none is configured");
    edit(&env, "[sources.keys]", "[sources.keys]\nsecret = \"old\"");
    reload(&serve);
    assert_eq!((status("old"), status("new")), (204, 401));
    edit(&env, "secret = \"old\"", "secret = [\"new\", \"old\"]");
    reload(&serve);
    assert_eq!((status("old"), status("new")), (204, 204));
    edit(&env, "secret = [\"new\", \"old\"]", "secret = \"new\"");
    reload(&serve);
    assert_eq!((status("old"), status("new")), (401, 204));
    for secret in ["old\"", "new\"", API_KEY, TOKEN] {
        assert!(!serve.log().contains(secret), "{}", serve.log());
    }
}

#[test]
fn a_file_with_mistakes_changes_nothing_and_each_mistake_is_a_line_of_the_log() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let path = env.folder().join("countersign.toml");
    let right = std::fs::read_to_string(&path).unwrap();
    edit(&env, "[verify]", "[verify]\nconcurrency = 0");
    edit(&env, "[sources.shop]", "[sources.shop]\npath_token = \"a/b\"\ntokn = \"x\"");
    reload(&serve);
    let log = serve.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("not reloaded: ")).collect();
    assert_eq!(lines.len(), 4, "{log}");
    for (line, key) in
        lines.iter().zip(["verify.concurrency", "sources.shop.path_token", "sources.shop.tokn"])
    {
        assert!(line.contains(&format!(": {key}: ")) && line.contains("countersign.toml:"), "{line}");
    }
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    std::fs::remove_file(&path).unwrap();
    reload(&serve);
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    // A name that belongs to another provider is no less a mistake.
    std::fs::write(
        &path,
        right.replace("[sources.old]", "[sources.was-old]").replace("[sources.shop]", "[sources.old]"),
    )
    .unwrap();
    reload(&serve);
    assert!(serve.log().contains("sources.old: this name belongs to provider ecwid-ion"), "{}", serve.log());
    assert_eq!(serve.post("shop", SHOP.truth(1207)).status, 200);
    assert_eq!(serve.post("was-old", "x").status, 404);
}

#[test]
fn a_removed_source_waits_and_is_named_and_comes_back_with_what_waited() {
    let env = TestEnv::new().ion_shop("shop", 1003, 3).ion_shop("other", 1004, 3);
    let shops = env.simulator.shops();
    let serve = env.serve();
    let held = shops.add_fault(Fault::new(Trouble::NotJson).store("1004"));
    serve.post("other", paid(1004, "o.1"));
    serve.pending(1, "api_error");
    let path = env.folder().join("countersign.toml");
    let both = std::fs::read_to_string(&path).unwrap();
    let (only_shop, _) = both.split_at(both.find("[sources.other]").unwrap());
    std::fs::write(&path, only_shop).unwrap();
    reload(&serve);
    shops.clear_fault(held);
    let named = serve.wait_for_line("it is named", |line| line.contains("source=other removed"));
    assert!(named.contains("and 1 of its notifications wait"), "{named}");
    assert_eq!(serve.post("other", paid(1004, "o.2")).status, 404);
    assert!(serve.admin_page("/readyz").text().contains("\"name\":\"other\",\"pending\":1"));
    let metrics = serve.admin_page("/metrics").text();
    assert!(!metrics.contains("countersign_pending{source=\"other\"}"), "{metrics}");
    serve.post("shop", paid(1003, "o.1"));
    serve.settled(2);
    assert_eq!(env.row(1).state, "pending");
    std::fs::write(&path, both).unwrap();
    reload(&serve);
    assert_eq!(serve.post("other", paid(1004, "o.2")).status, 200);
    serve.settled(1);
    serve.settled(3);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(3), "confirmed", "match");
}

#[test]
fn a_reload_ends_the_pause_of_a_source_whose_credentials_were_wrong() {
    let env = TestEnv::new().verify("denied_pause = \"1h\"").ion_shop("shop", 1003, 1);
    let serve = {
        env.write_config();
        edit(&env, "secret_ion_token", "secret_wrong_token");
        Serve::spawn(super::serve_command(&env.folder().join("countersign.toml")))
    };
    serve.post("shop", paid(1003, "o.1"));
    serve.pending(1, "api_denied");
    edit(&env, "secret_wrong_token", "secret_ion_token");
    reload(&serve);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn a_question_under_way_ends_or_is_given_back_before_the_next_worker_begins() {
    let env =
        TestEnv::new().verify("timeout = \"60s\"").server_keys("drain = \"300ms\"").ion_shop("shop", 1003, 3);
    let shops = env.simulator.shops();
    let serve = env.serve();
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    reload(&serve);
    assert!(serve.log().contains("released 1 unanswered calls"), "{}", serve.log());
    assert!(shops.wait_for_calls(2, PATIENCE), "the next worker asks it again");
    shops.clear_fault(held);
    serve.settled(1);
    // One that ends within the drain is not asked again.
    edit(&env, "drain = \"300ms\"", "drain = \"20s\"");
    reload(&serve);
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    serve.post("shop", paid(1003, "o.2"));
    assert!(shops.wait_for_calls(3, PATIENCE));
    serve.signal("HUP");
    serve.wait_for_lines("it reloads", 3, |line| line.contains("reloading the configuration"));
    shops.clear_fault(held);
    serve.settled(2);
    for id in 1..=2 {
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.outcomes, ["match"], "{row:#?}");
    }
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
}

#[test]
fn a_stop_during_a_reload_is_obeyed() {
    let env =
        TestEnv::new().verify("timeout = \"60s\"").server_keys("drain = \"2s\"").ion_shop("shop", 1003, 1);
    let shops = env.simulator.shops();
    shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve();
    serve.post("shop", paid(1003, "o.1"));
    assert!(shops.wait_for_calls(1, PATIENCE));
    serve.signal("HUP");
    serve.wait_for_line("it reloads", |line| line.contains("reloading the configuration"));
    assert_eq!(serve.stop().code(), Some(0));
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
}

#[test]
fn what_can_change_does_and_what_cannot_is_named() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    let large = vec![b'x'; 2000];
    assert_eq!(serve.post("old", large.clone()).status, 200);
    edit(&env, "[server]", "[server]\nmax_body = \"1KiB\"");
    edit(&env, "listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:1\"");
    edit(&env, "admin_listen = \"127.0.0.1:1\"", "admin_listen = \"127.0.0.1:2\"");
    edit(&env, "path = \"countersign.db\"", "path = \"elsewhere.db\"");
    reload(&serve);
    for key in ["server.listen", "server.admin_listen", "store.path"] {
        let named = |line: &str| line.contains(&format!(" {key} was changed, but needs a restart"));
        serve.wait_for_line(key, named);
    }
    assert_eq!(serve.post("old", large).status, 413);
    assert_eq!(serve.post("old", "x").status, 200);
    assert_eq!(env.rows().len(), 2);
    edit(&env, "min_free = \"1MiB\"", "min_free = \"1000000GiB\"");
    reload(&serve);
    serve.wait_for_line("the disk counts as full", |line| line.contains("less disk space"));
    assert_eq!(serve.post("old", "x").status, 503);
    edit(&env, "min_free = \"1000000GiB\"", "min_free = \"1MiB\"");
    reload(&serve);
    serve.wait_for_line("there is room", |line| line.contains("enough disk space is free again"));
    env.ion_store(1003).put_order(Order::new("o.9", 49).paid());
    assert_eq!(serve.post("old", "x").status, 200);
}
