//! Which notifications a window holds, and what is said about silence.

use serde_json::json;

use super::{env, ion, json, send};
use crate::support::TestEnv;

/// An environment whose three notifications came in at these instants.
fn received_at(env: TestEnv, instants: [&str; 3]) -> TestEnv {
    let serve = env.serve();
    send(&serve, &[ion("1", "ACCEPTED"), ion("2", "ACCEPTED"), ion("9", "ACCEPTED")]);
    assert!(serve.stop().success());
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute("UPDATE sources SET first_served_at = '2026-01-01T00:00:00.000Z'", []).unwrap();
    conn.execute("UPDATE sources SET last_parsed_at = ?1", [instants[2]]).unwrap();
    // As if they had been parsed then: the tallies belong to the days of receipt.
    conn.execute("DELETE FROM daily_counts", []).unwrap();
    for (id, instant) in (1..).zip(instants) {
        conn.execute("UPDATE intake SET received_at = ?2 WHERE id = ?1", (id, instant)).unwrap();
        conn.execute(
            "UPDATE verdicts SET received_at = ?2, day = substr(?2, 1, 10) WHERE notification_id = ?1",
            (id, instant),
        )
        .unwrap();
        conn.execute(
            "INSERT INTO daily_counts SELECT day, source, state, reason, 1 FROM verdicts
             WHERE notification_id = ?1 ON CONFLICT DO UPDATE SET n = n + 1",
            [id],
        )
        .unwrap();
    }
    env
}

const MORNING: &str = "2026-02-01T00:00:00.000Z";
const NOON: &str = "2026-02-02T12:00:00.000Z";
const NIGHT: &str = "2026-02-03T23:59:59.999Z";

#[test]
fn a_window_holds_its_beginning_and_not_its_end() {
    let env = received_at(env(), [MORNING, NOON, NIGHT]);
    for (from, to, received, confirmed, fakes) in [
        ("2026-02-01", "2026-02-04", 3, 2, 1),
        ("2026-02-01", "2026-02-02T12:00:00Z", 1, 1, 0),
        ("2026-02-01T00:00:00.001Z", "2026-02-02T12:00:00.001Z", 1, 1, 0),
        ("2026-02-02", "2026-02-03", 1, 1, 0),
        ("2026-02-02T13:00:00+01:00", "2026-02-03T23:59:59.999Z", 1, 1, 0),
        ("2026-02-02T12:00:00Z", "2026-02-04T00:00:00Z", 2, 1, 1),
        ("2026-02-04", "2026-02-05", 0, 0, 0),
    ] {
        let report = json(&env, &["--from", from, "--to", to]);
        let counts = &report["sources"][0]["counts"];
        let counted = (&counts["received"], &counts["confirmed"], &counts["fakes"]);
        assert_eq!(counted, (&json!(received), &json!(confirmed), &json!(fakes)), "{from} {to}");
        let findings = report["sources"][0]["findings"].as_array().unwrap();
        assert_eq!(findings.len(), fakes, "{from} {to}: {findings:?}");
    }
    let report = json(&env, &["--from", "2026-02-01", "--to", "2026-02-04"]);
    let days: Vec<_> =
        report["statistics"][0]["days"].as_array().unwrap().iter().map(|day| &day["day"]).collect();
    assert_eq!(days, ["2026-02-01", "2026-02-02", "2026-02-03"]);
    assert_eq!(
        (&report["from"], &report["to"]),
        (&json!("2026-02-01T00:00:00.000Z"), &json!("2026-02-04T00:00:00.000Z"))
    );
}

#[test]
fn without_a_window_the_last_24_hours_are_told() {
    let env = received_at(env(), [MORNING, NOON, NIGHT]);
    assert_eq!(json(&env, &[])["sources"][0]["counts"]["received"], 0);
    assert_eq!(json(&env, &["--since", "36500d"])["sources"][0]["counts"]["received"], 3);
}

#[test]
fn pruned_notifications_still_count_on_whole_days() {
    let env = received_at(env(), [MORNING, NOON, NIGHT]);
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; DELETE FROM intake WHERE id <= 2").unwrap();
    drop(conn);
    let counts = |to| json(&env, &["--from", "2026-02-01", "--to", to])["sources"][0]["counts"].clone();
    assert_eq!(counts("2026-02-04")["received"], 3);
    assert_eq!(counts("2026-02-03")["confirmed"], 2);
}

#[test]
fn silence_for_longer_than_expected_is_a_finding() {
    let quiet = |expected: &str| {
        let env = received_at(env(), [MORNING, NOON, NIGHT]);
        let config = std::fs::read_to_string(env.write_config()).unwrap();
        let path = env.folder().join("expecting.toml");
        let config = config.replace("provider =", &format!("expect_every = \"{expected}\"\nprovider ="));
        std::fs::write(&path, config).unwrap();
        let mut command = crate::support::countersign();
        command.arg("--config").arg(path).args([
            "report",
            "--json",
            "--from",
            "2026-02-01",
            "--to",
            "2026-02-05",
        ]);
        let text = super::printed(&command.output().unwrap(), 0);
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let findings = report["sources"][0]["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|found| found["kind"] == "silent")
    };
    // The window ends 24 hours and a millisecond after the last one.
    let found = quiet("24h").unwrap();
    let detail = found["detail"].as_str().unwrap();
    assert!(detail.contains(NIGHT) && detail.contains("every 1d"), "{detail}");
    assert!(quiet("25h").is_none());
}
