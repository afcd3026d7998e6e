//! What the store's owner may rely on: names, forms and views.

use rusqlite::Connection;

use crate::support::formats::{self, FORMATS, GAME, KEYS, OLD, SHOP};
use crate::support::{Row, Serve, TestEnv};

pub(crate) const STABLE: [(&str, &str); 8] = [
    (
        "notifications",
        "id source provider received_at remote_addr content_type headers body event subject_kind subject_id \
         resolved_id claim event_time state reason detail duplicate_of news attempts next_attempt_at decided_at origin",
    ),
    ("verifications", "id notification_id call_id at outcome http_status latency_ms detail answer"),
    (
        "orders",
        "source order_id status fulfillment_status total currency email updated_at fetched_at gone_at raw",
    ),
    ("products", "source product_id name price currency qty available updated_at fetched_at raw"),
    ("refusals", "source day cause count last_at last_remote_addr"),
    ("fakes", "id source state reason"),
    ("open", "id source state reason age"),
    ("daily", "day source received confirmed ignored fakes duplicates pending undecided"),
];

fn texts(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_stable_tables_and_views_have_at_least_the_columns_of_the_contract() {
    let env = formats::env();
    let _serve = env.serve();
    let conn = Connection::open(env.store_path()).unwrap();
    for (table, columns) in STABLE {
        let there = texts(&conn, &format!("SELECT name FROM pragma_table_info('{table}')"));
        for column in columns.split_whitespace() {
            assert!(there.iter().any(|name| name == column), "{table}.{column}: {there:?}");
        }
        assert!(conn.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap().query([]).is_ok());
    }
}

#[test]
fn every_table_is_strict() {
    let env = formats::env();
    let _serve = env.serve();
    let conn = Connection::open(env.store_path()).unwrap();
    let loose = "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'";
    assert_eq!(texts(&conn, loose), Vec::<String>::new());
}

#[test]
fn every_table_view_and_column_is_explained_in_the_schema_file() {
    let mut unexplained = Vec::new();
    let (mut is_table, mut before) = (false, "");
    for line in include_str!("../../sql/schema.sql").lines() {
        let is_column =
            is_table && line.starts_with("  ") && line[2..].starts_with(|c: char| c.is_lowercase());
        if is_column && !line.contains(" -- ") {
            unexplained.push(line);
        }
        let begins = line.starts_with("CREATE TABLE") || line.starts_with("CREATE VIEW");
        if begins && !before.starts_with("-- ") {
            unexplained.push(line);
        }
        is_table = line.starts_with("CREATE TABLE") || (is_table && !line.starts_with(')'));
        before = line;
    }
    assert_eq!(unexplained, Vec::<&str>::new());
}

#[test]
fn times_are_rfc_3339_utc_with_milliseconds_and_days_are_days() {
    let (env, serve) = settled_mix();
    assert_eq!(serve.send(&SHOP.request_to("/hooks/shop/unasked", "{}")).status, 404);
    assert!(serve.stop().success());
    let conn = Connection::open(env.store_path()).unwrap();
    let time = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9]Z";
    for (table, column, least) in [
        ("notifications", "received_at", 10),
        ("notifications", "event_time", 4),
        ("notifications", "decided_at", 10),
        ("verifications", "at", 5),
        ("orders", "fetched_at", 5),
        ("orders", "updated_at", 1),
        ("refusals", "last_at", 1),
    ] {
        let sql =
            format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL AND {column} GLOB '{time}'");
        assert!(texts(&conn, &sql).len() >= least, "{table}.{column}");
        let sql = format!("SELECT {column} FROM {table} WHERE {column} NOT GLOB '{time}'");
        assert_eq!(texts(&conn, &sql), Vec::<String>::new(), "{table}.{column}");
    }
    let day = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]";
    for table in ["refusals", "daily"] {
        assert_eq!(texts(&conn, &format!("SELECT day FROM {table} WHERE day NOT GLOB '{day}'")).len(), 0);
    }
    assert_eq!(texts(&conn, "SELECT total FROM orders WHERE typeof(total) NOT IN ('text', 'null')").len(), 0);
}

/// Ten notifications: five true ones, a duplicate, and four that are ignored.
fn settled_mix() -> (TestEnv, Serve) {
    let env = formats::env();
    let serve = env.serve();
    for format in FORMATS {
        serve.send(&format.request(format.truth(1207)));
    }
    for id in 1..=5 {
        serve.settled(id);
    }
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.send(&OLD.request(OLD.truth(9999)));
    serve.send(&KEYS.request(KEYS.truth(1208).replace("completed", "refunded")));
    serve.send(&GAME.request(GAME.truth(1208).replace("pr-77", "pr-78")));
    serve.send(&SHOP.request("nonsense"));
    for id in 6..=10 {
        serve.settled(id);
    }
    (env, serve)
}

fn reasons(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.reason.as_deref()).collect()
}

#[test]
fn fakes_are_those_ignored_as_not_found_mismatch_or_wrong_store() {
    let (env, _serve) = settled_mix();
    let expected = [
        "match",
        "match",
        "match",
        "match",
        "match",
        "duplicate",
        "not_found",
        "mismatch",
        "wrong_store",
        "malformed",
    ];
    assert_eq!(reasons(&env.rows()), expected);
    let fakes = "SELECT group_concat(id || ' ' || reason) FROM (SELECT id, reason FROM fakes ORDER BY id)";
    assert_eq!(env.value(fakes).as_deref(), Some("7 not_found,8 mismatch,9 wrong_store"));
}

#[test]
fn daily_counts_each_source_of_a_day_by_what_became_of_its_notifications() {
    let (env, serve) = settled_mix();
    drop(serve);
    let serve = env.serve_with(&["--no-worker"]);
    serve.send(&SHOP.request(SHOP.truth(1209)));
    let daily = |source: &str| {
        env.value(&format!(
            "SELECT concat_ws(' ', received, confirmed, ignored, fakes, duplicates, pending, undecided) FROM daily
             WHERE source = '{source}' AND day = (SELECT substr(received_at, 1, 10) FROM notifications WHERE id = 1)"
        ))
    };
    for (source, counts) in [
        ("old", "2 1 1 1 0 0 0"),
        ("shop", "4 1 2 0 1 1 0"),
        ("pop", "1 1 0 0 0 0 0"),
        ("keys", "2 1 1 1 0 0 0"),
        ("game", "2 1 1 1 0 0 0"),
    ] {
        assert_eq!(daily(source).as_deref(), Some(counts), "{source}");
    }
}

#[test]
fn open_shows_what_waits_oldest_first_with_its_age() {
    let env = formats::env();
    let serve = env.serve_with(&["--no-worker"]);
    for format in FORMATS {
        serve.send(&format.request(format.truth(1207)));
    }
    let open = "SELECT group_concat(id || state || (age GLOB '0d 00:0[0-9]:[0-9][0-9]')) FROM open";
    let expected: Vec<String> = (1..=5).map(|id| format!("{id}pending1")).collect();
    assert_eq!(env.value(open), Some(expected.join(",")));
    drop(serve);
    let serve = env.serve();
    serve.settled(5);
    for id in 1..5 {
        serve.settled(id);
    }
    assert_eq!(env.value("SELECT count(*) FROM open").as_deref(), Some("0"));
}

#[test]
fn orders_and_products_hold_what_the_api_said() {
    let (env, serve) = settled_mix();
    let product = r#"{"eventId":"p","eventCreated":1764000000,"storeId":1003,"entityId":70123,"eventType":"product.updated"}"#;
    serve.send(&SHOP.request(product));
    serve.send(&formats::POP.request(r#"{"kinguinId":70123,"updatedAt":"2025-03-04T10:15:09+00:00"}"#));
    serve.settled(11);
    serve.settled(12);
    let orders = "SELECT group_concat(concat_ws(' ', source, order_id, status, total, currency), '|')
                  FROM (SELECT * FROM orders WHERE order_id LIKE '%1207' ORDER BY source)";
    let expected = "game T1207 Completed 8.98 EUR|keys K1207 completed 12.40 EUR|old 1207 PAID 24.5|\
                    pop K1207 completed 12.40 EUR|shop 1207 PAID 24.5";
    assert_eq!(env.value(orders).as_deref(), Some(expected));
    let products = "SELECT group_concat(concat_ws(' ', source, product_id, name, price, qty, available), '|')
                    FROM (SELECT * FROM products ORDER BY source)";
    let expected = "pop 70123 Example Game Key 6.20 31 1|shop 70123 Mug 10 41 1";
    assert_eq!(env.value(products).as_deref(), Some(expected));
    assert_eq!(env.value("SELECT count(*) FROM orders WHERE NOT json_valid(raw)").as_deref(), Some("0"));
}
