use reqwest::Method;
use serde_json::{Value, json};

use crate::simulator::Simulator;
use crate::simulator::testing::{ask_json, client, start};

async fn control(simulator: &Simulator, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = client().unwrap().request(method, format!("{}/_control/{path}", simulator.url()));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

#[tokio::test]
async fn shops_are_opened_filled_and_emptied_by_http() {
    let simulator = start();
    let opened = control(&simulator, Method::PUT, "ecwid/1003", json!({"token": "t"})).await;
    assert_eq!(opened.0, 204);
    let order = json!({"id": "SALE-1", "internalId": 7, "paymentStatus": "PAID"});
    assert_eq!(control(&simulator, Method::POST, "ecwid/1003/orders", order).await.0, 204);
    let url = format!("{}/1003/orders/SALE-1", simulator.ecwid_base());
    let (_, shown) = ask_json(&url, ("authorization", "Bearer t")).await;
    assert_eq!((&shown["paymentStatus"], &shown["orderNumber"]), (&json!("PAID"), &json!(7)));
    assert_eq!(control(&simulator, Method::DELETE, "ecwid/1003/orders/SALE-1", Value::Null).await.0, 204);
    assert_eq!(control(&simulator, Method::DELETE, "ecwid/1003/orders/SALE-1", Value::Null).await.0, 404);
    assert_eq!(ask_json(&url, ("authorization", "Bearer t")).await.0, 404);
    let (_, calls) = control(&simulator, Method::GET, "calls", Value::Null).await;
    assert_eq!(calls[0]["target"], "/ecwid/api/v3/1003/orders/SALE-1");
    assert_eq!((calls.as_array().unwrap().len(), &calls[1]["status"]), (2, &json!(404)));
}

#[tokio::test]
async fn faults_are_set_and_cleared_by_http() {
    let simulator = start();
    simulator.shops().open_kinguin("keys", "k");
    let fault = json!({
        "trouble": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": {"a": 1},
        "provider": "kinguin", "path": "/v1/balance",
    });
    let (status, set) = control(&simulator, Method::POST, "faults", fault).await;
    assert_eq!(status, 201);
    let url = format!("{}/v1/balance", simulator.kinguin_base());
    assert_eq!(ask_json(&url, ("x-api-key", "k")).await, (429, json!({"a": 1})));
    let path = format!("faults/{}", set["id"]);
    assert_eq!(control(&simulator, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(ask_json(&url, ("x-api-key", "k")).await.0, 200);
}

#[tokio::test]
async fn mistakes_are_named() {
    let simulator = start();
    let message = async |method, path, body| control(&simulator, method, path, body).await;
    let bad = json!({"trouble": "flood"});
    assert_eq!(message(Method::POST, "faults", bad).await.1["message"], "no trouble \"flood\"");
    let odd = json!({"trouble": "reset", "stor": "1"});
    assert_eq!(message(Method::POST, "faults", odd).await.1["message"], "a fault has no field stor");
    assert_eq!(message(Method::PUT, "kinguin/keys", json!({})).await.1["message"], "api_key is missing");
    assert_eq!(message(Method::POST, "ecwid/9/orders", json!({})).await.0, 404);
}

#[tokio::test]
async fn the_midas_keys_and_a_signature_come_by_http() {
    let simulator = start();
    assert_eq!(control(&simulator, Method::PUT, "midas/m-1", json!({"project_id": "p"})).await.0, 204);
    let transaction = json!({"transaction": {"external_id": "9", "status": "Pending"}});
    assert_eq!(control(&simulator, Method::POST, "midas/m-1/transactions", transaction).await.0, 204);
    let (_, listed) = control(&simulator, Method::GET, "midas/m-1/transactions", Value::Null).await;
    assert_eq!(listed[0]["transaction"]["status"], "Pending");
    assert_eq!(listed[0]["payment_details"]["payment"]["amount"], "8.98");
    let (_, keys) = control(&simulator, Method::GET, "midas/m-1/keys", Value::Null).await;
    assert!(keys["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    let (_, headers) = control(&simulator, Method::POST, "midas/m-1/sign", json!({"a": 1})).await;
    assert_eq!(headers["txgw-serial"], "0C2D");
}
