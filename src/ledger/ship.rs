//! The statements about one node: claiming it, and writing its rows with the position that they reach. Every statement is
//! unnamed, and every change is one transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio_postgres::types::Type;

use super::decide::{self, NodeRow};
use super::failure::ShipError;
use super::rows::{self, TableColumns};
use super::schema::{self, Schema};
use super::session::{Parameter, Session};
use crate::domain::Timestamp;
use crate::domain::shipping::{ColumnType, LedgerRow, LedgerTable};

/// Maximum number of rows that one statement removes.
const MOST_REMOVED: i64 = 5000;

/// The condition that the node `$1` still belongs to the file `$2` and the writer `$3`. Where it is true, a statement
/// sees no rows of another file: those come after the node was given away.
pub(super) const IS_OURS: &str =
    "EXISTS (SELECT 1 FROM {schema}.nodes WHERE node = $1 AND file = $2 AND writer = $3)";

/// A node of the ledger, as this file knows it.
pub(super) struct Node {
    pub(super) schema: Schema,
    pub(super) name: String,
    pub(super) file: String,
    /// The statement that writes rows, per table.
    upserts: BTreeMap<LedgerTable, String>,
}

/// The values that each batch is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeClaim {
    /// The number under which this process writes.
    pub(super) writer: i64,
    /// The position as the ledger holds it.
    pub(super) position: Option<String>,
}

impl Node {
    pub(super) fn new(schema: &str, name: &str, file: &str) -> Self {
        let schema = Schema::new(schema);
        let upserts = LedgerTable::ALL.iter().map(|table| (*table, upsert(&schema, *table))).collect();
        Self { schema, name: name.to_owned(), file: file.to_owned(), upserts }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads the node's row, creates it if there is none, and claims it for this process.
    ///
    /// # Errors
    /// The node belongs to another file or a later writer; PostgreSQL failed.
    pub(super) async fn claim(&self, session: &Session, ours: Option<i64>) -> Result<NodeClaim, ShipError> {
        let insert = self.schema.within(
            "INSERT INTO {schema}.nodes (node, file, version, schema_version) VALUES ($1, $2, $3, $4)
             ON CONFLICT (node) DO NOTHING",
        );
        let update = self.schema.within(
            "UPDATE {schema}.nodes SET writer = $2, version = $3, schema_version = $4 WHERE node = $1",
        );
        let work = async {
            let (version, schema_version) = (env!("CARGO_PKG_VERSION"), schema::VERSION);
            session
                .execute(
                    &insert,
                    &[
                        (&self.name, Type::TEXT),
                        (&self.file, Type::TEXT),
                        (&version, Type::TEXT),
                        (&schema_version, Type::INT8),
                    ],
                )
                .await?;
            let Some(row) = self.read_with(session, " FOR UPDATE").await? else {
                return Err(ShipError::NodeChanged);
            };
            let writer = decide::claim(&row, &self.file, ours)?;
            session
                .execute(
                    &update,
                    &[
                        (&self.name, Type::TEXT),
                        (&writer, Type::INT8),
                        (&version, Type::TEXT),
                        (&schema_version, Type::INT8),
                    ],
                )
                .await?;
            Ok(NodeClaim { writer, position: row.position })
        };
        session.transaction(work).await
    }

    /// The node's row; `None`: there is none yet.
    ///
    /// # Errors
    /// PostgreSQL failed.
    pub(super) async fn read(&self, session: &Session) -> Result<Option<NodeRow>, ShipError> {
        self.read_with(session, "").await
    }

    async fn read_with(&self, session: &Session, ending: &str) -> Result<Option<NodeRow>, ShipError> {
        let sql =
            self.schema.within("SELECT file, writer, position FROM {schema}.nodes WHERE node = $1") + ending;
        let rows = session.query(&sql, &[(&self.name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(NodeRow { file: row.try_get(0)?, writer: row.try_get(1)?, position: row.try_get(2)? }))
    }

    /// Writes rows and the position that they reach, in one transaction. With `until`, the ledger then has
    /// everything up to this time. Returns how many rows were left out because the ledger cannot hold their
    /// key.
    ///
    /// # Errors
    /// [`ShipError::NodeChanged`] if the claim does not hold; PostgreSQL failed. Either nothing was written, or the
    /// connection was lost, and whether the batch was committed is unknown.
    pub(super) async fn ship(
        &self,
        session: &Session,
        claim: &NodeClaim,
        rows: Vec<LedgerRow>,
        through: &str,
        until: Option<Timestamp>,
    ) -> Result<usize, ShipError> {
        let (tables, left_out) = rows::by_table(rows);
        let work = async {
            self.advance(session, claim, through, until).await?;
            for table in &tables {
                self.write(session, table).await?;
            }
            Ok(())
        };
        session.transaction(work).await?;
        Ok(left_out)
    }

    /// Moves the node's row to `through`, if the claim still holds.
    async fn advance(
        &self,
        session: &Session,
        claim: &NodeClaim,
        through: &str,
        until: Option<Timestamp>,
    ) -> Result<(), ShipError> {
        let sql = self.schema.within(
            "UPDATE {schema}.nodes SET position = $5, shipped_until = coalesce($6, shipped_until)
             WHERE node = $1 AND file = $2 AND writer = $3 AND position IS NOT DISTINCT FROM $4",
        );
        let until = until.and_then(|until| DateTime::<Utc>::from_timestamp_millis(until.millis()));
        let parameters: [Parameter<'_>; 6] = [
            (&self.name, Type::TEXT),
            (&self.file, Type::TEXT),
            (&claim.writer, Type::INT8),
            (&claim.position, Type::TEXT),
            (&through, Type::TEXT),
            (&until, Type::TIMESTAMPTZ),
        ];
        match session.execute(&sql, &parameters).await? {
            0 => Err(ShipError::NodeChanged),
            _ => Ok(()),
        }
    }

    async fn write(&self, session: &Session, columns: &TableColumns) -> Result<(), ShipError> {
        let Some(sql) = self.upserts.get(&columns.table) else { return Ok(()) };
        let node: Parameter<'_> = (&self.name, Type::TEXT);
        let parameters: Vec<_> = std::iter::once(node).chain(columns.parameters()).collect();
        session.execute(sql, &parameters).await?;
        Ok(())
    }

    /// Gives the node to this file and removes the rows of the other one. Calls `removed` with the number of
    /// rows of each step.
    ///
    /// # Errors
    /// The role may not remove rows; PostgreSQL failed.
    pub(super) async fn take_over(
        &self,
        session: &Session,
        mut removed: impl FnMut(u64),
    ) -> Result<(), ShipError> {
        // The other file's writer stops before its rows are removed.
        let raise = self
            .schema
            .within("UPDATE {schema}.nodes SET writer = writer + 1, position = NULL WHERE node = $1");
        let name: [Parameter<'_>; 1] = [(&self.name, Type::TEXT)];
        session.execute(&raise, &name).await?;
        for table in LedgerTable::ALL.iter().copied() {
            let key = key(table);
            let sql = self.schema.within(&format!(
                "DELETE FROM {{schema}}.{table} WHERE node = $1 AND ({key}) IN (
                   SELECT {key} FROM {{schema}}.{table} WHERE node = $1 LIMIT $2)"
            ));
            loop {
                let parameters: [Parameter<'_>; 2] = [(&self.name, Type::TEXT), (&MOST_REMOVED, Type::INT8)];
                let gone = session.execute(&sql, &parameters).await?;
                if gone == 0 {
                    break;
                }
                removed(gone);
            }
        }
        let give = self.schema.within(
            "UPDATE {schema}.nodes SET file = $2, writer = writer + 1, position = NULL, shipped_until = NULL WHERE node = $1",
        );
        let parameters: [Parameter<'_>; 2] = [(&self.name, Type::TEXT), (&self.file, Type::TEXT)];
        session.execute(&give, &parameters).await?;
        Ok(())
    }
}

/// The key columns of a table besides `node`, as SQL lists them.
pub(super) fn key(table: LedgerTable) -> String {
    let names = table.columns().iter().take(table.key_length()).map(|column| schema::quoted(column.name));
    names.collect::<Vec<_>>().join(", ")
}

/// The statement that writes rows of a table: one parameter for the node, one array for each column and for
/// `unfit`.
fn upsert(schema: &Schema, table: LedgerTable) -> String {
    let columns = table.columns();
    let unfit = ("unfit".to_owned(), "");
    let named: Vec<(String, &str)> = columns
        .iter()
        .map(|column| {
            let cast = match column.holds {
                ColumnType::Amount => "::numeric",
                ColumnType::Json => "::jsonb",
                _ => "",
            };
            (schema::quoted(column.name), cast)
        })
        .chain([unfit])
        .collect();
    let join = |parts: Vec<String>| parts.join(", ");
    let names = join(named.iter().map(|(name, _)| name.clone()).collect());
    let cast = join(named.iter().map(|(name, cast)| format!("u.{name}{cast}")).collect());
    let arrays = join((2..named.len() + 2).map(|at| format!("${at}")).collect());
    let changed = named.iter().skip(table.key_length()).map(|(name, _)| format!("{name} = EXCLUDED.{name}"));
    let changed = join(changed.collect());
    let key = key(table);
    schema.within(&format!(
        "INSERT INTO {{schema}}.{table} (node, {names}) SELECT $1, {cast} FROM unnest({arrays}) AS u ({names})
         ON CONFLICT (node, {key}) DO UPDATE SET {changed}"
    ))
}
