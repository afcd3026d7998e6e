//! countersign stores each shop notification as it came, answers at once, and believes none of them until
//! the shop's own API countersigns it.

pub mod admin;
pub mod cli;
pub mod config;
pub mod domain;
pub mod metrics;
pub mod providers;
pub mod receiver;
pub mod reconcile;
pub mod rules;
pub mod service;
pub mod simulator;
pub mod store;
pub mod worker;
