//! The engine away, silent, slow, full, read-only, gone back, without privileges, with another schema.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::proxy::Proxy;
use super::{Shop, assert_same, assert_silent, settled};
use crate::support::Serve;
use crate::support::postgres::{Database, Postgres};

/// Waits until the log says that nothing is shipped, because of `why`.
#[track_caller]
fn wait_for_failure(serve: &Serve, why: &str) -> String {
    serve.wait_for_line(&format!("the ledger fails: {why}"), |line| {
        line.contains("nothing is shipped: ") && line.contains(why)
    })
}

/// A shop with one order sold and shipped.
fn shipping(database: &Database) -> (Shop, Serve) {
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for(&settled("a"), "1");
    (shop, serve)
}

#[test]
fn without_its_engine_serve_starts_acknowledges_and_judges_and_then_catches_up() {
    let postgres = Arc::new(Postgres::start());
    let database = postgres.database();
    postgres.kill();
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    wait_for_failure(&serve, "127.0.0.1");
    for n in 1..=20 {
        shop.sell(&serve, n, i64::try_from(n).unwrap());
    }
    postgres.start_again();
    database.wait_for(&settled("a"), "20");
    serve.wait_for_line("it ships again", |line| line.contains("ships again"));
    assert_same(&shop, &database, "a");
    // And in the middle.
    postgres.kill();
    shop.sell(&serve, 21, 21);
    postgres.start_again();
    database.wait_for(&settled("a"), "21");
    assert_eq!(shop.wait_for_warning(None), "");
    assert_silent(&serve);
    assert!(serve.stop().success());
}

#[test]
fn a_silent_engine_is_given_up_after_half_a_minute_and_nothing_else_waits_for_it() {
    let database = Postgres::shared().database();
    let proxy = Proxy::new(database.postgres().addr());
    let shop = Shop::new().ledger(&database.keys_at(&database.url_at(proxy.addr), "a"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for(&settled("a"), "1");
    proxy.shut();
    let since = Instant::now();
    let mut n = 1;
    while !serve.log().contains("did not answer within 30 s") {
        n += 1;
        let began = Instant::now();
        shop.sell(&serve, n, i64::try_from(n).unwrap());
        assert!(began.elapsed() < Duration::from_secs(15), "a verdict waited for the ledger");
        assert!(since.elapsed() < Duration::from_secs(120), "{}", serve.log());
        shop.disk.pass(10);
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(serve.most_memory() < 150, "{} MiB", serve.most_memory());
    proxy.cut();
    proxy.open();
    database.wait_for(&settled("a"), &n.to_string());
    assert_same(&shop, &database, "a");
    // A silent engine keeps no serve from stopping.
    proxy.shut();
    shop.tell(&serve, n + 1);
    let began = Instant::now();
    assert!(serve.stop().success());
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
}

#[test]
fn a_full_disk_of_the_engine_is_named_and_passes() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    database.connect().run(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON countersign.notifications EXECUTE FUNCTION full_disk()",
    );
    shop.sell(&serve, 2, 2);
    wait_for_failure(&serve, "No space left on device");
    assert_eq!(database.value("SELECT count(*) FROM countersign.notifications").as_deref(), Some("1"));
    database.connect().run("DROP TRIGGER full_disk ON countersign.notifications");
    database.wait_for(&settled("a"), "2");
    assert_same(&shop, &database, "a");
    assert!(serve.stop().success());
}

#[test]
fn conflicts_and_a_read_only_engine_are_tried_again_as_a_whole() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    for (id, state) in (2..).zip(["40001", "40P01"]) {
        database.connect().run(&format!(
            "CREATE OR REPLACE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE 'try again' USING ERRCODE = '{state}'; END $$;
             CREATE TRIGGER conflict BEFORE INSERT ON countersign.news EXECUTE FUNCTION conflict()"
        ));
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
        wait_for_failure(&serve, state);
        let count = "SELECT count(*) FROM countersign.notifications WHERE state = 'confirmed'";
        assert_eq!(database.value(count), Some((id - 1).to_string()), "half a batch is there");
        database.connect().run("DROP TRIGGER conflict ON countersign.news");
        database.wait_for(&settled("a"), &id.to_string());
    }
    let name = database.name().to_owned();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'countersign' AND datname = current_database()";
    database.connect().run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    database.connect().run(cut);
    shop.sell(&serve, 4, 4);
    wait_for_failure(&serve, "25006");
    let owner = database.connect();
    owner.run("SET default_transaction_read_only = off");
    owner.run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    owner.run(cut);
    database.wait_for(&settled("a"), "4");
    assert_same(&shop, &database, "a");
    assert!(serve.stop().success());
}

#[test]
fn a_ledger_that_went_back_to_an_older_dump_is_filled_again() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    let owner = database.connect();
    // The dump: what is there now, beside what comes after it.
    let tables = ["nodes", "notifications", "news", "orders"];
    for table in tables {
        owner.run(&format!("CREATE TABLE public.dump_{table} AS SELECT * FROM countersign.{table}"));
    }
    for id in 2..=9 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
    }
    database.wait_for(&settled("a"), "9");
    let restore: String = tables
        .iter()
        .map(|table| {
            format!(
                "TRUNCATE countersign.{table}; INSERT INTO countersign.{table} SELECT * FROM public.dump_{table};"
            )
        })
        .collect();
    owner.run(&format!("BEGIN; {restore} COMMIT"));
    // It finds out by its next batch or its next sign of life.
    database.wait_for(&settled("a"), "9");
    shop.sell(&serve, 10, 10);
    database.wait_for(&settled("a"), "10");
    database.wait_for("SELECT count(*) FROM countersign.orders", "10");
    assert_same(&shop, &database, "a");
    // And if it is made anew.
    owner.run("DROP SCHEMA countersign CASCADE");
    shop.sell(&serve, 11, 11);
    database.wait_for(&settled("a"), "11");
    database.wait_for("SELECT count(*) FROM countersign.orders", "11");
    assert_same(&shop, &database, "a");
    assert!(serve.stop().success());
}

#[test]
fn a_role_without_privileges_is_refused_by_name_and_ships_once_it_has_them() {
    let database = Postgres::shared().database();
    let owner = database.connect();
    let name = database.name();
    owner.run(&format!(
        "ALTER DATABASE {name} OWNER TO CURRENT_USER; REVOKE ALL ON SCHEMA public FROM PUBLIC"
    ));
    let shop = Shop::new().ledger(&database.keys("a"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    wait_for_failure(&serve, "42501");
    let warning = shop.wait_for_warning(Some("ledger_refused"));
    assert!(warning.contains("permission denied"), "{warning}");
    assert_eq!(shop.env.run(&["status"]).status.code(), Some(3));
    let doctor = shop.env.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("WRONG  ledger: ") && said.contains("countersign ledger schema"), "{said}");
    // As its owner is told to.
    let script = shop.env.run(&["ledger", "schema"]);
    owner.run(&String::from_utf8(script.stdout).unwrap());
    owner.run(&format!("GRANT USAGE ON SCHEMA countersign TO {name}"));
    owner.run(&format!("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA countersign TO {name}"));
    database.wait_for(&settled("a"), "1");
    assert_eq!(shop.wait_for_warning(None), "");
    assert_eq!(shop.env.run(&["doctor"]).status.code(), Some(0));
    shop.sell(&serve, 2, 2);
    database.wait_for(&settled("a"), "2");
    assert_same(&shop, &database, "a");
    assert_silent(&serve);
}

#[test]
fn a_wrong_password_and_a_missing_database_are_refused_without_a_secret() {
    let database = Postgres::shared().database();
    let wrong = database.keys("a").replace(crate::support::postgres::PASSWORD, "not-the-password");
    let shop = Shop::new().ledger(&wrong);
    let serve = shop.serve();
    wait_for_failure(&serve, "28P01");
    let warning = shop.wait_for_warning(Some("ledger_refused"));
    assert!(warning.contains("password authentication failed") && !warning.contains("not-the-password"));
    assert!(!serve.log().contains("not-the-password"));
    assert!(serve.stop().success());
    let url = format!("postgres://{}@{}/nowhere", database.name(), database.postgres().addr());
    let shop = Shop::new().ledger(&database.keys_at(&url, "a"));
    let serve = shop.serve();
    wait_for_failure(&serve, "3D000");
    assert_silent(&serve);
}

#[test]
fn nothing_is_shipped_to_a_newer_schema_and_all_of_it_once_the_schema_is_ours() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    assert!(serve.stop().success());
    database.connect().run("INSERT INTO countersign.versions (version) VALUES (99)");
    let serve = shop.serve();
    shop.sell(&serve, 2, 2);
    wait_for_failure(&serve, "has version 99");
    let warning = shop.wait_for_warning(Some("ledger_refused"));
    assert!(warning.contains("upgrade countersign"), "{warning}");
    assert_eq!(shop.env.run(&["doctor"]).status.code(), Some(1));
    assert_eq!(database.value("SELECT count(*) FROM countersign.notifications").as_deref(), Some("1"));
    database.connect().run("DELETE FROM countersign.versions WHERE version = 99");
    database.wait_for(&settled("a"), "2");
    assert!(serve.stop().success());
}

#[test]
fn a_table_that_is_not_ours_is_named_by_its_column() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    assert!(serve.stop().success());
    database.connect().run("ALTER TABLE countersign.orders RENAME COLUMN total TO sum");
    let serve = shop.serve();
    wait_for_failure(&serve, "orders.total");
    let doctor = shop.env.run(&["doctor"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("orders.total"), "{doctor:?}");
    database.connect().run("ALTER TABLE countersign.orders RENAME COLUMN sum TO total");
    serve.wait_for_line("it ships again", |line| line.contains("ships again"));
}

#[test]
fn a_slow_engine_slows_the_ledger_alone() {
    let database = Postgres::shared().database();
    let (shop, serve) = shipping(&database);
    database.connect().run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER INSERT ON countersign.notifications EXECUTE FUNCTION slow()",
    );
    for id in 2..=20 {
        let began = Instant::now();
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
        assert!(began.elapsed() < Duration::from_secs(15), "a verdict waited for the ledger");
    }
    database.wait_for(&settled("a"), "20");
    assert_same(&shop, &database, "a");
    assert!(serve.stop().success());
}
