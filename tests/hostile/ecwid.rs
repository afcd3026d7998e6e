//! Both of Ecwid's formats: words, numbers, repeated names and dates that its documentation never had.

use super::{Case, with, with_json, withstand};
use crate::support::formats::{OLD, SHOP};

const MATCH: &[&str] = &["match"];
const DUPLICATE: &[&str] = &["duplicate"];
const MISMATCH: &[&str] = &["mismatch"];
const MALFORMED: &[&str] = &["malformed"];
const UNSUPPORTED: &[&str] = &["unsupported"];
const WRONG_STORE: &[&str] = &["wrong_store"];

#[test]
fn ecwid_ion_withstands_odd_fields() {
    let truth = OLD.truth(1207);
    let swap = |from: &str, to: &str| truth.replace(from, to);
    let cases = [
        (truth.clone(), MATCH),
        // Names that repeat: the same value is no contradiction.
        (format!("{truth}&order_id=1207"), DUPLICATE),
        (format!("{truth}&order_id=1208"), MALFORMED),
        (format!("order_id=1208&{truth}"), MALFORMED),
        (format!("{truth}&payment_status=QUEUED"), MALFORMED),
        (format!("{truth}&owner_id=1004"), MALFORMED),
        (format!("{truth}&event_type=new_order&event_type=order_status_change"), MALFORMED),
        (format!("{truth}&x=1&x=2&x=3"), DUPLICATE),
        (format!("{truth}&order_id[]=1208&order_id%00=1208&ORDER_ID=1208"), DUPLICATE),
        // What is missing or empty.
        (swap("owner_id=1003&", ""), MALFORMED),
        (swap("event_type=new_order&", ""), MALFORMED),
        (swap("&order_id=1207", ""), MALFORMED),
        (swap("&order_id=1207", "&order_id="), MALFORMED),
        (swap("payment_status=ACCEPTED", "payment_status="), MALFORMED),
        (swap("&fulfillment_status=NEW", ""), MALFORMED),
        (swap("&fulfillment_status=NEW", "&fulfillment_status"), MALFORMED),
        (swap("event_type=new_order", "event_type="), MALFORMED),
        (swap("event_type=new_order", "event_type=new_order%00"), UNSUPPORTED),
        (swap("event_type=new_order", "event_type=NEW_ORDER"), UNSUPPORTED),
        // Words that no page has.
        (swap("ACCEPTED", "BOUGHT"), MISMATCH),
        (swap("ACCEPTED", "accepted"), MISMATCH),
        (swap("ACCEPTED", "PAID+"), MISMATCH),
        (swap("ACCEPTED", "%F0%9F%94%91"), MISMATCH),
        (swap("ACCEPTED", &"P".repeat(100_000)), MISMATCH),
        (swap("=NEW", "=SHIPPED%0d%0aX: y"), MISMATCH),
        // Another store, however it is written.
        (swap("1003", "1004"), WRONG_STORE),
        (swap("1003", "01003"), WRONG_STORE),
        (swap("1003", "1003.0"), WRONG_STORE),
        (swap("1003", "1003%20"), WRONG_STORE),
        // Dates: nothing is ever refused for one; another date is another claim.
        (swap("2014-11-02+09%3A41%3A00", "2014-11-02T09:41:00Z"), MATCH),
        (swap("2014-11-02+09%3A41%3A00", "2014-02-30 25:61:61"), MATCH),
        (swap("2014-11-02+09%3A41%3A00", "yesterday"), MATCH),
        (swap("2014-11-02+09%3A41%3A00", "-99999999999999999999"), MATCH),
        (swap("&date=2014-11-02+09%3A41%3A00", ""), MATCH),
        // Broken encoding is no text of a form.
        (swap("order_id=1207", "order_id=12%FF07"), MALFORMED),
        (swap("order_id=1207", "order_id=%C3%28"), MALFORMED),
    ];
    withstand(OLD, &cases.map(|(body, reasons)| Case::new(OLD, body, reasons)));
}

#[test]
fn ecwid_withstands_odd_fields() {
    let json = |place: &str, json: &str| with_json(SHOP, place, json);
    let word = |place: &str, word: &str| with(SHOP, place, word);
    let cases = [
        (SHOP.truth(1207), MATCH),
        // Numbers as text and text as numbers.
        (json("/storeId", "\"1003\""), DUPLICATE),
        (json("/entityId", "\"41207\""), DUPLICATE),
        (json("/eventCreated", "\"1764000000\""), DUPLICATE),
        (json("/data/orderId", "1207"), DUPLICATE),
        (json("/storeId", "1003.0"), MALFORMED),
        (json("/storeId", "-1003"), MALFORMED),
        (json("/entityId", "4.1207e4"), MALFORMED),
        (json("/entityId", "41207.5"), MALFORMED),
        (json("/entityId", "true"), MALFORMED),
        (json("/entityId", "[41207]"), MALFORMED),
        (json("/entityId", "null"), MALFORMED),
        (json("/entityId", "99999999999999999999999999999999"), &["mismatch", "not_found"]),
        (json("/eventId", "7"), MATCH),
        (json("/eventId", "{}"), MALFORMED),
        (json("/eventId", "\"\""), MALFORMED),
        (json("/eventType", "7"), MALFORMED),
        (json("/eventType", "[\"order.updated\"]"), MALFORMED),
        (json("/data", "[]"), MALFORMED),
        (json("/data", "\"orderId\""), MALFORMED),
        (json("/data/orderId", "{\"id\":1207}"), MALFORMED),
        (json("/data/orderId", "false"), MALFORMED),
        (json("/data/newPaymentStatus", "1"), MALFORMED),
        (json("/data/newPaymentStatus", "[\"PAID\"]"), MALFORMED),
        // Words that no page has.
        (word("/data/newPaymentStatus", "BOUGHT"), MISMATCH),
        (word("/data/newPaymentStatus", "paid"), MISMATCH),
        (word("/data/newPaymentStatus", "PAID\0"), MISMATCH),
        (word("/data/newFulfillmentStatus", "\u{202e}"), MISMATCH),
        (word("/data/newFulfillmentStatus", &"N".repeat(100_000)), MISMATCH),
        (word("/eventType", "order.stolen"), UNSUPPORTED),
        (word("/eventType", "ORDER.UPDATED"), UNSUPPORTED),
        (word("/eventType", "order.updated\0"), UNSUPPORTED),
        (word("/eventType", &"o".repeat(100_000)), UNSUPPORTED),
        // Another store, however it is written.
        (json("/storeId", "1004"), WRONG_STORE),
        (json("/storeId", "\"01003\""), WRONG_STORE),
        (json("/storeId", "\" 1003\""), WRONG_STORE),
        (json("/storeId", "99999999999999999999999999"), WRONG_STORE),
        // Dates.
        (json("/eventCreated", "0"), MATCH),
        (json("/eventCreated", "99999999999999999999"), &["not_yet"]),
        (json("/eventCreated", "-1"), MALFORMED),
        (json("/eventCreated", "1764000000.5"), MALFORMED),
        (json("/eventCreated", "\"2025-11-24T16:00:00Z\""), MALFORMED),
        (json("/eventCreated", "null"), MALFORMED),
        // Of a name that repeats, the last value counts.
        (SHOP.truth(1207).replace("\"storeId\":1003", "\"storeId\":1004,\"storeId\":1003"), DUPLICATE),
        (SHOP.truth(1207).replace("\"storeId\":1003", "\"storeId\":1003,\"storeId\":1004"), WRONG_STORE),
        (SHOP.truth(1207).replace("\"data\":", "\"data\":7,\"data\":"), DUPLICATE),
    ];
    withstand(SHOP, &cases.map(|(body, reasons)| Case::new(SHOP, body, reasons)));
}
