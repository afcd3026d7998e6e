//! The ledger: what the store holds, in a database that other programs read, for many files at once.
//!
//! | file | its one job |
//! |---|---|
//! | [`settings`] | which ledger |
//! | [`connect`] | the way to the engine: TLS, several hosts, limits of time |
//! | [`schema`] | the tables there: made, upgraded, checked |
//! | [`rows`], [`json`] | rows of the store as the engine's types hold them |
//! | [`ship`] | what is said about one node |
//! | [`decide`] | what comes next; pure |
//! | [`task`] | the shipper |
//! | [`mod@examine`] | what `doctor` and `ledger take-over` find |
//! | [`failure`] | why nothing is shipped, in a line |

mod connect;
mod decide;
mod examine;
mod failure;
mod json;
mod rows;
mod schema;
mod settings;
mod ship;
mod task;

pub use connect::LedgerUrl;
pub use examine::{NodeState, TakeOver, examine};
pub use failure::ShipError;
pub use schema::script;
pub use settings::LedgerSettings;
pub use task::{ShipperParts, run};
