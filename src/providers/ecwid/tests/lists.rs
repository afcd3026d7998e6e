//! Many orders asked about by one list, against a scripted store.

use serde_json::json;

use crate::domain::{CallResult, Truth};
use crate::providers::Provider;

use super::webhook::{DELETED, PRODUCT, UPDATED, claim, order, source, with};
use super::{ShopDouble, listing};

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
        .map(|answer| match answer.as_ref().map(|answer| &answer.result) {
            Some(CallResult::Found(object)) => object.truth.as_ref().map(Truth::id),
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

#[actix_web::test]
async fn an_id_that_many_orders_are_near_to_hides_no_other_order_of_a_list() {
    let other = |order_id: &str, entity: u64| {
        claim(&with(&with(UPDATED, "/data/orderId", &json!(order_id)), "/entityId", &json!(entity)))
    };
    let claims = [other("SALE-", 1), claim(UPDATED), other("SAL", 2), other("MADE-UP", 3)];
    let near = |n: usize| order(&json!({"id": format!("SALE-{n}"), "internalId": n + 100}));
    let page = json!({"total": 5000, "items": (0..100).map(near).collect::<Vec<_>>()}).to_string();
    let shop = ShopDouble::serving(move |line| {
        let names_the_prefix = line.contains("SALE-,") || line.contains("SAL,");
        (200, if names_the_prefix { page.clone() } else { listing(&[order(&json!({}))]) })
    });
    let answers = source().ask_list(&shop.api, &claims).await.unwrap();
    assert_eq!(answers.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(
        shop.seen(),
        [
            "/4400551/orders?ids=SALE-,SALE-H4K9P,SAL,MADE-UP&limit=100",
            "/4400551/orders?ids=SALE-H4K9P,MADE-UP&limit=100"
        ]
    );
    shop.close().await;
}

#[actix_web::test]
async fn a_list_crowded_by_what_no_id_explains_is_given_up_after_a_page() {
    let unlike = |n: usize| order(&json!({"id": format!("Z{n}"), "internalId": n + 100}));
    let page = json!({"total": 5000, "items": (0..100).map(unlike).collect::<Vec<_>>()}).to_string();
    let shop = ShopDouble::serving(move |_| (200, page.clone()));
    assert!(source().ask_list(&shop.api, &[claim(UPDATED)]).await.is_err());
    assert_eq!(shop.seen().len(), 1);
    shop.close().await;
}
