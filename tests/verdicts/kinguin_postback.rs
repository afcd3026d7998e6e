//! `kinguin-postback`: no event name and no secret; the event follows from the body's shape.

use chrono::{DateTime, Utc};
use countersign::simulator::kinguin::{KinguinAccount, Order, Product};
use serde_json::{Value, json};

use super::kinguin::{calls, env_of, settled_as};
use crate::support::{Request, Serve, TestEnv, assert_verdict};

const AT: &str = "2025-03-04T10:15:09+00:00";
const PRODUCT_ID: &str = "5f00aa11bb22cc33dd44ee55";

fn oldkeys() -> (TestEnv, KinguinAccount) {
    let (env, account) = env_of("kinguin-postback", "oldkeys", "");
    account.put_order(Order::new("QZ7T2RMN4WB").external_id("shop-000451").completed());
    let at: DateTime<Utc> = AT.parse().unwrap();
    account.put_product(Product::new(70_123, PRODUCT_ID).updated_at(at));
    (env, account)
}

fn post(serve: &Serve, body: &Value) {
    let answer = serve.post("oldkeys", body.to_string());
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
}

#[test]
fn an_order_id_makes_it_a_completed_order() {
    let (env, _account) = oldkeys();
    let serve = env.serve();
    post(&serve, &json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "updatedAt": AT}));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!((row.provider.as_str(), row.subject_kind.as_deref()), ("kinguin-postback", Some("order")));
    assert_eq!(
        (row.subject_id.as_deref(), row.event.as_deref()),
        (Some("QZ7T2RMN4WB"), Some("order.complete"))
    );
    let claim: Value = serde_json::from_str(&row.claim.unwrap()).unwrap();
    assert_eq!((&claim["orderId"], &claim["status"]), (&json!("QZ7T2RMN4WB"), &json!("completed")));
    assert_eq!(calls(&env), ["/v1/order/QZ7T2RMN4WB"]);
}

#[test]
fn a_kinguin_id_makes_it_a_product_with_or_without_product_id() {
    let (env, _account) = oldkeys();
    let serve = env.serve();
    post(&serve, &json!({"kinguinId": 70_123, "updatedAt": "2020-03-04T10:15:09UTC"}));
    post(&serve, &json!({"kinguinId": "70123", "productId": PRODUCT_ID, "updatedAt": AT}));
    post(&serve, &json!({"kinguinId": 70_123, "productId": "6a00aa11bb22cc33dd44ee55", "updatedAt": AT}));
    for (id, state, reason) in
        [(1, "confirmed", "match"), (2, "confirmed", "match"), (3, "ignored", "mismatch")]
    {
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, state, reason);
        assert_eq!(
            (row.event.as_deref(), row.subject_id.as_deref()),
            (Some("product.update"), Some("70123"))
        );
    }
    assert!(calls(&env).iter().all(|call| call == "/v1/products/70123"));
}

#[test]
fn the_order_must_be_completed_now() {
    let (env, account) = oldkeys();
    let serve = env.serve();
    for (id, order_id, word) in [(1, "R", "refunded"), (2, "C", "canceled"), (3, "O", "out_of_stock")] {
        account.put_order(Order::new(order_id).status(word));
        post(&serve, &json!({"orderId": order_id, "updatedAt": AT}));
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "mismatch");
    }
    account.put_order(Order::new("P"));
    post(&serve, &json!({"orderId": "P", "updatedAt": AT}));
    serve.pending(4, "not_yet");
    account.edit_order("P", Order::completed);
    serve.settled(4);
    assert_verdict(&env.row(4), "confirmed", "match");
    post(&serve, &json!({"orderId": "QZ7T2RMN4WB", "updatedAt": AT}));
    serve.settled(5);
    assert_verdict(&env.row(5), "ignored", "mismatch");
}

#[test]
fn the_headers_of_webhooks_mean_nothing_here() {
    let (env, _account) = oldkeys();
    let serve = env.serve();
    let body = json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "updatedAt": AT});
    let request = Request::post("/hooks/oldkeys").header("X-Event-Name", "product.update");
    assert_eq!(serve.send(&request.header("X-Event-Secret", "any").body(body.to_string())).status, 204);
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_eq!(env.row(1).event.as_deref(), Some("order.complete"));
}

#[test]
fn what_is_not_understood_is_malformed() {
    let (env, _account) = oldkeys();
    let serve = env.serve();
    let cases = [
        (String::new(), "body"),
        ("{}".to_owned(), "orderId"),
        ("\"QZ7T2RMN4WB\"".to_owned(), "body"),
        (json!({"orderId": "", "kinguinId": null, "updatedAt": AT}).to_string(), "kinguinId"),
        (json!({"orderId": "A", "kinguinId": 70_123, "updatedAt": AT}).to_string(), "kinguinId"),
        (json!({"orderId": "A"}).to_string(), "updatedAt"),
        (json!({"orderId": "..", "updatedAt": AT}).to_string(), "orderId"),
        (json!({"kinguinId": "70123/..", "updatedAt": AT}).to_string(), "kinguinId"),
        (json!({"kinguinId": 70_123, "updatedAt": "04.03.2025"}).to_string(), "updatedAt"),
    ];
    for (id, (body, field)) in (1..).zip(cases) {
        assert_eq!(serve.post("oldkeys", body.clone()).status, 204);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.unwrap().contains(field), "{body}");
    }
    assert!(calls(&env).is_empty());
}

#[test]
fn absences_and_repeats_are_judged_as_with_webhooks() {
    let (env, account) = oldkeys();
    let serve = env.serve();
    post(&serve, &json!({"orderId": "NEVER", "updatedAt": AT}));
    post(&serve, &json!({"kinguinId": 404, "updatedAt": AT}));
    post(&serve, &json!({"kinguinId": 70_123, "updatedAt": AT}));
    for id in [1, 2, 3] {
        serve.settled(id);
    }
    assert_verdict(&env.row(1), "ignored", "not_found");
    assert_verdict(&env.row(2), "ignored", "unavailable");
    account.vanish_product(70_123);
    post(
        &serve,
        &json!({"kinguinId": 70_123, "productId": PRODUCT_ID, "updatedAt": "2025-03-05T00:00:00UTC"}),
    );
    post(&serve, &json!({"kinguinId": 70_123, "updatedAt": AT}));
    serve.settled(4);
    assert_verdict(&env.row(4), "confirmed", "unavailable");
    settled_as(&serve, 5, "duplicate");
    assert_eq!(env.row(5).duplicate_of, Some(3));
}
