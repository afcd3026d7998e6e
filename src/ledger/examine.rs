//! Examines the ledger without shipping: for `doctor`, and before a node is taken over.

use tokio_postgres::types::Type;

use super::decide::NodeRow;
use super::failure::ShipError;
use super::schema;
use super::session::Session;
use super::settings::LedgerSettings;
use super::ship::Node;

/// The result, if shipping is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// The schema exists, and the node belongs to this file.
    Ours,
    /// The schema exists, and has no rows of the node yet.
    New,
    /// The schema is missing or older, and the role may create it.
    ToBeMade,
}

/// Checks whether this file could ship to its ledger now; `file` is its id, `None` before its first `serve`.
///
/// # Errors
/// Why it could not.
pub async fn examine(settings: &LedgerSettings, file: Option<&str>) -> Result<NodeState, ShipError> {
    let session = settings.connect().await?;
    let found = examine_over(&session, settings, file).await;
    session.close().await;
    found
}

async fn examine_over(
    session: &Session,
    settings: &LedgerSettings,
    file: Option<&str>,
) -> Result<NodeState, ShipError> {
    let node = Node::new(&settings.schema, &settings.node, file.unwrap_or_default());
    let read_only = session.query("SELECT pg_catalog.current_setting('transaction_read_only')", &[]).await?;
    if let Some(row) = read_only.first()
        && row.try_get::<_, String>(0)? == "on"
    {
        return Err(ShipError::Refused(
            "the database is read-only, as a standby is; name the primary in ledger.url".to_owned(),
        ));
    }
    if schema::examine(session, node.schema()).await?.is_none() {
        return may_make(session).await;
    }
    may_write(session, &settings.schema).await?;
    match (node.read(session).await?, file) {
        (None, _) => Ok(NodeState::New),
        (Some(row), Some(file)) if row.file == file => Ok(NodeState::Ours),
        (Some(_), _) => Err(ShipError::OtherFile),
    }
}

async fn may_make(session: &Session) -> Result<NodeState, ShipError> {
    let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')";
    let rows = session.query(sql, &[]).await?;
    match rows.first().map(|row| row.try_get(0)).transpose()? {
        Some(true) => Ok(NodeState::ToBeMade),
        _ => Err(ShipError::Refused(
            "the schema is missing, and the role may not create it; as the owner of the database run what \
             countersign ledger schema prints"
                .to_owned(),
        )),
    }
}

/// Checks that the role may read and write every table.
async fn may_write(session: &Session, schema: &str) -> Result<(), ShipError> {
    let sql = "SELECT c.relname::text FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname <> 'versions'
                 AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT')
                   AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
                   AND pg_catalog.has_table_privilege(c.oid, 'UPDATE'))
               ORDER BY 1 LIMIT 1";
    let rows = session.query(sql, &[(&schema, Type::TEXT)]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let table: String = row.try_get(0)?;
    Err(ShipError::Refused(format!(
        "the role may not write the table {table}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {} to it",
        schema::quoted(schema)
    )))
}

/// A node that is about to be given to this file.
pub struct TakeOver {
    session: Session,
    node: Node,
    found: NodeRow,
}

impl TakeOver {
    /// Examines the node; `None`: it has no rows, or belongs to this file.
    ///
    /// # Errors
    /// The schema is missing or has another version, or PostgreSQL failed.
    pub async fn prepare(settings: &LedgerSettings, file: &str) -> Result<Option<Self>, ShipError> {
        let session = settings.connect().await?;
        let node = Node::new(&settings.schema, &settings.node, file);
        let found = match schema::examine(&session, node.schema()).await? {
            None => None,
            Some(()) => node.read(&session).await?.filter(|row| row.file != file),
        };
        Ok(found.map(|found| Self { session, node, found }))
    }

    /// The id of the file whose rows will be removed.
    #[must_use]
    pub fn other_file(&self) -> &str {
        &self.found.file
    }

    /// Removes the rows and gives the node to this file; calls `removed` with the number of rows of each
    /// step.
    ///
    /// # Errors
    /// The role may not remove rows, or PostgreSQL failed; the take-over can be repeated.
    pub async fn run(self, removed: impl FnMut(u64)) -> Result<(), ShipError> {
        self.node.take_over(&self.session, removed).await?;
        self.session.close().await;
        Ok(())
    }
}
