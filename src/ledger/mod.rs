//! The ledger: a copy of what many stores hold, in one PostgreSQL that other programs read.
//!
//! | file | its one job |
//! |---|---|
//! | [`settings`] | the `[ledger]` table |
//! | [`url`] | the URL of PostgreSQL |
//! | [`connect`] | connects: TLS, several hosts |
//! | [`session`] | one connection: statements, transactions, timeouts |
//! | [`schema`] | creates, upgrades and checks the tables |
//! | [`rows`], [`json`] | convert rows of the store to PostgreSQL's types |
//! | [`ship`] | the statements about one node: its claim, its rows, its position |
//! | [`empty`] | the statements that empty personal data of one node |
//! | [`decide`] | what to do after a failure, retry pauses, batch sizes; pure functions |
//! | [`task`] | the shipper: the loop that connects, ships and empties |
//! | [`mod@examine`] | checks for `doctor` and `ledger take-over` |
//! | [`failure`] | why nothing is shipped, in one line |

mod connect;
mod decide;
mod empty;
mod examine;
mod failure;
mod json;
mod rows;
mod schema;
mod session;
mod settings;
mod ship;
mod task;
mod url;

pub use examine::{NodeState, TakeOver, examine};
pub use failure::ShipError;
pub use schema::script;
pub use settings::LedgerSettings;
pub use task::{ShipperParts, run};
pub use url::LedgerUrl;
