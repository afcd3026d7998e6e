//! The checks of the credentials, against a scripted store.

use secrecy::SecretString;

use super::super::api::Shop;
use super::super::doctor::{Duties, client_secret_check, examine};
use super::{ShopDouble, now};

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

async fn bad_words(token: &str, status: u16, body: &'static str) -> (Vec<String>, usize) {
    let double = ShopDouble::serving(move |_| (status, body.to_owned()));
    let shop = Shop::new("4400551", secret(token));
    let examination = examine(&shop, &double.api, Duties::Webhooks(None)).await;
    let calls = double.seen().len();
    double.close().await;
    let bad = examination.checks.into_iter().filter(|check| !check.good);
    (bad.map(|check| check.words).collect(), calls)
}

#[actix_web::test]
async fn a_well_store_is_good_in_every_call_and_tells_its_clock() {
    let double = ShopDouble::serving(|_| (200, r#"{"total":0,"items":[]}"#.to_owned()));
    let shop = Shop::new("4400551", secret("secret_x"));
    let key = secret("client");
    let examination = examine(&shop, &double.api, Duties::Webhooks(Some(&key))).await;
    assert!(examination.checks.iter().all(|check| check.good), "{:?}", examination.checks);
    assert_eq!((examination.checks.len(), double.seen().len()), (5, 4));
    assert_eq!(examination.clock.map(|(_, ours)| ours), Some(now()));
    let orders_alone = examine(&shop, &double.api, Duties::Orders).await;
    assert_eq!(orders_alone.checks.len(), 1);
    double.close().await;
}

#[actix_web::test]
async fn each_refusal_says_what_to_do_and_a_refused_token_is_not_tried_again() {
    for (token, status, body, words, calls) in [
        ("secret_x", 403, r#"{"errorCode":"INVALID_API_TOKEN"}"#, "the token is refused", 1),
        ("client", 403, "", "does not begin with secret_", 1),
        ("secret_x", 403, r#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#, "grant it read_orders", 4),
        ("secret_x", 402, r#"{"errorCode":"STORE_IS_SUSPENDED"}"#, "the store is suspended", 1),
        ("secret_x", 402, "", "paid plan", 1),
        ("secret_x", 404, r#"{"errorCode":"STORE_NOT_FOUND"}"#, "check store_id", 1),
        ("secret_x", 404, "<html>", "check api_base", 1),
        ("secret_x", 200, "<html>", "not a JSON object", 1),
        ("secret_x", 500, "", "the API failed (500)", 1),
    ] {
        let (bad, made) = bad_words(token, status, body).await;
        assert!(bad.first().is_some_and(|line| line.contains(words)), "{status} {body}: {bad:?}");
        assert!(!bad.concat().contains("secret_x"), "{bad:?}");
        assert_eq!(made, calls, "{status} {body}");
    }
}

#[test]
fn an_access_token_in_the_place_of_the_client_secret_is_found() {
    let shop = Shop::new("4400551", secret("token"));
    assert!(!client_secret_check(&shop, &secret("token")).good);
    assert!(!client_secret_check(&shop, &secret("secret_other")).good);
    assert!(client_secret_check(&shop, &secret("client")).good);
}
