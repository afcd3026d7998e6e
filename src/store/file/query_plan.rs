//! For tests: SQLite's plan of a statement.

use rusqlite::Connection;

use super::{connection, schema};

/// An empty store in memory.
pub(in crate::store) fn fresh() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    connection::pragmas(&conn).unwrap();
    conn.execute_batch(schema::SCHEMA).unwrap();
    conn
}

/// The plan of a statement, one line per step.
pub(in crate::store) fn plan(conn: &Connection, sql: &str) -> String {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec!["1"; statement.parameter_count()];
    let steps =
        statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}
