//! A ledger that comes and goes, ways to reach it, and what the owner is told.

use super::{Shop, assert_same, assert_silent, settled};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{Serve, TestEnv};

/// Puts the environment's configuration in force.
fn reload(env: &TestEnv, serve: &Serve) {
    env.write_config();
    let before = serve.log().matches("reloaded the configuration").count();
    serve.signal("HUP");
    serve.wait_for_lines("the reload is over", before + 1, |line| {
        line.ends_with("reloaded the configuration")
    });
}

#[test]
fn a_ledger_comes_moves_and_goes_with_a_reload() {
    let database = Postgres::shared().database();
    let shop = Shop::new();
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    let shop = shop.ledger(&database.keys("a"));
    reload(&shop.env, &serve);
    database.wait_for(&settled("a"), "1");
    shop.sell(&serve, 2, 2);
    database.wait_for(&settled("a"), "2");
    let shop = Shop { env: shop.env.without_ledger(), ..shop };
    reload(&shop.env, &serve);
    shop.env.wait_for_value(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'changes_*'",
        "0",
    );
    shop.sell(&serve, 3, 3);
    assert_eq!(shop.wait_for_warning(None), "");
    assert_eq!(database.value(&settled("a")).as_deref(), Some("2"));
    let other = Postgres::shared().database();
    let shop = shop.ledger(&other.keys("b"));
    reload(&shop.env, &serve);
    other.wait_for(&settled("b"), "3");
    assert_same(&shop, &other, "b");
    let shop = Shop { env: shop.env.without_ledger(), ..shop }.ledger(&database.keys("a"));
    reload(&shop.env, &serve);
    database.wait_for(&settled("a"), "3");
    assert_same(&shop, &database, "a");
    assert_silent(&serve);
    assert!(serve.stop().success());
}

#[test]
fn a_socket_and_the_second_of_two_hosts_lead_to_the_engine() {
    let database = Postgres::shared().database();
    let (name, port) = (database.name(), database.postgres().addr().port());
    let folder = database.postgres().socket_folder().display().to_string();
    let dead = crate::support::postgres::free_port();
    for (node, url) in [
        ("socket", format!("postgres://{name}@/{name}?host={folder}&port={port}")),
        ("second", format!("postgres://{name}@127.0.0.1:{dead},localhost:{port}/{name}")),
    ] {
        let shop = Shop::new().ledger(&database.keys_at(&url, node));
        let serve = shop.serve();
        shop.sell(&serve, 1, 1);
        database.wait_for(&settled(node), "1");
        let sessions = "SELECT count(*) > 0 FROM pg_stat_activity
                        WHERE application_name = 'countersign' AND datname = current_database()";
        assert_eq!(database.value(sessions).as_deref(), Some("t"));
        assert!(serve.stop().success());
    }
}

#[test]
fn no_statement_has_a_name_and_no_session_keeps_a_state() {
    let database = Postgres::shared().database();
    // The engine notes every statement here, and under which name it was prepared.
    database.connect().run(&format!("ALTER DATABASE {} SET log_statement = 'all'", database.name()));
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    for id in 1..=5 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
        database.wait_for(&settled("a"), &id.to_string());
    }
    let log = std::fs::read_to_string(database.postgres().socket_folder().join("log")).unwrap();
    let mut unnamed = 0;
    for line in log.lines() {
        if let Some((_, executed)) = line.split_once("LOG:  execute ") {
            assert!(executed.starts_with("<unnamed>"), "{line}");
            unnamed += 1;
        }
        for word in ["LOG:  parse ", "statement: SET ", "TEMP TABLE", "pg_advisory", "statement: LISTEN"] {
            assert!(!line.contains(word), "{line}");
        }
    }
    assert!(unnamed > 10, "{log}");
    assert!(serve.stop().success());
}

#[test]
fn no_output_holds_the_password() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for(&settled("a"), "1");
    for command in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["doctor"],
        &["status"],
        &["status", "--json"],
        &["ledger", "schema"],
        &["ledger", "take-over"],
    ] {
        let output = shop.env.run(command);
        for text in [&output.stdout, &output.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(PASSWORD), "{command:?}");
        }
    }
    let metrics = serve.admin_page("/metrics").text();
    assert!(metrics.contains("countersign_ledger_waiting"), "{metrics}");
    assert!(!metrics.contains(PASSWORD));
    let file = std::fs::read(shop.env.store_path()).unwrap();
    assert!(!file.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
    assert_silent(&serve);
}
