//! One file on one disk: opening, locking, schema, damage, and backups.

pub(super) mod backup;
pub(super) mod connection;
pub(super) mod damage;
pub(super) mod disk;
pub(super) mod holder;
pub(super) mod integrity;
pub(super) mod lock;
pub(super) mod migrations;
pub(super) mod open;
pub(super) mod paths;
pub(super) mod plain_file;
pub(super) mod pool;
#[cfg(test)]
pub(super) mod query_plan;
pub(super) mod schema;
