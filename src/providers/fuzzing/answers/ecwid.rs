//! Ecwid's answers: orders, products and deletions, by id and by list.

use super::super::conversation::{ecwid_page, one, said};
use super::super::notifications::source;
use super::{Says, fuzz_answers};
use crate::providers::ecwid::{ION, WEBHOOK};

const ORDER: Says =
    &[("/id", "SALE-H4K9P"), ("/paymentStatus", "PAID"), ("/fulfillmentStatus", "AWAITING_PROCESSING")];

#[test]
fn no_answer_of_ecwid_confirms_what_it_does_not_say() {
    let notifications: [(&str, Says); 4] = [
        ("ecwid/notifications/order_updated.json", ORDER),
        ("ecwid/notifications/order_deleted.json", &[("/id", "731200456")]),
        ("ecwid/notifications/product_updated.json", &[("/id", "9001")]),
        ("ecwid/notifications/product_deleted.json", &[("/id", "9001")]),
    ];
    let order = "ecwid/answers/order.json";
    let gone = |word: &str| said(404, format!(r#"{{"errorMessage":"…","errorCode":"{word}"}}"#).as_bytes());
    let deleted = one(200, "ecwid/answers/orders_deleted.json");
    let seeds: [&[Vec<u8>]; 8] = [
        &[one(200, order)],
        &[one(200, "ecwid/answers/product.json")],
        &[ecwid_page(1, &[order])],
        &[gone("ORDER_NOT_FOUND"), ecwid_page(2, &["ecwid/answers/old_order.json"]), ecwid_page(2, &[order])],
        &[gone("ORDER_NOT_FOUND"), deleted],
        &[gone("PRODUCT_NOT_FOUND"), ecwid_page(1, &["ecwid/answers/product.json"])],
        &[gone("STORE_NOT_FOUND")],
        &[gone("ORDER_NOT_FOUND"), ecwid_page(0, &[])],
    ];
    fuzz_answers(
        "answers-ecwid",
        &["Match", "listed Match", "Deleted", "NotFound", "Mismatch", "ApiDenied"],
        &*source(&WEBHOOK, &[]),
        &notifications,
        &seeds,
    );
}

#[test]
fn no_answer_of_ecwid_confirms_an_ion_that_it_does_not_say() {
    let says: Says = &[
        ("/orderNumber|/id", "1207"),
        ("/paymentStatus", "PAID"),
        ("/fulfillmentStatus", "AWAITING_PROCESSING"),
    ];
    let notifications = [("ecwid/notifications/ion_order_status_change.form", says)];
    let (old, other) = ("ecwid/answers/old_order.json", "ecwid/answers/order.json");
    let gone = || said(404, br#"{"errorMessage":"Order #1207 not found"}"#);
    let seeds: [&[Vec<u8>]; 5] = [
        &[one(200, old)],
        &[one(200, other), ecwid_page(1, &[old])],
        &[ecwid_page(2, &[other, old])],
        &[gone(), ecwid_page(1, &[other])],
        &[gone(), ecwid_page(0, &[])],
    ];
    fuzz_answers(
        "answers-ecwid-ion",
        &["Match", "listed Match", "NotFound"],
        &*source(&ION, &[]),
        &notifications,
        &seeds,
    );
}
