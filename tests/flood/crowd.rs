//! The flood of the promise: 100,000 forged notifications, 50 true ones among them, 600 calls a minute.

use std::cell::Cell;
use std::time::Instant;

use chrono::DateTime;
use countersign::simulator::Call;
use countersign::simulator::ecwid::Order;

use super::load::{self, Forwarded};
use crate::support::{Serve, TestEnv, countersign};

const STORE: u64 = 4_400_551;
const FORGED: usize = 100_000;
const FORGERS: usize = 5;
const CONNECTIONS: usize = 128;
const GENUINE: usize = 50;
const CALLS_A_MINUTE: usize = 600;

/// A shop with the [`GENUINE`] orders that holds its limit, and a source with the settings of a real one.
fn env() -> TestEnv {
    let env = TestEnv::new().verify(
        "grace = \"60s\"\nretry_base = \"2s\"\nretry_cap = \"15m\"\ntimeout = \"10s\"\ndenied_pause = \"5m\"",
    );
    let shop = env.simulator.shops().open_ecwid(STORE, "secret_flood_token");
    shop.configure(|settings| settings.calls_per_minute = Some(CALLS_A_MINUTE));
    for n in 0..GENUINE {
        shop.put_order(Order::new(&format!("TRUE-{n}"), 1_000 + u64::try_from(n).unwrap()).paid());
    }
    let base = env.simulator.ecwid_base();
    let keys = format!(
        "provider = \"ecwid\"\nstore_id = {STORE}\ntoken = \"secret_flood_token\"\napi_base = \"{base}\"\n"
    );
    env.source("shop", &keys)
}

fn body(order: &str, entity: usize) -> String {
    format!(
        r#"{{"eventId":"e-{order}","eventCreated":1764000000,"storeId":{STORE},"entityId":{entity},"eventType":"order.updated","data":{{"orderId":"{order}","newPaymentStatus":"PAID"}}}}"#
    )
}

/// What one connection carries: forged ones of some addresses, and now and then a true one of another.
fn mixed(connection: usize) -> impl Iterator<Item = Forwarded> {
    (connection..FORGED).step_by(CONNECTIONS).flat_map(move |n| {
        let forged = Forwarded {
            sender: format!("203.0.113.{}", n % FORGERS),
            body: body(&format!("FAKE-{n}"), 1_000_000 + n),
        };
        let each = FORGED / GENUINE;
        let genuine = (n % each == each - 1).then(|| Forwarded {
            sender: format!("198.51.100.{}", n / each),
            body: body(&format!("TRUE-{}", n / each), 1_000 + n / each),
        });
        std::iter::once(forged).chain(genuine)
    })
}

/// Waits until so many notifications are confirmed.
fn confirmed(serve: &Serve, count: usize) {
    for wanted in 1..=count {
        let seen = Cell::new(0);
        serve.wait_for_line(&format!("{wanted} are confirmed"), |line| {
            seen.set(seen.get() + usize::from(line.contains("verdict=confirmed")));
            seen.get() == wanted
        });
    }
}

#[test]
fn every_true_one_among_100_000_forged_ones_waits_for_few_of_their_calls() {
    let env = env();
    let mut command = countersign();
    command.arg("--config").arg(env.write_config()).arg("serve").env("RUST_LOG", "info");
    let serve = Serve::spawn(command);
    let began = Instant::now();
    let to = serve.intake;
    std::thread::scope(|threads| {
        for connection in 0..CONNECTIONS {
            threads.spawn(move || load::send(to, "/hooks/shop", mixed(connection)));
        }
    });
    let filled = began.elapsed();
    confirmed(&serve, GENUINE);
    let last = began.elapsed();
    serve.kill();

    let value = |sql: &str| env.value(sql).unwrap();
    assert_eq!(value("SELECT count(*) FROM notifications"), (FORGED + GENUINE).to_string());
    let genuine =
        "FROM notifications WHERE subject_id LIKE 'TRUE-%' AND state = 'confirmed' AND reason = 'match'";
    assert_eq!(value(&format!("SELECT count(*) {genuine}")), GENUINE.to_string());
    let calls = env.simulator.shops().calls();
    let times = value(&format!("SELECT group_concat(received_at || ' ' || decided_at, char(10)) {genuine}"));
    let longest = times.lines().map(|times| {
        let (from, until) = times.split_once(' ').unwrap();
        let [from, until] = [from, until].map(|time| DateTime::parse_from_rfc3339(time).unwrap());
        calls.iter().filter(|call| from <= call.at && call.at <= until).count()
    });
    let longest = longest.max().unwrap();
    println!(
        "{FORGED} forged and {GENUINE} true notifications in {:.1} s; the last true verdict {:.1} s after the first \
         notification, the longest wait {longest} of {} API calls",
        filled.as_secs_f64(),
        last.as_secs_f64(),
        calls.len()
    );
    // A minute's worth, and as many for a machine that parses more slowly than the shop may be asked. In order of arrival
    // it would be tens of thousands. How long it takes is a matter of the bench `verification`.
    assert!(longest <= 2 * CALLS_A_MINUTE, "{longest} calls");
    let refused = |call: &&Call| call.status == Some(429);
    assert_eq!(calls.iter().filter(refused).count(), 0, "the limit holds");
    assert_eq!(
        value("SELECT count(*) FROM notifications WHERE subject_id LIKE 'FAKE-%' AND state = 'confirmed'"),
        "0"
    );
    let shared = "SELECT count(*) FROM (SELECT call_id FROM verifications WHERE outcome <> 'match'
                    GROUP BY call_id HAVING count(*) > 1)";
    assert_eq!(value(shared), "0", "a forged one is judged by nothing but its own call");
}
