//! `kinguin`: what is let in, what is understood, and what is asked.

use countersign::simulator::kinguin::{Order, Product};
use serde_json::{Value, json};

use super::kinguin::{AT, calls, keys, keys_with, raw_webhook, status, webhook};
use crate::support::{Request, assert_verdict};

const REFUSED: &str = r#"{"processed":false,"message":""#;

#[test]
fn any_of_the_listed_secrets_lets_in_and_a_wrong_or_missing_one_does_not() {
    let (env, account) = keys_with("secret = [\"new-secret\", \"old-secret\"]");
    account.put_order(Order::new("QZ7T2RMN4WB").completed());
    let serve = env.serve();
    let body = status("QZ7T2RMN4WB", "completed", AT);
    for secret in ["new-secret", "old-secret"] {
        let answer = serve.send(&webhook("order.status", &body).header("X-Event-Secret", secret));
        assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    }
    for secret in ["NEW-SECRET", "new-secre", "new-secret2", "new-secret,old-secret", ""] {
        let answer = serve.send(&webhook("order.status", &body).header("X-Event-Secret", secret));
        assert_eq!(answer.status, 401, "{secret}");
        assert!(answer.text().starts_with(REFUSED), "{}", answer.text());
    }
    assert_eq!(serve.send(&webhook("order.status", &body)).status, 401);
    assert_eq!(serve.send(&raw_webhook("order.status", "not JSON")).status, 401);
    serve.settled(2);
    assert_eq!(env.rows().len(), 2, "what is refused is not stored");
    let count = |cause: &str| {
        env.value(&format!(
            "SELECT count FROM refusals WHERE source = 'keys' AND cause = '{cause}' AND day = substr(last_at, 1, 10)
               AND last_remote_addr = '127.0.0.1'"
        ))
    };
    assert_eq!(
        (count("wrong_secret").as_deref(), count("missing_secret").as_deref()),
        (Some("4"), Some("3"))
    );
    let headers = env.value("SELECT headers FROM notifications WHERE id = 1").unwrap();
    let headers: Value = serde_json::from_str(&headers).unwrap();
    assert_eq!(headers["x-event-secret"], "[redacted]");
    assert!(!serve.log().contains("new-secret"));
}

#[test]
fn without_a_configured_secret_any_sender_is_stored_and_its_secret_is_not() {
    let (env, account) = keys();
    account.put_order(Order::new("QZ7T2RMN4WB").completed());
    let serve = env.serve();
    let request = Request::post("/hooks/keys").header("x-eVENT-nAME", "order.status");
    let request = request.body(status("QZ7T2RMN4WB", "completed", AT).to_string());
    assert_eq!(serve.send(&request.header("X-Event-Secret", "typed-into-the-panel")).status, 204);
    assert_eq!(serve.send(&Request::post("/hooks/keys").body("{}")).status, 204);
    serve.settled(1);
    serve.settled(2);
    assert_verdict(&env.row(1), "confirmed", "match");
    assert_verdict(&env.row(2), "ignored", "malformed");
    let headers = env.value("SELECT headers FROM notifications WHERE id = 1").unwrap();
    assert!(!headers.contains("typed-into-the-panel"), "{headers}");
}

#[test]
fn without_an_event_name_it_is_malformed_whatever_the_body() {
    let (env, account) = keys();
    account.put_order(Order::new("QZ7T2RMN4WB").completed());
    account.put_product(Product::new(70_123, "5f00aa11bb22cc33dd44ee55"));
    let serve = env.serve();
    let bodies = [
        json!({"orderId": "QZ7T2RMN4WB", "updatedAt": AT}),
        json!({"kinguinId": 70_123, "updatedAt": AT}),
        json!({"event": "order.complete", "orderId": "QZ7T2RMN4WB", "updatedAt": AT}),
    ];
    for (id, body) in (1..).zip(bodies) {
        let request = Request::post("/hooks/keys").body(body.to_string());
        let request = if id == 3 { request.header("X-Event-Name", "") } else { request };
        assert_eq!(serve.send(&request).status, 204);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert!(row.detail.unwrap().contains("X-Event-Name"));
    }
    assert!(calls(&env).is_empty(), "never the rules of postbacks");
}

#[test]
fn an_unknown_event_word_is_unsupported() {
    let (env, _account) = keys();
    let serve = env.serve();
    for (id, event) in [(1, "order.refund"), (2, "ORDER.STATUS"), (3, "order.status;"), (4, "postback")] {
        assert_eq!(serve.send(&webhook(event, &status("QZ7T2RMN4WB", "completed", AT))).status, 204);
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "unsupported");
        assert_eq!(row.event.as_deref(), Some(event));
    }
    assert!(calls(&env).is_empty());
}

#[test]
fn what_is_not_understood_is_stored_as_malformed_with_the_field() {
    let (env, _account) = keys();
    let serve = env.serve();
    let (long, long_product) = ("x".repeat(256), "1".repeat(30));
    let order = |id: &str| json!({"orderId": id, "status": "completed", "updatedAt": AT}).to_string();
    let dated = |at: Value| json!({"orderId": "A", "status": "completed", "updatedAt": at}).to_string();
    let product = |id: Value| json!({"kinguinId": id, "updatedAt": AT}).to_string();
    let mut cases = vec![
        ("order.status", String::new(), "body"),
        ("order.status", "{".to_owned(), "body"),
        ("order.status", "[]".to_owned(), "body"),
        ("order.status", "orderId=A&status=completed".to_owned(), "body"),
        ("order.status", json!({"status": "completed", "updatedAt": AT}).to_string(), "orderId"),
        ("order.status", json!({"orderId": null, "status": "x", "updatedAt": AT}).to_string(), "orderId"),
        ("order.status", json!({"orderId": ["A"], "status": "x", "updatedAt": AT}).to_string(), "orderId"),
        ("order.status", json!({"orderId": "A", "updatedAt": AT}).to_string(), "status"),
        ("order.status", json!({"orderId": "A", "status": "", "updatedAt": AT}).to_string(), "status"),
        ("order.status", json!({"orderId": "A", "status": 1, "updatedAt": AT}).to_string(), "status"),
        (
            "order.status",
            json!({"orderId": "A", "orderExternalId": {}, "status": "x", "updatedAt": AT}).to_string(),
            "orderExternalId",
        ),
        ("order.status", json!({"orderId": "A", "status": "completed"}).to_string(), "updatedAt"),
        ("order.complete", json!({"orderId": "A"}).to_string(), "updatedAt"),
        ("order.complete", json!({"updatedAt": AT}).to_string(), "orderId"),
        ("product.update", json!({"productId": "5f00", "updatedAt": AT}).to_string(), "kinguinId"),
        ("product.update", json!({"kinguinId": 70_123}).to_string(), "updatedAt"),
    ];
    for id in ["", ".", "..", "last", "deleted", long.as_str(), "a\nb", "a\u{0}b", "a\u{7f}b"] {
        cases.push(("order.status", order(id), "orderId"));
    }
    for at in
        [json!(""), json!(null), json!(1_741_083_309), json!("yesterday"), json!("2025-02-30T10:15:09Z")]
    {
        cases.push(("order.status", dated(at), "updatedAt"));
    }
    for id in [json!("../order"), json!("abc"), json!(-1), json!(1.5), json!(true), json!(long_product)] {
        cases.push(("product.update", product(id), "kinguinId"));
    }
    for (id, (event, body, field)) in (1..).zip(cases) {
        assert_eq!(serve.send(&raw_webhook(event, &body)).status, 204, "{body}");
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "ignored", "malformed");
        assert_eq!(row.event.as_deref(), Some(event));
        assert!(row.detail.as_deref().unwrap().contains(field), "{body}: {row:#?}");
        assert_eq!((row.attempts, row.outcomes.len()), (0, 0));
        let stored = env.value(&format!("SELECT body FROM notifications WHERE id = {id}"));
        assert_eq!(stored.as_deref(), Some(body.as_str()), "kept as received");
    }
    assert!(calls(&env).is_empty());
}

#[test]
fn an_order_id_that_is_no_word_is_malformed_and_asks_nothing() {
    let (env, account) = keys();
    let serve = env.serve();
    let too_long = "x".repeat(65);
    let ids = ["a b", "über", "a,b", "a/b", "../products", "a\\b", "a%2Fkeys", "a?b", "last", &too_long];
    for (id, order_id) in (1..).zip(ids) {
        account.put_order(Order::new(order_id).completed());
        serve.send(&webhook("order.status", &status(order_id, "completed", AT)));
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "malformed");
    }
    assert!(calls(&env).is_empty());
    for (id, order_id) in (11..).zip(["...", "A-b_c.1", &too_long[..64]]) {
        account.put_order(Order::new(order_id).completed());
        serve.send(&webhook("order.status", &status(order_id, "completed", AT)));
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn an_order_id_in_digits_is_the_same_as_a_number_or_as_text() {
    let (env, account) = keys();
    account.put_order(Order::new("123456789012345678901").completed());
    let serve = env.serve();
    let as_number = format!(r#"{{"orderId":123456789012345678901,"status":"completed","updatedAt":"{AT}"}}"#);
    serve.send(&raw_webhook("order.status", &as_number));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    serve.send(&webhook("order.status", &status("123456789012345678901", "completed", AT)));
    serve.settled(2);
    assert_verdict(&env.row(2), "ignored", "duplicate");
    assert_eq!(calls(&env), ["/v1/order/123456789012345678901"]);
}
