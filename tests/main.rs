//! Everything through the front door: the real binary, a real SQLite file, simulated shops over real HTTP.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cli;
mod crash;
mod demo;
mod failures;
mod lists;
mod properties;
mod support;
mod tidy;
mod verdicts;
