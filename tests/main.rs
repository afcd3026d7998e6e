//! Everything through the front door: the real binary, a real SQLite file, simulated shops over real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod actions;
mod admin;
mod alerts;
mod changes;
mod cli;
mod clock;
mod config;
mod crash;
mod damaged;
mod demo;
mod disk;
mod documents;
mod failures;
mod flood;
mod hostile;
mod http_clients;
mod ledger;
mod list_calls;
mod many_shops;
mod news;
mod page;
mod properties;
mod receiver;
mod reconcile;
mod reports;
mod rest;
mod retention;
mod service;
mod status;
mod stop;
mod store;
mod support;
mod tidy;
mod upgrade;
mod verdicts;
