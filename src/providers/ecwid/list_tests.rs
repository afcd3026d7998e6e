//! Many orders asked about by one list, against a scripted store.

use serde_json::json;

use crate::domain::{Said, Truth};
use crate::providers::Provider;

use super::shop_double::{ShopDouble, listing};
use super::webhook_tests::{DELETED, PRODUCT, UPDATED, claim, order, source, with};

#[actix_web::test]
async fn one_list_answers_for_many_orders_by_exact_ids_alone() {
    let other = |order_id: &str, entity: u64| {
        with(&with(UPDATED, "/data/orderId", &json!(order_id)), "/entityId", &json!(entity))
    };
    let claims = [
        claim(UPDATED),
        claim(&other("SALE-Z", 5)),
        claim(&other("SALE-H4K9P", 6)),
        claim(&other("H4K9P", 7)),
    ];
    let shop = ShopDouble::serving(|_| {
        (200, listing(&[order(&json!({"id": "SALE-Z", "internalId": 5})), order(&json!({}))]))
    });
    let source = source();
    assert!(claims.iter().all(|claim| source.is_listable(claim)));
    let answers = source.ask_list(&shop.api, &claims).await.unwrap();
    assert_eq!(shop.seen(), ["/4400551/orders?ids=SALE-H4K9P,SALE-Z,SALE-H4K9P,H4K9P&limit=100"]);
    let shown: Vec<_> = answers
        .iter()
        .map(|answer| match answer.as_ref().map(|answer| &answer.said) {
            Some(Said::There(sighting)) => sighting.truth.as_ref().map(Truth::id),
            _ => None,
        })
        .collect();
    assert_eq!(shown, [Some("SALE-H4K9P"), Some("SALE-Z"), None, None]);
    for body in
        [DELETED.to_owned(), PRODUCT.to_owned(), other("A,B", 1), other("A B", 1), other(&"9".repeat(41), 1)]
    {
        assert!(!source.is_listable(&claim(&body)), "{body}");
    }
    shop.close().await;
    let failing = ShopDouble::serving(|_| (500, String::new()));
    assert!(source.ask_list(&failing.api, &claims).await.is_err());
    failing.close().await;
}
