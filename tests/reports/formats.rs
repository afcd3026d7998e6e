//! What a report says, in each format.

use serde_json::json;

use super::{HOSTILE, env, ion, json, printed, send, traded};

#[test]
fn counts_and_findings_are_those_of_the_store() {
    let env = traded();
    let report = json(&env, &[]);
    let source = &report["sources"][0];
    assert_eq!((&source["source"], &source["provider"]), (&json!("shop"), &json!("ecwid-ion")));
    assert_eq!((&source["complete"], &source["listed"]), (&json!(true), &json!(0)));
    assert_eq!(
        source["counts"],
        json!({"received": 6, "confirmed": 2, "ignored": 4, "fakes": 2, "duplicates": 1, "pending": 0, "undecided": 0})
    );
    let findings = source["findings"].as_array().unwrap();
    let fakes: Vec<_> = findings.iter().map(|found| (&found["kind"], &found["notification_id"])).collect();
    assert_eq!(fakes, [(&json!("fake"), &json!(5)), (&json!("fake"), &json!(4))]);
    assert_eq!(findings[0]["subject_id"], HOSTILE);
    let detail = findings[1]["detail"].as_str().unwrap();
    assert!(detail.starts_with("mismatch: ") && detail.ends_with("sent from 127.0.0.1"), "{detail}");
    assert_eq!(source["omitted"]["fake"], 0);
}

#[test]
fn statistics_tell_reasons_times_calls_and_senders() {
    let env = traded();
    let statistics = &json(&env, &[])["statistics"][0];
    assert_eq!(statistics["ignored"], json!({"duplicate": 1, "malformed": 1, "mismatch": 1, "not_found": 1}));
    assert_eq!(statistics["time_to_verdict"]["sampled"], 4);
    assert_eq!((&statistics["api"]["calls"], &statistics["api"]["failures"]), (&json!(4), &json!({})));
    assert_eq!(statistics["fake_senders"]["most"], json!([{"remote_addr": "127.0.0.1", "count": 2}]));
    assert_eq!(statistics["slowest"].as_array().unwrap().len(), 4);
    assert_eq!(statistics["longest_open"], json!([]));
}

#[test]
fn the_mail_is_80_columns_wide_and_begins_with_a_sentence() {
    let text = printed(&traded().run(&["report"]), 0);
    let summary = text.split("\n\n").nth(1).unwrap().replace('\n', " ");
    let start = "6 notifications received: 2 confirmed, 4 ignored (2 fakes, 1 duplicate). Nothing needs \
        attention.";
    assert!(summary.starts_with(start), "{summary}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(text.contains(r"\u{202e}"), "{text}");
}

#[test]
fn a_spreadsheet_takes_no_cell_for_a_formula() {
    let text = printed(&traded().run(&["report", "--format", "csv"]), 0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "source,provider,kind,subject_id,ours,shop,notification_id,detail");
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains(r",'=1+1<script>alert(1)</script>\u{202e},"), "{text}");
}

#[test]
fn the_page_runs_nothing_and_loads_nothing() {
    let page = printed(&traded().run(&["report", "--format", "html"]), 0);
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"), "{page}");
    for word in ["<script", "javascript:", "<link", "<img", "http://", "https://", "\u{202e}"] {
        assert!(!page.contains(word), "{word}: {page}");
    }
    assert!(page.contains("script&#62;alert(1)"), "{page}");
    assert_eq!(page.matches("<svg").count(), 3, "{page}");
}

#[test]
fn undecided_ones_are_open_findings_and_do_not_change_the_exit_code() {
    let env = env();
    let serve = env.serve();
    send(&serve, &[ion("1", "ACCEPTED")]);
    assert!(serve.stop().success());
    let path = env.store_path();
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute("UPDATE verdicts SET state = 'undecided', reason = 'api_error'", []).unwrap();
    drop(conn);
    let source = &json(&env, &["--from", "2020-01-01"])["sources"][0];
    let found = &source["findings"][0];
    assert_eq!((&found["kind"], &found["subject_id"]), (&json!("open"), &json!("1")));
    assert!(found["detail"].as_str().unwrap().starts_with("undecided since "), "{found}");
    assert_eq!(source["counts"]["undecided"], 1);
    let text = printed(&env.run(&["report"]), 0);
    assert!(text.contains("open for too long"), "{text}");
}
