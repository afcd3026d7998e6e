//! Each table of the ledger beside the file's own.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use serde_json::Value;

use crate::support::postgres::Connection;

/// A column as both sides are read.
#[derive(Clone, Copy, PartialEq)]
enum Is {
    Plain,
    Time,
    Json,
    Bytes,
}

use Is::{Bytes, Json, Plain, Time};

type Column = (&'static str, Is, &'static str);

/// The contract's tables, how many columns are the key, and the columns with the word of `include` that they need.
const TABLES: [(&str, usize, &[Column]); 7] = [
    (
        "notifications",
        1,
        &[
            ("id", Plain, ""),
            ("source", Plain, ""),
            ("provider", Plain, ""),
            ("received_at", Time, ""),
            ("remote_addr", Plain, "remote_addr"),
            ("content_type", Plain, ""),
            ("headers", Json, "headers"),
            ("body", Bytes, "body"),
            ("event", Plain, ""),
            ("subject_kind", Plain, ""),
            ("subject_id", Plain, ""),
            ("resolved_id", Plain, ""),
            ("claim", Json, ""),
            ("event_time", Time, ""),
            ("state", Plain, ""),
            ("reason", Plain, ""),
            ("detail", Plain, ""),
            ("duplicate_of", Plain, ""),
            ("news", Plain, ""),
            ("attempts", Plain, ""),
            ("next_attempt_at", Time, ""),
            ("decided_at", Time, ""),
            ("origin", Plain, ""),
        ],
    ),
    (
        "verifications",
        1,
        &[
            ("id", Plain, ""),
            ("notification_id", Plain, ""),
            ("call_id", Plain, ""),
            ("at", Time, ""),
            ("outcome", Plain, ""),
            ("http_status", Plain, ""),
            ("latency_ms", Plain, ""),
            ("detail", Plain, ""),
            ("answer", Json, "answer"),
        ],
    ),
    (
        "orders",
        2,
        &[
            ("source", Plain, ""),
            ("order_id", Plain, ""),
            ("status", Plain, ""),
            ("fulfillment_status", Plain, ""),
            ("total", Plain, ""),
            ("currency", Plain, ""),
            ("email", Plain, "email"),
            ("updated_at", Time, ""),
            ("fetched_at", Time, ""),
            ("gone_at", Time, ""),
            ("raw", Json, "raw"),
        ],
    ),
    (
        "products",
        2,
        &[
            ("source", Plain, ""),
            ("product_id", Plain, ""),
            ("name", Plain, ""),
            ("price", Plain, ""),
            ("currency", Plain, ""),
            ("qty", Plain, ""),
            ("available", Plain, ""),
            ("updated_at", Time, ""),
            ("fetched_at", Time, ""),
            ("raw", Json, "raw"),
        ],
    ),
    (
        "news",
        1,
        &[
            ("seq", Plain, ""),
            ("type", Plain, ""),
            ("at", Time, ""),
            ("notification_id", Plain, ""),
            ("source", Plain, ""),
            ("provider", Plain, ""),
            ("event", Plain, ""),
            ("origin", Plain, ""),
            ("subject_kind", Plain, ""),
            ("subject_id", Plain, ""),
            ("current", Json, ""),
            ("previous", Json, ""),
        ],
    ),
    (
        "deliveries",
        1,
        &[
            ("id", Plain, ""),
            ("action", Plain, ""),
            ("seq", Plain, ""),
            ("source", Plain, ""),
            ("subject_kind", Plain, ""),
            ("subject_id", Plain, ""),
            ("state", Plain, ""),
            ("attempts", Plain, ""),
            ("next_attempt_at", Time, ""),
            ("decided_at", Time, ""),
            ("detail", Plain, ""),
        ],
    ),
    (
        "refusals",
        3,
        &[
            ("source", Plain, ""),
            ("day", Plain, ""),
            ("cause", Plain, ""),
            ("count", Plain, ""),
            ("last_at", Time, ""),
            ("last_remote_addr", Plain, "remote_addr"),
        ],
    ),
];

type Rows = BTreeMap<Vec<String>, Vec<Option<String>>>;

/// Asserts that each table of the ledger holds the file's rows, value by value, and no others; but for what `include` does
/// not list, which is NULL, and `verifications`, which are left out then. Nothing is unfit.
#[track_caller]
pub(super) fn assert_same(file: &Path, ledger: &Connection, node: &str, include: &[&str]) {
    for (table, key, columns) in TABLES {
        let ours = ours(file, table, key, columns, include);
        let theirs = theirs(ledger, table, key, columns, node);
        for (key, row) in &ours {
            assert_eq!(theirs.get(key), Some(row), "{table} {key:?}");
        }
        let more: Vec<_> = theirs.keys().filter(|key| !ours.contains_key(*key)).collect();
        assert!(more.is_empty(), "{table} has more: {more:?}");
        let unfit = ledger.rows(&format!("SELECT unfit FROM countersign.{table} WHERE unfit IS NOT NULL"));
        assert_eq!(unfit, Vec::<Vec<Option<String>>>::new(), "{table}");
    }
}

fn ours(file: &Path, table: &str, key: usize, columns: &[Column], include: &[&str]) -> Rows {
    if table == "verifications" && !include.contains(&"verifications") {
        return Rows::new();
    }
    let conn = rusqlite::Connection::open(file).expect("the store");
    let names: Vec<String> = columns.iter().map(|(name, ..)| format!("\"{name}\"")).collect();
    let mut statement =
        conn.prepare(&format!("SELECT {} FROM {table}", names.join(", "))).expect("the table");
    let mut found = statement.query([]).expect("rows");
    let mut rows = Rows::new();
    while let Some(row) = found.next().expect("a row") {
        let values = columns.iter().enumerate().map(|(at, (_, is, needs))| {
            let value = match row.get_ref(at).expect("a value") {
                ValueRef::Null => None,
                ValueRef::Integer(n) => Some(n.to_string()),
                ValueRef::Real(n) => Some(n.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) if *is == Bytes => Some(hex(bytes)),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    Some(String::from_utf8_lossy(bytes).into_owned())
                }
            };
            value.filter(|_| needs.is_empty() || include.contains(needs)).map(|value| canonical(*is, value))
        });
        let values: Vec<Option<String>> = values.collect();
        rows.insert(values[..key].iter().flatten().cloned().collect(), values);
    }
    rows
}

fn theirs(ledger: &Connection, table: &str, key: usize, columns: &[Column], node: &str) -> Rows {
    let selected: Vec<String> = columns
        .iter()
        .map(|(name, is, _)| match is {
            Time => format!("to_char(\"{name}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"),
            Bytes => format!("encode(\"{name}\", 'hex')"),
            Plain | Json => format!("\"{name}\"::text"),
        })
        .collect();
    let sql = format!("SELECT {} FROM countersign.{table} WHERE node = '{node}'", selected.join(", "));
    let found = ledger.rows(&sql).into_iter().map(|row| {
        let values = row.into_iter().zip(columns);
        let values: Vec<_> =
            values.map(|(value, (_, is, _))| value.map(|value| canonical(*is, value))).collect();
        (values[..key].iter().flatten().cloned().collect(), values)
    });
    found.collect()
}

fn canonical(is: Is, value: String) -> String {
    match is {
        Json => {
            let mut json: Value = serde_json::from_str(&value).unwrap_or_else(|_| panic!("no JSON: {value}"));
            json.sort_all_objects();
            json.to_string()
        }
        _ => value,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
