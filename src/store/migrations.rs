//! The versions of the schema, and how a file comes to the newest.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

/// The migrations in order; the schema version is their number.
const MIGRATIONS: [&str; 1] = [include_str!("../../sql/migrations/0001_initial.sql")];

/// The schema version of this program.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// Brings the schema up to date.
pub(super) fn bring_up_to_date(conn: &mut Connection, path: &Path) -> anyhow::Result<()> {
    Migrations::from_iter(MIGRATIONS.map(M::up))
        .to_latest(conn)
        .with_context(|| format!("cannot bring the store {} up to date", path.display()))
}
