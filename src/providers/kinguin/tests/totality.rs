//! Any bytes, any answer: nothing panics, and nothing matches that is not literally there.

use proptest::prelude::*;
use serde_json::json;

use super::super::judge::compare;
use super::*;
use crate::domain::{Outcome, Reason};

/// Words that make a random answer come near a true one.
fn leaf() -> impl Strategy<Value = Value> {
    let words = [
        json!("QZ7T2RMN4WB"),
        json!("shop-000451"),
        json!("completed"),
        json!("processing"),
        json!("refunded"),
        json!(70123),
        json!("70123"),
        json!("5f00aa11bb22cc33dd44ee55"),
        json!("2025-03-04T10:15:09Z"),
        json!("2025-03-04T10:15:08Z"),
        json!("OrderNotFound"),
        json!("Http"),
        json!(""),
        Value::Null,
    ];
    prop_oneof![
        4 => proptest::sample::select(words.to_vec()),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => ".*".prop_map(Value::from),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let names = [
        "orderId",
        "orderExternalId",
        "status",
        "kinguinId",
        "productId",
        "updatedAt",
        "kind",
        "qty",
        "price",
    ];
    prop_oneof![9 => proptest::sample::select(names.to_vec()).prop_map(str::to_owned), 1 => ".*"]
}

fn body() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 32, 8, |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            5 => proptest::collection::vec((name(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// An answer that is a true one but for a few fields.
fn near_body() -> impl Strategy<Value = Value> {
    let base = json!({"orderId": "QZ7T2RMN4WB", "orderExternalId": "shop-000451", "status": "completed",
        "kinguinId": 70123, "productId": "5f00aa11bb22cc33dd44ee55", "updatedAt": "2025-03-04T10:15:09Z"});
    proptest::collection::vec((name(), leaf()), 0..3).prop_map(move |changes| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(changes);
        body
    })
}

/// Whether an answer gives this id, told without the code under test.
fn says(body: &Value, name: &str, id: &str) -> bool {
    match &body[name] {
        Value::String(text) => text == id,
        Value::Number(number) => number.to_string() == id,
        _ => false,
    }
}

fn looked_up(claim: &Claim, status: u16, body: &Value) -> Outcome {
    compare(claim, &answer_to(claim, status, &body.to_string()), &Known::default()).outcome
}

proptest! {
    #[test]
    fn any_body_is_read(body in proptest::collection::vec(any::<u8>(), 0..200), event in ".*") {
        for (kind, headers) in [(&KINGUIN_POSTBACK, &[][..]), (&KINGUIN, &[("x-event-name", event.as_str())])] {
            let _ = provider(kind).read(&notification(headers, &body));
        }
    }

    #[test]
    fn any_json_is_read_and_a_claim_of_it_survives_the_store(body in prop_oneof![body(), near_body()]) {
        let text = body.to_string();
        for reading in [postback(&text), webhook("order.status", &text), webhook("product.update", &text)] {
            match reading {
                Reading::Claim(claim) => {
                    let stored = Claim::split_stored_json(&claim.to_stored_json());
                    prop_assert_eq!(stored, Some((claim.asserted, claim.before)));
                }
                Reading::Unasked(unasked) => {
                    prop_assert_eq!(unasked.reason, Reason::Malformed);
                    prop_assert!(unasked.detail.len() < 300 && !unasked.detail.contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn no_answer_confirms_what_it_does_not_say(
        body in prop_oneof![body(), near_body()],
        status in prop_oneof![3 => Just(200_u16), 1 => 100_u16..600],
    ) {
        let order = order_claim("order.status", "completed");
        let product = claim_of(provider(&KINGUIN).read(&recorded(PRODUCT_UPDATE)));
        let good = (200..300).contains(&status);
        if looked_up(&order, status, &body) == Outcome::Match {
            prop_assert!(good);
            prop_assert!(says(&body, "orderId", "QZ7T2RMN4WB"));
            prop_assert!(says(&body, "orderExternalId", "shop-000451"));
            prop_assert_eq!(&body["status"], "completed");
        }
        if looked_up(&product, status, &body) == Outcome::Match {
            prop_assert!(good);
            prop_assert!(says(&body, "kinguinId", "70123"));
            prop_assert!(says(&body, "productId", "5f00aa11bb22cc33dd44ee55"));
            prop_assert!(body["updatedAt"].as_str().is_some_and(|time| time >= "2025-03-04T10:15:09"));
        }
    }
}
