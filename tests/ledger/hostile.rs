//! Bytes, numbers and times that no type holds, in every column: nothing stops, and `unfit` names them.

use super::{Shop, settled};
use crate::support::formats::{self, FORMATS, SHOP};
use crate::support::postgres::Postgres;

const ALL: &str =
    "\ninclude = [\"body\", \"headers\", \"remote_addr\", \"email\", \"answer\", \"raw\", \"verifications\"]";

#[test]
fn what_strangers_send_reaches_the_ledger_whatever_it_is() {
    let database = Postgres::shared().database();
    let env = formats::env().ledger(&(database.keys("h") + ALL));
    let serve = env.serve();
    let deep = format!("{}1{}", "[".repeat(9000), "]".repeat(9000));
    let bodies: Vec<Vec<u8>> = vec![
        vec![0, 255, 254, 0],
        b"\xed\xa0\x80\xed\xb0\x80".to_vec(),
        SHOP.truth(1207).replace("e-1207", "\\u0000\\ud800").into_bytes(),
        SHOP.truth(1208).replace("1764000000", "1e308").into_bytes(),
        SHOP.truth(1208).replace("PAID", "\\ud83d\\ude00 \\udfff").into_bytes(),
        SHOP.truth(1209).replace("\"1209\"", "\"\u{202e}';DROP TABLE--\"").into_bytes(),
        deep.into_bytes(),
        vec![b'9'; 100_000],
    ];
    let mut id = 0;
    for format in FORMATS {
        for body in &bodies {
            serve.send(&format.request(body.clone()).header("X-Odd", "\u{fc}"));
            id += 1;
        }
    }
    serve.send(&SHOP.request(SHOP.truth(1207)));
    id += 1;
    serve.settled(id);
    let count = id.to_string();
    database.wait_for("SELECT count(*) FROM countersign.notifications", &count);
    let bodies =
        database.connect().rows("SELECT id, encode(body, 'hex') FROM countersign.notifications ORDER BY id");
    for row in bodies {
        let id = row[0].as_ref().unwrap();
        let ours = env.value(&format!("SELECT lower(hex(body)) FROM notifications WHERE id = {id}"));
        assert_eq!(row[1], ours, "body {id}");
    }
    assert!(!serve.log().contains("nothing is shipped"), "{}", serve.log());
    assert!(serve.stop().success());
}

#[test]
fn what_a_column_cannot_hold_is_null_and_named_and_stops_nothing() {
    let database = Postgres::shared().database();
    let shop = Shop::new();
    let serve = shop.serve();
    for id in 1..=3 {
        shop.sell(&serve, u64::try_from(id).unwrap(), id);
    }
    assert!(serve.stop().success());
    let long = "x".repeat(5000);
    let conn = rusqlite::Connection::open(shop.env.store_path()).unwrap();
    conn.execute_batch(&format!(
        "UPDATE intake SET headers = '{{\"a\": \"\\u0000\\ud800\"}}' WHERE id = 1;
         UPDATE intake SET headers = 'no JSON', content_type = CAST(x'61006200' AS TEXT), body = x'00ff' WHERE id = 2;
         UPDATE verdicts SET event_time = '2026-02-31T00:00:00.000Z', detail = 'a' || char(0) || 'b',
           claim = '{{\"n\": 1e999999}}' WHERE notification_id = 2;
         UPDATE verdicts SET event_time = '12026-01-01T00:00:00.000Z', claim = '[' WHERE notification_id = 3;
         INSERT INTO orders (source, order_id, status, total, currency, email, fetched_at, raw, notified_at)
         VALUES ('shop', '{long}a', 'PAID', 'NaN', 'EUR', 'a@b', '2026-01-01T00:00:00.000Z', '{{', '2026-01-01T00:00:00.000Z'),
                ('shop', '{long}b', 'PAID', '1e5000', 'EUR', 'a@b', '2026-01-01T00:00:00.000Z', '1', '2026-01-01T00:00:00.000Z'),
                ('shop', 'c' || char(0), 'first', '-0.50', 'EUR', 'a@b', '2026-01-01T00:00:00.000Z', '1', '2026-01-01T00:00:00.000Z'),
                ('shop', 'c' || char(65533), 'last', '.5', 'EUR', 'a@b', '2026-01-01T00:00:00.000Z', '1', '2026-01-01T00:00:00.000Z');
         INSERT INTO products (source, product_id, name, price, qty, fetched_at, notified_at)
         VALUES ('shop', 'p', char(0), '12.5.1', 9223372036854775807, 'yesterday', '2026-01-01T00:00:00.000Z');
         INSERT INTO refusals (source, day, cause, count, last_at)
         VALUES ('shop', '2026-02-30', 'wrong_secret', 1, 'now'), ('shop', '2026-02-28', 'wrong_secret', 2, 'now');"
    ))
    .unwrap();
    drop(conn);
    let shop = shop.ledger(&(database.keys("u") + ALL));
    let serve = shop.serve();
    database.wait_for(&settled("u"), "3");
    database.wait_for("SELECT count(*) FROM countersign.refusals", "1");
    shop.sell(&serve, 4, 4);
    database.wait_for(&settled("u"), "4");
    let unfit = |table: &str, condition: &str| {
        database
            .value(&format!("SELECT coalesce(unfit, '-') FROM countersign.{table} WHERE {condition}"))
            .unwrap()
    };
    assert_eq!(unfit("notifications", "id = 1"), "-");
    assert_eq!(unfit("notifications", "id = 2"), "headers, claim, event_time");
    assert_eq!(unfit("notifications", "id = 3"), "claim, event_time");
    assert_eq!(unfit("orders", "order_id LIKE 'x%' AND raw IS NULL"), "order_id, total, raw");
    assert_eq!(unfit("orders", "order_id LIKE 'x%' AND raw IS NOT NULL"), "order_id, total");
    assert_eq!(unfit("products", "true"), "price, fetched_at");
    assert_eq!(unfit("refusals", "true"), "last_at");
    let one = |sql: &str| database.value(sql).unwrap();
    assert_eq!(
        one("SELECT headers::text FROM countersign.notifications WHERE id = 1"),
        "{\"a\": \"\u{fffd}\u{fffd}\"}"
    );
    assert_eq!(one("SELECT detail FROM countersign.notifications WHERE id = 2"), "a\u{fffd}b");
    assert_eq!(one("SELECT content_type FROM countersign.notifications WHERE id = 2"), "a\u{fffd}b\u{fffd}");
    assert_eq!(one("SELECT encode(body, 'hex') FROM countersign.notifications WHERE id = 2"), "00ff");
    assert_eq!(one("SELECT qty FROM countersign.products"), i64::MAX.to_string());
    assert_eq!(one("SELECT name FROM countersign.products"), "\u{fffd}");
    assert_eq!(one("SELECT count(*) FROM countersign.orders WHERE order_id = 'c\u{fffd}'"), "1");
    assert_eq!(one("SELECT count(*) FROM countersign.orders WHERE order_id LIKE 'x%'"), "2");
    serve.wait_for_line("it names what is left out", |line| {
        line.contains("have a key that the ledger cannot hold")
    });
    assert!(!serve.log().contains("nothing is shipped"), "{}", serve.log());
    assert!(serve.stop().success());
}

#[test]
fn a_body_of_the_largest_size_is_shipped_in_bounded_memory() {
    let database = Postgres::shared().database();
    let shop = Shop::new().ledger(&(database.keys("m") + ALL));
    let env = shop.env.server_keys("max_body = \"16MiB\"");
    let serve = env.serve();
    let body = vec![b'a'; 15 << 20];
    assert_eq!(serve.post("shop", body).status, 200);
    let small: Vec<u8> = vec![b'b'; 200 << 10];
    for _ in 0..100 {
        assert_eq!(serve.post("shop", small.clone()).status, 200);
    }
    database.wait_for("SELECT count(*) FROM countersign.notifications WHERE body IS NOT NULL", "101");
    assert_eq!(
        database.value("SELECT max(length(body)) FROM countersign.notifications"),
        Some((15 << 20).to_string())
    );
    assert!(serve.stop().success());
}
