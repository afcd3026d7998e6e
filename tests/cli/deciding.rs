use countersign::domain::{Outcome, Reason, State};

use super::{Stage, complaints, order, printed};
use crate::support::countersign;

fn words(state: &str, reason: Option<&str>) -> (String, Option<String>) {
    (state.to_owned(), reason.map(str::to_owned))
}

#[test]
fn retry_starts_an_undecided_notification_afresh() {
    let stage = Stage::new();
    let id = stage.receive(order("1"));
    stage.give_up(id);
    assert_eq!(stage.verdict(id), words("undecided", Some("api_error")));
    let said = printed(&stage.run(&["retry", "1"]), 0);
    assert!(said.starts_with("1 notification reset"), "{said}");
    assert_eq!(stage.verdict(id), words("pending", None));
    assert_eq!(stage.env.row(id).attempts, 0);
}

#[test]
fn retry_reads_under_the_present_configuration() {
    let stage = Stage::new();
    let id = stage.receive(order("1").replace("owner_id=1003", "owner_id=2004"));
    assert_eq!(stage.verdict(id), words("ignored", Some("wrong_store")));
    printed(&stage.run(&["retry", "1"]), 0);
    assert_eq!(stage.verdict(id), words("ignored", Some("wrong_store")));
    let config = stage.env.write_config();
    let text = std::fs::read_to_string(&config).unwrap().replace("store_id = 1003", "store_id = 2004");
    let moved = config.with_file_name("moved.toml");
    std::fs::write(&moved, text).unwrap();
    printed(&countersign().arg("--config").arg(moved).args(["retry", "1"]).output().unwrap(), 0);
    assert_eq!(stage.verdict(id), words("pending", None));
}

#[test]
fn retry_refuses_what_is_confirmed_or_unknown() {
    let stage = Stage::new();
    let id = stage.receive(order("1"));
    stage.settle(id, State::Confirmed, Reason::Match, Outcome::Match);
    let lines = complaints(&stage.run(&["retry", "1", "77", "1"]), 1);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("notification 1 ") && line.contains("confirmed")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("notification 77 ") && line.contains("no such")),
        "{lines:?}"
    );
    assert_eq!(stage.verdict(id), words("confirmed", Some("match")));
}

#[test]
fn retry_refuses_a_source_that_is_not_configured() {
    let stage = Stage::new();
    stage.receive_for("gone", "nonsense");
    let lines = complaints(&stage.run(&["retry", "1"]), 1);
    assert!(lines.len() == 1 && lines[0].contains("source gone is not configured"), "{lines:?}");
    let output = stage.run(&["retry", "--state", "ignored"]);
    assert_eq!(complaints(&output, 0).len(), 1);
    assert_eq!(printed(&output, 0), "0 notifications reset; 1 refused\n");
}

#[test]
fn retry_by_state_takes_all_that_the_filters_find() {
    let stage = Stage::new();
    for index in 0..120 {
        stage.receive(format!("nonsense {index}"));
    }
    let undecided = stage.receive(order("1"));
    stage.give_up(undecided);
    let said = printed(&stage.run(&["retry", "--state", "ignored", "--reason", "mismatch"]), 0);
    assert_eq!(said, "0 notifications reset\n");
    let said = printed(&stage.run(&["retry", "--state", "ignored", "--since", "1h", "--source", "shop"]), 0);
    assert_eq!(said, "120 notifications reset, 120 of them settled without a call\n");
    assert_eq!(stage.verdict(undecided), words("undecided", Some("api_error")));
    printed(&stage.run(&["retry", "--state", "undecided"]), 0);
    assert_eq!(stage.verdict(undecided), words("pending", None));
}

#[test]
fn dismiss_settles_an_undecided_notification_with_its_note() {
    let stage = Stage::new();
    let id = stage.receive(order("1"));
    stage.give_up(id);
    assert_eq!(
        printed(&stage.run(&["dismiss", "1", "--note", "sold by phone"]), 0),
        "1 notification dismissed\n"
    );
    assert_eq!(stage.verdict(id), words("ignored", Some("dismissed")));
    assert_eq!(stage.env.row(id).detail.as_deref(), Some("sold by phone"));
    let lines = complaints(&stage.run(&["dismiss", "1"]), 1);
    assert!(lines.len() == 1 && lines[0].contains("only undecided"), "{lines:?}");
}

#[test]
fn dismiss_by_state_takes_the_undecided_ones_alone() {
    let stage = Stage::new();
    for index in 1..=60 {
        let id = stage.receive(order(&index.to_string()));
        stage.give_up(id);
    }
    let pending = stage.receive(order("still pending"));
    let said = printed(&stage.run(&["dismiss", "--state", "undecided", "--reason", "api_error"]), 0);
    assert_eq!(said, "60 notifications dismissed\n");
    assert_eq!(stage.verdict(pending), words("pending", None));
    assert_eq!(stage.verdict(60), words("ignored", Some("dismissed")));
}
