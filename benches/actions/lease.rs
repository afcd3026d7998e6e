//! What it takes to lease the next delivery, however many wait.

use std::time::{Duration, Instant};

use countersign::domain::Clock;
use countersign::store::{DeliveryRequest, Store};
use rusqlite::Connection;

use crate::env::BenchEnv;
use crate::median;
use crate::shops::Shops;

const SIZES: [u32; 3] = [1_000, 100_000, 1_000_000];

const ROUNDS: usize = 20;

/// As the store asks; its own test holds the store to the plan.
const DUE: &str = "EXPLAIN QUERY PLAN SELECT id, next_attempt_at FROM deliveries INDEXED BY deliveries_due
                   WHERE action = 'erp' AND is_first = 1 AND lease IS NULL ORDER BY next_attempt_at LIMIT 2";

/// The breaker of an action that is dead, and that of one that is well.
const STATES: [(&str, &str); 2] = [
    ("well", "DELETE FROM action_states"),
    (
        "dead",
        "INSERT INTO action_states (action, failures, failing_since) VALUES ('erp', 9, '2026-01-01T00:00:00.000Z')",
    ),
];

/// Measures and prints the table.
pub(crate) fn print() {
    println!(
        "| deliveries that wait | target | ms to lease the next one, with its commit (median of {ROUNDS}) |"
    );
    println!("|--:|---|--:|");
    let shops = Shops::open(0);
    let mut plan = String::new();
    for size in SIZES {
        let env = BenchEnv::new(&shops, 8, "");
        env.fill("erp", size);
        let conn = Connection::open(env.path()).unwrap();
        plan = conn.query_row(DUE, [], |row| row.get("detail")).unwrap();
        for (name, sql) in STATES {
            conn.execute_batch(sql).unwrap();
            println!("| {size} | {name} | {:.2} |", lease(&env));
        }
    }
    println!("\nplan: `{plan}`");
}

fn lease(env: &BenchEnv) -> f64 {
    env.runtime.block_on(async {
        let store = Store::open(&env.path()).unwrap();
        let mut took = Vec::new();
        for _ in 0..=ROUNDS {
            let action = "erp".to_owned();
            let request = DeliveryRequest {
                action,
                most: 1,
                longest_pause: Duration::from_secs(86_400),
                with_email: false,
                with_raw: false,
            };
            let began = Instant::now();
            let leased =
                store.lease_deliveries(vec![request], "bench-1".to_owned(), Clock::system().now()).await;
            took.push(began.elapsed().as_secs_f64() * 1000.0);
            let ids: Vec<i64> = leased.unwrap()[0].deliveries.iter().map(|delivery| delivery.id).collect();
            assert_eq!(ids.len(), 1);
            store.release_deliveries(ids, "bench-1".to_owned()).await.unwrap();
        }
        store.close();
        // The first one reads the file.
        median(took.split_off(1))
    })
}
