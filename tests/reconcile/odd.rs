//! Lists of orders that are not as documented: an odd order costs itself and no other, and a list without an end ends.

use std::io::Write as _;
use std::net::TcpStream;

use countersign::simulator::ecwid::Order;
use countersign::simulator::{Fault, Trouble, kinguin};

use super::{Run, ecwid_env, ecwid_lines, reconcile, reconcile_all, sell_and_tell};
use crate::support::{TestEnv, raw_shop};

/// The list of orders shows this body.
fn lists(part: &str, body: String) -> Fault {
    Fault::new(Trouble::Answer { status: 200, headers: Vec::new(), body: body.into_bytes() }).path(part)
}

const ODD: [&str; 3] = [
    r#"{"id":"REC-BAD","internalId":3,"paymentStatus":"PAID","fulfillmentStatus":null}"#,
    r#"{"internalId":4,"paymentStatus":"PAID","fulfillmentStatus":"SHIPPED"}"#,
    r#""no order at all""#,
];

#[track_caller]
fn assert_only_the_odd_are_missing(run: &Run, source: &str, findings: &[&str], named: &[&str]) {
    assert_eq!((run.code, &run.source(source)["complete"]), (Some(1), &false.into()), "{run:#?}");
    assert_eq!(run.findings(source), findings, "{run:#?}");
    let lines: Vec<&str> = run.errors.lines().collect();
    assert_eq!(lines.len(), named.len(), "{lines:#?}");
    for (line, name) in lines.iter().zip(named) {
        assert!(
            line.contains(&format!("source {source}: order {name} of the list is not as documented: ")),
            "{line}"
        );
    }
}

#[test]
fn an_odd_order_in_ecwids_list_costs_only_itself() {
    let (env, shop) = ecwid_env();
    let serve = env.serve();
    sell_and_tell(&shop, &serve, "REC-1", 1);
    serve.settled(1);
    // A null in a field that is not compared is as documented.
    shop.put_order(Order::new("REC-MISSED", 2).paid());
    let good = r#"{"id":"REC-1","internalId":1,"paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING"},
        {"id":"REC-MISSED","internalId":null,"orderNumber":null,"paymentStatus":"PAID",
         "fulfillmentStatus":"AWAITING_PROCESSING","updateDate":null,"updateTimestamp":null}"#;
    let body =
        format!(r#"{{"total":5,"count":5,"offset":0,"limit":100,"items":[{},{good}]}}"#, ODD.join(","));
    env.simulator.shops().add_fault(lists("updatedFrom", body));
    let named = ["2", "3", "REC-BAD"];
    let missed = "missed REC-MISSED - PAID/AWAITING_PROCESSING";
    let run = reconcile(&env, &[]);
    assert_only_the_odd_are_missing(&run, "shop", &[missed], &named);
    assert_eq!(run.source("shop")["listed"], 5);
    assert_only_the_odd_are_missing(&reconcile(&env, &["--recover"]), "shop", &[missed], &named);
    let recovered = "SELECT subject_id FROM notifications WHERE event = 'reconcile'";
    assert_eq!(env.value(recovered).as_deref(), Some("REC-MISSED"));
    assert_only_the_odd_are_missing(&reconcile(&env, &["--recover"]), "shop", &[], &named);
    assert_eq!(env.value("SELECT count(*) FROM reconciliations").as_deref(), Some("0"));
}

#[test]
fn an_odd_order_in_kinguins_list_costs_only_itself() {
    let env = TestEnv::new();
    let account = env.simulator.shops().open_kinguin("keys", "odd-api-key");
    let lines = format!(
        "provider = \"kinguin\"\napi_key = \"odd-api-key\"\nrate_limit = \"10000/s\"\napi_base = \"{}\"\n",
        env.simulator.kinguin_base()
    );
    let env = env.source("keys", &lines);
    env.serve().stop();
    account.put_order(kinguin::Order::new("MISSED").status("completed"));
    let body = r#"{"item_count":4,"results":[
        {"orderId":"BAD","orderExternalId":"x","status":null},
        {"orderId":"MISSED","orderExternalId":null,"status":"completed","products":null,"createdAt":null},
        {"orderExternalId":"y","status":"completed"},
        {"orderId":"ODD","orderExternalId":{},"status":"completed"}]}"#;
    env.simulator.shops().add_fault(lists("createdAtFrom", body.to_owned()));
    let run = reconcile(&env, &["--recover"]);
    assert_only_the_odd_are_missing(&run, "keys", &["missed MISSED - completed"], &["3", "BAD", "ODD"]);
}

#[test]
fn odd_answers_about_single_orders_hide_no_other_order() {
    let (env, shop) = ecwid_env();
    env.serve().stop();
    for n in 1..=5 {
        shop.put_order(Order::new(&format!("REC-{n}"), n).paid());
    }
    for n in 1..=4 {
        let odd = format!(r#"{{"id":"REC-{n}","paymentStatus":"PAID","fulfillmentStatus":null}}"#);
        env.simulator.shops().add_fault(lists(&format!("orders/REC-{n}"), odd));
    }
    let run = reconcile(&env, &["--recover"]);
    assert_eq!((run.code, run.errors.lines().count()), (Some(1), 4), "{run:#?}");
    assert_eq!(run.findings("shop"), ["missed REC-5 - PAID/AWAITING_PROCESSING"]);
}

#[test]
fn what_a_list_shows_late_is_found_by_the_next_run() {
    let (env, shop) = ecwid_env();
    env.serve().stop();
    let first = reconcile_all(&env, &[]);
    assert_eq!(first.code, Some(0), "{first:#?}");
    let changed = chrono::Utc::now() - chrono::TimeDelta::hours(5);
    shop.put_order(Order::new("LATE", 1).paid().updated_at(changed));
    let second = reconcile_all(&env, &["--recover"]);
    assert_eq!(second.findings("shop"), ["missed LATE - PAID/AWAITING_PROCESSING"]);
    let instant = |run: &Run, end: &str| {
        chrono::DateTime::parse_from_rfc3339(run.report[end].as_str().unwrap()).unwrap()
    };
    assert_eq!(instant(&first, "to") - instant(&second, "from"), chrono::TimeDelta::hours(6));
    assert_eq!(reconcile_all(&env, &[]).code, Some(0), "it is found once");
}

/// An answer with this body.
fn write_body(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// Orders with ids that were never shown before.
fn fresh(count: usize, order: fn(u64) -> String) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static SHOWN: AtomicU64 = AtomicU64::new(0);
    let orders = (0..count).map(|_| order(SHOWN.fetch_add(1, Ordering::Relaxed)));
    orders.collect::<Vec<_>>().join(",")
}

#[test]
fn a_list_that_never_ends_is_a_failure() {
    let many = |stream: &mut TcpStream| {
        let orders = fresh(30_000, |n| format!(r#"{{"orderId":"E{n}","status":"completed"}}"#));
        write_body(stream, &format!(r#"{{"results":[{orders}]}}"#))
    };
    let large = |stream: &mut TcpStream| {
        let status = "S".repeat(60_000);
        let orders = fresh(100, |n| format!(r#"{{"orderId":"L{n}","status":"STATUS"}}"#));
        write_body(stream, &format!(r#"{{"results":[{}]}}"#, orders.replace("STATUS", &status)))
    };
    let total = |stream: &mut TcpStream| write_body(stream, r#"{"total":100001,"items":[{"id":"A"}]}"#);
    let scripts: &'static [(&'static str, raw_shop::Script)] =
        Box::leak(Box::new([("many", many as raw_shop::Script), ("large", large), ("total", total)]));
    let addr = raw_shop::start(scripts);
    let (env, _shop) = ecwid_env();
    let base = env.simulator.ecwid_base();
    let ecwid = ecwid_lines(&env).replace(&base, &format!("http://{addr}/2"));
    let env = scripts.iter().take(2).enumerate().fold(env, |env, (n, (name, _))| {
        let lines = format!("provider = \"kinguin\"\napi_key = \"k\"\napi_base = \"http://{addr}/{n}\"\n");
        env.source(name, &lines)
    });
    let env = env.source("total", &ecwid);
    env.serve().stop();
    let run = reconcile(&env, &[]);
    assert_eq!((run.code, run.errors.lines().count()), (Some(1), 3), "{run:#?}");
    for (name, _) in scripts {
        let line = run.errors.lines().find(|line| line.contains(&format!("source {name}:"))).unwrap();
        assert!(line.contains("is longer than 100000 orders and 64 MiB; choose a shorter window"), "{line}");
        assert_eq!(run.source(name)["complete"], false);
    }
    assert_eq!(run.source("shop")["complete"], true);
}
