//! Sources that get nothing but what is ignored: their senders are told that all is well, and the owner must be told
//! that it is not.

use super::{CHECK, kinds, readiness, said, status};
use crate::support::disk::Disk;
use crate::support::formats::{self, GAME, KEYS, OLD, ORDERS, SHOP};
use crate::support::{Request, Serve, TestEnv};

/// What is wrong with a source, and a notification of those that it then gets.
struct Wrong {
    source: &'static str,
    reason: &'static str,
    detail: &'static str,
    request: fn(u64) -> Request,
    truth: fn() -> Request,
}

/// An Ecwid webhook about an order.
fn webhook(store: u64, order_id: &str, n: u64) -> Request {
    SHOP.request(format!(
        r#"{{"eventId":"u-{n}","eventCreated":1764000000,"storeId":{store},"entityId":7,
        "eventType":"order.created","data":{{"orderId":"{order_id}","newPaymentStatus":"PAID"}}}}"#
    ))
}

const WRONGS: [Wrong; 4] = [
    Wrong {
        source: "old",
        reason: "ignored, malformed",
        detail: "event_type",
        request: |n| {
            Request::post("/hooks/old").body(format!(r#"{{"eventId":"{n}","eventType":"order.created"}}"#))
        },
        truth: || OLD.request(OLD.truth(ORDERS[0])),
    },
    Wrong {
        source: "keys",
        reason: "ignored, malformed",
        detail: "X-Event-Name",
        request: |_| Request::post("/hooks/keys").body(KEYS.truth(ORDERS[0])),
        truth: || KEYS.request(KEYS.truth(ORDERS[0])),
    },
    Wrong {
        source: "shop",
        reason: "ignored, wrong_store",
        detail: "9999",
        request: |n| webhook(9999, "1207", n),
        truth: || SHOP.request(SHOP.truth(ORDERS[0])),
    },
    Wrong {
        source: "game",
        reason: "ignored, not_found",
        detail: "",
        request: |n| GAME.request(GAME.truth(ORDERS[0]).replace("T1207", &format!("T{n}"))),
        truth: || GAME.request(GAME.truth(ORDERS[1])),
    },
];

/// Sends so many of each, and waits until they are settled.
fn send(serve: &Serve, requests: impl Iterator<Item = Request>, last: &mut i64) {
    for request in requests {
        assert!(serve.send(&request).status < 300);
        *last += 1;
    }
    for id in 1..=*last {
        serve.settled(id);
    }
}

#[test]
fn a_source_of_whose_last_ten_none_was_confirmed_is_told_until_one_is() {
    let env = formats::env();
    let disk = Disk::new();
    let serve = env.serve_on(&disk);
    let mut last = 0;
    // Midas says that there is none only once it has shown any; a duplicate counts as the confirmed one that it repeats.
    let begun = std::iter::repeat_with(|| GAME.request(GAME.truth(ORDERS[0]))).take(2);
    send(&serve, begun, &mut last);
    send(&serve, WRONGS.iter().flat_map(|wrong| (0..9).map(wrong.request)), &mut last);
    assert_eq!(status(&env, 0).0, [""; 0], "of fewer than ten nothing is said");
    send(&serve, WRONGS.iter().map(|wrong| (wrong.request)(9)), &mut last);
    let expected: Vec<String> =
        ["old", "shop", "keys", "game"].iter().map(|source| format!("none_confirmed {source}")).collect();
    disk.pass(CHECK);
    let (found, told) = status(&env, 3);
    assert_eq!(found, expected, "{told}");
    let text = said(&env.run(&["status"]), 3);
    let report = said(&env.run(&["report", "--since", "1h"]), 0).replace('\n', " ");
    assert!(!report.contains("Nothing needs attention"), "{report}");
    for Wrong { source, reason, detail, .. } in &WRONGS {
        let line = text.lines().find(|line| line.contains(&format!("source {source}: none of its last 10")));
        let line = line.unwrap_or_else(|| panic!("{source}: {text}"));
        assert!(line.contains(&format!("10 of them: {reason} (")) && line.contains(detail), "{line}");
        assert!(report.contains(&format!("Source {source}: none of its last 10")), "{report}");
        let begun = serve.wait_for_line("the log says it", |line| {
            line.contains(&format!("warning=none_confirmed source={source} "))
        });
        assert!(begun.contains("WARN") && begun.contains(reason) && begun.contains(detail), "{begun}");
    }
    let (code, ready) = readiness(&serve);
    assert_eq!((code, kinds(&ready["warnings"])), (200, expected), "{ready}");
    let metrics = serve.admin_page("/metrics").text();
    assert_eq!(
        metrics.matches("countersign_warning{action=\"\",kind=\"none_confirmed\"").count(),
        4,
        "{metrics}"
    );

    send(&serve, WRONGS.iter().map(|wrong| (wrong.truth)()), &mut last);
    disk.pass(CHECK);
    assert_eq!(status(&env, 0).0, [""; 0]);
    for Wrong { source, .. } in &WRONGS {
        serve.wait_for_line("it is over", |line| {
            line.contains(&format!("over=none_confirmed source={source} "))
        });
    }
    assert_eq!(serve.log().matches("warning=none_confirmed").count(), 4);
    assert!(said(&env.run(&["report", "--since", "1h"]), 0).contains("Nothing needs attention"));
}

#[test]
fn notifications_that_wait_count_neither_for_nor_against_a_source() {
    let env = formats::env().verify("grace = \"1h\"");
    let serve = env.serve();
    for n in 0..9 {
        serve.send(&webhook(9999, "1207", n));
        serve.send(&webhook(1003, &format!("absent-{n}"), n));
    }
    (1..=17).step_by(2).for_each(|id| serve.settled(id));
    assert_eq!(status(&env, 0).0, [""; 0]);
    serve.send(&webhook(9999, "1207", 9));
    serve.settled(19);
    assert_eq!(status(&env, 3).0, ["none_confirmed shop"]);
}

#[test]
fn a_path_token_that_the_shop_does_not_send_is_told() {
    let env: TestEnv = formats::env();
    let lines = formats::lines(&env, SHOP);
    let env = env.source("hidden", &format!("{lines}path_token = \"k3Vq8mZt\"\n"));
    let serve = env.serve();
    for _ in 0..3 {
        assert_eq!(serve.send(&SHOP.request_to("/hooks/hidden", SHOP.truth(ORDERS[0]))).status, 404);
    }
    let begun = serve.wait_for_line("it is said", |line| line.contains("warning=wrong_path source=hidden"));
    assert!(begun.contains("3 requests") && !begun.contains("k3Vq8mZt"), "{begun}");
    assert_eq!(status(&env, 3).0, ["wrong_path hidden"]);
    let report = said(&env.run(&["report"]), 0).replace('\n', " ");
    assert!(report.contains("Source hidden: 3 requests"), "{report}");
}
