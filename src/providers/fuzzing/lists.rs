//! Fuzzes the answers to calls that no notification causes: the list of orders, one order by its id, the control question,
//! and the checks of `doctor`.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::conversation::{Conversation, NOW, SEPARATOR, ScriptedReply, ecwid_page, kinguin_page, one, said};
use super::notifications::source;
use super::{assert_fit_for_a_line, fuzz, plain};
use crate::domain::{CallResult, Failure, ListRequest, Listing, Timestamp, Truth, Window};
use crate::providers::{Provider, ecwid, kinguin};

/// Where a list says how many orders it has, where it has them, and where an order has its id.
struct List {
    total: &'static str,
    items: &'static str,
    id: &'static str,
}

fn fuzz_lists(
    target: &str,
    reached: &[&str],
    provider: &dyn Provider,
    list: &List,
    order_id: &str,
    seeds: &[&[Vec<u8>]],
) {
    let conversation = Conversation::new();
    let api = &conversation.api;
    let window = Window { from: Timestamp::from_seconds(NOW - 86_400), to: Timestamp::from_seconds(NOW) };
    let request = ListRequest { window, recheck: Duration::from_secs(86_400) };
    let seeds = seeds.iter().map(|replies| replies.join(SEPARATOR)).collect();
    fuzz(target, reached, seeds, |input| {
        conversation.take(input, |_| ());
        let (heard, listing) = conversation.ask(provider.list_orders(api, request));
        let mut effects = match listing {
            Ok(listing) => listed(provider, list, &listing.expect("a list"), &heard),
            Err(failure) => failed(&failure),
        };
        let (heard, answer) = conversation.ask(provider.ask_order(api, order_id));
        match &answer.result {
            CallResult::Failed(failure) => effects += &failed(failure),
            other => {
                assert!(
                    !heard.iter().any(ScriptedReply::is_failure),
                    "an answer after a failed call: {answer:?}"
                );
                effects += if matches!(other, CallResult::Found(_)) { "there;" } else { "not there;" };
            }
        }
        let (heard, control) = conversation.ask(provider.control(api));
        match control {
            Ok(()) => assert!(heard.iter().all(|reply| reply.is_good() && reply.json().is_object())),
            Err(failure) => effects += &failed(&failure),
        }
        let (_, examination) = conversation.ask(provider.examine(api));
        for check in &examination.checks {
            assert_fit_for_a_line(&check.words);
            effects += &format!("{} {};", check.good, plain(&check.words));
        }
        effects
    });
}

fn failed(failure: &Failure) -> String {
    assert_fit_for_a_line(&failure.detail);
    format!("{:?} {};", failure.cause, plain(&failure.detail))
}

/// A listing holds each order once, none that was not shown, all of the page that was read last, and as many as that
/// page says there are. Unfinished orders (Ecwid: `INCOMPLETE`) are left out.
fn listed(provider: &dyn Provider, list: &List, listing: &Listing, heard: &[ScriptedReply]) -> String {
    assert!(heard.iter().all(ScriptedReply::is_good), "a listing after a failed call");
    let mut ids = HashSet::new();
    for order in &listing.orders {
        let id = order.object.truth.as_ref().map(Truth::id).expect("a list shows this shop's own orders");
        assert!(ids.insert(id.to_owned()), "{id} is listed twice");
        assert!(provider.names_of(&order.object).iter().any(|name| name == id), "{id} has other names");
        provider.is_final(&order.object.compared);
    }
    let is_unfinished = |order: &Value| order["paymentStatus"] == "INCOMPLETE";
    let all = list.shown(heard, |_| true);
    let unfinished = list.shown(heard, is_unfinished);
    let last = &heard[heard.len() - 1..];
    assert!(ids.is_subset(&all), "listed, but not shown: {ids:?}");
    let left_out = &(&list.shown(last, |_| true) - &unfinished) - &ids;
    let odd = listing.odd.len();
    listing.odd.iter().for_each(|wrong| assert_fit_for_a_line(wrong));
    assert!(left_out.len() <= odd, "shown, and neither listed nor odd: {left_out:?}, {:?}", listing.odd);
    let total = text_of(&last[0].json()[list.total]).and_then(|total| total.parse().ok()).unwrap_or(0);
    assert!(ids.len() + unfinished.len() + odd >= total, "{ids:?}, {unfinished:?} and {odd} odd of {total}");
    format!("{} listed, {} odd;", ids.len().min(4), odd.min(2))
}

impl List {
    /// The ids of those orders in these answers that `is_one` takes.
    fn shown(&self, heard: &[ScriptedReply], is_one: impl Fn(&Value) -> bool) -> HashSet<String> {
        let bodies: Vec<Value> = heard.iter().map(ScriptedReply::json).collect();
        let orders = bodies.iter().filter_map(|body| body[self.items].as_array()).flatten();
        orders.filter(|order| is_one(order)).filter_map(|order| text_of(&order[self.id])).collect()
    }
}

fn text_of(id: &Value) -> Option<String> {
    match id {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

#[test]
fn no_list_of_ecwid_is_taken_for_more_than_it_shows() {
    let (order, old) = ("ecwid/answers/order.json", "ecwid/answers/old_order.json");
    let seeds: [&[Vec<u8>]; 6] = [
        &[ecwid_page(2, &[order, old])],
        &[ecwid_page(2, &[order]), ecwid_page(2, &[old])],
        &[ecwid_page(3, &[order]), ecwid_page(2, &[order, old])],
        &[ecwid_page(0, &[])],
        &[said(403, br#"{"errorCode":"INSUFFICIENT_APP_SCOPE"}"#), ecwid_page(0, &[])],
        &[said(404, b""), ecwid_page(1, &[order])],
    ];
    let reached = ["2 listed", "0 listed", "there", "not there", "scope", "can be read"];
    fuzz_lists(
        "lists-ecwid",
        &reached,
        &*source(&ecwid::WEBHOOK, &[]),
        &List { total: "total", items: "items", id: "id" },
        "SALE-H4K9P",
        &seeds,
    );
}

#[test]
fn no_list_of_kinguin_is_taken_for_more_than_it_shows() {
    let order = "kinguin/answers/order.json";
    let seeds: [&[Vec<u8>]; 5] = [
        &[kinguin_page(1, &[order])],
        &[kinguin_page(2, &[order]), kinguin_page(1, &[order])],
        &[kinguin_page(0, &[])],
        &[one(401, "kinguin/answers/unauthorized.json")],
        &[one(200, order)],
    ];
    // An id that must not stand in a path is looked for in the list.
    let reached = ["1 listed", "0 listed", "ApiDenied", "the list shows no order"];
    fuzz_lists(
        "lists-kinguin",
        &reached,
        &*source(&kinguin::KINGUIN, &[]),
        &List { total: "item_count", items: "results", id: "orderId" },
        "QZ7T2/RMN4WB",
        &seeds,
    );
}
