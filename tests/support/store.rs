//! The store as its owner sees it: opened by any SQLite tool, read through the views.

use std::path::Path;

use countersign::domain::Clock;
use countersign::store::{self, ServeLock, Store};
use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// A row of `notifications`, and the outcomes of its verifications.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) source: String,
    pub(crate) provider: String,
    pub(crate) event: Option<String>,
    pub(crate) subject_kind: Option<String>,
    pub(crate) subject_id: Option<String>,
    pub(crate) resolved_id: Option<String>,
    pub(crate) claim: Option<String>,
    pub(crate) event_time: Option<String>,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) duplicate_of: Option<i64>,
    pub(crate) news: i64,
    pub(crate) attempts: i64,
    pub(crate) outcomes: Vec<String>,
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the store opens")
}

pub(super) fn row(path: &Path, id: i64) -> Row {
    let found = rows_where(path, &format!("id = {id}")).pop();
    found.unwrap_or_else(|| panic!("no notification {id}"))
}

pub(super) fn rows(path: &Path) -> Vec<Row> {
    rows_where(path, "true")
}

fn rows_where(path: &Path, condition: &str) -> Vec<Row> {
    let conn = open(path);
    let mut statement = conn
        .prepare(&format!(
            "SELECT id, source, provider, event, subject_kind, subject_id, resolved_id, claim, event_time, state, reason,
               detail, duplicate_of, news, attempts FROM notifications WHERE {condition} ORDER BY id"
        ))
        .expect("the view");
    let rows = statement.query_map([], |row| {
        Ok(Row {
            id: row.get(0)?,
            source: row.get(1)?,
            provider: row.get(2)?,
            event: row.get(3)?,
            subject_kind: row.get(4)?,
            subject_id: row.get(5)?,
            resolved_id: row.get(6)?,
            claim: row.get(7)?,
            event_time: row.get(8)?,
            state: row.get(9)?,
            reason: row.get(10)?,
            detail: row.get(11)?,
            duplicate_of: row.get(12)?,
            news: row.get(13)?,
            attempts: row.get(14)?,
            outcomes: Vec::new(),
        })
    });
    let rows: Vec<Row> = rows.expect("rows").collect::<Result<_, _>>().expect("rows");
    rows.into_iter().map(|row| Row { outcomes: outcomes(&conn, row.id), ..row }).collect()
}

fn outcomes(conn: &Connection, id: i64) -> Vec<String> {
    let mut statement = conn
        .prepare("SELECT outcome FROM verifications WHERE notification_id = ?1 ORDER BY id")
        .expect("the table");
    let outcomes = statement.query_map([id], |row| row.get(0)).expect("outcomes");
    outcomes.collect::<Result<_, _>>().expect("outcomes")
}

pub(super) fn value(path: &Path, sql: &str) -> Option<String> {
    let conn = open(path);
    conn.query_row(sql, [], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Null => None,
            ValueRef::Integer(n) => Some(n.to_string()),
            ValueRef::Real(n) => Some(n.to_string()),
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Some(format!("{bytes:?}")),
        })
    })
    .expect("a value")
}

pub(super) fn body(path: &Path, id: i64) -> Vec<u8> {
    let body = open(path).query_row("SELECT body FROM notifications WHERE id = ?1", [id], |row| {
        Ok(row.get_ref(0)?.as_bytes()?.to_vec())
    });
    body.expect("a body")
}

/// The bodies of all notifications, in the order of their ids, as text.
pub(crate) fn bodies(path: &Path) -> Vec<String> {
    let conn = open(path);
    let mut statement = conn.prepare("SELECT body FROM notifications ORDER BY id").expect("the view");
    let bodies = statement.query_map([], |row| row.get(0)).expect("bodies");
    bodies.collect::<Result<_, _>>().expect("bodies")
}

/// The store at `path`, created as `serve` creates it if there is none.
pub(crate) fn create_or_open(path: &Path) -> Store {
    if !path.exists() {
        let now = Clock::system().now();
        store::create(path).expect("a file");
        let lock = ServeLock::take(path, now).expect("the lock");
        store::bring_up_to_date(path, &lock, 0, now).expect("a schema");
    }
    Store::open(path).expect("the store")
}
