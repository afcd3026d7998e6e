//! `kinguin`: what a webhook about a product says, held against the product.

use chrono::{DateTime, TimeDelta, Utc};
use countersign::simulator::kinguin::Product;
use serde_json::{Value, json};

use super::kinguin::{AT, answering, calls, keys, webhook};
use crate::support::assert_verdict;

const PRODUCT_ID: &str = "5f00aa11bb22cc33dd44ee55";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn shown(kinguin_id: u64) -> Product {
    Product::new(kinguin_id, PRODUCT_ID).updated_at(at("2025-03-04T10:15:09Z"))
}

fn update(kinguin_id: u64, updated_at: &str) -> Value {
    json!({"kinguinId": kinguin_id, "productId": PRODUCT_ID, "updatedAt": updated_at})
}

#[test]
fn a_product_that_the_api_shows_with_both_ids_is_confirmed() {
    let (env, account) = keys();
    account.put_product(shown(70_123).price("6.20").field("qty", "31"));
    let serve = env.serve();
    let mut body = update(70_123, AT);
    body["qty"] = 9.into();
    body["price"] = "1.00".into();
    body["cheapestProductId"] = json!(["60aa11bb22cc33dd44ee55ff"]);
    let answer = serve.send(&webhook("product.update", &body));
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.event.as_deref(), Some("product.update"));
    assert_eq!((row.subject_kind.as_deref(), row.subject_id.as_deref()), (Some("product"), Some("70123")));
    assert_eq!((row.resolved_id.as_deref(), row.news), (Some("70123"), 1));
    let claim: Value = serde_json::from_str(&row.claim.unwrap()).unwrap();
    let compared = json!({"kinguinId": "70123", "productId": PRODUCT_ID, "updatedAt": AT});
    assert_eq!(claim, compared);
    let columns = "source || '|' || product_id || '|' || name || '|' || price || '|' || currency || '|' || qty || '|' \
                   || available || '|' || updated_at";
    assert_eq!(
        env.value(&format!("SELECT {columns} FROM products")).as_deref(),
        Some("keys|70123|Example Game Key|6.20|EUR|31|1|2025-03-04T10:15:09.000Z"),
        "the API's values, never the notification's"
    );
    let raw: Value = serde_json::from_str(&env.value("SELECT raw FROM products").unwrap()).unwrap();
    assert_eq!(raw["productId"], PRODUCT_ID);
    assert_eq!(calls(&env), ["/v1/products/70123"]);
}

#[test]
fn the_ids_must_agree_and_the_api_must_not_be_older() {
    let (env, account) = keys();
    let serve = env.serve();
    let rows = [
        (json!({"updatedAt": "2025-03-04T10:15:09+00:00"}), "match"),
        (json!({"updatedAt": "2025-03-04T10:15:09.999+00:00"}), "match"),
        (json!({"updatedAt": "2025-03-04T10:15:08+00:00"}), "match"),
        (json!({"updatedAt": "2019-12-01T00:00:00UTC"}), "match"),
        (json!({"updatedAt": AT, "productId": null}), "match"),
        (json!({"updatedAt": AT, "productId": ""}), "match"),
        (json!({"updatedAt": AT, "productId": PRODUCT_ID}), "match"),
        (json!({"updatedAt": AT, "productId": "6a00aa11bb22cc33dd44ee55"}), "mismatch"),
        (json!({"updatedAt": "2099-01-01T00:00:00Z", "productId": "6a00aa11bb22cc33dd44ee55"}), "mismatch"),
    ];
    for (id, (said, reason)) in (1..).zip(rows) {
        let kinguin_id = 100 + u64::try_from(id).unwrap();
        account.put_product(shown(kinguin_id));
        let mut body = said;
        // Ids come as numbers or as text.
        body["kinguinId"] = if id % 2 == 0 { kinguin_id.into() } else { kinguin_id.to_string().into() };
        serve.send(&webhook("product.update", &body));
        serve.settled(id);
        let state = if reason == "match" { "confirmed" } else { "ignored" };
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn every_documented_form_of_a_date_is_understood() {
    let (env, account) = keys();
    account.put_product(shown(70_123));
    let serve = env.serve();
    let (whole, fraction) = ("2025-03-04T10:15:09.000Z", "2025-03-04T10:15:09.120Z");
    let forms = [
        ("2025-03-04T10:15:09+00:00", Some(whole)),
        ("2025-03-04T10:15:09+0000", Some(whole)),
        ("2025-03-04T10:15:09Z", Some(whole)),
        ("2025-03-04T10:15:09UTC", Some(whole)),
        ("2025-03-04T10:15:09GMT", Some(whole)),
        ("2025-03-04T12:15:09+02:00", Some(whole)),
        ("2025-03-04T10:15:09.120+00:00", Some(fraction)),
        ("2025-03-04T10:15:09.120Z", Some(fraction)),
        ("2025-03-04T10:15:09.12+0000", Some(fraction)),
        ("2025-03-04T10:15:09.120UTC", Some(fraction)),
        // The name of a zone without its offset, and no zone: the text is kept, nothing is compared.
        ("2999-03-04T10:15:09CET", None),
        ("2999-03-04T10:15:09Europe/Warsaw", None),
        ("2999-03-04T10:15:09", None),
    ];
    for (id, (text, event_time)) in (1..).zip(forms) {
        serve.send(&webhook("product.update", &update(70_123, text)));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.event_time.as_deref(), event_time, "{text}");
        assert_eq!(row.claim.unwrap().contains(text), event_time.is_some(), "{text}");
    }
}

#[test]
fn a_product_older_than_notified_is_not_yet_until_the_api_has_caught_up() {
    let (env, account) = keys();
    account.put_product(shown(70_123));
    let serve = env.serve();
    serve.send(&webhook("product.update", &update(70_123, "2025-03-04T10:15:10.001+00:00")));
    serve.pending(1, "not_yet");
    account.edit_product(70_123, |product| product.updated_at(at("2025-03-04T10:15:10Z")));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
    let updated_at = env.value("SELECT updated_at FROM products");
    assert_eq!(updated_at.as_deref(), Some("2025-03-04T10:15:10.000Z"));
}

#[test]
fn a_time_to_come_is_waited_for_unless_the_product_carries_it_too() {
    let (env, account) = keys();
    let ahead = Utc::now() + TimeDelta::minutes(20);
    account.put_product(shown(1));
    account.put_product(shown(2).updated_at(ahead));
    let serve = env.serve();
    let ahead = ahead.to_rfc3339();
    serve.send(&webhook("product.update", &update(1, &ahead)));
    serve.pending(1, "not_yet");
    serve.send(&webhook("product.update", &update(2, &ahead)));
    serve.settled(2);
    assert_verdict(&env.row(2), "confirmed", "match");
}

#[test]
fn a_product_that_is_not_shown_is_confirmed_only_where_we_held_it_with_the_same_ids() {
    let (env, account) = keys();
    account.put_product(shown(70_123));
    let serve = env.serve();
    serve.send(&webhook("product.update", &update(70_123, AT)));
    serve.settled(1);
    account.vanish_product(70_123);
    serve.send(&webhook("product.update", &update(70_123, "2025-03-05T10:15:09Z")));
    serve.settled(2);
    let row = env.row(2);
    assert_verdict(&row, "confirmed", "unavailable");
    assert_eq!((row.news, row.outcomes.as_slice()), (1, ["unavailable".to_owned()].as_slice()));
    assert_eq!(env.value("SELECT available FROM products").as_deref(), Some("0"));
    let mut other = update(70_123, "2025-03-06T10:15:09Z");
    other["productId"] = "6a00aa11bb22cc33dd44ee55".into();
    serve.send(&webhook("product.update", &other));
    serve.send(&webhook("product.update", &update(70_124, AT)));
    for id in [3, 4] {
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "unavailable");
    }
    assert_eq!(env.value("SELECT count(*) FROM fakes").as_deref(), Some("0"), "not a fake");
    assert_eq!(env.value("SELECT count(*) FROM products").as_deref(), Some("1"));
}

#[test]
fn a_products_404_of_any_kind_but_http_says_that_it_is_not_shown() {
    let (env, account) = keys();
    let serve = env.serve();
    for (id, kind) in [(1, "ProductUnavailable"), (2, "ProductNotFound"), (3, "NotFound")] {
        account.configure(|settings| settings.product_not_found_kind = kind.to_owned());
        serve.send(&webhook("product.update", &update(u64::try_from(id).unwrap(), AT)));
        serve.settled(id);
        assert_verdict(&env.row(id), "ignored", "unavailable");
    }
}

#[test]
fn a_products_404_without_a_kind_or_with_http_is_api_error() {
    let (env, account) = keys();
    account.put_product(shown(5));
    let serve = env.serve();
    let bodies = [
        r#"{"kind":"Http","status":404,"title":"Not Found"}"#,
        r#"{"status":404,"title":"Not Found"}"#,
        r#"{"kind":"","status":404}"#,
        "{}",
        "",
        "<h1>404</h1>",
    ];
    for (id, body) in (1..).zip(bodies) {
        let fault = answering(&env, "/v1/products/", 404, body);
        serve.send(&webhook("product.update", &update(5, &format!("2025-03-04T10:15:0{id}Z"))));
        serve.pending(id, "api_error");
        env.simulator.shops().clear_fault(fault);
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

#[test]
fn an_unavailable_product_within_grace_is_not_yet() {
    let (env, account) = keys();
    let env = env.verify("grace = \"60s\"");
    let serve = env.serve();
    serve.send(&webhook("product.update", &update(70_123, AT)));
    serve.pending(1, "not_yet");
    account.put_product(shown(70_123));
    serve.settled(1);
    assert_verdict(&env.row(1), "confirmed", "match");
}

#[test]
fn a_change_of_price_quantity_or_availability_is_news_and_a_repeated_truth_is_not() {
    let (env, account) = keys();
    let serve = env.serve();
    // The API's `updatedAt` stands still: what is sold changes without it.
    let shown = || shown(70_123);
    let changes = [
        (shown(), 1),
        (shown(), 0),
        (shown().price("5.99"), 1),
        (shown().price("5.990").field("name", "Other Name"), 0),
        (shown().price("5.99").quantity(30), 1),
        (shown().price("5.99").quantity(0).field("totalQty", 0), 1),
    ];
    for (id, (product, news)) in (1..).zip(changes) {
        account.put_product(product);
        serve.send(&webhook("product.update", &update(70_123, &format!("2025-03-04T10:15:0{id}Z"))));
        serve.settled(id);
        let row = env.row(id);
        assert_verdict(&row, "confirmed", "match");
        assert_eq!(row.news, news, "{row:#?}");
    }
}
