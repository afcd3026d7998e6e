//! The ledger's schema: the steps in `sql/ledger`. The first node that needs a step runs it; each step may
//! run repeatedly and on several nodes at once.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::types::Type;

use super::failure::ShipError;
use super::session::Session;
use crate::domain::shipping::{ColumnType, LedgerTable};

/// The steps, in order. A published step never changes.
const STEPS: [&str; 1] = [include_str!("../../sql/ledger/0001_initial.sql")];

/// The version after all steps.
pub(super) const VERSION: i64 = 1;

/// SQL states of a step that another node runs at the same moment: an object that appeared meanwhile, a
/// deadlock, a catalog row that was just changed.
const MEANWHILE: [&str; 8] = ["23505", "42P07", "42710", "42P06", "42723", "40001", "40P01", "XX000"];

/// Maximum number of tries of a step that another node runs at the same moment.
const TRIES: u32 = 20;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A quoted schema name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema {
    name: String,
    quoted: String,
}

impl Schema {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), quoted: quoted(name) }
    }

    /// `sql` with the schema's name in place of `{schema}`.
    pub(super) fn within(&self, sql: &str) -> String {
        sql.replace("{schema}", &self.quoted)
    }
}

/// Quotes any text as an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The SQL that creates the schema `name`, for an owner who runs it by hand.
#[must_use]
pub fn script(name: &str) -> String {
    let schema = Schema::new(name);
    let mut script = schema.within(
        "-- The ledger of countersign. Run it as the owner of the database, for instance with psql; it may be run again.\n\
         -- Then the role in ledger.url needs no more than:\n\
         --   GRANT USAGE ON SCHEMA {schema} TO countersign;\n\
         --   GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO countersign;\n\n\
         BEGIN;\n\nCREATE SCHEMA IF NOT EXISTS {schema};\n\n",
    );
    for step in STEPS {
        script += &schema.within(step);
        script.push('\n');
    }
    script + "COMMIT;\n"
}

/// What was done to the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaState {
    /// Nothing: it had this program's version.
    Current,
    /// It was created (from version 0), or upgraded from this version.
    UpgradedFrom(i64),
}

/// Creates or upgrades the schema to this version, and checks its columns.
///
/// # Errors
/// The schema is newer, or differs from this version's; the role may not create it; the connection failed.
pub(super) async fn bring_up_to_date(session: &Session, schema: &Schema) -> Result<SchemaState, ShipError> {
    let before = version(session, schema).await?;
    let mut found = before;
    let mut tries = 0;
    while found < VERSION {
        match make_next(session, schema, found).await {
            Ok(()) => {}
            Err(ShipError::Sql { code, .. }) if MEANWHILE.contains(&code.as_str()) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(failure) => return Err(failure),
        }
        found = version(session, schema).await?;
    }
    if found > VERSION {
        return Err(ShipError::NewerSchema { found, known: VERSION });
    }
    check_columns(session, schema).await?;
    Ok(if before == VERSION { SchemaState::Current } else { SchemaState::UpgradedFrom(before) })
}

/// Checks that the schema exists and has this program's version, without changing anything; `None`: it is
/// missing or older.
///
/// # Errors
/// As [`bring_up_to_date`].
pub(super) async fn examine(session: &Session, schema: &Schema) -> Result<Option<()>, ShipError> {
    match version(session, schema).await? {
        found if found > VERSION => Err(ShipError::NewerSchema { found, known: VERSION }),
        VERSION => check_columns(session, schema).await.map(Some),
        _ => Ok(None),
    }
}

/// The version of the schema; 0 if there is none.
async fn version(session: &Session, schema: &Schema) -> Result<i64, ShipError> {
    let sql = schema.within("SELECT coalesce(max(version), 0) FROM {schema}.versions");
    match session.query(&sql, &[]).await {
        Ok(rows) => rows.first().map_or(Ok(0), |row| Ok(row.try_get(0)?)),
        // No such table, no such schema.
        Err(ShipError::Sql { code, .. }) if code == "42P01" || code == "3F000" => Ok(0),
        Err(failure) => Err(failure),
    }
}

/// Runs the step after version `from`, in a transaction.
async fn make_next(session: &Session, schema: &Schema, from: i64) -> Result<(), ShipError> {
    let step = usize::try_from(from).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or_default();
    let mut sql = String::new();
    if !exists(session, schema).await? {
        sql += &schema.within("CREATE SCHEMA IF NOT EXISTS {schema};\n");
    }
    sql += &schema.within(step);
    session.transaction(session.run(&sql)).await
}

/// Whether the schema exists. A role that may not create schemas may not even run `CREATE SCHEMA IF NOT
/// EXISTS`.
async fn exists(session: &Session, schema: &Schema) -> Result<bool, ShipError> {
    let sql = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    let rows = session.query(sql, &[(&schema.name, Type::TEXT)]).await?;
    Ok(!rows.is_empty())
}

/// PostgreSQL's name of a type.
fn type_name(holds: ColumnType) -> &'static str {
    match holds {
        ColumnType::Time => "timestamp with time zone",
        ColumnType::Day => "date",
        ColumnType::Amount => "numeric",
        ColumnType::Number => "bigint",
        ColumnType::Json => "jsonb",
        ColumnType::Bytes => "bytea",
        ColumnType::Text => "text",
    }
}

async fn check_columns(session: &Session, schema: &Schema) -> Result<(), ShipError> {
    let sql = "SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod)
               FROM pg_catalog.pg_attribute a
               JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND a.attnum > 0 AND NOT a.attisdropped";
    let rows = session.query(sql, &[(&schema.name, Type::TEXT)]).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let (table, column, holds): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        found.insert((table, column), holds);
    }
    for (table, column, holds) in wanted_columns() {
        match found.get(&(table.to_owned(), column.to_owned())) {
            None => {
                return Err(ShipError::WrongSchema(format!("the ledger has no column {table}.{column}")));
            }
            Some(is) if is != holds => {
                return Err(ShipError::WrongSchema(format!(
                    "the ledger's column {table}.{column} is {is}, not {holds}"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Each table and column that is written, with its type.
fn wanted_columns() -> Vec<(&'static str, &'static str, &'static str)> {
    let nodes = [
        ("node", "text"),
        ("file", "text"),
        ("version", "text"),
        ("schema_version", "bigint"),
        ("shipped_until", "timestamp with time zone"),
        ("writer", "bigint"),
        ("position", "text"),
    ];
    let mut wanted: Vec<_> = nodes.into_iter().map(|(column, holds)| ("nodes", column, holds)).collect();
    for table in LedgerTable::ALL.iter().copied() {
        let name = table.as_str();
        wanted.push((name, "node", "text"));
        wanted.extend(table.columns().iter().map(|column| (name, column.name, type_name(column.holds))));
        wanted.push((name, "unfit", "text"));
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_names_the_schema_and_notes_its_version() {
        assert_eq!(usize::try_from(VERSION).unwrap(), STEPS.len());
        for (at, step) in STEPS.iter().enumerate() {
            let ending = format!(
                "INSERT INTO {{schema}}.versions (version) VALUES ({}) ON CONFLICT DO NOTHING;",
                at + 1
            );
            assert!(step.trim_end().ends_with(&ending), "step {}", at + 1);
        }
    }

    #[test]
    fn any_name_of_a_schema_is_quoted() {
        assert_eq!(Schema::new("a\"b").within("{schema}.t"), "\"a\"\"b\".t");
    }
}
