//! The schema as SQL: what a new store is made by, and the steps by which an older one comes to the same.

/// Makes a new store of version [`SCHEMA_VERSION`].
pub(super) const SCHEMA: &str = include_str!("../../../sql/schema.sql");

/// The steps from one version to the next; the first one makes version 1.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("../../../sql/migrations/0001_initial.sql")];

/// The schema version of this program.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();
