//! What is told to the owner's programs: the news in its order.

pub(super) mod feed;
