//! The rules that judge: pure functions of a case, an answer and the time. No clock, no store, no network.
//!
//! ```text
//!                       ┌────────────── retry (a person) ◄──────────────┬──────────────┐
//!                       ▼                                                │              │
//!  came in ──► pending ─┬─ answer agrees ──────────► confirmed           │              │
//!               ▲  │    ├─ answer differs, grace over ─► ignored ────────┘              │
//!               │  │    │      mismatch, not_found ──(a later confirmed explains)──► superseded
//!               │  │    ├─ equals a confirmed one ───► ignored duplicate ◄─┐            │
//!               └──┘    └─ failed or behind, patience over ─► undecided ───┴────────────┘
//!           failed, behind,                                      └─ dismiss (a person) ─► ignored dismissed
//!           differs within grace
//! ```
//!
//! A failure to ask leads from `pending` to `pending` or `undecided`, never to `confirmed` or `ignored`.

pub mod alerts;
pub mod confirmed_values;
pub mod delivery;
pub mod failure;
pub mod fairness;
pub mod health;
pub mod reconcile;
pub mod retry;
pub mod settle;
pub mod shipping;
pub mod supersede;
#[cfg(test)]
mod tests;

pub use failure::on_failure;
pub use settle::{is_stale, settle, settle_listed};
