//! Questions over real HTTP, to a shop that gives prepared answers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::domain::{Cause, Clock, Failure, FailureScope, Truth};
use crate::metrics::Metrics;
use crate::providers::http::{Client, OpenGate};

/// A shop that gives each request the next of its answers and remembers the requests' heads.
struct Shop {
    base: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    fn answering(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/esa/api", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&heads);
        std::thread::spawn(move || {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                    head.push(byte[0]);
                }
                remembered.lock().unwrap().push(String::from_utf8(head).unwrap());
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} Any\r\nDate: Tue, 04 Mar 2025 10:20:00 GMT\r\nConnection: close\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        Self { base, heads }
    }

    fn api(&self) -> Api {
        api_at(&self.base)
    }

    /// The paths asked for, in order.
    fn asked(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

fn api_at(base: &str) -> Api {
    let client = Client::new(Duration::from_secs(5), Metrics::new().unwrap(), Clock::system()).unwrap();
    Api::new(client, "keys", base, Arc::new(OpenGate))
}

fn order_named(id: &str) -> Claim {
    claim_of(postback(&json!({"orderId": id, "updatedAt": "2025-03-04T10:15:09Z"}).to_string()))
}

fn product_named(id: u64) -> Claim {
    claim_of(postback(&json!({"kinguinId": id, "updatedAt": "2025-03-04T10:15:09Z"}).to_string()))
}

fn failure(answer: &Answer) -> &Failure {
    match &answer.result {
        CallResult::Failed(failure) => failure,
        said => panic!("{said:?}"),
    }
}

#[tokio::test]
async fn an_order_is_asked_by_its_path_with_the_key_in_a_header() {
    let shop = Shop::answering(vec![(200, ORDER.to_owned())]);
    let answer = provider(&KINGUIN).ask(&shop.api(), &order_claim("order.status", "completed")).await;
    assert_eq!(shop.asked(), ["/esa/api/v1/order/QZ7T2RMN4WB"]);
    assert!(shop.heads.lock().unwrap()[0].to_lowercase().contains("\r\nx-api-key: key-1\r\n"));
    assert_eq!(answer.date, Timestamp::parse_rfc3339("2025-03-04T10:20:00Z"));
    let CallResult::Found(object) = answer.result else { panic!("{answer:?}") };
    let Some(Truth::Order(order)) = object.truth else { panic!("no order") };
    assert_eq!(order.order_id, "QZ7T2RMN4WB");
    assert_eq!(order.status.as_deref(), Some("completed"));
    assert_eq!((order.total.as_deref(), order.currency.as_deref()), (Some("12.40"), Some("EUR")));
    assert_eq!(order.email.as_deref(), Some("buyer@example.test"));
    assert_eq!((order.updated_at, order.raw.as_str()), (None, ORDER));
}

#[tokio::test]
async fn a_product_is_asked_by_its_number() {
    let shop = Shop::answering(vec![(200, PRODUCT.to_owned())]);
    let answer = provider(&KINGUIN_POSTBACK).ask(&shop.api(), &product_named(70123)).await;
    assert_eq!(shop.asked(), ["/esa/api/v1/products/70123"]);
    let CallResult::Found(object) = answer.result else { panic!("{answer:?}") };
    assert_eq!(
        Value::Object(object.compared),
        json!({"kinguinId": "70123", "productId": "5f00aa11bb22cc33dd44ee55",
               "updatedAt": "2025-03-04T10:15:09.000Z", "price": "6.2", "qty": 31, "available": true})
    );
    let Some(Truth::Product(product)) = object.truth else { panic!("no product") };
    assert_eq!(product.product_id, "70123");
    assert_eq!(product.internal_id.as_deref(), Some("5f00aa11bb22cc33dd44ee55"));
    assert_eq!((product.price.as_deref(), product.currency.as_deref()), (Some("6.20"), Some("EUR")));
    assert_eq!((product.qty, product.available), (Some(31), Some(true)));
    assert_eq!(product.name.as_deref(), Some("Example Game Key"));
}

#[tokio::test]
async fn no_id_reaches_another_path() {
    for (id, path) in [
        ("A B", "/esa/api/v1/order/A%20B"),
        ("A?x=1#y", "/esa/api/v1/order/A%3Fx%3D1%23y"),
        ("A+&é", "/esa/api/v1/order/A%2B%26%C3%A9"),
        ("...", "/esa/api/v1/order/..."),
        ("a,../keys", "/esa/api/v1/order/a%2C..%2Fkeys"),
        ("x/../keys", "/esa/api/v1/order?orderId=x%2F..%2Fkeys&limit=25&page=1"),
        (r"x\y", "/esa/api/v1/order?orderId=x%5Cy&limit=25&page=1"),
        ("x%2fy", "/esa/api/v1/order?orderId=x%252fy&limit=25&page=1"),
    ] {
        let shop = Shop::answering(vec![(404, ORDER_NOT_FOUND.to_owned())]);
        let answer = provider(&KINGUIN).ask_order(&shop.api(), id).await;
        assert_eq!(shop.asked(), [path]);
        assert!(matches!(answer.result, CallResult::NotFound(_)), "{id}: {answer:?}");
    }
}

#[tokio::test]
async fn an_order_that_must_be_searched_is_found_only_by_its_exact_id() {
    let near: Vec<_> =
        (0..25).map(|n| json!({"orderId": format!("A/B{n}"), "status": "completed"})).collect();
    let exact = json!({"orderId": "A/B", "status": "completed"});
    let first = json!({"results": near, "item_count": 26}).to_string();
    let second = json!({"results": [exact], "item_count": 26}).to_string();
    let shop = Shop::answering(vec![(200, first.clone()), (200, second)]);
    let answer = provider(&KINGUIN).ask_order(&shop.api(), "A/B").await;
    let CallResult::Found(object) = answer.result else { panic!("{answer:?}") };
    assert_eq!(object.body, exact);
    assert_eq!(shop.asked().len(), 2);

    let shop = Shop::answering(vec![(200, r#"{"results":[],"item_count":0}"#.to_owned())]);
    let answer = provider(&KINGUIN).ask_order(&shop.api(), "A/B").await;
    assert_eq!((failure(&answer).cause, failure(&answer).scope), (Cause::ApiError, FailureScope::Subject));

    let shop = Shop::answering(vec![(200, first.replace("26", "9999")); 10]);
    let answer = provider(&KINGUIN).ask_order(&shop.api(), "A/B").await;
    assert_eq!(failure(&answer).detail, "10 pages of orders with other ids");
}

#[tokio::test]
async fn many_products_are_asked_by_one_list() {
    let second = with(PRODUCT, &json!({"kinguinId": 2, "productId": "bb"}));
    let broken = r#"{"kinguinId":3}"#;
    let (one, other) = (
        with(PRODUCT, &json!({"kinguinId": 4, "productId": "dd"})),
        with(PRODUCT, &json!({"kinguinId": 4, "productId": "ee"})),
    );
    let list = format!(r#"{{"results":[{second},{broken},{one},{other},{second}],"item_count":5}}"#);
    let shop = Shop::answering(vec![(200, list)]);
    let provider = provider(&KINGUIN_POSTBACK);
    let claims = [5, 2, 3, 4, 2].map(product_named);
    assert!(claims.iter().all(|claim| provider.is_listable(claim)));
    assert!(!provider.is_listable(&order_named("A")), "no list of orders by several ids is documented");
    let answers = provider.ask_list(&shop.api(), &claims).await.unwrap();
    assert_eq!(shop.asked(), ["/esa/api/v1/products?kinguinId=2,3,4,5&limit=100"]);
    let shown: Vec<bool> = answers.iter().map(Option::is_some).collect();
    assert_eq!(shown, [false, true, false, false, true], "absent, shown, undocumented, contradicting, shown");
}

#[tokio::test]
async fn a_list_that_is_none_has_to_be_asked_singly() {
    for (status, body) in [(200, "{}"), (200, "<html>"), (404, "{}"), (500, "")] {
        let shop = Shop::answering(vec![(status, body.to_owned())]);
        let answers = provider(&KINGUIN).ask_list(&shop.api(), &[product_named(1)]).await;
        assert_eq!(answers.unwrap_err().cause, Cause::ApiError, "{status} {body}");
    }
}

#[tokio::test]
async fn the_control_question_holds_no_foreign_value() {
    let shop = Shop::answering(vec![
        (200, r#"{"results":[],"item_count":0}"#.to_owned()),
        (401, UNAUTHORIZED.to_owned()),
        (200, "welcome".to_owned()),
    ]);
    let provider = provider(&KINGUIN);
    assert_eq!(provider.control(&shop.api()).await, Ok(()));
    let denied = provider.control(&shop.api()).await.unwrap_err();
    assert_eq!((denied.cause, denied.http_status), (Cause::ApiDenied, Some(401)));
    assert_eq!(denied.detail, "the API answered 401 (kind Authorization)");
    assert_eq!(provider.control(&shop.api()).await.unwrap_err().cause, Cause::ApiError);
    assert_eq!(shop.asked(), ["/esa/api/v1/order?limit=1"; 3]);
}

#[tokio::test]
async fn a_dead_api_is_a_failure_and_no_answer() {
    let answer = provider(&KINGUIN).ask(&api_at("http://127.0.0.1:1"), &product_named(1)).await;
    assert_eq!((failure(&answer).cause, answer.http_status), (Cause::ApiUnreachable, None));
}

#[tokio::test]
async fn doctor_says_what_is_wrong_and_what_to_do() {
    let empty_list = r#"{"results":[],"item_count":0}"#;
    for (status, body, good, words) in [
        (200, empty_list, true, "takes the api_key"),
        (401, UNAUTHORIZED, false, "copy it from the store's page"),
        (403, "", false, "IP allow-list"),
        (404, "<html>", false, "check api_base"),
        (302, "", false, "check api_base"),
        (500, "", false, "later"),
    ] {
        let shop = Shop::answering(vec![(status, body.to_owned())]);
        let examination = provider(&KINGUIN).examine(&shop.api()).await;
        let check = examination.checks.last().unwrap();
        assert_eq!(check.good, good, "{}", check.words);
        assert!(check.words.contains(words), "{}", check.words);
        assert!(examination.checks.iter().all(|check| !check.words.contains("key-1")));
        assert_eq!(examination.clock.is_some(), good);
    }
    let dead = provider(&KINGUIN).examine(&api_at("http://127.0.0.1:1/integration/v1")).await;
    assert!(dead.checks.iter().any(|check| !check.good && check.words.contains("switched off in 2025")));
}
