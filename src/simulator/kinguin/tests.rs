use serde_json::{Value, json};

use super::{KinguinAccount, Order, Product};
use crate::simulator::Simulator;
use crate::simulator::testing::{ask_json, start};

fn account() -> (Simulator, KinguinAccount) {
    let simulator = start();
    let account = simulator.shops().open_kinguin("keys", "key-1");
    (simulator, account)
}

async fn get(simulator: &Simulator, path: &str) -> (u16, Value) {
    ask_json(&format!("{}/{path}", simulator.kinguin_base()), ("x-api-key", "key-1")).await
}

async fn kind(simulator: &Simulator, path: &str) -> (u16, Value) {
    let (status, body) = get(simulator, path).await;
    (status, body.get("kind").cloned().unwrap_or_default())
}

#[tokio::test]
async fn an_order_and_a_product_are_found_by_their_ids() {
    let (simulator, account) = account();
    account.put_order(Order::new("QZ7T2RMN4WB").external_id("shop-000451").completed());
    account.put_product(Product::new(70123, "5f00aa11bb22cc33dd44ee55"));
    let (_, order) = get(&simulator, "v1/order/QZ7T2RMN4WB").await;
    assert_eq!((&order["status"], &order["orderExternalId"]), (&json!("completed"), &json!("shop-000451")));
    assert_eq!(order["totalPrice"].to_string(), "12.40");
    assert_eq!(get(&simulator, "v1/products/70123").await.1["productId"], "5f00aa11bb22cc33dd44ee55");
    assert_eq!(get(&simulator, "v2/products/5f00aa11bb22cc33dd44ee55").await.1["kinguinId"], 70123);
    assert_eq!(get(&simulator, "v1/balance").await.1.to_string(), r#"{"balance":12.45}"#);
}

#[tokio::test]
async fn each_refusal_has_its_status_and_kind() {
    let (simulator, account) = account();
    let url = format!("{}/v1/order/1", simulator.kinguin_base());
    let (status, body) = ask_json(&url, ("x-api-key", "other")).await;
    assert_eq!(
        (status, &body["kind"], &body["type"]),
        (401, &json!("Authorization"), &json!("Unauthorized"))
    );
    assert_eq!(kind(&simulator, "v1/order/1").await, (404, json!("OrderNotFound")));
    assert_eq!(kind(&simulator, "v1/products/1").await, (404, json!("ProductUnavailable")));
    assert_eq!(kind(&simulator, "v1/products/x").await, (400, json!("ConstraintViolation")));
    assert_eq!(kind(&simulator, "v1/order?limit=101").await, (400, json!("ConstraintViolation")));
    assert_eq!(kind(&simulator, "v3/order/1").await, (404, json!("Http")));
    account.unsupport_order("55");
    assert_eq!(kind(&simulator, "v1/order/55").await, (400, json!("OrderNotSupported")));
    account.configure(|settings| settings.address_refused = true);
    assert_eq!(get(&simulator, "v1/balance").await.0, 403);
}

#[tokio::test]
async fn listings_page_and_filter() {
    let (simulator, account) = account();
    for number in 0..30 {
        account.put_order(Order::new(&format!("A{number:02}")).external_id(&format!("x{number}")));
        account.put_product(Product::new(100 + number, &format!("p{number}")));
    }
    account.edit_order("A07", Order::completed);
    let (_, first) = get(&simulator, "v1/order").await;
    assert_eq!((first["results"].as_array().unwrap().len(), &first["item_count"]), (25, &json!(30)));
    let (_, second) = get(&simulator, "v1/order?page=2").await;
    assert_eq!(second["results"].as_array().unwrap().len(), 5);
    assert_eq!(get(&simulator, "v1/order?status=completed").await.1["results"][0]["orderId"], "A07");
    assert_eq!(get(&simulator, "v1/order?orderExternalId=x3").await.1["item_count"], 1);
    assert_eq!(get(&simulator, "v1/order?createdAtTo=2020-01-01T00:00:00%2B00:00").await.1["item_count"], 0);
    assert_eq!(get(&simulator, "v1/products?kinguinId=101,102,999").await.1["item_count"], 2);
    assert_eq!(get(&simulator, "v1/products?updatedSince=2999-01-01").await.1["item_count"], 0);
    let (_, sorted) = get(&simulator, "v1/products?sortBy=kingiunId&sortType=desc&limit=1").await;
    assert_eq!(sorted["results"][0]["kinguinId"], 129);
}

#[tokio::test]
async fn asking_for_keys_is_refused_and_logged_as_forbidden() {
    let (simulator, _) = account();
    assert_eq!(get(&simulator, "v2/order/A/keys").await.0, 403);
    let calls = simulator.shops().calls_matching(|call| call.forbidden);
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].store.as_str(), calls[0].status), ("keys", Some(403)));
}
