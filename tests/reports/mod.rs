//! `report` through the front door, on stores that real notifications built.

mod formats;
mod options;
mod windows;

use std::process::Output;

use countersign::simulator::ecwid::Order;
use serde_json::Value;

use crate::support::{Serve, TestEnv};

const TOKEN: &str = "secret_report_token";

/// An id of one who wants to be obeyed by a terminal, a browser and a spreadsheet.
const HOSTILE: &str = "=1+1<script>alert(1)</script>\u{202e}";

/// An environment with one source, `shop`, whose shop has the orders 1 to 3.
fn env() -> TestEnv {
    let env = TestEnv::new();
    let base = env.simulator.ecwid_base();
    let shop = env.simulator.shops().open_ecwid(1003, TOKEN);
    for id in 1..=3_u32 {
        shop.put_order(Order::new(&id.to_string(), 41_000 + u64::from(id)).order_number(id.into()).paid());
    }
    let lines =
        format!("provider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"{TOKEN}\"\napi_base = \"{base}\"");
    env.source("shop", &lines)
}

/// The form of a notification about an order.
fn ion(order_id: &str, payment: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("owner_id", "1003").append_pair("event_type", "new_order");
    form.append_pair("order_id", order_id).append_pair("payment_status", payment);
    form.append_pair("fulfillment_status", "NEW").finish()
}

/// Sends notifications one after the other, each once the one before is settled.
fn send(serve: &Serve, bodies: &[String]) {
    for (id, body) in (1..).zip(bodies) {
        assert_eq!(serve.post("shop", body.clone()).status, 200);
        serve.settled(id);
    }
}

/// An environment that received two confirmed notifications, a duplicate, a mismatch, an invented order and nonsense.
fn traded() -> TestEnv {
    let env = env();
    let serve = env.serve();
    let bodies = [
        ion("1", "ACCEPTED"),
        ion("2", "ACCEPTED"),
        ion("1", "ACCEPTED"),
        ion("3", "DECLINED"),
        ion(HOSTILE, "ACCEPTED"),
    ];
    send(&serve, &bodies);
    serve.post("shop", "nonsense");
    serve.settled(6);
    assert!(serve.stop().success());
    env
}

/// Standard output, after the exit code was checked.
#[track_caller]
fn printed(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{errors}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!text.contains(TOKEN) && !errors.contains(TOKEN), "{text}\n{errors}");
    text
}

/// The JSON of `report` with these arguments.
#[track_caller]
fn json(env: &TestEnv, arguments: &[&str]) -> Value {
    let text = printed(&env.run(&[&["report", "--json"], arguments].concat()), 0);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}
