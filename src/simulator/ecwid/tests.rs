use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{EcwidStore, ErrorBodies, Order, Product};
use crate::simulator::testing::{ask, ask_json, start};
use crate::simulator::{Simulator, SimulatorOptions};

const TOKEN: (&str, &str) = ("authorization", "Bearer secret_t");

fn shop() -> (Simulator, EcwidStore) {
    let simulator = start();
    let store = simulator.shops().open_ecwid(1003, "secret_t");
    (simulator, store)
}

async fn get(simulator: &Simulator, path: &str) -> (u16, Value) {
    ask_json(&format!("{}/1003/{path}", simulator.ecwid_base()), TOKEN).await
}

async fn code(simulator: &Simulator, path: &str) -> (u16, Value) {
    let (status, body) = get(simulator, path).await;
    (status, body.get("errorCode").cloned().unwrap_or_default())
}

#[tokio::test]
async fn an_order_is_found_by_its_id_and_its_internal_id() {
    let (simulator, store) = shop();
    store.put_order(Order::new("SALE-H4K9P", 731_200_456).paid().total("24.50"));
    let (status, order) = get(&simulator, "orders/SALE-H4K9P").await;
    assert_eq!((status, &order["paymentStatus"]), (200, &json!("PAID")));
    assert_eq!(order["total"].to_string(), "24.50");
    assert_eq!(get(&simulator, "orders/731200456").await.1["id"], "SALE-H4K9P");
    store.configure(|settings| settings.get_by_internal_id = false);
    assert_eq!(code(&simulator, "orders/731200456").await, (404, json!("ORDER_NOT_FOUND")));
}

#[tokio::test]
async fn each_refusal_has_its_status_and_word() {
    let (simulator, store) = shop();
    let url = format!("{}/1003/orders", simulator.ecwid_base());
    assert_eq!(ask(&url, ("authorization", "Bearer other")).await.unwrap().status(), 403);
    let elsewhere = format!("{}/77/orders/1", simulator.ecwid_base());
    assert_eq!(ask_json(&elsewhere, TOKEN).await.1["errorCode"], "STORE_NOT_FOUND");
    assert_eq!(code(&simulator, "orders?limit=x").await, (400, json!("WRONG_PARAMETER")));
    assert_eq!(code(&simulator, "products/5").await, (404, json!("PRODUCT_NOT_FOUND")));
    store.configure(|settings| {
        settings.scopes.remove("read_catalog");
    });
    assert_eq!(code(&simulator, "products/5").await, (403, json!("INSUFFICIENT_APP_SCOPE")));
    assert_eq!(code(&simulator, "orders/5").await, (404, json!("ORDER_NOT_FOUND")));
    store.configure(|settings| settings.suspended = true);
    assert_eq!(code(&simulator, "orders").await, (402, json!("STORE_IS_SUSPENDED")));
}

#[tokio::test]
async fn old_errors_show_less() {
    let (simulator, store) = shop();
    store.configure(|settings| settings.error_bodies = ErrorBodies::MessageOnly);
    let (status, body) = get(&simulator, "orders/1207").await;
    assert_eq!((status, body), (404, json!({"errorMessage": "Order #1207 not found"})));
    store.configure(|settings| settings.error_bodies = ErrorBodies::Empty);
    assert_eq!(get(&simulator, "orders/1207").await, (404, Value::Null));
}

#[tokio::test]
async fn a_search_pages_filters_and_hides_abandoned_orders() {
    let (simulator, store) = shop();
    for number in 0..105 {
        store.put_order(Order::new(&format!("N{number:03}"), 1000 + number).paid());
    }
    store.put_order(Order::new("ABANDONED", 1).payment("INCOMPLETE"));
    let (_, first) = get(&simulator, "orders").await;
    assert_eq!(first["total"], 105);
    assert_eq!((&first["count"], &first["limit"]), (&json!(100), &json!(100)));
    let (_, rest) = get(&simulator, "orders?offset=100&limit=500").await;
    assert_eq!((&rest["count"], &rest["offset"]), (&json!(5), &json!(100)));
    assert_eq!(get(&simulator, "orders?paymentStatus=INCOMPLETE").await.1["total"], 1);
    let (_, near) = get(&simulator, "orders?ids=N01&responseFields=total,items(id)").await;
    assert_eq!(near["total"], 10, "ids matches prefixes too");
    assert_eq!(near["items"][0], json!({"id": "N010"}));
    let (_, exact) = get(&simulator, "orders?ids=1004,N001,N001").await;
    assert_eq!(exact["total"], 2, "by internal id and by id, each once");
}

#[tokio::test]
async fn a_deleted_order_is_gone_and_listed() {
    let (simulator, store) = shop();
    store.put_order(Order::new("SALE-1", 500));
    store.put_product(Product::new(9001, "Mug"));
    assert!(store.delete_order("SALE-1"));
    assert!(store.delete_product(9001));
    assert_eq!(get(&simulator, "orders/SALE-1").await.0, 404);
    let (_, listed) = get(&simulator, "orders/deleted?from_date=2020-01-01").await;
    assert_eq!((&listed["limit"], &listed["items"][0]["id"]), (&json!(10), &json!(500)));
    assert_eq!(get(&simulator, "orders/deleted?from_date=2999-01-01").await.1["total"], 0);
    assert_eq!(get(&simulator, "products/deleted").await.1["items"][0]["id"], 9001);
}

#[tokio::test]
async fn an_order_can_stay_hidden_for_some_asks() {
    let (simulator, store) = shop();
    store.put_order(Order::new("SALE-1", 500).visible_after_asks(2));
    assert_eq!(get(&simulator, "orders").await.1["total"], 0);
    assert_eq!(get(&simulator, "orders/SALE-1").await.0, 404);
    assert_eq!(get(&simulator, "orders?ids=SALE-1").await.1["total"], 0);
    assert_eq!(get(&simulator, "orders/SALE-1").await.0, 200);
    assert_eq!(get(&simulator, "orders").await.1["total"], 1);
}

#[tokio::test]
async fn an_order_can_stay_hidden_for_some_time_or_for_good() {
    let (simulator, store) = shop();
    store.put_order(Order::new("SALE-1", 500).visible_after(Duration::ZERO));
    store.put_order(Order::new("SALE-2", 501).visible_after(Duration::MAX));
    assert_eq!(get(&simulator, "orders/SALE-1").await.0, 200);
    assert_eq!(get(&simulator, "orders/SALE-2").await.0, 404);
    assert_eq!(get(&simulator, "orders?ids=SALE").await.1["total"], 1);
}

#[tokio::test]
async fn an_edit_moves_the_update_time_and_the_window_follows() {
    let seconds = Arc::new(std::sync::atomic::AtomicI64::new(1_764_000_000));
    let reading = Arc::clone(&seconds);
    let clock = move || {
        DateTime::from_timestamp(reading.load(std::sync::atomic::Ordering::SeqCst), 0).unwrap_or_default()
    };
    let simulator =
        Simulator::start(SimulatorOptions { clock: Arc::new(clock), ..SimulatorOptions::default() }).unwrap();
    let store = simulator.shops().open_ecwid(1003, "secret_t");
    store.put_order(Order::new("SALE-1", 500));
    seconds.store(1_764_000_600, std::sync::atomic::Ordering::SeqCst);
    assert!(store.edit_order("SALE-1", |order| order.payment("REFUNDED")));
    let (_, order) = get(&simulator, "orders/last").await;
    assert_eq!(order["createTimestamp"], 1_764_000_000);
    assert_eq!(order["updateDate"], "2025-11-24 16:10:00 +0000");
    assert_eq!(get(&simulator, "orders?updatedFrom=1764000600").await.1["total"], 1);
    assert_eq!(get(&simulator, "orders?updatedTo=2025-11-24%2016:09:59").await.1["total"], 0);
    assert_eq!(get(&simulator, "orders?updatedTo=2025-11-24%2016:10:00%20%2B0000").await.1["total"], 1);
    let answer = ask(&simulator.ecwid_base(), TOKEN).await.unwrap();
    assert_eq!(answer.headers()["date"], "Mon, 24 Nov 2025 16:10:00 GMT", "the clock is the simulator's");
}

#[tokio::test]
async fn the_rate_limit_counts_any_sixty_seconds() {
    let (simulator, store) = shop();
    store.configure(|settings| settings.calls_per_minute = Some(2));
    assert_eq!(get(&simulator, "orders").await.0, 200);
    assert_eq!(get(&simulator, "orders").await.0, 200);
    let refused = ask(&format!("{}/1003/orders", simulator.ecwid_base()), TOKEN).await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_product_and_the_profile_are_shown() {
    let (simulator, store) = shop();
    store.put_product(Product::new(9001, "Mug").unlimited());
    let (_, product) = get(&simulator, "products/9001").await;
    assert_eq!((&product["id"], product.get("quantity")), (&json!(9001), None));
    assert_eq!(get(&simulator, "products?productId=9001,9002").await.1["total"], 1);
    assert_eq!(get(&simulator, "profile").await.1["formatsAndUnits"]["currency"], "EUR");
}
