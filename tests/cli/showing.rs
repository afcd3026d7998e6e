use countersign::domain::{Outcome, Reason, State};
use serde_json::Value;

use super::{Stage, complaints, order, printed};

#[test]
fn a_notification_is_shown_with_all_that_is_known_of_it() {
    let stage = Stage::new();
    let id = stage.receive(order("SALE-1"));
    stage.settle(id, State::Confirmed, Reason::Match, Outcome::Match);
    let text = printed(&stage.run(&["show", "1"]), 0);
    for expected in [
        "notification 1",
        "verdict       confirmed: match",
        "detail        in plain words",
        "source        shop (ecwid-ion)",
        "from 203.0.113.9",
        "subject       order SALE-1",
        "compared with the shop's answer\n  owner_id: 1003",
        "values before, as the sender states them; not compared\n",
        "\n  old_payment_status: QUEUED\n",
        "user-agent: a\\u{1b}[31mgent",
        "authorization: [redacted]",
        "  owner_id=1003&event_type=new_order&order_id=SALE-1&",
        "match  HTTP 200, 12 ms",
        "{\"paymentStatus\":\"PAID\"}",
    ] {
        assert!(text.contains(expected), "{expected}\n---\n{text}");
    }
}

#[test]
fn json_is_one_object_with_its_verifications() {
    let stage = Stage::new();
    let id = stage.receive(order("SALE-1"));
    stage.settle(id, State::Ignored, Reason::Mismatch, Outcome::Mismatch);
    let shown: Value = serde_json::from_str(&printed(&stage.run(&["show", "1", "--json"]), 0)).unwrap();
    assert_eq!(
        (&shown["id"], &shown["state"], &shown["reason"]),
        (&1.into(), &"ignored".into(), &"mismatch".into())
    );
    let asked = shown["verifications"].as_array().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0]["outcome"], &asked[0]["latency_ms"]), (&"mismatch".into(), &12.into()));
}

#[test]
fn a_body_that_is_no_text_is_dumped() {
    let stage = Stage::new();
    stage.receive(*b"\x00\xff\x1b[2Jtext");
    let text = printed(&stage.run(&["show", "1"]), 0);
    assert!(text.contains("00000000  00 ff 1b 5b 32 4a 74 65 78 74"), "{text}");
    assert!(text.contains("...[2Jtext") && text.contains("ignored: malformed"), "{text}");
}

#[test]
fn an_unknown_notification_is_one_line_and_1() {
    let lines = complaints(&Stage::new().run(&["show", "99"]), 1);
    assert!(lines.len() == 1 && lines[0].contains("no notification 99"), "{lines:?}");
}
