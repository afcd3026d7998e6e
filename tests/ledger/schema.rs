//! The tables there: made by any node at any moment, explained, and the same by hand.

use super::{Shop, assert_same, settled};
use crate::support::postgres::{Database, Postgres};
use crate::support::{Serve, TestEnv};

/// Every table, view, column, index and key of the ledger, as the engine describes them.
fn described(database: &Database) -> Vec<Vec<Option<String>>> {
    database.connect().rows(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
           WHERE table_schema = 'countersign'
         UNION ALL SELECT tablename, indexname, indexdef, NULL, NULL FROM pg_indexes WHERE schemaname = 'countersign'
         UNION ALL SELECT viewname, definition, NULL, NULL, NULL FROM pg_views WHERE schemaname = 'countersign'
         ORDER BY 1, 2",
    )
}

#[test]
fn eight_nodes_that_start_at_once_make_one_schema_and_each_ships_to_it() {
    let database = Postgres::shared().database();
    let shops: Vec<Shop> = (0..8).map(|n| Shop::new().ledger(&database.keys(&format!("n{n}")))).collect();
    let serves: Vec<Serve> = shops.iter().map(Shop::serve).collect();
    for (n, (shop, serve)) in shops.iter().zip(&serves).enumerate() {
        shop.sell(serve, 1, 1);
        database.wait_for(&settled(&format!("n{n}")), "1");
        assert_same(shop, &database, &format!("n{n}"));
    }
    assert_eq!(
        database.value("SELECT string_agg(version::text, ' ') FROM countersign.versions").as_deref(),
        Some("1")
    );
    for serve in serves {
        assert!(!serve.log().contains("nothing is shipped"), "{}", serve.log());
    }
}

#[test]
fn the_printed_schema_is_the_one_that_serve_makes_and_may_be_run_again() {
    let made = Postgres::shared().database();
    let shop = Shop::new().ledger(&made.keys("a"));
    let serve = shop.serve();
    made.wait_for("SELECT count(*) FROM countersign.nodes", "1");
    assert!(serve.stop().success());
    let by_hand = Postgres::shared().database();
    let script = shop.env.run(&["ledger", "schema"]);
    assert!(script.status.success(), "{script:?}");
    let script = String::from_utf8(script.stdout).unwrap();
    for _ in 0..2 {
        by_hand.connect().run(&script);
        assert_eq!(described(&by_hand), described(&made));
    }
    assert_eq!(by_hand.value("SELECT count(*) FROM countersign.versions").as_deref(), Some("1"));
}

#[test]
fn every_table_view_and_column_of_the_ledger_is_explained() {
    let database = Postgres::shared().database();
    let script = TestEnv::new().source("shop", "provider = \"ecwid\"\nstore_id = 1\ntoken = \"t\"");
    let script = script.ledger(&database.keys("a")).run(&["ledger", "schema"]);
    database.connect().run(&String::from_utf8(script.stdout).unwrap());
    let unexplained = "SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'countersign'
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r'
       WHERE c.relkind IN ('r', 'v')
         AND (obj_description(c.oid) IS NULL OR (a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL))";
    assert_eq!(database.connect().rows(unexplained), Vec::<Vec<Option<String>>>::new());
}

#[test]
fn a_schema_may_have_another_name() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&(database.keys("a") + "\nschema = \"other\""));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for("SELECT count(*) FROM other.notifications WHERE state = 'confirmed'", "1");
    assert!(serve.stop().success());
}
