//! Kinguin's answers: orders one by one, products by id and by list.

use super::super::conversation::{kinguin_page, one, said};
use super::super::notifications::source;
use super::{Says, fuzz_answers};
use crate::providers::Provider;
use crate::providers::kinguin::{KINGUIN, KINGUIN_POSTBACK};

const ORDER: Says =
    &[("/orderId", "QZ7T2RMN4WB"), ("/orderExternalId", "shop-000451"), ("/status", "completed")];
const PRODUCT: Says = &[("/kinguinId", "70123"), ("/productId", "5f00aa11bb22cc33dd44ee55")];

fn seeds() -> Vec<Vec<u8>> {
    let (order, product) = ("kinguin/answers/order.json", "kinguin/answers/product.json");
    vec![
        one(200, order),
        one(200, product),
        kinguin_page(1, &[order]),
        kinguin_page(2, &[product, product]),
        one(404, "kinguin/answers/order-not-found.json"),
        one(401, "kinguin/answers/unauthorized.json"),
        said(404, br#"{"kind":"ProductNotFound","status":404}"#),
        said(404, br#"{"kind":"Http","status":404}"#),
        said(400, br#"{"kind":"OrderNotSupported","status":400}"#),
    ]
}

fn fuzz_kinguin(target: &str, provider: &dyn Provider, notifications: &[(&str, Says)]) {
    let seeds = seeds();
    let seeds: Vec<&[Vec<u8>]> = seeds.iter().map(std::slice::from_ref).collect();
    let reached = ["Match", "listed Match", "NotFound", "Unavailable", "Mismatch", "ApiDenied"];
    fuzz_answers(target, &reached, provider, notifications, &seeds);
}

#[test]
fn no_answer_of_kinguin_confirms_what_it_does_not_say() {
    let notifications = [
        ("kinguin/notifications/order-status.http", ORDER),
        ("kinguin/notifications/order-complete.http", ORDER),
        ("kinguin/notifications/product-update.http", PRODUCT),
    ];
    fuzz_kinguin("answers-kinguin", &*source(&KINGUIN, &[]), &notifications);
}

#[test]
fn no_answer_of_kinguin_confirms_a_postback_that_it_does_not_say() {
    let notifications: [(&str, Says); 3] = [
        ("kinguin/notifications/postback-order-complete.http", ORDER),
        ("kinguin/notifications/postback-product.http", PRODUCT),
        ("kinguin/notifications/postback-product-2019.http", &[("/kinguinId", "70123")]),
    ];
    let provider = source(&KINGUIN_POSTBACK, &[]);
    fuzz_kinguin("answers-kinguin-postback", &*provider, &notifications);
}
