//! CSV and JSON Lines of a filter.

use rusqlite::Connection;
use serde_json::Value;

use super::{filled, told_of};
use crate::support::formats::SHOP;
use crate::support::{Request, Serve};

const COLUMNS: &str = "id,source,provider,received_at,remote_addr,content_type,event,subject_kind,subject_id,resolved_id,claim,\
                       event_time,state,reason,detail,duplicate_of,news,attempts,next_attempt_at,decided_at,origin";

/// The body of an answer that is sent in chunks.
fn unchunked(body: &str) -> String {
    let (mut rest, mut whole) = (body, String::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole += &after[..size];
        rest = &after[size + 2..];
    }
    whole
}

fn export(serve: &Serve, path: &str) -> String {
    let answer = serve.admin_page(path);
    assert_eq!(answer.status, 200);
    let is_attachment =
        answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment"));
    assert!(is_attachment && answer.header("cache-control") == Some("no-store"), "{answer:?}");
    unchunked(&answer.text())
}

/// Of a line of an export what is looked at; the rest is JSON, too.
#[derive(serde::Deserialize)]
struct Line {
    id: Option<i64>,
    cut: Option<String>,
}

/// Asserts that an export has 100,000 rows, from this one down to that one, and says that there are more.
#[track_caller]
fn assert_cut(json: &str, first: i64, last: i64) {
    let mut lines: Vec<Line> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = lines.pop().and_then(|line| line.cut).unwrap();
    assert!(end.starts_with("cut after 100,000 rows"), "{end}");
    assert_eq!(lines.len(), 100_000);
    assert!(lines.iter().map(|line| line.id).eq((last..=first).rev().map(Some)));
}

#[test]
fn an_export_has_the_whole_filter_newest_first_without_bodies_and_headers() {
    let (_env, serve) = told_of(&[1207, 2000, 2001]);
    let csv = export(&serve, "/notifications.csv?state=ignored");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, COLUMNS), "{csv}");
    assert!(lines[1].starts_with("3,old,") && lines[2].starts_with("2,old,"), "{csv}");
    let json = export(&serve, "/notifications.jsonl");
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    let names: std::collections::BTreeSet<&str> =
        rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, COLUMNS.split(',').collect());
    assert_eq!(serve.admin_page("/notifications.csv?state=open").status, 400);
    let head = Request::new("HEAD", "/notifications.csv").send(serve.admin);
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn cells_that_a_spreadsheet_would_obey_are_neutralised() {
    let (_env, serve) = told_of(&[]);
    serve.send(&SHOP.request(SHOP.truth(1207).replace("\"1207\"", "\"=cmd|x\"")));
    serve.settled(1);
    let csv = export(&serve, "/notifications.csv");
    assert!(csv.contains("'=cmd|x"), "{csv}");
}

#[test]
fn an_export_is_cut_after_100_000_rows_and_says_so() {
    let env = filled(100_001);
    let serve = env.serve_with(&["--no-worker"]);
    let csv = export(&serve, "/notifications.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 100_002, "a head, the rows, and the last line");
    assert!(lines[100_000].starts_with("2,old,") && lines[100_001].starts_with("cut after 100,000 rows"));
    assert_cut(&export(&serve, "/notifications.jsonl"), 100_001, 2);
}

#[test]
fn deliveries_are_exported_by_their_filter_newest_first_and_cut_likewise() {
    let (env, serve) = super::deliveries::told();
    let columns =
        "id,action,seq,source,subject_kind,subject_id,state,attempts,next_attempt_at,decided_at,detail";
    let csv = export(&serve, "/deliveries.csv?state=dead");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, columns), "{csv}");
    assert!(lines[1].contains(",bad,1,old,order,1207,dead,1,,"), "{csv}");
    let json = export(&serve, "/deliveries.jsonl");
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 1]);
    let names: std::collections::BTreeSet<&str> =
        rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, columns.split(',').collect());
    assert!(serve.stop().success());
    // As many as make it 100,001 dead ones; no notification stands behind them.
    Connection::open(env.store_path())
        .unwrap()
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO news (notification_id, type, at, source, provider, origin, subject_kind, subject_id, current)
             SELECT notification_id + i, type, at, source, provider, origin, subject_kind, subject_id, current
             FROM n, news WHERE seq = 1;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO deliveries (action, seq, source, subject_kind, subject_id, state, decided_at, since, is_first)
             SELECT action, seq + i, source, subject_kind, subject_id, state, decided_at, since, 0
             FROM n, deliveries WHERE state = 'dead'",
        )
        .unwrap();
    let serve = env.serve_with(&["--no-worker"]);
    let csv = export(&serve, "/deliveries.csv?state=dead");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 100_002, "a head, the rows, and the last line");
    assert!(lines[1].starts_with("100002,bad,") && lines[100_001].starts_with("cut after 100,000 rows"));
    assert_cut(&export(&serve, "/deliveries.jsonl?state=dead"), 100_002, 3);
}
