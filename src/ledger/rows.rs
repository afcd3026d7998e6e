//! Converts rows of the store to the ledger's types. A value that its type cannot hold becomes NULL, and the
//! row names the column; nothing here fails.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::types::{ToSql, Type};

use super::json;
use crate::domain::shipping::{Cell, Column, ColumnType, LedgerRow, LedgerTable};

/// Maximum length of a text in a key, in bytes: an index entry holds about 2,700 bytes, and a key has two
/// such texts.
const LONGEST_KEY: usize = 1000;

/// The part of a longer text that is kept, in bytes; its hash follows.
const KEPT_OF_KEY: usize = 900;

/// A value that PostgreSQL accepts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Null,
    Number(i64),
    Time(DateTime<Utc>),
    Day(NaiveDate),
    Bytes(Vec<u8>),
    /// Also for amounts and JSON, which the statement casts.
    Text(String),
}

/// A value, and whether the column could hold all of it.
type Held = (Value, bool);

/// Converts `cell` for a column. `is_key` limits it to what an index can hold.
fn hold(cell: Cell, holds: ColumnType, is_key: bool) -> Held {
    let found = match (holds, cell) {
        (_, Cell::Null) => return (Value::Null, true),
        (ColumnType::Number, Cell::Integer(n)) => Some(Value::Number(n)),
        (ColumnType::Number, Cell::Text(text)) => text.parse().ok().map(Value::Number),
        (ColumnType::Time, Cell::Text(text)) => time(&text).map(Value::Time),
        (ColumnType::Day, Cell::Text(text)) => {
            NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().map(Value::Day)
        }
        (ColumnType::Amount, Cell::Text(text)) => json::is_number(&text).then_some(Value::Text(text)),
        (ColumnType::Amount, Cell::Integer(n)) => Some(Value::Text(n.to_string())),
        (ColumnType::Json, Cell::Text(text)) => json::fit(&text).map(Value::Text),
        (ColumnType::Bytes, Cell::Text(text)) => Some(Value::Bytes(text.into_bytes())),
        (ColumnType::Bytes, Cell::Bytes(bytes)) => Some(Value::Bytes(bytes)),
        (ColumnType::Text, Cell::Text(text)) => return fit_text(text, is_key),
        (ColumnType::Text, Cell::Bytes(bytes)) => {
            return fit_text(String::from_utf8_lossy(&bytes).into_owned(), is_key);
        }
        (ColumnType::Text, Cell::Integer(n)) => Some(Value::Text(n.to_string())),
        (ColumnType::Text, Cell::Real(n)) => Some(Value::Text(n.to_string())),
        _ => None,
    };
    found.map_or((Value::Null, false), |value| (value, true))
}

fn fit_text(text: String, is_key: bool) -> Held {
    let text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    if !is_key || text.len() <= LONGEST_KEY {
        return (Value::Text(text), true);
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = text.floor_char_boundary(KEPT_OF_KEY);
    (Value::Text(format!("{}…{hash}", &text[..kept])), false)
}

/// Parses RFC 3339; `None` also for a time finer than the microseconds that PostgreSQL counts.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    time.timestamp_subsec_nanos().is_multiple_of(1000).then_some(time)
}

/// The values of one column, in the order of the rows.
enum Values {
    Number(Vec<Option<i64>>),
    Time(Vec<Option<DateTime<Utc>>>),
    Day(Vec<Option<NaiveDate>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Text(Vec<Option<String>>),
}

impl Values {
    fn new(holds: ColumnType, rows: usize) -> Self {
        match holds {
            ColumnType::Number => Self::Number(Vec::with_capacity(rows)),
            ColumnType::Time => Self::Time(Vec::with_capacity(rows)),
            ColumnType::Day => Self::Day(Vec::with_capacity(rows)),
            ColumnType::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            ColumnType::Amount | ColumnType::Json | ColumnType::Text => Self::Text(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Number(values), Value::Number(n)) => values.push(Some(n)),
            (Self::Time(values), Value::Time(time)) => values.push(Some(time)),
            (Self::Day(values), Value::Day(day)) => values.push(Some(day)),
            (Self::Bytes(values), Value::Bytes(bytes)) => values.push(Some(bytes)),
            (Self::Text(values), Value::Text(text)) => values.push(Some(text)),
            (Self::Number(values), _) => values.push(None),
            (Self::Time(values), _) => values.push(None),
            (Self::Day(values), _) => values.push(None),
            (Self::Bytes(values), _) => values.push(None),
            (Self::Text(values), _) => values.push(None),
        }
    }

    fn parameter(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Number(values) => (values, Type::INT8_ARRAY),
            Self::Time(values) => (values, Type::TIMESTAMPTZ_ARRAY),
            Self::Day(values) => (values, Type::DATE_ARRAY),
            Self::Bytes(values) => (values, Type::BYTEA_ARRAY),
            Self::Text(values) => (values, Type::TEXT_ARRAY),
        }
    }
}

/// Rows of one table, column by column, for one statement.
pub(super) struct TableColumns {
    pub(super) table: LedgerTable,
    /// The table's columns, then `unfit`.
    values: Vec<Values>,
}

impl TableColumns {
    /// The parameters of the statement: the table's columns in their order, then `unfit`.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(Values::parameter)
    }
}

/// The rows of each table by key: of two rows that have the same key in the ledger, the last one counts. Rows
/// whose key the ledger cannot hold are left out; the second value is their number.
pub(super) fn by_table(rows: Vec<LedgerRow>) -> (Vec<TableColumns>, usize) {
    let mut tables: BTreeMap<LedgerTable, BTreeMap<Vec<Value>, Vec<Value>>> = BTreeMap::new();
    let mut left_out = 0;
    for LedgerRow { table, cells } in rows {
        let values = row(table.columns(), table.key_length(), cells);
        let key = values[..table.key_length().min(values.len())].to_vec();
        if key.contains(&Value::Null) {
            left_out += 1;
            continue;
        }
        tables.entry(table).or_default().insert(key, values);
    }
    (tables.into_iter().map(|(table, rows)| columns(table, rows)).collect(), left_out)
}

/// One row's values, and the names of the columns that do not fit.
fn row(columns: &[Column], key_length: usize, cells: Vec<Cell>) -> Vec<Value> {
    let mut unfit = Vec::new();
    let mut values = Vec::with_capacity(columns.len() + 1);
    let cells = cells.into_iter().chain(std::iter::repeat(Cell::Null));
    for (at, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let (value, fits) = hold(cell, column.holds, at < key_length);
        values.push(value);
        if !fits {
            unfit.push(column.name);
        }
    }
    values.push(if unfit.is_empty() { Value::Null } else { Value::Text(unfit.join(", ")) });
    values
}

fn columns(table: LedgerTable, rows: BTreeMap<Vec<Value>, Vec<Value>>) -> TableColumns {
    let count = rows.len();
    let holds = table.columns().iter().map(|column| column.holds).chain([ColumnType::Text]);
    let mut values: Vec<Values> = holds.map(|holds| Values::new(holds, count)).collect();
    for row in rows.into_values() {
        for (values, value) in values.iter_mut().zip(row) {
            values.push(value);
        }
    }
    TableColumns { table, values }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn time_of(text: &str) -> Value {
        Value::Time(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
    }

    #[test]
    fn a_value_is_held_or_named() {
        use ColumnType::{Amount, Bytes, Day, Json, Number, Text, Time};
        let null = || (Value::Null, false);
        let as_text = |text: &str| (Value::Text(text.to_owned()), true);
        for (holds, cell, wanted) in [
            (Number, Cell::Integer(i64::MIN), (Value::Number(i64::MIN), true)),
            (Number, text("12"), (Value::Number(12), true)),
            (Number, Cell::Real(1.5), null()),
            (Number, text("9223372036854775808"), null()),
            (Number, text("NaN"), null()),
            (Time, text("2026-11-28T12:00:00.123Z"), (time_of("2026-11-28T12:00:00.123Z"), true)),
            (Time, text("0001-01-01T00:00:00.000Z"), (time_of("0001-01-01T00:00:00.000Z"), true)),
            (Time, text("infinity"), null()),
            (Time, text("2026-02-30T00:00:00Z"), null()),
            (Time, Cell::Integer(0), null()),
            (Day, text("2026-02-28"), (Value::Day(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap()), true)),
            (Day, text("2026-02-29"), null()),
            (Amount, text("-0.10"), as_text("-0.10")),
            (Amount, text("1e400"), as_text("1e400")),
            (Amount, text("1e401"), null()),
            (Amount, text("NaN"), null()),
            (Amount, text("1,5"), null()),
            (Amount, text(""), null()),
            (Amount, text(" 1"), null()),
            (Amount, text("0x10"), null()),
            (Amount, text("1_000"), null()),
            (Amount, Cell::Integer(3), as_text("3")),
            (Json, text("{\"a\":\"\\u0000\\ud800\"}"), as_text("{\"a\":\"\\ufffd\\ufffd\"}")),
            (Json, text("{"), null()),
            (Json, Cell::Integer(1), null()),
            (Bytes, text("a\0"), (Value::Bytes(vec![b'a', 0]), true)),
            (Bytes, Cell::Bytes(vec![255, 0]), (Value::Bytes(vec![255, 0]), true)),
            (Bytes, Cell::Integer(1), null()),
            (Text, text("a\0b"), as_text("a\u{fffd}b")),
            (Text, Cell::Bytes(vec![b'a', 255]), as_text("a\u{fffd}")),
            (Text, Cell::Integer(-1), as_text("-1")),
            (Text, Cell::Null, (Value::Null, true)),
        ] {
            assert_eq!(hold(cell.clone(), holds, false), wanted, "{holds:?} {cell:?}");
        }
    }

    #[test]
    fn a_key_that_no_index_holds_is_cut_and_stays_its_own() {
        let long = |ending: &str| "é".repeat(600) + ending;
        let (Value::Text(a), false) = hold(text(&long("a")), ColumnType::Text, true) else {
            panic!("it fits")
        };
        let (Value::Text(b), false) = hold(text(&long("b")), ColumnType::Text, true) else {
            panic!("it fits")
        };
        assert_ne!(a, b);
        assert!(a.len() <= LONGEST_KEY, "{}", a.len());
    }

    #[test]
    fn rows_that_the_ledger_cannot_tell_apart_are_sent_once() {
        let order = |id: Cell, status: &str| {
            let mut cells = vec![Cell::Null; LedgerTable::Orders.columns().len()];
            (cells[0], cells[1], cells[2]) = (text("shop"), id, text(status));
            LedgerRow { table: LedgerTable::Orders, cells }
        };
        let rows =
            vec![order(text("a\0"), "old"), order(text("a\u{fffd}"), "new"), order(Cell::Null, "lost")];
        let (tables, left_out) = by_table(rows);
        assert_eq!((tables.len(), left_out), (1, 1));
        let Values::Text(status) = &tables[0].values[2] else { panic!("it is text") };
        assert_eq!(status, &[Some("new".to_owned())]);
    }

    fn any_cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            any::<f64>().prop_map(Cell::Real),
            any::<String>().prop_map(Cell::Text),
            "[-0-9.eE+:TZ{}\\[\\]\",\\\\u]{0,40}".prop_map(Cell::Text),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Bytes),
        ]
    }

    proptest! {
        #[test]
        fn whatever_a_row_holds_each_column_gets_one_value(
            table in proptest::sample::select(LedgerTable::ALL),
            cells in proptest::collection::vec(any_cell(), 0..30),
        ) {
            let values = row(table.columns(), table.key_length(), cells);
            prop_assert_eq!(values.len(), table.columns().len() + 1);
            for value in values {
                if let Value::Text(text) = value {
                    prop_assert!(!text.contains('\0'));
                }
            }
        }
    }
}
