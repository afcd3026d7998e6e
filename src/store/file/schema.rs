//! The schema as SQL: the script for a new store, and the steps that upgrade an older one to the same.

/// Creates a new store of version [`SCHEMA_VERSION`].
pub(super) const SCHEMA: &str = include_str!("../../../sql/schema.sql");

/// The steps from one version to the next; the first creates version 1.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("../../../sql/migrations/0001_initial.sql")];

/// The schema version of this program.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();
