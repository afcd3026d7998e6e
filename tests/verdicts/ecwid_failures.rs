//! Both Ecwid formats: what a failure to ask means. It never confirms and never ignores.

use std::time::Duration;

use countersign::simulator::ecwid::{EcwidStore, Order};
use countersign::simulator::{Fault, Trouble};

use super::ecwid_shop::{Hook, Ion, TOKEN, asked, fault, keys, post_and_settle, shop};
use crate::support::{TestEnv, assert_verdict};

fn answer(status: u16, body: &str) -> Fault {
    Fault::new(Trouble::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

fn coded(status: u16, code: &str) -> Fault {
    answer(status, &format!("{{\"errorMessage\":\"simulated\",\"errorCode\":\"{code}\"}}"))
}

/// Faults of every call, the control question included, and the cause that the waiting notification then carries.
fn faults() -> Vec<(&'static str, Fault)> {
    let elsewhere = "/ecwid/api/v3/1003/orders/last";
    vec![
        ("api_error", Fault::status(500)),
        ("api_error", Fault::status(502)),
        ("api_error", Fault::status(503)),
        ("api_error", Fault::new(Trouble::Redirect(elsewhere.to_owned()))),
        ("api_error", Fault::new(Trouble::Redirect("http://example.test/".to_owned()))),
        ("api_error", Fault::new(Trouble::NotJson)),
        ("api_error", Fault::new(Trouble::Truncate)),
        ("api_error", Fault::new(Trouble::Huge(9 << 20))),
        ("api_error", answer(200, "")),
        ("api_error", answer(204, "")),
        ("api_error", answer(200, "{}")),
        ("api_error", answer(200, "[]")),
        ("api_error", answer(200, "null")),
        ("api_error", answer(200, "{\"id\":")),
        ("api_unreachable", Fault::new(Trouble::Reset)),
        ("api_unreachable", Fault::status(408)),
        ("api_denied", Fault::status(401)),
        ("api_denied", coded(402, "STORE_IS_SUSPENDED")),
        ("api_denied", coded(402, "NOT_AVAILABLE_ON_CURRENT_PLAN")),
        ("api_denied", coded(403, "INVALID_API_TOKEN")),
        ("api_denied", Fault::status(403)),
        ("api_denied", coded(404, "STORE_NOT_FOUND")),
        ("api_denied", coded(404, "PROFILE_NOT_FOUND")),
        ("api_denied", answer(404, "{\"errorMessage\":\"STORE_NOT_FOUND\"}")),
        ("api_denied", answer(404, "")),
        ("api_denied", coded(400, "WRONG_PARAMETER")),
        ("api_denied", coded(405, "METHOD_NOT_ALLOWED")),
        ("api_denied", coded(409, "CONSTRAINT_VIOLATION")),
        ("api_denied", coded(422, "WRONG_URL")),
    ]
}

#[test]
fn no_failure_to_ask_confirms_or_ignores_and_when_it_is_over_the_verdict_comes() {
    for source in ["old", "hook"] {
        let (env, store) = shop();
        let env = env.verify("denied_pause = \"1h\"");
        let serve = env.serve();
        for (id, (cause, trouble)) in (1..).zip(faults()) {
            let order_id = format!("F{id}");
            let internal = 4000 + u64::try_from(id).unwrap();
            store.put_order(Order::new(&order_id, internal).paid());
            env.simulator.shops().add_fault(trouble.clone());
            let hook = Hook::new("order.created", internal).order(&order_id).data("newPaymentStatus", "PAID");
            let body = if source == "old" { Ion::paid(&order_id).form() } else { hook.body() };
            serve.post(source, body);
            serve.pending(id, cause);
            let row = env.row(id);
            assert_eq!((row.state.as_str(), row.reason.as_deref()), ("pending", Some(cause)), "{trouble:?}");
            env.simulator.shops().clear_faults();
            // Ends the pause. A probe may stand between its question and the control question: that is an api_error.
            serve.signal("HUP");
            serve.settled(id);
            let row = env.row(id);
            assert_verdict(&row, "confirmed", "match");
            let (last, before) = row.outcomes.split_last().unwrap();
            assert_eq!(last, "match");
            assert_eq!(before.first().map(String::as_str), Some(cause), "{trouble:?} {row:#?}");
            assert!(before.iter().all(|outcome| outcome.starts_with("api_")), "{trouble:?} {row:#?}");
        }
        // A redirect is not followed.
        assert!(asked(&env).iter().all(|path| !path.contains("last")));
    }
}

#[test]
fn an_order_without_a_documented_field_is_an_api_error() {
    for field in ["id", "paymentStatus", "fulfillmentStatus"] {
        let (env, store) = shop();
        assert!(store.edit_order("1207", |order| order.field(field, serde_json::Value::Null)));
        // Without its id the simulated shop no longer finds it: then the answer itself lacks it.
        if field == "id" {
            fault(&env, "orders/1207", answer(200, "{\"orderNumber\":1207,\"paymentStatus\":\"PAID\"}"));
        }
        let serve = env.serve();
        serve.post("old", Ion::paid("1207").form());
        serve.pending(1, "api_error");
        assert_eq!(env.row(1).state, "pending");
    }
}

#[test]
fn an_answer_that_does_not_come_in_time_is_api_unreachable() {
    let (env, _store) = shop();
    let env = env.verify("timeout = \"500ms\"");
    fault(&env, "orders/1207", Fault::new(Trouble::Hold));
    fault(&env, "orders/SALE", Fault::new(Trouble::Dribble(Duration::from_millis(20))));
    let serve = env.serve();
    serve.post("old", Ion::paid("1207").form());
    serve.post("hook", Hook::sale("PAID", "AWAITING_PROCESSING").body());
    serve.pending(1, "api_unreachable");
    serve.pending(2, "api_unreachable");
    env.simulator.shops().clear_faults();
    for id in [1, 2] {
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
    }
}

type Opened = (TestEnv, EcwidStore);

#[test]
fn a_wrong_token_a_suspended_store_and_a_store_that_is_not_there_are_api_denied() {
    let break_shop: [fn(&Opened); 3] = [
        |shop| drop(shop.0.simulator.shops().open_ecwid(1003, "secret_other")),
        |shop| shop.1.configure(|settings| settings.suspended = true),
        |shop| shop.1.configure(|settings| settings.free_plan = true),
    ];
    for break_it in break_shop {
        let shop = shop();
        break_it(&shop);
        let (env, store) = shop;
        let serve = env.serve();
        serve.post("hook", Hook::sale("PAID", "AWAITING_PROCESSING").body());
        serve.pending(1, "api_denied");
        assert_eq!(env.row(1).state, "pending");
        env.simulator.shops().open_ecwid(1003, TOKEN);
        store.configure(|settings| (settings.suspended, settings.free_plan) = (false, false));
        serve.settled(1);
        assert_verdict(&env.row(1), "confirmed", "match");
    }
    let (env, _store) = shop();
    let keys = keys(&env, "ecwid").replace("1003", "1009");
    let env = env.source("nowhere", &keys);
    let serve = env.serve();
    serve.post("nowhere", Hook::sale("PAID", "AWAITING_PROCESSING").set("storeId", 1009).body());
    serve.pending(1, "api_denied");
    assert_eq!(env.row(1).state, "pending");
}

#[test]
fn a_missing_scope_pauses_only_its_kind_of_call_until_a_person_says_retry() {
    let (env, store) = shop();
    let env = env.verify("denied_pause = \"1h\"");
    store.configure(|settings| settings.scopes.retain(|scope| scope != "read_catalog"));
    let serve = env.serve();
    serve.post("hook", Hook::new("product.updated", 9001).body());
    serve.pending(1, "api_denied");
    // An order still passes; the same product again and a second one wait without a question of their own.
    post_and_settle(&serve, "hook", Hook::sale("PAID", "AWAITING_PROCESSING").body(), 2);
    assert_verdict(&env.row(2), "confirmed", "match");
    serve.post("hook", Hook::new("product.updated", 9002).body());
    serve.post("hook", Hook::new("product.updated", 9001).later(1).body());
    post_and_settle(&serve, "hook", Hook::new("order.updated", 41_207).order("1207").body(), 5);
    for id in [3, 4] {
        let row = env.row(id);
        assert_eq!((row.state.as_str(), row.reason.as_deref()), ("pending", Some("api_denied")));
        assert!(row.outcomes.is_empty(), "{row:#?}");
    }
    let products = |path: &String| path.starts_with("products");
    assert_eq!(asked(&env).iter().filter(|path| products(path)).count(), 1);
    store.configure(|settings| settings.scopes.extend(["read_catalog".to_owned()]));
    assert!(env.run(&["retry", "1"]).status.success());
    for (id, state, reason) in
        [(1, "confirmed", "match"), (3, "ignored", "not_found"), (4, "confirmed", "match")]
    {
        serve.settled(id);
        assert_verdict(&env.row(id), state, reason);
    }
}

#[test]
fn each_refusal_of_one_subject_alone_asks_one_control_question() {
    let (env, _store) = shop();
    fault(&env, "orders/1207", Fault::status(400));
    let serve = env.serve();
    serve.post("old", Ion::paid("1207").form());
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "undecided", "api_error");
    assert_eq!(row.outcomes, ["api_error"; 5]);
    let control = |path: &&String| path.starts_with("orders?limit=1");
    assert_eq!(asked(&env).iter().filter(control).count(), 5);
    post_and_settle(&serve, "old", Ion::new("SALE-H4K9P", "PAID", "NEW").form(), 2);
    assert_verdict(&env.row(2), "confirmed", "match");
}

#[test]
fn a_pause_that_a_429_or_a_503_asks_for_holds_one_source_alone() {
    let busy = |value: &str| {
        let headers = vec![("retry-after".to_owned(), value.to_owned())];
        Fault::new(Trouble::Answer { status: 503, headers, body: Vec::new() })
    };
    for trouble in [Fault::too_many(Some("600")), busy("600")] {
        let (env, _store) = shop();
        env.simulator.shops().add_fault(trouble.clone());
        let serve = env.serve();
        serve.post("hook", Hook::sale("PAID", "AWAITING_PROCESSING").body());
        serve.pending(1, "api_rate_limited");
        let wait = "SELECT (julianday(next_attempt_at) - julianday(max(v.at))) * 86400 FROM notifications n
                    JOIN verifications v ON v.notification_id = n.id WHERE n.id = 1";
        let more = env.value(wait).unwrap().parse::<f64>().unwrap() - 600.0;
        assert!((-0.1..19.0).contains(&more), "{more} s more after {trouble:?}");
        serve.post("hook", Hook::new("order.updated", 41_207).order("1207").body());
        // The other source is not kept waiting; what came in for this one is read by then and carries the cause.
        env.simulator.shops().clear_faults();
        post_and_settle(&serve, "old", Ion::paid("1207").form(), 3);
        for id in [1, 2] {
            let row = env.row(id);
            assert_eq!((row.state.as_str(), row.reason.as_deref()), ("pending", Some("api_rate_limited")));
        }
        assert!(env.row(2).outcomes.is_empty());
        assert_eq!(asked(&env), ["orders/SALE-H4K9P", "orders/1207"]);
    }
}
