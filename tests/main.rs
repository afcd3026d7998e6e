//! Everything through the front door: the real binary, a real SQLite file, simulated shops over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod demo;
mod lists;
mod reports;
mod support;
mod tidy;
mod verdicts;
