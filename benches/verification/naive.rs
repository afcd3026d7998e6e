//! The yardstick: a loop that asks about one order, commits its verdict, and goes on with the next.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::shops::{API_KEY, Shops, kinguin_id};

/// How long it takes for the orders 0 to `count`.
pub(crate) fn run(shops: &Shops, count: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let conn = Connection::open(folder.path().join("naive.db")).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE naive (id INTEGER PRIMARY KEY, order_id TEXT UNIQUE, verdict TEXT);",
    )
    .unwrap();
    for n in 0..count {
        conn.execute("INSERT INTO naive (order_id) VALUES (?1)", [kinguin_id(n)]).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The provider of TLS is chosen by the program, not by a feature of the client.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let client = reqwest::Client::new();
    let base = shops.kinguin_base();
    let began = Instant::now();
    for n in 0..count {
        let url = format!("{base}/v1/order/{}", kinguin_id(n));
        let answer = runtime.block_on(async {
            client.get(url).header("X-Api-Key", API_KEY).send().await.unwrap().text().await.unwrap()
        });
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let verdict = if answer["status"] == "completed" { "confirmed" } else { "ignored" };
        assert_eq!(verdict, "confirmed", "{answer}");
        conn.execute("UPDATE naive SET verdict = ?1 WHERE order_id = ?2", (verdict, kinguin_id(n))).unwrap();
    }
    began.elapsed()
}
