//! The control pages: the state by HTTP, for people and for programs in other languages. No password: loopback only.

use super::exchange::{Answer, Request};
use super::shops::Shops;

/// Answers one control call.
pub(super) fn answer(_shops: &Shops, _request: &Request<'_>) -> Answer {
    Answer::empty(404)
}
