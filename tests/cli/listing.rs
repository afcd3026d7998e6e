use countersign::domain::{Outcome, Reason, State};
use serde_json::Value;

use super::{Stage, order, printed};

/// A confirmed, an ignored, a malformed and a pending notification, in this order.
fn filled() -> Stage {
    let stage = Stage::new();
    let first = stage.receive(order("1"));
    stage.settle(first, State::Confirmed, Reason::Match, Outcome::Match);
    let second = stage.receive(order("2"));
    stage.settle(second, State::Ignored, Reason::NotFound, Outcome::NotFound);
    stage.receive("nonsense");
    stage.receive(order("4"));
    stage
}

/// The ids in the first column of a list.
fn ids(stage: &Stage, arguments: &[&str]) -> Vec<i64> {
    let text = printed(&stage.run(&[&["list"], arguments].concat()), 0);
    text.lines().skip(1).map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn the_newest_notification_stands_first() {
    let stage = filled();
    assert_eq!(ids(&stage, &[]), [4, 3, 2, 1]);
    assert_eq!(ids(&stage, &["--limit", "2"]), [4, 3]);
    let header = "id  received                  source  event      subject  state      reason     detail";
    assert!(printed(&stage.run(&["list"]), 0).starts_with(header));
}

#[test]
fn filters_narrow_the_list() {
    let stage = filled();
    for (arguments, wanted) in [
        (&["--state", "confirmed"][..], &[1][..]),
        (&["--state", "pending"], &[4]),
        (&["--state", "ignored"], &[3, 2]),
        (&["--reason", "malformed"], &[3]),
        (&["--state", "ignored", "--reason", "not_found"], &[2]),
        (&["--subject", "4"], &[4]),
        (&["--source", "shop"], &[4, 3, 2, 1]),
        (&["--source", "other"], &[]),
        (&["--since", "1h"], &[4, 3, 2, 1]),
        (&["--since", "2999-01-01"], &[]),
    ] {
        assert_eq!(ids(&stage, arguments), wanted, "{arguments:?}");
    }
}

#[test]
fn json_has_every_column_under_its_name() {
    let stage = filled();
    let text = printed(&stage.run(&["list", "--json"]), 0);
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    for column in [
        "id",
        "source",
        "provider",
        "received_at",
        "remote_addr",
        "content_type",
        "headers",
        "body",
        "event",
        "subject_kind",
        "subject_id",
        "resolved_id",
        "claim",
        "event_time",
        "state",
        "reason",
        "detail",
        "duplicate_of",
        "news",
        "attempts",
        "next_attempt_at",
        "decided_at",
        "origin",
    ] {
        assert!(rows.iter().all(|row| row.get(column).is_some()), "{column}");
    }
    assert_eq!(rows[3]["claim"]["payment_status"], "ACCEPTED");
    assert_eq!(rows[3]["headers"]["authorization"], "[redacted]");
    assert_eq!(rows[3]["headers"]["user-agent"], "a\u{1b}[31mgent");
}

#[test]
fn more_than_a_page_is_listed_in_order() {
    let stage = Stage::new();
    for index in 0..450 {
        stage.receive(order(&index.to_string()));
    }
    assert_eq!(ids(&stage, &["--limit", "430"]), (21..=450).rev().collect::<Vec<_>>());
}

#[test]
fn nothing_of_a_stranger_drives_the_terminal() {
    let stage = Stage::new();
    stage.receive(order("\u{202e}evil") + "&note=\u{9b}2J");
    let text = printed(&stage.run(&["list"]), 0) + &printed(&stage.run(&["show", "1"]), 0);
    assert!(text.contains("\\u{202e}evil"), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{9b}']), "{text}");
    let json = printed(&stage.run(&["list", "--json"]), 0);
    assert!(!json.contains(['\u{202e}', '\u{9b}']), "{json}");
    assert!(serde_json::from_str::<Value>(&json).unwrap()["body"].as_str().unwrap().contains("evil"));
}
