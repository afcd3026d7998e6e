//! The news for the owner's programs.

pub(super) mod feed;
