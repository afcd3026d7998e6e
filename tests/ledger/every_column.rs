//! The worst values of each type, in every column that the ledger has: each row arrives, and a value is there as it is or
//! NULL and named in `unfit`.

use countersign::domain::shipping::{ColumnType, LedgerTable};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{Shop, wait_until_shipped};
use crate::support::postgres::Postgres;

/// What becomes of a value.
enum Arrives {
    /// The ledger holds this, read as text.
    As(String),
    /// It is NULL, and named.
    Unfit,
}

use Arrives::{As, Unfit};

/// The length of a huge value, in bytes.
const HUGE: usize = 1 << 20;

/// Values as SQL, and what becomes of them.
fn worst(holds: ColumnType) -> Vec<(String, Arrives)> {
    let as_is = |text: &str| As(text.to_owned());
    let huge = |of: &str| format!("printf('%.*c', {HUGE}, '{of}')");
    let mut values: Vec<(&str, Arrives)> = Vec::new();
    let mut more = Vec::new();
    match holds {
        ColumnType::Text => {
            values.push(("''", as_is("")));
            values.push(("'a' || char(0) || 'b'", as_is("a\u{fffd}b")));
            values.push((
                "''';DROP TABLE x;--' || char(8238, 127, 10)",
                as_is("';DROP TABLE x;--\u{202e}\u{7f}\n"),
            ));
            let broken = String::from_utf8_lossy(b"a\xffb\xed\xa0\x80c").into_owned();
            values.push(("CAST(x'61ff62eda08063' AS TEXT)", As(broken)));
            more.push((huge("x"), As("x".repeat(HUGE))));
        }
        ColumnType::Number => {
            values.push(("-9223372036854775807 - 1", as_is("-9223372036854775808")));
            values.push(("9223372036854775807", as_is("9223372036854775807")));
        }
        ColumnType::Time => {
            values.push(("'0000-01-01T00:00:00.000Z'", as_is("0001-01-01 00:00:00 BC")));
            values.push(("'0000-01-01T00:00:00.000+01:00'", as_is("0002-12-31 23:00:00 BC")));
            values.push(("'9999-12-31T23:59:59.999Z'", as_is("9999-12-31 23:59:59.999")));
            values.push(("'2026-01-01T00:00:00.123456Z'", as_is("2026-01-01 00:00:00.123456")));
            for unreadable in [
                "'2026-01-01T00:00:00.1234567Z'",
                "''",
                "'yesterday'",
                "'infinity'",
                "'2026-02-31T00:00:00.000Z'",
                "'294277-01-01T00:00:00.000Z'",
                "'-4714-01-01T00:00:00.000Z'",
                "'2026-01-01T00:00:00Z' || char(0)",
                "CAST(x'ff' AS TEXT)",
            ] {
                values.push((unreadable, Unfit));
            }
            more.push((huge("2"), Unfit));
        }
        ColumnType::Day => {
            values.push(("'0001-01-01'", as_is("0001-01-01")));
            values.push(("'9999-12-31'", as_is("9999-12-31")));
        }
        ColumnType::Amount => {
            values.push(("'-0.10'", as_is("-0.10")));
            values.push(("'99999999999999999999.99'", as_is("99999999999999999999.99")));
            more.push(("'1e400'".to_owned(), As(format!("1{}", "0".repeat(400)))));
            for no_number in [
                "''",
                "'NaN'",
                "'Infinity'",
                "'1e401'",
                "'1,5'",
                "'1' || char(0)",
                "'٣'",
                "CAST(x'31ff' AS TEXT)",
            ] {
                values.push((no_number, Unfit));
            }
            more.push((huge("9"), Unfit));
        }
        ColumnType::Json => {
            values.push(("'{\"a\": \"\\u0000\\ud800\"}'", as_is("{\"a\": \"\u{fffd}\u{fffd}\"}")));
            more.push((format!("'\"' || {} || '\"'", huge("x")), As(format!("\"{}\"", "x".repeat(HUGE)))));
            for no_json in
                ["''", "'{'", "'NaN'", "'[1e401]'", "'\"a' || char(0) || '\"'", "CAST(x'22ff22' AS TEXT)"]
            {
                values.push((no_json, Unfit));
            }
            more.push((huge("["), Unfit));
        }
        ColumnType::Bytes => {
            values.push(("''", as_is("")));
            values.push(("'a' || char(0)", as_is("6100")));
            values.push(("x'00ff'", as_is("00ff")));
            values.push(("CAST(x'ff' AS TEXT)", as_is("ff")));
            values.push(("7", Unfit));
            more.push((format!("zeroblob({HUGE})"), As("00".repeat(HUGE))));
        }
    }
    values.into_iter().map(|(sql, arrives)| (sql.to_owned(), arrives)).chain(more).collect()
}

/// One value in one column of the rows with the number `n`.
struct Case {
    n: usize,
    table: LedgerTable,
    column: &'static str,
    holds: ColumnType,
    is_key: bool,
    value: String,
    arrives: Arrives,
}

/// Ids and references are given by the store alone.
const GIVEN: [&str; 3] = ["id", "seq", "notification_id"];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for table in LedgerTable::ALL.iter().copied() {
        for (at, column) in table.columns().iter().enumerate() {
            if GIVEN.contains(&column.name) {
                continue;
            }
            for (value, arrives) in worst(column.holds) {
                let (is_key, n) = (at < table.key_length(), cases.len() + 1);
                // The engine's texts have no other bytes, and a fill goes on behind the key that it reached.
                if is_key && value.contains("AS TEXT") {
                    continue;
                }
                let (column, holds) = (column.name, column.holds);
                cases.push(Case { n, table, column, holds, is_key, value, arrives });
            }
        }
    }
    cases
}

/// A row of each table, as they are without anything hostile.
fn rows(n: usize) -> String {
    let at = "2026-01-01T00:00:00.000Z";
    format!(
        "INSERT INTO intake (id, source, provider, received_at, headers, body) VALUES ({n}, 'gone', 'ecwid', '{at}', '{{}}', 'b');
         INSERT INTO verdicts (notification_id, source, received_at, day, sender, state, reason, probes_since, decided_at)
         VALUES ({n}, 'gone', '{at}', '2026-01-01', '', 'ignored', 'mismatch', '{at}', '{at}');
         INSERT INTO verifications (id, notification_id, call_id, at, outcome, latency_ms)
         VALUES ({n}, {n}, {n}, '{at}', 'mismatch', 1);
         INSERT INTO orders (source, order_id, fetched_at, notified_at) VALUES ('s{n}', 'k{n}', '{at}', '{at}');
         INSERT INTO products (source, product_id, fetched_at, notified_at) VALUES ('s{n}', 'k{n}', '{at}', '{at}');
         INSERT INTO news (seq, notification_id, type, at, source, provider, origin, subject_kind, subject_id, current)
         VALUES ({n}, {n}, 'order.changed', '{at}', 'gone', 'ecwid', 'intake', 'order', 'k{n}', '{{}}');
         INSERT INTO deliveries (id, action, seq, source, subject_kind, subject_id, state, decided_at, since, is_first)
         VALUES ({n}, 'erp', {n}, 'gone', 'order', 'k{n}', 'delivered', '{at}', '{at}', 0);
         INSERT INTO refusals (source, day, cause, count, last_at) VALUES ('s{n}', '2026-01-01', 'k{n}', 1, '{at}');"
    )
}

impl Case {
    /// The row's key, in the file and in the ledger: the part of it that nothing hostile is in.
    fn row(&self) -> String {
        let Self { n, .. } = self;
        match (self.table, self.column) {
            (LedgerTable::Notifications | LedgerTable::Verifications | LedgerTable::Deliveries, _) => {
                format!("id = {n}")
            }
            (LedgerTable::News, _) => format!("seq = {n}"),
            (_, "source") => match self.table {
                LedgerTable::Orders => format!("order_id = 'k{n}'"),
                LedgerTable::Products => format!("product_id = 'k{n}'"),
                _ => format!("cause = 'k{n}'"),
            },
            _ => format!("source = 's{n}'"),
        }
    }

    fn put(&self, conn: &Connection) {
        let Self { n, column, value, .. } = self;
        const OF_INTAKE: [&str; 8] =
            ["source", "provider", "received_at", "remote_addr", "content_type", "headers", "body", "origin"];
        let sql = match self.table {
            LedgerTable::Notifications if OF_INTAKE.contains(column) => {
                format!("UPDATE intake SET {column} = {value} WHERE id = {n}")
            }
            // A settled notification has no next attempt.
            LedgerTable::Notifications if *column == "next_attempt_at" => format!(
                "UPDATE verdicts SET state = 'pending', decided_at = NULL, {column} = {value} WHERE notification_id = {n}"
            ),
            LedgerTable::Notifications => {
                format!("UPDATE verdicts SET {column} = {value} WHERE notification_id = {n}")
            }
            table => format!("UPDATE {table} SET \"{column}\" = {value} WHERE {}", self.row()),
        };
        assert_eq!(conn.execute(&sql, []).unwrap_or_else(|error| panic!("{sql}: {error}")), 1, "{sql}");
    }
}

#[test]
fn the_worst_value_of_each_type_in_each_column_arrives_or_is_named() {
    let database = Postgres::shared().database();
    let shop = Shop::new();
    assert!(shop.serve().stop().success());
    let cases = cases();
    let conn = Connection::open(shop.env.store_path()).unwrap();
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN").unwrap();
    for case in &cases {
        conn.execute_batch(&rows(case.n)).unwrap();
        case.put(&conn);
    }
    conn.execute_batch("COMMIT").unwrap();
    drop(conn);
    let include = "\ninclude = [\"body\", \"headers\", \"remote_addr\", \"email\", \"answer\", \"raw\", \"verifications\"]";
    let shop = shop.ledger(&(database.keys("w") + include));
    let serve = shop.serve();
    wait_until_shipped(&database, "w");
    let ledger = database.connect();
    for table in LedgerTable::ALL.iter() {
        let count = ledger.rows(&format!("SELECT count(*) FROM countersign.{table}"));
        assert_eq!(count, [[Some(cases.len().to_string())]], "{table}");
    }
    for case in &cases {
        let (table, column) = (case.table, case.column);
        let shown = match case.holds {
            ColumnType::Time => format!("(\"{column}\" AT TIME ZONE 'UTC')::text"),
            ColumnType::Bytes => format!("encode(\"{column}\", 'hex')"),
            _ => format!("\"{column}\"::text"),
        };
        let sql = format!("SELECT {shown}, unfit FROM countersign.{table} WHERE {}", case.row());
        let found = ledger.rows(&sql);
        let [found] = &found[..] else { panic!("{} rows: {sql}", found.len()) };
        let what = format!("{table}.{column} = {}", case.value);
        match (&case.arrives, &found[0], found[1].as_deref()) {
            // A text that no index holds is cut, and a hash tells it from others.
            (As(text), Some(held), Some(unfit)) if case.is_key && text.len() > 1000 => {
                assert!(held.len() <= 1000 && text.starts_with(&held[..800]) && unfit == column, "{what}");
            }
            (As(text), Some(held), None) => assert!(text == held, "{what}: {}", &held[..held.len().min(100)]),
            (Unfit, None, Some(unfit)) => assert_eq!(unfit, column, "{what}"),
            (_, held, unfit) => {
                let held = held.as_ref().map(|held| &held[..held.len().min(100)]);
                panic!("{what}: {held:?}, unfit {unfit:?}")
            }
        }
    }
    shop.tell(&serve, 1);
    let next = i64::try_from(cases.len()).unwrap() + 1;
    serve.settled(next);
    database.wait_for(&format!("SELECT state FROM countersign.notifications WHERE id = {next}"), "confirmed");
    assert!(!serve.log().contains("nothing is shipped"), "{}", serve.log());
    assert!(serve.stop().success());
}
